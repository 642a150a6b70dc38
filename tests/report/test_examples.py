"""Which results are of which kind, and which of them are shown."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from pulmo.bundle.card import Card
from pulmo.predictions.predictions import Predictions
from pulmo.report.examples import KINDS, questions_of, select_examples
from pulmo.report.gallery import file_name

LABELS = ("covid", "viral", "normal")


@pytest.fixture(scope="module")
def predictions(card: Card) -> Predictions:
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.ones(3), 200)
    frame = pd.DataFrame(
        {
            "path": [f"/data/{number:03d}.png" for number in range(200)],
            "sha256": [f"{number:064x}" for number in range(200)],
            "label": generator.choice(LABELS, 200),
            "group": [f"p{number // 2}" for number in range(200)],
            **{f"p_{label}": shares[:, number] for number, label in enumerate(LABELS)},
        }
    )
    return Predictions.from_table(frame, card.decision_rule())


def test_the_kinds_are_those_of_the_rule_and_of_each_class(predictions: Predictions) -> None:
    by_rule, *by_class = questions_of(predictions)
    frame, rule = predictions.frame, predictions.rule
    assert (by_rule.classes, by_rule.threshold) == (rule.positive, rule.threshold)
    summed = frame["p_covid"] + frame["p_viral"]
    expected = [(frame["label"] != "normal", summed >= rule.threshold)]
    for label in LABELS:
        decided = np.array(LABELS)[frame[[f"p_{name}" for name in LABELS]].to_numpy().argmax(1)]
        expected.append((frame["label"] == label, decided == label))
    assert [one.classes for one in by_class] == [(label,) for label in LABELS]
    for asked, (truth, answer) in zip([by_rule, *by_class], expected, strict=True):
        (tn, fp), (fn, tp) = confusion_matrix(truth, answer)
        counts = [int((asked.kinds == kind).sum()) for kind in KINDS]
        assert counts == [fn, fp, tp, tn]


def test_the_most_and_the_least_confident_of_each_kind_are_shown(
    predictions: Predictions,
) -> None:
    asked = next(questions_of(predictions))
    rows = select_examples(predictions, asked, 2)
    groups = rows["group"].tolist()
    assert len(set(groups)) == len(groups) == 4 * 4
    for kind in KINDS:
        own = rows[rows["kind"] == kind]
        of_kind = np.sort(asked.probability[asked.kinds == kind])
        first, second = (
            (of_kind[-1], of_kind[0]) if kind.endswith("positive") else (of_kind[0], of_kind[-1])
        )
        assert own["confidence"].tolist() == ["most confident"] * 2 + ["least confident"] * 2
        ordered = own["probability"].tolist()
        assert ordered == sorted(ordered, reverse=kind.endswith("positive"))
        # Another question may have taken the group of the very first; the ends are near them.
        assert abs(ordered[0] - first) < 0.15
        assert abs(ordered[-1] - second) < 0.15


def test_each_image_is_shown_once_where_there_are_few(predictions: Predictions) -> None:
    few = predictions.select(np.arange(200) < 9)
    asked = next(questions_of(few))
    rows = select_examples(few, asked, 50)
    assert sorted(map(file_name, rows["path"])) == [f"{number:03d}.png" for number in range(9)]
    assert rows["kind"].tolist() == sorted(rows["kind"], key=KINDS.index)
