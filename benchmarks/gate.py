"""Fits the gate that knows unfit images by their looks, tests it, and writes the report.

It is fitted on some sets of radiographs and tested on others (`gate_images`, `gate_others`). The
report says where the photographs and the screenshots come from.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import gate_cost
import gate_diseases
import numpy as np
from gate_images import CT as SLICES
from gate_images import FRONTAL, LATERAL, Folders, radiographs, read
from gate_others import others
from gate_report import FALSE_REFUSALS, GREY, MISSED, SOURCES, Images, report
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from pulmo.bundle import gate
from pulmo.bundle.gate import KINDS, Boundary, Gate
from pulmo.bundle.looks import SIDE, grey_looks, lung_looks
from pulmo.core.errors import RefusedError
from pulmo.core.files import write_atomically
from pulmo.core.sections import Look
from pulmo.lungs import shipped_finder
from pulmo.radiograph import radiograph_from_array

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "gate.md"
SHIPPED: Final = Path(gate.__file__).with_name(gate.FILE)

MOST: Final = {"fit": 110, "test": 150}
"""Images of a set of radiographs at most, drawn at random."""

SLICES_MOST: Final = 150

CLASSES: Final[tuple[Look, ...]] = tuple(sorted(KINDS))
"""In the order of scikit-learn, where a good image, which is blank, comes first."""

STRENGTH: Final = 0.03
"""Inverse strength of the penalty."""

Scores = NDArray[np.float64]


class Job(NamedTuple):
    """A part of the images.

    Attributes:
        side: fit or test.
        what: a source of frontal, lateral or CT images, or others.
        name: of the source.
        folders: of the images.
        kept: the folder that keeps what was seen.
    """

    side: str
    what: str
    name: str
    folders: Folders
    kept: Path | None


def main() -> None:
    """Fits, tests and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--photographs", type=Path, required=True, help="scikit-image's images")
    parser.add_argument("--screenshots", type=Path, help="folder with PNG images of a screen")
    parser.add_argument("--model", type=Path, required=True, help="a bundle of `starter`")
    parser.add_argument("--run", type=Path, required=True, help="the run that it is of")
    parser.add_argument(
        "--keep-diseases", action="store_true", help="keep that section of the page as it is"
    )
    parser.add_argument("--seen", type=Path, help="folder that keeps what was seen of the images")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--gate", type=Path, default=SHIPPED, help="the coefficients to write")
    asked = parser.parse_args()
    folders = Folders(asked.data, asked.photographs, asked.screenshots)
    sides = looked_at(folders, asked.seen, asked.processes)
    fitted = fit(sides["fit"])
    write_atomically(asked.gate, fitted.model_dump_json().encode() + b"\n")
    diseases = (
        kept(asked.output, "A disease that is none of the classes")
        if asked.keep_diseases
        else gate_diseases.section(asked.model, asked.run, asked.data)
    )
    cost = gate_cost.section(asked.model, asked.run)
    page = [*report(sides["test"], fitted), *diseases, *cost, SOURCES]
    write_atomically(asked.output, ("\n".join(page) + "\n").encode())


def kept(page: Path, title: str) -> list[str]:
    """Returns the lines of a section of a page."""
    text = page.read_text(encoding="utf-8")
    begin = text.index(f"\n## {title}\n")
    return text[begin : text.index("\n\n## ", begin + 1)].splitlines()


def looked_at(folders: Folders, kept: Path | None, processes: int) -> Mapping[str, Images]:
    """Returns side -> what the gate sees of its images."""
    sources = {"frontal": FRONTAL, "lateral": LATERAL, "slices": SLICES}
    jobs = [
        Job(side, what, name, folders, kept)
        for side in MOST
        for what, named in sources.items()
        for name, source in named.items()
        if side in source.sides
    ]
    jobs += [Job(side, "others", "", folders, kept) for side in MOST]
    with ProcessPoolExecutor(processes) as pool:
        parts = [*zip(jobs, pool.map(look, jobs), strict=True)]
    return {
        side: Images(
            *map(
                np.concatenate, zip(*(part for job, part in parts if job.side == side), strict=True)
            )
        )
        for side in MOST
    }


def look(job: Job) -> Images:
    """Returns what the gate sees of a part of the images; an image that is not read is left out."""
    file = job.kept / f"{job.side} {job.what} {job.name}.npz" if job.kept else None
    if file and file.is_file():
        with np.load(file) as stored:
            return Images(*(stored[field] for field in Images._fields))
    finder, rows = shipped_finder(), []
    for kind, name, group, pixels in _images(job):
        try:
            radiograph = radiograph_from_array(np.clip(pixels, 0, 1), (0, 1))
        except RefusedError:
            continue
        square, lungs = radiograph.squashed(SIDE), finder.look(radiograph)
        numbers = [*grey_looks(square), *lung_looks(square, lungs, finder)]
        rows.append((kind or "", name, group, np.concatenate(numbers)))
    seen = Images(*map(np.array, zip(*rows, strict=True)))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **seen._asdict())
    return seen


def _images(job: Job) -> Iterator[tuple[Look | None, str, str, NDArray[np.float32]]]:
    if job.what == "frontal":
        yield from radiographs(
            job.name, job.side, job.folders.data, MOST[job.side], shipped_finder()
        )
    elif job.what == "lateral":
        for group, pixels in read(LATERAL[job.name], job.folders.data, job.side, 1000):
            yield gate.LATERAL, job.name, group, pixels
    elif job.what == "slices":
        for group, pixels in read(SLICES[job.name], job.folders.data, job.side, SLICES_MOST):
            yield gate.CT, job.name, group, pixels
    else:
        for name, drawn in others(job.side, job.folders):
            for number, pixels in enumerate(drawn):
                yield gate.OTHER, name, f"{name} {number}", pixels


def fit(images: Images) -> Gate:
    """Returns the gate of the images of the fit."""
    counts = ", ".join(f"{(images.kind == kind).sum()} of `{kind}`" for kind in KINDS)
    by_grey = images._replace(seen=images.seen[:, :GREY])
    return Gate(
        grey=boundaries(by_grey, lambda _, unfit: reached_by(unfit)),
        kinds=boundaries(images, threshold_of),
        finder=shipped_finder().sha256,
        fitted=f"Fitted on {(images.kind == '').sum()} good frontal images, {counts}, with the "
        f"inverse strength {STRENGTH:g}.",
    )


def boundaries(
    images: Images, threshold: Callable[[Scores, Scores], float]
) -> dict[Look, Boundary]:
    """Returns kind -> its boundary, by some of the numbers that the gate sees.

    Args:
        images: those of the fit, with these numbers.
        threshold: makes one of the scores of the good images and of those of the kind.
    """
    outside = _outside(images, folds_of(images))
    scores = outside[:, 1:] - outside[:, :1]
    scaler, regression = _fitted(images)
    coefficients = (regression.coef_[1:] - regression.coef_[0]) / scaler.scale_
    intercepts = regression.intercept_[1:] - regression.intercept_[0]
    kinds: dict[Look, Boundary] = {}
    for number, kind in enumerate(CLASSES):
        weights = [float(f"{each:.4g}") for each in coefficients[number]]
        bias = round(float(intercepts[number] - np.dot(weights, scaler.mean_)), 4)
        of_kind = scores[:, number]
        level = threshold(of_kind[images.kind == ""], of_kind[images.kind == kind])
        kinds[kind] = Boundary(weights=tuple(weights), bias=bias, threshold=level)
    return kinds


def _outside(images: Images, folds: NDArray[np.intp]) -> NDArray[np.float64]:
    """Returns the logits of each image by a regression without its fold, [n, classes]."""
    logits = np.empty((len(folds), 1 + len(CLASSES)))
    for fold in np.unique(folds):
        scaler, regression = _fitted(images.of(folds != fold))
        seen = scaler.transform(images.seen[folds == fold])
        logits[folds == fold] = regression.decision_function(seen)
    return logits


def _fitted(images: Images) -> tuple[StandardScaler, LogisticRegression]:
    scaler = StandardScaler().fit(images.seen)
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    return scaler, regression.fit(scaler.transform(images.seen), images.kind)


def folds_of(images: Images) -> NDArray[np.intp]:
    """Returns the fold of each image, [n].

    A source of frontal images and what is made of them is a fold; groups of others take turns.
    """
    sources = [name for name, source in FRONTAL.items() if "fit" in source.sides]
    folds = np.empty(len(images.kind), np.intp)
    turns: dict[str, int] = {}
    for number, (kind, name, group) in enumerate(
        zip(images.kind, images.name, images.group, strict=True)
    ):
        source = str(name).removesuffix(", changed")
        made = kind not in (gate.LATERAL, gate.CT, gate.OTHER)
        turn = turns.setdefault(str(group), len(turns))
        folds[number] = sources.index(source) if made else turn % len(sources)
    return folds


def threshold_of(good: Scores, unfit: Scores) -> float:
    """Returns the threshold of the scores of good images and of those of a kind, [n] each.

    It is halfway between what few good images reach and what almost all of the kind do, or the
    former if that is higher.
    """
    lowest = float(np.sort(good)[::-1][int(FALSE_REFUSALS * len(good))])
    return math.floor((lowest + max(lowest, reached_by(unfit))) / 2 * 1000 + 1) / 1000


def reached_by(unfit: Scores) -> float:
    """Returns the score that almost all images of a kind reach."""
    return math.floor(float(np.quantile(unfit, MISSED)) * 1000) / 1000


if __name__ == "__main__":
    main()
