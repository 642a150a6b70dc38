"""Shortcuts: the model against baselines that see nothing of the lungs' structure."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.accuracy import accuracy, balanced_accuracy, balanced_difference
from pulmo.audit.baselines import BASELINES, Baseline, fit_baseline
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.check_result import Cell, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.learners import NoBaseline
from pulmo.audit.parts import require_fit
from pulmo.datasets.effective_source import effective_sources
from pulmo.evaluate.within_source import Compared, WithinSource
from pulmo.stats.estimate import Estimate

_OVER_ALL: Final = (
    "what the baseline sees",
    "images",
    "accuracy",
    "balanced accuracy",
    "the model's balanced accuracy",
    "difference",
)

_WITHIN: Final = ("what the baseline sees", "images", "AUC", "the model's AUC", "difference")


class _Floor(NamedTuple):
    """A baseline next to the model, on the test images that it could use.

    Attributes:
        words: what the baseline sees.
        images: how many test images it could use; none if it could not be fitted.
        plain: its accuracy, fitted for the highest accuracy.
        balanced: its balanced accuracy, as if all classes were equally frequent.
        own: that of the model.
        better: the second minus the first.
        within: the mean AUC within one source of the model, and that of the baseline; None where no
            two classes can be compared within one source.
    """

    words: str
    images: int
    plain: Estimate
    balanced: Estimate
    own: Estimate
    better: Estimate
    within: Compared | None = None

    @property
    def row(self) -> tuple[Cell, ...]:
        """Its row of the table over all images."""
        return (self.words, self.images, self.plain, self.balanced, self.own, self.better)


@check(
    "shortcuts",
    question="Is the model better than baselines that see nothing of the lungs' structure?",
    statement=(
        "The model is better than baselines that see only file facts, view, age or thumbnails."
    ),
)
def shortcuts(context: AuditContext) -> Outcome:
    """Fails where a baseline is not significantly below the model, over all images.

    Warns where the best baseline within one source is not, within one source.
    """
    require_fit(context.parts)
    floors = {name: _floor(context, name) for name in BASELINES}
    found = {name: floor for name, floor in floors.items() if floor.images}
    values = {"model": _own(context, np.arange(len(context.rows)))}
    values |= {name: floor.balanced for name, floor in found.items()}
    rows = tuple(floor.row for floor in floors.values())
    tables = [Table(title="Shortcut baselines", columns=_OVER_ALL, rows=rows)]
    if not found:
        message = Message("no-baseline", "No shortcut baseline could be fitted.")
        return Outcome("could_not_run", (message,), values, tuple(tables))
    within = {name: floor.within for name, floor in found.items() if floor.within}
    if within:
        values |= {f"{name}, within one source": each.second for name, each in within.items()}
        tables.append(_within_table(found))
    messages = [
        _best(values["model"], found),
        *_above_published(context, found),
        *_not_better(found),
        *_not_better_within(within),
        *_on_lungs(context, found),
    ]
    kinds = {message.kind for message in messages}
    verdict: Verdict = "warns" if "not-better-within" in kinds else "passes"
    if "not-better" in kinds:
        verdict = "fails"
    return Outcome(verdict, tuple(messages), values, tuple(tables))


def _floor(context: AuditContext, name: str) -> _Floor:
    words = BASELINES[name].words
    try:
        baseline = fit_baseline(context, BASELINES[name])
    except NoBaseline as reason:
        none = Estimate.undefined(str(reason))
        return _Floor(words, 0, none, none, none, none)
    at = baseline.numbers
    own = context.sample.decided[at]
    return _Floor(
        words,
        images=len(at),
        plain=accuracy(context, at, baseline.decided),
        balanced=balanced_accuracy(context, at, baseline.balanced),
        own=_own(context, at),
        better=balanced_difference(context, at, own, baseline.balanced).estimate,
        within=_within(context, baseline),
    )


def _own(context: AuditContext, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the model's own balanced accuracy on rows."""
    return balanced_accuracy(context, numbers, context.sample.decided[numbers])


def _within(context: AuditContext, baseline: Baseline) -> Compared | None:
    """Compares the model with a baseline within one source, where that can be done."""
    used = np.zeros(len(context.rows), np.bool_)
    used[baseline.numbers] = True
    model, options = context.sample.take(used), context.options
    pairs = WithinSource.of(
        model,
        effective_sources(context.rows[used]),
        context.rule.positive,
        options.replicates,
        options.seed,
    )
    if not pairs.found or not context.rule.scored:
        return None
    return pairs.compare(model, context.sample_of(baseline.probabilities, baseline.numbers))


def _within_table(found: Mapping[str, _Floor]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (floor.words, floor.within.difference.estimate.n, floor.within.second, floor.within.first,
         floor.within.difference.estimate)
        for floor in found.values()
        if floor.within
    ]  # fmt: skip
    title = "Shortcut baselines within one source, mean over each two classes in each source"
    return Table(title=title, columns=_WITHIN, rows=tuple(rows))


def _best(model: Estimate, found: Mapping[str, _Floor]) -> Message:
    best = max(found.values(), key=lambda floor: floor.balanced.value or 0.0)
    text = (
        f"The balanced accuracy of the model is {model.in_text}, that of the best shortcut "
        f"baseline ({best.words}) {best.balanced.in_text}."
    )
    return Message("best-baseline", text)


def _above_published(context: AuditContext, found: Mapping[str, _Floor]) -> Iterator[Message]:
    published = context.options.published
    if published is None:
        return
    over = [
        f"{floor.words} {floor.plain}"
        for floor in found.values()
        if (floor.plain.value or 0.0) > published
    ]
    if over:
        text = (
            f"The published accuracy of {published:.3f} is below that of these baselines: "
            f"{', '.join(over)}."
        )
        yield Message("above-published", text)


def _not_better(found: Mapping[str, _Floor]) -> Iterator[Message]:
    above = [floor.words for floor in found.values() if not _is_above_0(floor.better)]
    if above:
        text = (
            f"The model is not significantly better than these baselines: {', '.join(above)}. It "
            "may have learnt no more than these see."
        )
        yield Message("not-better", text)


def _not_better_within(within: Mapping[str, Compared]) -> Iterator[Message]:
    """Yields how the model compares with the best baseline within one source, if there is one."""
    if not within:
        return
    best = max(within, key=lambda name: within[name].second.value or 0.0)
    model, floor, difference = within[best]
    text = (
        f"Within one source the AUC of the model is {model.in_text}, that of the best shortcut "
        f"baseline ({BASELINES[best].words}) {floor.in_text}."
    )
    if _is_above_0(difference.estimate):
        yield Message("best-within", text)
    else:
        text += " There the model is not significantly better."
        yield Message("not-better-within", text)


def _is_above_0(difference: Estimate) -> bool:
    return difference.low is not None and difference.low > 0


def _on_lungs(context: AuditContext, found: Mapping[str, _Floor]) -> Iterator[Message]:
    """Yields what a reader must know of the lungs that baselines see, or do not see."""
    if "lungless" in found:
        yield from context.mask_messages
    finder = context.options.finder
    if "lungs" in found and finder is not None:
        missed = int((~finder.has(context.rows)).sum())
        if missed:
            text = (
                f"In {missed} of {len(context.rows)} test images no lungs were found; the "
                "thumbnail of the lungs shows these images whole."
            )
            yield Message("thumbnails-of-whole-images", text)
