"""Paired tests: two models that judged the very same pictures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.labels import class_numbers
from pulmo.evaluate.evaluation import Evaluation
from pulmo.evaluate.paired import Difference, compare_accuracy, compare_auc
from pulmo.evaluate.terms import Terms
from pulmo.report.comparison import PairedTest


class Verdicts(NamedTuple):
    """What a model said of each picture.

    Attributes:
        predictions: one row a picture, as `predict_manifest` gives them or a table of another's
            model was completed, whose `sha256` may be missing.
        evaluation: their figures.
        card: the model's card, or None if it is not at hand.
    """

    predictions: pd.DataFrame
    evaluation: Evaluation
    card: Card | None

    @property
    def labels(self) -> Terms:
        """The classes; without a card it is not known which labels are merged into them."""
        return Terms.of(self.card) if self.card else Terms(tuple(self.evaluation.classes))

    @property
    def hashed(self) -> bool:
        """Whether it is known which bytes each picture has."""
        return "sha256" in self.predictions and bool(self.predictions["sha256"].notna().all())

    @property
    def unexplained(self) -> list[str]:
        """The labels that count as some class, but it is not known as which."""
        found = set(self.predictions["label"]) - set(self.evaluation.data.skipped)
        return sorted(label for label in found if self.labels.index(label) is None)


class _Judged(NamedTuple):
    """The pictures that a model can be judged by, in the order of their keys.

    Attributes:
        keys: what each picture is: its SHA-256, or its path, and its label.
        truth: the class of each.
        positive: whether each is of the classes that the decision calls positive.
        right: whether the model decided on its class.
        scores: the probability of the positive classes, NaN where only decisions are known.
        groups: the group of each.
    """

    keys: list[tuple[str, str]]
    truth: NDArray[np.str_]
    positive: NDArray[np.bool_]
    right: NDArray[np.bool_]
    scores: NDArray[np.float64]
    groups: NDArray[np.intp]


def pair(
    name: str, first: Verdicts, against: str, second: Verdicts
) -> tuple[list[PairedTest], list[str]]:
    """Tests two models on the pictures that both judged.

    Returns:
        The tests, not yet corrected for their number; and why one is missing, as sentences.
    """
    for title, verdicts in ((name, first), (against, second)):
        if verdicts.unexplained:
            note = (
                f"No paired test of {name}: it is not known what the label "
                f"{verdicts.unexplained[0]} of {title} counts as; evaluate it again."
            )
            return [], [note]
    hashed = first.hashed and second.hashed
    one, two = (_judge(side, "sha256" if hashed else "path") for side in (first, second))
    reason = _different(one, two)
    if reason:
        by_path = "" if hashed else "; they were matched by path, for a table has no sha256"
        return [], [f"No paired test of {name} and {against}: {reason}{by_path}."]
    tests, notes = [], []
    if not hashed:
        notes.append(
            f"The pictures of {name} and {against} were matched by path, for a table has no sha256."
        )
    if not (first.evaluation.decision.positive and second.evaluation.decision.positive):
        notes.append(
            f"Of {name} or {against} no class was named positive: their AUCs are not tested; "
            "evaluate the table again with --positive."
        )
    elif not (first.evaluation.scored and second.evaluation.scored):
        notes.append(
            f"Of {name} or {against} only decisions are known, and no probabilities: their AUCs "
            "are not tested."
        )
    elif (one.positive == two.positive).all():
        scores = np.stack([one.scores, two.scores])
        difference = compare_auc(scores, two.positive, two.groups)
        of = " or ".join(second.evaluation.decision.positive)
        tests.append(_test((name, against), "auc", of, difference))
    else:
        notes.append(
            f"{name} and {against} call other classes positive: their AUCs are not tested."
        )
    if (one.truth == two.truth).all() and set(first.labels.order) == set(second.labels.order):
        difference = compare_accuracy(np.stack([one.right, two.right]), two.groups)
        tests.append(_test((name, against), "accuracy", "the decided class", difference))
    else:
        notes.append(f"{name} and {against} have other classes: their accuracies are not tested.")
    return tests, notes


def holm(tests: Sequence[PairedTest]) -> list[PairedTest]:
    """Returns tests with `p_holm` set, each figure's tests corrected together.

    The k-th lowest of m probabilities is multiplied by m - k + 1, and is no lower than the one
    before it (Holm 1979). Undefined ones do not count.
    """
    corrected: dict[int, float] = {}
    for figure in dict.fromkeys(test.figure for test in tests):
        defined = [
            (test.p, place)
            for place, test in enumerate(tests)
            if test.figure == figure and test.p is not None
        ]
        highest = 0.0
        for rank, (p, place) in enumerate(sorted(defined)):
            highest = max(highest, min(1.0, p * (len(defined) - rank)))
            corrected[place] = highest
    return [
        test.model_copy(update={"p_holm": corrected.get(place)}) for place, test in enumerate(tests)
    ]


def _judge(verdicts: Verdicts, key: str) -> _Judged:
    """Takes the pictures whose label the model knows; `key` is the column that tells them apart."""
    table, labels = verdicts.predictions, verdicts.labels
    table = table[class_numbers(table["label"], labels) >= 0]
    # Copies of a picture have one result, so their order among themselves does not matter.
    table = table.sort_values(list(dict.fromkeys([key, "label", "path"])))
    keys = list(zip(table[key], table["label"], strict=True))
    truth = np.array(labels.order)[class_numbers(table["label"], labels)]
    return _Judged(
        keys=keys,
        truth=truth,
        positive=np.isin(truth, verdicts.evaluation.decision.positive),
        right=table["decision"].to_numpy(np.str_) == truth,
        scores=(
            table["positive_probability"].to_numpy(np.float64)
            if verdicts.evaluation.scored
            else np.full(len(table), np.nan)
        ),
        groups=np.asarray(pd.factorize(table["group"])[0], np.intp),
    )


def _different(one: _Judged, two: _Judged) -> str | None:
    """Returns why the pictures of two models are not the same; None if they are."""
    if one.keys == two.keys:
        return None
    here, there = ({digest for digest, _ in side.keys} for side in (one, two))
    if here != there:
        return (
            f"they judged other pictures, {len(here):,} and {len(there):,} with "
            f"{len(here & there):,} in common"
        )
    return "the same pictures have other labels, or are there more than once"


def _test(names: tuple[str, str], figure: str, of: str, difference: Difference) -> PairedTest:
    return PairedTest.model_validate(
        {
            "name": names[0],
            "against": names[1],
            "figure": figure,
            "of": of,
            "difference": difference.estimate,
            "p": difference.p,
            "p_holm": None,
            "test": difference.test,
        }
    )
