import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from pulmo.datasets.inspect.tree import draw_folds, guess


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(0).choice(["covid", "normal", "viral"], 300, p=[0.2, 0.5, 0.3])


def test_folds_keep_groups_together_and_classes_in_proportion(labels: np.ndarray) -> None:
    groups = np.arange(300) // 2
    folds = draw_folds(labels, groups, 3)
    assert pd.Series(folds).groupby(groups).nunique().eq(1).all()
    counts = pd.crosstab(folds, labels)
    assert counts.shape == (5, 3)
    assert (counts.max() - counts.min()).max() <= 4
    assert not np.array_equal(folds, draw_folds(labels, groups, 4))


def test_guesses_from_numbers_are_those_of_scikit_learn(labels: np.ndarray) -> None:
    generator = np.random.default_rng(1)
    facts = pd.DataFrame({"width": generator.random(300) + (labels == "covid") * 0.4})
    facts["height"] = generator.integers(0, 9, 300)
    folds = draw_folds(labels, np.arange(300), 3)
    guesses = guess(facts, labels, folds, 3)
    for found, weight in ((guesses.plain, None), (guesses.balanced, "balanced")):
        tree = DecisionTreeClassifier(max_depth=3, random_state=3, class_weight=weight)
        expected = cross_val_predict(tree, facts.to_numpy(float), labels, cv=PredefinedSplit(folds))
        assert (found == expected).all()
    assert (guesses.plain != guesses.balanced).any()


def test_words_tell_what_numbers_would(labels: np.ndarray) -> None:
    places = {"covid": ["x", "y"], "normal": ["z", "u", "v"], "viral": ["w"]}
    generator = np.random.default_rng(1)
    facts = pd.DataFrame(
        {"source": [generator.choice(places[label]) for label in labels], "bits": 8}
    ).astype({"source": "string"})
    folds = draw_folds(labels, np.arange(300), 3)
    assert (guess(facts, labels, folds, 3).plain == labels).all()


def test_words_of_one_image_each_tell_nothing(labels: np.ndarray) -> None:
    facts = pd.DataFrame({"origin": [f"hospital {n}" for n in range(300)]}, dtype="string")
    folds = draw_folds(labels, np.arange(300), 3)
    guesses = guess(facts, labels, folds, 3).plain
    # Nothing is known of a word that was not fitted: it is one and the same guess in each fold.
    assert pd.Series(guesses).groupby(folds).nunique().eq(1).all()
