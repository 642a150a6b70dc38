"""Sources: whether the model separates the classes within a source, or only the sources."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Cell, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.provenance import provenance, unknown_provenance
from pulmo.core.sources import HOW_TO_STATE
from pulmo.datasets.effective_source import effective_sources
from pulmo.evaluate.contrasts import Sides, pairings, positive_share
from pulmo.stats.estimate import Estimate
from pulmo.stats.resampling import bootstrap, interval_estimate
from pulmo.stats.roc import without_interval_if_scarce
from pulmo.stats.stratified import StratifiedPairs

MARGIN: Final = 0.1
"""Difference of the AUC across sources and within a source above which the check warns."""

MIN_IMAGES: Final = 10
"""Images of each of two classes that a source needs, so that they are compared within it."""


class _Pair(NamedTuple):
    """Two classes.

    Attributes:
        sides: the classes.
        sources: the sources that have enough images of both.
        within: the AUC over pairs of images from one of these sources.
        across: the AUC over pairs of images from different sources.
        lost: the second minus the first.
    """

    sides: Sides
    sources: tuple[str, ...]
    within: Estimate
    across: Estimate
    lost: Estimate

    @property
    def words(self) -> str:
        """The classes, as in a sentence."""
        return f"{self.sides.positive[0]} against {self.sides.negative[0]}"


@check(
    "sources",
    question="Does the model separate the classes within one source?",
    statement="The model separates any two classes within one source, where the source is no clue.",
)
def sources(context: AuditContext) -> Outcome:
    """Fails where two classes are separated across sources only (`effective_source`).

    Warns where two classes share no source, or are not significantly separated within one.
    """
    names = context.sources.fillna("").to_numpy(str)
    if len(np.unique(context.truth[names != ""])) < 2:
        raise _cannot_run(names)
    present = [context.rule.classes[place] for place in np.unique(context.truth)]
    places = effective_sources(context.rows)
    pairs = [
        _pair(context, sides, places)
        for sides in pairings(present)
        if len(sides.positive) == 1  # all others together against normal repeat the pairs
    ]
    by_source = [_source_row(context, name) for name in sorted(set(names.tolist()) - {""})]
    found = [_verdict(pair) for pair in pairs if pair.sources]
    found += _apart(pairs)
    verdicts = [verdict for verdict, _ in found]
    worst: Verdict = next((each for each in ("fails", "warns") if each in verdicts), "passes")
    messages = [message for _, message in found]
    messages += [*_left_out(names), *_worst(by_source), *_external(context)]
    columns = ("source", "images", "balanced accuracy")
    recalls = tuple(f"recall of {label}" for label in context.rule.classes)
    values = {f"within a source, {pair.words}": pair.within for pair in pairs}
    values |= {f"across sources, {pair.words}": pair.across for pair in pairs}
    return Outcome(
        worst,
        tuple(messages),
        values,
        (
            Table(title="Sources", columns=columns + recalls, rows=tuple(by_source)),
            Table(
                title="AUC of two classes, within a source and across sources",
                columns=("classes", "shared sources", "within a source", "across sources"),
                rows=tuple(
                    (pair.words, ", ".join(pair.sources) or "none", pair.within, pair.across)
                    for pair in pairs
                ),
            ),
        ),
    )


def _cannot_run(names: NDArray[np.str_]) -> CannotRun:
    """Returns why no two classes can be compared within a source.

    Args:
        names: the source of each image, [n]; empty where it is not stated.
    """
    if (names != "").all():
        return CannotRun("one-class", "All images are of one class.")
    return CannotRun(
        "unstated-source",
        f"The source is stated for {(names != '').sum():,} of {len(names):,} images; these are not "
        f"of two classes. {HOW_TO_STATE}",
    )


def _left_out(names: NDArray[np.str_]) -> Iterator[Message]:
    """Yields how many images are in no comparison."""
    if n := int((names == "").sum()):
        text = (
            f"{n:,} of {len(names):,} images are left out: their source is not stated. "
            f"{HOW_TO_STATE}"
        )
        yield Message("left-out", text)


def _pair(context: AuditContext, sides: Sides, places: NDArray[np.str_]) -> _Pair:
    """Compares two classes within sources and across them."""
    context.require_scores()
    classes = [context.rule.classes.index(label) for (label,) in sides]
    chosen = np.isin(context.truth, classes) & (places != "")
    sample, places = context.sample.take(chosen), places[chosen]
    positive = sample.truth == classes[0]
    names = sorted(set(places.tolist()))
    counts = [np.bincount(positive[places == name], minlength=2).min() for name in names]
    shared = tuple(name for name, n in zip(names, counts, strict=True) if n >= MIN_IMAGES)
    scores = positive_share(sample, sides)
    pairs = StratifiedPairs(scores, positive, places, shared)
    statistics = {"within": pairs.within, "across": pairs.across, "lost": pairs.lost}
    draws = bootstrap(
        lambda weights: {name: statistic(weights) for name, statistic in statistics.items()},
        sample.groups,
        context.options.replicates,
        context.generator("sources"),
    )
    reasons = {
        "within": f"no source has {MIN_IMAGES} images of both",
        "across": "no two sources have one of them each",
        "lost": "one of the two is undefined",
    }
    whole = {name: float(statistics[name](np.ones((1, len(sample))))[0]) for name in statistics}
    estimates = [
        without_interval_if_scarce(
            interval_estimate(whole[name], draws[name], len(sample), reason),
            positive,
            sample.groups,
        )
        for name, reason in reasons.items()
    ]
    if len(shared) == 1:
        at = places == shared[0]
        estimates[0] = stats.auc(
            positive[at], scores[at], sample.groups[at], undefined=reasons["within"]
        )
    return _Pair(sides, shared, *estimates)


def _verdict(pair: _Pair) -> tuple[Verdict, Message]:
    """Returns the verdict on two classes that share a source, and a message."""
    text = f"Within one source, the AUC of {pair.words} is {pair.within.in_text}"
    if pair.across.value is not None:
        text += f"; across sources it is {pair.across.in_text}"
    if pair.within.low is not None and pair.within.low > 0.5:
        if pair.lost.low is not None and pair.lost.low > MARGIN:
            text += f". The AUC across sources is more than {MARGIN} higher: the source is a clue."
            return "warns", Message("lower-within", text)
        return "passes", Message("separated", f"{text}.")
    if pair.across.low is not None and pair.across.low > 0.5:
        text += ". The model separates them only by their source."
        return "fails", Message("only-across", text)
    return "warns", Message(
        "at-chance", f"{text}. Within one source it is not significantly above chance."
    )


def _apart(pairs: list[_Pair]) -> Iterator[tuple[Verdict, Message]]:
    """Yields a message on the classes that share no source."""
    apart = [pair for pair in pairs if not pair.sources]
    if apart:
        words = ", ".join(
            " and ".join((*pair.sides.positive, *pair.sides.negative)) for pair in apart
        )
        which = f"both {words}" if len(apart) < len(pairs) or len(pairs) == 1 else "any two classes"
        text = (
            f"No stated source has {MIN_IMAGES} images of {which}: a high AUC between them "
            "may come from the source and not from the disease."
        )
        yield "warns", Message("no-shared-source", text)


def _source_row(context: AuditContext, name: str) -> tuple[Cell, ...]:
    """Returns the row of a source: its images, balanced accuracy and recalls."""
    numbers = np.flatnonzero(context.called == name)
    decided, truth = context.sample.decided[numbers], context.truth[numbers]
    recalls = (
        stats.proportion(
            decided[truth == place] == place,
            context.groups[numbers[truth == place]],
            undefined="there is no such image",
        )
        for place in range(len(context.rule.classes))
    )
    return (name, len(numbers), balanced_accuracy(context, numbers, decided), *recalls)


def _worst(rows: list[tuple[Cell, ...]]) -> Iterator[Message]:
    """Yields the source with the lowest balanced accuracy."""
    values = {str(row[0]): row[2] for row in rows if isinstance(row[2], Estimate)}
    if len(values) > 1:
        name = min(values, key=lambda each: values[each].value or 0.0)
        text = f"The lowest balanced accuracy is that of {name}: {values[name].in_text}."
        yield Message("lowest-source", text)


def _external(context: AuditContext) -> Iterator[Message]:
    """Yields which sources have no training image."""
    if any(part.fit is None for part in context.parts):
        return
    where = provenance(context)
    external, n = context.called[where.external], len(context.rows)
    names = ", ".join(sorted(set(external)))
    if where.unknown:
        yield unknown_provenance(where.unknown, n)
    if len(external) == n:
        text = f"The test is external: there are no training images from {names}."
        yield Message("external-test", text)
    elif names:
        text = f"{len(external):,} of {n:,} images are from external sources: {names}."
        yield Message("partly-external-test", text)
    elif not where.unknown:
        text = "The test is internal: there are training images from each of its sources."
        yield Message("internal-test", text)
