"""Measures how often intervals of a proportion cover the truth when images cluster in patients.

Each patient has a probability of his or her own, so that the images of one are alike; three
intervals are made of the same draws.
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
    size = effective_size(
        hits, np.unique(patients, return_inverse=True)[1], np.zeros_like(patients)
    )
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

Made by `python benchmarks/intervals.py`: how often a 95 % interval holds the true share in
{draws:,} draws, and its mean width in brackets. A coverage of 0.95 is measured to within
{error:.3f}. The images of a patient are alike as much as the correlation says.

{table}

- **effective size**: Wilson's interval, for the number of images over their design effect, reduced
  for the few degrees of freedom (Korn and Graubard 1998; Dean and Pagano 2015). It is
  `pulmo.stats.proportion`, and the one that every artefact gives.
- **with a normal quantile**: the same, but the degrees of freedom of the images are taken as
  without end: its size is a little smaller.
- **each patient once**: Wilson's interval for as many observations as there are patients.
- **Student's**: the mean with the variance between patients.
- **images as independent**: Wilson's interval, as if each image were of another patient.

The effective size is the choice because its width follows how alike the images of a patient are.
To count each patient once covers more often than it says, and is up to {wider:.1f} times as wide
where the images of a patient have little in common. Student's interval is too narrow for shares
near 1, and images as independent wherever they are alike.

The effective size is worst, at {measured.coverage[:, chosen].min():.3f}, with {lowest.patients}
patients of {lowest.sizes[0]} to {lowest.sizes[1]} images, a share of {lowest.share} and a
correlation of {lowest.alike}: the errors are of few patients then, and a sample may hold too few of
them to show how they cluster. Of an interval from the errors of two or three patients this means
that it is too narrow.
"""
    write_atomically(RESULTS, text.encode())
    print(text)


if __name__ == "__main__":
    main()
