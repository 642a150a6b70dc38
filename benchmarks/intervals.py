"""Measures how often intervals of a proportion, and of a mean of some, cover the truth.

Each patient has a probability of his or her own, so that the images of one are alike; all intervals
are made of the same draws.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from pulmo import stats
from pulmo.core.files import write_atomically
from pulmo.stats.estimate import Z95
from pulmo.stats.proportions import effective_size, wilson
from pulmo.stats.resampling import bootstrap, interval_estimate, jackknife, tails
from pulmo.stats.weights import Floats, Weights, divide

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "intervals.md"

CHOSEN: Final = "effective size"
ONCE_EACH: Final = "each patient once"

Interval = tuple[float | None, float | None]


class Setting(NamedTuple):
    """One kind of draws.

    Attributes:
        patients: number of them.
        sizes: images of each, one number for all or a range that is drawn from.
        share: the true proportion.
        alike: correlation between images of a patient, 0 to 1.
    """

    patients: int
    sizes: tuple[int, int]
    share: float
    alike: float


SETTINGS: Final = tuple(
    Setting(patients, sizes, share, alike)
    for patients in (10, 20, 50)
    for sizes in ((2, 2), (1, 9))
    for share in (0.75, 0.95)
    for alike in (0.0, 0.5, 1.0)
)


def draw(
    setting: Setting, generator: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Draws hits of images and the patient of each."""
    low, high = setting.sizes
    patients = np.repeat(
        np.arange(setting.patients), generator.integers(low, high + 1, size=setting.patients)
    )
    # Two images of a patient both follow the patient with the probability `alike`, and are then
    # the same; else they have nothing in common.
    own = generator.random(setting.patients) < setting.share
    follows = generator.random(len(patients)) < np.sqrt(setting.alike)
    alone = generator.random(len(patients)) < setting.share
    return np.where(follows, own[patients], alone), patients


def effective(hits: NDArray[np.bool_], patients: NDArray[np.intp]) -> Interval:
    """Wilson's interval with the effective sample size."""
    found = stats.proportion(hits, patients)
    return found.low, found.high


def normal_reduction(hits: NDArray[np.bool_], patients: NDArray[np.intp]) -> Interval:
    """The same with the normal quantile in place of Student's for the images, n - 1."""
    size = effective_size(hits, np.unique(patients, return_inverse=True)[1])
    factor = (Z95 / float(stdtrit(len(hits) - 1, 0.975))) ** 2
    return wilson(float(hits.mean()), size * factor)


def once_each(hits: NDArray[np.bool_], patients: NDArray[np.intp]) -> Interval:
    """Wilson's interval with as many observations as there are patients."""
    return wilson(float(hits.mean()), len(np.unique(patients)))


def independent(hits: NDArray[np.bool_], _: NDArray[np.intp]) -> Interval:
    """Wilson's interval with as many observations as there are images."""
    return wilson(float(hits.mean()), len(hits))


def student(hits: NDArray[np.bool_], patients: NDArray[np.intp]) -> Interval:
    """Student's interval with the variance between patients."""
    found = stats.mean(hits, patients, bounds=(0.0, 1.0))
    return found.low, found.high


METHODS: Final[dict[str, Callable[[NDArray[np.bool_], NDArray[np.intp]], Interval]]] = {
    CHOSEN: effective,
    "with a normal quantile": normal_reduction,
    ONCE_EACH: once_each,
    "Student's": student,
    "images as independent": independent,
}


class Measured(NamedTuple):
    """How a method does in each setting.

    Attributes:
        coverage: share of the draws whose interval holds the true share, [settings, methods].
        width: mean width of the intervals, likewise.
    """

    coverage: NDArray[np.float64]
    width: NDArray[np.float64]


def measure(draws: int) -> Measured:
    """Makes every interval of the same draws of each setting."""
    coverage, width = np.zeros((2, len(SETTINGS), len(METHODS)))
    for row, setting in enumerate(SETTINGS):
        generator = np.random.default_rng(row)
        for _ in range(draws):
            hits, patients = draw(setting, generator)
            for column, method in enumerate(METHODS.values()):
                low, high = method(hits, patients)
                if low is not None and high is not None:
                    coverage[row, column] += low <= setting.share <= high
                    width[row, column] += high - low
    return Measured(coverage / draws, width / draws)


class Classes(NamedTuple):
    """Draws for a balanced accuracy: the patients and the true recall of each class."""

    patients: tuple[int, ...]
    recalls: tuple[float, ...]
    sizes: tuple[int, int]
    alike: float


CLASSES: Final = tuple(
    Classes(patients, recalls, sizes, alike)
    for patients, recalls in (
        ((30, 30), (0.9, 0.7)),
        ((15, 60), (0.9, 0.7)),
        ((10, 100), (0.9, 0.95)),
        ((25, 25, 25, 25), (0.9, 0.7, 0.8, 0.95)),
    )
    for sizes, alike in (((1, 1), 0.0), ((1, 9), 0.5))
)


def resampled(
    right: NDArray[np.bool_],
    classes: NDArray[np.intp],
    groups: NDArray[np.intp],
    generator: np.random.Generator,
) -> stats.Estimate:
    """Returns the balanced accuracy with a BCa bootstrap interval over patients."""
    of_class = np.eye(int(classes.max()) + 1)[classes]

    def statistics(weights: Weights) -> dict[str, Floats]:
        counts = weights.astype(np.float64)
        return {"it": divide(counts @ (of_class * right[:, None]), counts @ of_class).mean(axis=1)}

    value = float(statistics(np.ones((1, len(right)), np.uint8))["it"][0])
    draws = bootstrap(statistics, groups, 1000, generator)["it"]
    ends = tails(value, draws, jackknife(statistics, groups)["it"])
    return interval_estimate(value, draws, len(right), "there is no class", ends)


def balanced_table(draws: int) -> str:
    """Returns a row for each setting of several classes."""
    rows = [
        [
            "patients of each class",
            "true recalls",
            "images of each",
            "correlation",
            "of the recalls",
            "bootstrap",
        ],
        ["---"] * 6,
    ]
    for row, setting in enumerate(CLASSES):
        generator = np.random.default_rng(row)
        found: list[list[stats.Estimate]] = []
        for _ in range(draws):
            parts = [
                draw(Setting(count, setting.sizes, recall, setting.alike), generator)
                for count, recall in zip(setting.patients, setting.recalls, strict=True)
            ]
            right = np.concatenate([hits for hits, _ in parts])
            classes = np.repeat(np.arange(len(parts)), [len(hits) for hits, _ in parts])
            starts = np.cumsum([0, *setting.patients])
            groups = np.concatenate(
                [start + own for start, (_, own) in zip(starts, parts, strict=False)]
            )
            found.append(
                [
                    stats.balanced_accuracy(right, classes, groups),
                    resampled(right, classes, groups, generator),
                ]
            )
        truth = float(np.mean(setting.recalls))
        low, high = setting.sizes
        rows.append(
            [
                " and ".join(map(str, setting.patients)),
                " and ".join(map(str, setting.recalls)),
                f"{low}" if low == high else f"{low} to {high}",
                str(setting.alike),
                *(_covered(list(each), truth) for each in zip(*found, strict=True)),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _covered(found: list[stats.Estimate], truth: float) -> str:
    """Returns how often intervals hold the truth, and their mean width."""
    ends = [
        (each.low, each.high) for each in found if each.low is not None and each.high is not None
    ]
    held = np.mean([low <= truth <= high for low, high in ends])
    return f"{held:.3f} ({np.mean([high - low for low, high in ends]):.2f})"


def table_of(measured: Measured) -> str:
    """Returns a row for each setting, and the lowest and median coverage of each method."""
    rows = [["patients", "images of each", "true share", "correlation", *METHODS]]
    rows.append(["---"] * len(rows[0]))
    for setting, covered, wide in zip(SETTINGS, *measured, strict=True):
        patients, (low, high), *others = setting
        sizes = f"{low}" if low == high else f"{low} to {high}"
        cells = [f"{part:.3f} ({width:.2f})" for part, width in zip(covered, wide, strict=True)]
        rows.append([str(patients), sizes, *map(str, others), *cells])
    for name, found in (
        ("lowest coverage", measured.coverage.min(axis=0)),
        ("median coverage", np.median(measured.coverage, axis=0)),
    ):
        rows.append([f"**{name}**", "", "", "", *(f"{part:.3f}" for part in found)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measures and writes the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    measured = measure(draws)
    table = table_of(measured)
    chosen, each_once = (
        list(METHODS).index(name) for name in ("effective size", "each patient once")
    )
    wider = (measured.width[:, each_once] / measured.width[:, chosen]).max()
    lowest = SETTINGS[int(measured.coverage[:, chosen].argmin())]
    error = 2 * np.sqrt(0.95 * 0.05 / draws)
    text = f"""# Intervals of a proportion when images cluster in patients

Made by `python benchmarks/intervals.py`: how often a 95 % interval contains the true share in
{draws:,} simulations, with its mean width in brackets. A coverage of 0.95 is measured to within
{error:.3f}. *Correlation* is that between images of one patient.

{table}

- **effective size**: Wilson's interval, for the number of images over their design effect, reduced
  for the few degrees of freedom (Korn and Graubard 1998; Dean and Pagano 2015). It is
  `pulmo.stats.proportion`, which every artefact uses.
- **with a normal quantile**: the same with infinite degrees of freedom for the images: the
  effective size is a little smaller.
- **each patient once**: Wilson's interval for as many observations as there are patients.
- **Student's**: the mean with the variance between patients.
- **images as independent**: Wilson's interval, as if each image were of another patient.

pulmo uses the effective size because its width follows the correlation within patients.
Counting each patient once gives a coverage above 95 % and intervals up to {wider:.1f} times as wide
where the images of a patient have little in common. Student's interval is too narrow for shares
near 1. Images as independent give too narrow intervals wherever the images of a patient are alike.

The lowest coverage of the effective size is {measured.coverage[:, chosen].min():.3f}, with
{lowest.patients} patients of {lowest.sizes[0]} to {lowest.sizes[1]} images, a share of
{lowest.share} and a correlation of {lowest.alike}: then only few patients have errors, and a
sample may hold too few of them to show how they cluster. An interval from the errors of two or
three patients may therefore be too narrow.

## Intervals of a balanced accuracy

{balanced_table(draws // 10)}

The same in {draws // 10:,} simulations, for the mean of the recalls of two classes or more.

- **of the recalls**: made of the intervals of the recalls (Zou and Donner 2008). It is
  `pulmo.stats.balanced_accuracy`, which every artefact uses.
- **bootstrap**: BCa over patients, 1,000 resamples. Where all images of a rare class are right, no
  resample shows an error of that class, so the interval is too narrow.
"""
    write_atomically(RESULTS, text.encode())
    print(text)


if __name__ == "__main__":
    main()
