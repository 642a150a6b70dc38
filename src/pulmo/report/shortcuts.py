"""Shortcuts: whether the classes are separated within one source."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final, Literal, NamedTuple

from pulmo.core.message import listed
from pulmo.evaluate.evaluation import Contrast, Evaluation
from pulmo.evaluate.warnings import unstated_images

Verdict = Literal["shown", "partly", "refuted", "unknown"]
"""refuted: some classes are not separated better than by chance. partly: known for some classes."""

_HEADLINES: Final[dict[Verdict, str]] = {
    "shown": "Within one source: better than chance",
    "partly": "Within one source: known for some classes only",
    "refuted": "Within one source: not better than chance for some classes",
    "unknown": "Within one source: unknown",
}
_CHANCE: Final = 0.5


class WithinSource(NamedTuple):
    """Whether the model separates the classes without the help of the source.

    Attributes:
        verdict: what is known.
        headline: the same in a few words.
        sentences: the evidence, and what is not known.
    """

    verdict: Verdict
    headline: str
    sentences: tuple[str, ...]


def within_source(evaluation: Evaluation) -> WithinSource:
    """Compares each two classes within each source that has both.

    Where classes are named positive, each of them is compared with each of the others; else all
    pairs are. Better than chance is an interval above 0.5. A pair without a source that has both,
    or without an interval, is unknown.
    """
    above: list[Contrast] = []
    at_chance: list[Contrast] = []
    unclear: list[Contrast] = []
    apart: list[str] = []
    for first, second in _pairs(evaluation):
        pair = {(first,), (second,)}
        found = [one for one in evaluation.contrasts if {one.positive, one.negative} == pair]
        if not found:
            apart.append(f"{first} against {second}")
        for one in found:
            low = one.auc.low
            kind = unclear if low is None else above if low > _CHANCE else at_chance
            kind.append(one)
    unknown = bool(apart or unclear)
    verdict: Verdict = "refuted" if at_chance else "partly" if unknown else "shown"
    if not above and not at_chance:
        verdict = "unknown"
    sentences = []
    if above:
        lowest = min(above, key=lambda one: one.auc.low or 0.0)
        several = f"Better than chance in {len(above)} comparisons. The lowest: "
        start = several if len(above) > 1 else "Better than chance: "
        sentences.append(f"{start}{_in_words(lowest)}.")
    sentences += [f"Not better than chance: {_in_words(one)}." for one in at_chance]
    sentences += [f"Unknown, because there is no interval: {_in_words(one)}." for one in unclear]
    sentences += _unseen(evaluation, apart)
    return WithinSource(verdict, _HEADLINES[verdict], tuple(sentences))


def _pairs(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """Yields the pairs of classes that the model must separate, if there are images of both."""
    positive = evaluation.decision.positive
    there = [label for label, n in evaluation.data.labels.items() if n]
    for first, second in combinations(there, 2):
        if positive and (first in positive) == (second in positive):
            continue
        yield (first, second) if first in positive or not positive else (second, first)


def _in_words(one: Contrast) -> str:
    auc, sides = one.auc, f"{one.positive[0]} against {one.negative[0]} in {one.source}"
    if auc.value is None:
        return sides
    if auc.low is None or auc.high is None:
        return f"{sides}, AUC {auc.value:.3f}"
    return f"{sides}, AUC {auc.value:.3f} ({auc.low:.3f}\u2013{auc.high:.3f})"


def _unseen(evaluation: Evaluation, apart: list[str]) -> Iterator[str]:
    """Yields what is unknown, and why."""
    unstated = unstated_images(evaluation.data)
    if apart and not evaluation.scored and len(evaluation.classes) > 2:
        yield f"Unknown for {listed(apart)}: only decisions are known, not probabilities."
    elif apart:
        yield (
            f"Unknown for {listed(apart)}: no stated source has images of both. A high value may "
            "come from the source and not from the disease."
        )
    if unstated:
        yield f"The source of {unstated:,} of {evaluation.data.n:,} images is not stated."
