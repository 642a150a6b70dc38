"""Paired tests: two models on the same images."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.compare.within import WITHIN, comparisons_of
from pulmo.predictions.predictions import Predictions
from pulmo.report.comparison import PairedTest
from pulmo.stats.paired import PairedDifference


class _Ordered(NamedTuple):
    """The labelled images of a model, in the order of their keys.

    Attributes:
        keys: what each image is: its SHA-256, or its path, and its label.
        truth: the class of each.
        positive: whether each is of the classes that the decision calls positive.
        right: whether the model decided on its class.
        scores: the probability of the positive classes.
        groups: the group of each.
        sorted: the predictions themselves in that order.
    """

    keys: list[tuple[str, str]]
    truth: NDArray[np.str_]
    positive: NDArray[np.bool_]
    right: NDArray[np.bool_]
    scores: NDArray[np.float64]
    groups: NDArray[np.intp]
    sorted: Predictions


def pair(
    name: str, first: Predictions, against: str, second: Predictions
) -> tuple[list[PairedTest], list[str]]:
    """Tests two models on the images that both were evaluated on.

    Returns:
        The tests, not yet corrected for their number; and why one is missing, as sentences.
    """
    hashed = _hashed(first) and _hashed(second)
    one, two = (_ordered(side, "sha256" if hashed else "path") for side in (first, second))
    reason = _different(one, two)
    if reason:
        by_path = "" if hashed else " (they were matched by path: one table has no sha256)"
        return [], [f"No paired test of {name} and {against}: {reason}{by_path}."]
    tests, notes = [], []
    if not hashed:
        notes.append(
            f"The images of {name} and {against} were matched by path: one table has no sha256."
        )
    if not (first.rule.positive and second.rule.positive):
        notes.append(
            f"The AUCs of {name} and {against} are not tested: one of them has no positive class. "
            "Evaluate its table again with a positive class."
        )
    elif not (first.rule.scored and second.rule.scored):
        notes.append(
            f"The AUCs of {name} and {against} are not tested: one of them has decisions and no "
            "probabilities."
        )
    elif (one.positive == two.positive).all():
        scores = np.stack([one.scores, two.scores])
        difference = stats.auc_difference(two.positive, scores, two.groups)
        tests.append(_test((name, against), "auc", second.rule.positive_names, difference))
    else:
        notes.append(
            f"The AUCs of {name} and {against} are not tested: their positive classes differ."
        )
    if (one.truth == two.truth).all() and set(first.rule.classes) == set(second.rule.classes):
        difference = stats.accuracy_difference(np.stack([one.right, two.right]), two.groups)
        tests.append(_test((name, against), "accuracy", "the decided class", difference))
        tests += _within(name, one.sorted, against, two.sorted)
    else:
        notes.append(
            f"The accuracies of {name} and {against} are not tested: their classes differ."
        )
    return tests, notes


def corrected(tests: Sequence[PairedTest]) -> list[PairedTest]:
    """Returns tests with `p_holm` set: those of each metric are corrected together (Holm 1979).

    Undefined ones do not count.
    """
    found = [test.p for test in tests]
    for metric in {test.metric for test in tests}:
        places = [
            place
            for place, test in enumerate(tests)
            if test.metric == metric and test.p is not None
        ]
        for place, p in zip(
            places, stats.holm(np.array([found[at] for at in places], np.float64)), strict=True
        ):
            found[place] = float(p)
    return [test.model_copy(update={"p_holm": p}) for test, p in zip(tests, found, strict=True)]


def _hashed(predictions: Predictions) -> bool:
    """Tells whether it is known which bytes each image has."""
    frame = predictions.frame
    return "sha256" in frame and bool(frame["sha256"].notna().all())


def _ordered(predictions: Predictions, key: str) -> _Ordered:
    """Takes the labelled images in the order of `key`, the column that identifies them."""
    labelled = predictions.labelled()
    # Copies of an image have one result, so their order among themselves does not matter.
    by = list(dict.fromkeys([key, "label", "path"]))
    order = labelled.frame.sort_values(by).index.to_numpy()
    rows = labelled.frame.loc[order]
    return _Ordered(
        keys=list(zip(rows[key], rows["label"], strict=True)),
        truth=labelled.classes.to_numpy(np.str_)[order],
        positive=labelled.of_positive_class[order],
        right=(labelled.decided == labelled.truth)[order],
        scores=labelled.positive_probability[order],
        groups=labelled.groups[order],
        sorted=Predictions(rows.reset_index(drop=True), labelled.rule),
    )


def _within(
    name: str, first: Predictions, against: str, second: Predictions
) -> Iterator[PairedTest]:
    """Yields the test of the mean AUCs within one source, where two classes share a source.

    Args:
        name: of the first model.
        first: its predictions.
        against: the name of the second.
        second: its predictions, of the same images and classes in the same order.
    """
    if set(first.rule.positive) == set(second.rule.positive):
        found = comparisons_of(second)
        if found.found and first.rule.scored and second.rule.scored:
            difference = found.compare(first.classified, second.classified).difference
            of = second.rule.positive_names or "each two classes"
            yield _test((name, against), WITHIN, of, difference)


def _different(one: _Ordered, two: _Ordered) -> str | None:
    """Returns why the images of two models are not the same; None if they are."""
    if one.keys == two.keys:
        return None
    here, there = ({digest for digest, _ in side.keys} for side in (one, two))
    if here != there:
        return (
            f"they were evaluated on other images, {len(here):,} and {len(there):,} with "
            f"{len(here & there):,} in common"
        )
    return "the same images have other labels, or are there more than once"


def _test(names: tuple[str, str], metric: str, of: str, difference: PairedDifference) -> PairedTest:
    return PairedTest.model_validate(
        {
            "name": names[0],
            "against": names[1],
            "metric": metric,
            "of": of,
            "difference": difference.estimate,
            "p": difference.p,
            "p_holm": None,
            "test": difference.test,
        }
    )
