"""Order: which of several models is better, within one source and over all images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulmo.compare.within import WITHIN
from pulmo.core.message import listed
from pulmo.report.comparison import ComparedModel, Order
from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate

_POOLED: Final = ("auc", "macro_auc", "balanced_accuracy")
"""The pooled figures, of which the first that all models have is taken."""

_MISSING: Final = (
    "Within-source evidence is missing ({reason}), so the order follows a pooled figure, which can "
    "be high because a model knows the sources."
)


def orders(models: Sequence[ComparedModel]) -> Iterator[Order]:
    """Yields the order of the models of each set of classes that two or more have.

    It follows the mean AUC within one source where all of them have one over the same comparisons,
    else a pooled figure, which is said. There is none where they share neither.
    """
    asked: dict[tuple[frozenset[str], frozenset[str]], list[ComparedModel]] = {}
    for one in models:
        asked.setdefault((frozenset(one.labels), frozenset(one.positive)), []).append(one)
    for members in asked.values():
        if len(members) > 1 and (order := _order(members)):
            yield order


def _order(members: Sequence[ComparedModel]) -> Order | None:
    reason = _lacks(members)
    metric = next((name for name in _POOLED if all(_has(one, name) for one in members)), None)
    pooled = {} if metric is None else {one.name: one.metrics[metric] for one in members}
    said = [] if metric is None else [_sentence(metric_title(metric), pooled)]
    if reason is None:
        within = {one.name: one.metrics[WITHIN] for one in members}
        first = _sentence(f"Mean AUC within one source ({listed(members[0].within)})", within)
        return Order(
            by=WITHIN,
            names=_sorted(within),
            pooled=_sorted(pooled),
            sentences=(first, *said, *_contradiction(within, pooled)),
        )
    if metric is None:
        return None
    sentences = (*said, _MISSING.format(reason=reason))
    return Order.model_validate({"by": metric, "names": _sorted(pooled), "sentences": sentences})


def _lacks(members: Sequence[ComparedModel]) -> str | None:
    """Returns why the models cannot be ordered within one source; None if they can."""
    unknown = [one.name for one in members if WITHIN not in one.metrics]
    if unknown:
        return f"no predictions of held-out images are known of {listed(unknown)}"
    for one in members:
        if one.metrics[WITHIN].value is None:
            return f"of {one.name}, {one.metrics[WITHIN].reason}"
    if len({one.within for one in members}) > 1:
        return "the models were evaluated on other sources or classes"
    return None


def _has(one: ComparedModel, metric: str) -> bool:
    return metric in one.metrics and one.metrics[metric].value is not None


def _sorted(figures: Mapping[str, Estimate]) -> tuple[str, ...]:
    """Returns the models, the highest figure first; equal ones as they were given."""
    return tuple(sorted(figures, key=lambda name: -(figures[name].value or 0.0)))


def _sentence(figure: str, figures: Mapping[str, Estimate]) -> str:
    best, *others = _sorted(figures)
    rest = ", ".join(f"{name} {figures[name]}" for name in others)
    if figures[best].value == figures[others[0]].value:
        return f"{figure}: no model is the best: {best} {figures[best]}, {rest}."
    return f"{figure}: {best} is the best with {figures[best]}; {rest}."


def _contradiction(within: Mapping[str, Estimate], pooled: Mapping[str, Estimate]) -> Iterator[str]:
    if pooled and _sorted(within)[0] != _sorted(pooled)[0]:
        yield (
            f"The pooled figure prefers {_sorted(pooled)[0]}. What it knows of the sources may be "
            f"the reason, so the order follows the figure within one source: "
            f"{', '.join(_sorted(within))}."
        )
