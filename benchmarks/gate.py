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

import numpy as np
from gate_images import CT as SLICES
from gate_images import FRONTAL, LATERAL, Folders, radiographs, read
from gate_others import others
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from pulmo import stats
from pulmo.bundle import gate
from pulmo.bundle.gate import KINDS, Boundary, Gate
from pulmo.bundle.looks import SIDE, grey_looks, lung_looks, square_of
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

FALSE_REFUSALS: Final = 0.0015
"""Greatest share of the good images of the fit that each threshold may refuse, when the regression
is fitted without their source."""

MISSED: Final = 0.005
"""Greatest share of the unfit images of a kind that its threshold may miss in the same way, where
that needs no more false refusals."""

CLASSES: Final[tuple[Look, ...]] = tuple(sorted(KINDS))
"""In the order of scikit-learn, where a good image, which is blank, comes first."""

STRENGTH: Final = 0.03
"""Inverse strength of the penalty."""

GREY: Final = len(np.concatenate(grey_looks(np.zeros((SIDE, SIDE)))))
"""How many numbers the gate sees of the grey values."""

Scores = NDArray[np.float64]


class Images(NamedTuple):
    """What the gate sees of some images.

    Attributes:
        kind: [n], what is the matter with each; blank: nothing.
        name: [n], its source, or what it is.
        group: [n], what belongs together.
        seen: [n, numbers of `GreyLooks` and `LungLooks`].
    """

    kind: NDArray[np.str_]
    name: NDArray[np.str_]
    group: NDArray[np.str_]
    seen: NDArray[np.float64]

    def of(self, chosen: NDArray[np.bool_]) -> "Images":
        """Returns those that are chosen, bool [n]."""
        return Images(self.kind[chosen], self.name[chosen], self.group[chosen], self.seen[chosen])


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
    parser.add_argument("--seen", type=Path, help="folder that keeps what was seen of the images")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--gate", type=Path, default=SHIPPED, help="the coefficients to write")
    asked = parser.parse_args()
    folders = Folders(asked.data, asked.photographs, asked.screenshots)
    sides = looked_at(folders, asked.seen, asked.processes)
    fitted = fit(sides["fit"])
    write_atomically(asked.gate, fitted.model_dump_json().encode() + b"\n")
    write_atomically(asked.output, ("\n".join(lines(sides["test"], fitted)) + "\n").encode())


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
        square, lungs = square_of(radiograph.pixels), finder.look(radiograph)
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


HEAD: Final = """# Images that a model for frontal chest X-rays is not meant for

Made by `python benchmarks/gate.py --data DATA --photographs PHOTOGRAPHS --screenshots SCREENSHOTS
--model BUNDLE`, on [these images](#where-the-images-come-from). Where a file says nothing of
what it shows, its looks decide (`pulmo.bundle.gate`). A multinomial logistic regression sees 141
numbers of the grey values. If they leave a doubt, a second one sees these and 83 numbers of what
the network of the lungs sees (`pulmo.bundle.looks`), and decides. In an evaluation an unfit image
is noted (`looks`) and counted, not refused.

The threshold of the second regression is, for each kind, halfway between what {share:.2%} of the
good images reach and what all but {missed:.1%} of the kind reach; that of the first is the latter.
Both come from regressions that are fitted without the source of the image. Intervals are 95 %, over
patients and publications; parts of a photograph count singly, so the interval of photographs is too
narrow.

**The test is not fresh.** A first gate had one regression a kind, and as thresholds what
{share:.2%} of the good images reach. On the same test it refused 0.9 % of the good images and
found 96 % or more of each kind, but it gave wrong reasons. A second one asked the network of
the lungs of every image, which was slow: it refused 0.8 % and found 97.5 % or more. The penalty and
the thresholds of the third one were chosen on the fit alone, but its test was seen before."""

SOURCES: Final = """
## Where the images come from

The good images of the fit are frontal ones of kermany (training), radiography (normal and
COVID-19) and half of cohen by patient, as they are, and changed in grey scale, tilt, border and
side. Turned, inverted, cut and joined images are made of them. Slices of CT are of half of
COVID-CT by patient, lateral views of half of cohen. What is no radiograph is drawn, is a mask of
lungs, or is a part of a photograph. The test has the other halves, sets that the fit did not see,
other photographs, pages and plots, and screenshots, which the fit has none of. Kermany's test is of
the same hospital as its training. The network of the lungs was trained on kermany and cohen, images
of this test among them.

- DATA is a folder with the public sets, named as in `benchmarks/gate_images.py`. `pulmo data
  sources` says where most of them come from.
- PHOTOGRAPHS is the folder `skimage/data` of the wheel of scikit-image 0.17.2 for Python 3.8:
  `pip download scikit-image==0.17.2 --no-deps --only-binary=:all: --python-version 3.8
  --platform manylinux1_x86_64`, then `python -m zipfile -e scikit_image-0.17.2-*.whl .`
  `benchmarks/gate_images.py` names the images of the fit and of the test. The others come with
  scikit-learn and matplotlib.
- SCREENSHOTS is the folder `share/doc/rust/html` of Rust 1.95.0 (`rustup component add rust-docs`,
  `rustc --print sysroot`): its PNG images of 48 pixels or more, each once.

## What it does not know

- **Other parts of the body.** No images of them were at hand, so there is no such kind, and nothing
  here is measured of them. A DICOM image whose Body Part Examined states another part is refused
  for that ([how](../images.md#6-facts-from-the-header)). A PNG or JPEG file of a hand or an abdomen
  states nothing: it may pass.
- **Lateral views**: only 43 were at hand.
- **Real faults.** Those of this test are made by a program; real ones may look otherwise."""


def lines(images: Images, fitted: Gate) -> Iterator[str]:
    """Yields the report of the test."""
    yield HEAD.format(share=FALSE_REFUSALS, missed=MISSED)
    yield f"\n{fitted.fitted}"
    each = [judged(fitted, one) for one in images.seen]
    found, asked = (np.array(values) for values in zip(*each, strict=True))
    good = images.kind == ""
    plain = good & ~np.char.endswith(images.name, ", changed")
    alone = stats.proportion(~asked[plain], groups=images.group[plain])
    yield f"\nThe grey values alone let pass {alone} of the good images of the test as they are."
    yield from _table("Good frontal images that are refused")
    for name in sorted(set(images.name[good])):
        yield _row(name, images, good & (images.name == name), found)
    yield _row("**all, as they are**", images, plain, found)
    yield _row("**all, changed**", images, good & ~plain, found)
    yield from _table("Unfit images that are refused, for whatever reason")
    for kind in KINDS:
        of_kind = images.kind == kind
        if kind in (gate.CT, gate.OTHER):
            for name in sorted(set(images.name[of_kind])):
                yield _row(f"{kind}: {name}", images, of_kind & (images.name == name), found)
        yield _row(f"**{kind}**", images, of_kind, found)
    yield SOURCES


def judged(fitted: Gate, seen: NDArray[np.float64]) -> tuple[str, bool]:
    """Returns the kind that an image looks like, or blank, and whether its lungs were asked."""
    asked = False

    def of_lungs() -> NDArray[np.float64]:
        nonlocal asked
        asked = True
        return seen[GREY:]

    kind = fitted.likeliest(seen[:GREY], of_lungs, [*KINDS])
    return kind or "", asked


def _table(title: str) -> tuple[str, ...]:
    return (f"\n## {title}\n", "| images | refused | of | as |", "|---|---|---|---|")


def _row(name: str, images: Images, chosen: NDArray[np.bool_], found: NDArray[np.str_]) -> str:
    share = stats.proportion(found[chosen] != "", groups=images.group[chosen])
    reasons, counts = np.unique(found[chosen & (found != "")], return_counts=True)
    said = ", ".join(f"{reason} {n}" for reason, n in zip(reasons, counts, strict=True))
    return f"| {name} | {share} | {share.n} | {said} |"


if __name__ == "__main__":
    main()
