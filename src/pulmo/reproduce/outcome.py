"""Outcome: what came of reproducing one run of a published system."""

from collections.abc import Iterator, Mapping, Sequence

from pulmo import stats
from pulmo.core.record import Record
from pulmo.evaluate.evaluation import Evaluation
from pulmo.reproduce.system import Published
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import Estimates


class ComparedValue(Record):
    """A value of the authors and ours."""

    name: str
    published: Estimate | None
    """None where they give none."""
    ours: Estimate
    baselines: Mapping[str, Estimate] = {}
    """Shortcut baseline -> the value of a classifier that sees no lung, on the same images."""


class Outcome(Record):
    """One run."""

    experiment: str
    recipe: str
    """Its name; that of a cheaper variant ends in -quick."""
    backbone: str
    metrics: tuple[ComparedValue, ...]
    n: int
    """Images of our test."""
    labels: dict[str, int]
    """Class -> images of our test."""
    epochs: int
    minutes: float
    """Of training, all epochs together."""
    notes: tuple[str, ...]
    """What is peculiar to this run, as sentences."""
    differs: tuple[str, ...]
    """What differs from the published system in all its runs, as sentences."""


def compare_values(
    evaluation: Evaluation,
    baselines: Mapping[str, Estimates | str],
    published: Sequence[Published],
    main: str,
) -> Iterator[ComparedValue]:
    """Yields the main values of an evaluation and those that were published, side by side.

    Args:
        evaluation: of our run.
        baselines: shortcut baseline -> its values on the same images, or why there are none.
        published: the authors' values.
        main: the class whose sensitivity and specificity count.
    """
    theirs = {item.name: item.estimate for item in published}
    found = []
    shown: list[tuple[str, str | None]] = [
        ("recall", main),
        ("specificity", main),
        ("auc", main),
        ("accuracy", None),
    ]
    shown += [each for item in published if (each := (item.metric, item.label)) not in shown]
    for metric, label in shown:
        name = Published(metric, label, 0.0).name
        ours = evaluation.classes[label] if label else evaluation.overall
        of_baselines = {
            baseline: _of_baseline(each, metric, label) for baseline, each in baselines.items()
        }
        found.append(
            ComparedValue(
                name=name, published=theirs.get(name), ours=ours[metric], baselines=of_baselines
            )
        )
        yield found[-1]
    yield _mean(found[0], found[1], f"mean of recall and specificity of {main}")


def _of_baseline(values: Estimates | str, metric: str, label: str | None) -> Estimate:
    """Returns a value of a baseline, or why there is none."""
    if isinstance(values, str):
        return Estimate.undefined(values)
    return values.classes[label][metric] if label else values.overall[metric]


def _mean(first: ComparedValue, second: ComparedValue, name: str) -> ComparedValue:
    """Returns the mean of two values, wherever both are given."""
    theirs = [each.published for each in (first, second) if each.published]
    return ComparedValue(
        name=name,
        published=stats.average(*theirs) if len(theirs) == 2 else None,
        ours=stats.average(first.ours, second.ours),
        baselines={
            baseline: stats.average(each, second.baselines[baseline])
            for baseline, each in first.baselines.items()
        },
    )
