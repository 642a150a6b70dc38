import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from pulmo.core.estimate import wilson
from pulmo.datasets.inspect.tree import draw_folds, guess, mean_share


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


def test_words_of_one_picture_each_tell_nothing(labels: np.ndarray) -> None:
    facts = pd.DataFrame({"origin": [f"hospital {n}" for n in range(300)]}, dtype="string")
    folds = draw_folds(labels, np.arange(300), 3)
    guesses = guess(facts, labels, folds, 3).plain
    # Nothing is known of a word that was not fitted: it is one and the same guess in each fold.
    assert pd.Series(guesses).groupby(folds).nunique().eq(1).all()


class TestMeanShare:
    """The mean of shares, and its interval."""

    def test_independent_pictures_have_wilsons(self) -> None:
        hits = np.random.default_rng(0).random(500) < 0.8
        share = mean_share(hits, np.zeros(500, int), np.arange(500))
        assert share[:3] == pytest.approx((hits.mean(), *wilson(hits.mean(), 500)), abs=1e-3)
        assert share.n == 500

    def test_the_mean_over_classes_is_the_balanced_accuracy(self, labels: np.ndarray) -> None:
        guesses = np.where(np.random.default_rng(1).random(300) < 0.6, labels, "normal")
        strata = np.unique(labels, return_inverse=True)[1]
        share = mean_share(labels == guesses, strata, np.arange(300))
        assert share.value == pytest.approx(balanced_accuracy_score(labels, guesses))

    def test_the_interval_is_that_of_a_bootstrap_over_groups(self, labels: np.ndarray) -> None:
        generator = np.random.default_rng(1)
        groups = np.arange(300) // 3
        hits = np.repeat(generator.random(100) < 0.7, 3)
        strata = np.unique(labels, return_inverse=True)[1]
        share = mean_share(hits, strata, groups)
        draws = []
        for _ in range(2000):
            rows = (generator.integers(100, size=100)[:, None] * 3 + np.arange(3)).ravel()
            sums = np.bincount(strata[rows], hits[rows])
            draws.append((sums / np.bincount(strata[rows])).mean())
        assert share[1:3] == pytest.approx(np.percentile(draws, (2.5, 97.5)), abs=0.02)
        assert share.value == pytest.approx(
            np.mean([hits[strata == number].mean() for number in range(3)])
        )

    def test_where_all_is_right_each_group_counts_once(self) -> None:
        share = mean_share(np.ones(60, bool), np.zeros(60, int), np.arange(60) // 3)
        assert share[:3] == pytest.approx((1, *wilson(1, 20)))

    def test_one_group_shows_nothing_of_others(self) -> None:
        share = mean_share(np.ones(6, bool), np.zeros(6, int), np.zeros(6, int))
        assert share == (1, None, None, 6, "all pictures are of one group")
