"""Fits the gate that knows a slice of CT by its looks, tests it, and writes the report.

It is fitted on the training parts of three sets of radiographs and of COVID-CT, and on images of no
chest. Its strength and its threshold are chosen on the validation parts. The test is their test
parts and the other sets.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import sklearn
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from pulmo import stats
from pulmo.bundle import gate
from pulmo.bundle.gate import Gate, appearance
from pulmo.core.files import write_atomically
from pulmo.core.parallel import in_threads
from pulmo.datasets.importing import Reading, import_source
from pulmo.datasets.manifest import SPLITS, Manifest
from pulmo.datasets.phantom.image import PHANTOM_LABELS, draw
from pulmo.datasets.split.draw import Keep, Shares, split_manifest
from pulmo.radiograph import read_radiograph
from pulmo.stats.estimate import Estimate

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "gate.md"
SHIPPED: Final = Path(gate.__file__).with_name(gate.FILE)

MOST: Final = 1500
"""Images of a part of a set at most, drawn at random."""

FALSE_REFUSALS: Final = 0.005
"""Greatest share of the radiographs of the validation that the threshold may refuse."""

STRENGTHS: Final = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Inverse strengths of the penalty that are tried."""

HEAD: Final = """# Slices of CT that nothing states

Made by `python benchmarks/gate.py --data ...`. A model for X-rays refuses a file whose header says
CT. A PNG or JPEG file says nothing, so the model asks its looks: a logistic regression on 69
numbers of a copy of 32 x 32 pixels (`pulmo.bundle.gate`). An image whose modality is stated, by its
header or by the manifest, is not asked.

The regression is fitted on the training parts of kermany, radiography, cohen (X-rays) and covid-ct,
split by patient and publication, and on images of no chest, which count as no CT. Its penalty is
that of the least log loss on the validation parts. The threshold is the lowest that refuses at
most {share:.1%} of the radiographs of each set of the validation. Intervals are 95 %, over
patients, publications and copies.

**The test is not fresh.** A first gate was fitted without the images of no chest, and its threshold
was that of {share:.1%} of all radiographs together. On the same test images it refused 0.992 (0.972
to 0.998) of the slices and 0.009 (0.006 to 0.013) of the radiographs, among them 0.060 (0.035 to
0.102) of the tuberculosis set; it also refused 0.100 of drawn phantoms and 0.215 of noise. It was
changed for these reasons, once, and no value below was used for a choice."""


class Images(NamedTuple):
    """The images of a part of a set, as the gate sees them.

    Attributes:
        seen: [n, 69].
        groups: [n], what belongs together.
        ct: whether they are slices of CT.
    """

    seen: NDArray[np.float64]
    groups: NDArray[np.str_]
    ct: bool


Parts = Mapping[str, Mapping[str, Images]]
"""Set -> train, val or test -> its images."""


class Kind(NamedTuple):
    """A set: its reader and folder, the labels of its classes, and which part of it is taken.

    Attributes:
        source: the reader.
        folder: below the root of all sets.
        label_map: for the reader `folder`.
        held: whether all of it is the test.
        keep: which published sides are kept.
        take: chooses images.
    """

    source: str
    folder: str
    label_map: Mapping[str, str] = {}
    held: bool = False
    keep: Keep = "nothing"
    take: Callable[[Manifest], Manifest] = lambda manifest: manifest


KINDS: Final = {
    "kermany": Kind("kermany", "chest_xray", keep="test"),
    "radiography": Kind("radiography", "COVID-19_Radiography_Dataset"),
    "cohen, X-rays": Kind(
        "cohen", "covid-chestxray-dataset", take=lambda images: images.filter(modality="X-ray")
    ),
    "covid-ct": Kind("covid-ct", "COVID-CT", keep="all"),
    "figure1": Kind("figure1", "Figure1-COVID-chestxray-dataset", held=True),
    "adult-normals": Kind("folder", "adult-normals", {"normal": "normal"}, held=True),
    "tuberculosis": Kind("folder", "tuberculosis", {".": "other"}, held=True),
    "nih": Kind(
        "darkcovidnet",
        "darkcovidnet",
        held=True,
        take=lambda images: images.filter(label=("normal", "pneumonia")),
    ),
    # Four slices of this publication are in covid-ct too.
    "cohen, CT": Kind(
        "cohen",
        "covid-chestxray-dataset",
        held=True,
        take=lambda images: images.filter(modality="CT").select(
            ~images.filter(modality="CT").frame["path"].str.contains("kjr-21-e24")
        ),
    ),
}
"""What the report calls a set -> the set."""


def main() -> None:
    """Fits, tests and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--gate", type=Path, default=SHIPPED, help="the coefficients to write")
    arguments = parser.parse_args()
    parts = {name: dict(read(kind, arguments.data)) for name, kind in KINDS.items()}
    fitted = fit(parts)
    write_atomically(arguments.gate, fitted.model_dump_json(indent=1).encode() + b"\n")
    write_atomically(arguments.output, "\n".join(lines(parts, fitted)).encode())


def read(kind: Kind, root: Path) -> Iterator[tuple[str, Images]]:
    """Yields the parts of a set and their images."""
    folder, generator = root / kind.folder, np.random.default_rng(0)
    found = import_source(
        kind.source, folder, kind.label_map, reading=Reading(decode=False)
    ).manifest
    manifest = kind.take(found)
    if kind.held:
        manifest = manifest.with_columns(split="test")
    else:
        manifest = split_manifest(manifest, Shares(0.25, 0.25), generator, keep=kind.keep)
    for side in SPLITS:
        rows = manifest.split(side)
        chosen = rows.select(np.sort(generator.permutation(len(rows))[:MOST]))
        if len(chosen):
            seen = np.stack([*in_threads(look, chosen.frame["path"])])
            is_ct = chosen.frame["modality"].eq("CT").any()
            yield side, Images(seen, chosen.groups.to_numpy(np.str_), bool(is_ct))


def look(path: str) -> NDArray[np.float64]:
    """Returns what the gate sees of a file."""
    return appearance(read_radiograph(path).pixels)


def fit(parts: Parts) -> Gate:
    """Returns the gate of the training parts; its strength and threshold are of the validation."""
    seen, is_ct = pooled([each["train"] for each in parts.values() if "train" in each])
    held, truth = pooled([each["val"] for each in parts.values() if "val" in each])
    neither, _ = pooled([images for _, images in others(1, ("china.jpg",))])
    shown = np.concatenate([seen, neither])
    middle, spread = shown.mean(axis=0), shown.std(axis=0)
    answers = np.concatenate([is_ct, np.zeros(len(neither), np.bool_)])
    models = [
        LogisticRegression(C=strength, class_weight="balanced", max_iter=5000).fit(
            (shown - middle) / spread, answers
        )
        for strength in STRENGTHS
    ]
    losses = [log_loss(truth, each.predict_proba((held - middle) / spread)) for each in models]
    best = int(np.argmin(losses))
    weights = np.round(models[best].coef_[0] / spread, 4)
    bias = float(np.round(models[best].intercept_[0] - weights @ middle, 4))
    return Gate(
        weights=tuple(weights.tolist()),
        bias=bias,
        threshold=max(
            threshold_of(each["val"].seen @ weights + bias)
            for each in parts.values()
            if "val" in each and not each["val"].ct
        ),
        fitted=f"Fitted on {(~is_ct).sum()} radiographs, {is_ct.sum()} slices of CT and "
        f"{len(neither)} images of no chest with the inverse strength {STRENGTHS[best]:g}; the "
        f"threshold is of {(~truth).sum()} radiographs.",
    )


def threshold_of(scores: NDArray[np.float64]) -> float:
    """Returns the lowest threshold, to a thousandth, that refuses few enough of a set."""
    ranked = np.sort(scores)[::-1]
    highest = float(ranked[int(FALSE_REFUSALS * len(ranked))])
    return math.floor(highest * 1000 + 1) / 1000


def pooled(images: Sequence[Images]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Returns all images, and which are slices of CT."""
    seen = np.concatenate([each.seen for each in images])
    return seen, np.concatenate([np.full(len(each.seen), each.ct) for each in images])


def lines(parts: Parts, fitted: Gate) -> Iterator[str]:
    """Yields the report."""
    yield HEAD.format(share=FALSE_REFUSALS)
    yield f"\n{fitted.fitted}"
    for side, title in (("val", "Validation"), ("test", "Test")):
        yield f"\n## {title}\n"
        yield "| set | fitted on | shows | refused as CT | n |"
        yield "|---|---|---|---|---|"
        found = {name: each[side] for name, each in parts.items() if side in each}
        for name, images in found.items():
            yield row(name, "its other parts" if "train" in parts[name] else "no", images, fitted)
        for is_ct in (False, True):
            of_kind = [images for images in found.values() if images.ct == is_ct]
            yield row("**all**", "", together(of_kind), fitted)
    yield "\n## Images of no chest\n"
    yield "The gate refuses only what looks like a slice of CT: it does not say that an image shows"
    yield "a chest. These are other drawings, other noise and other photographs than those of the"
    yield "fit; the pieces of a photograph are one group.\n"
    yield "| images | refused as CT | n |"
    yield "|---|---|---|"
    for name, images in others(0, ("flower.jpg", "grace_hopper.jpg")):
        refused = share_refused(images, fitted)
        yield f"| {name} | {refused} | {refused.n} |"
    yield ""


def together(parts: list[Images]) -> Images:
    """Returns the images of several parts, whose groups are told apart."""
    groups = [np.char.add(f"{number}:", each.groups) for number, each in enumerate(parts)]
    return Images(
        np.concatenate([each.seen for each in parts]), np.concatenate(groups), parts[0].ct
    )


def row(name: str, fitted_on: str, images: Images, fitted: Gate) -> str:
    """Returns a line of a table."""
    refused = share_refused(images, fitted)
    return f"| {name} | {fitted_on} | {'CT' if images.ct else 'X-ray'} | {refused} | {refused.n} |"


def share_refused(images: Images, fitted: Gate) -> Estimate:
    """Returns which share of some images the gate refuses."""
    scores = images.seen @ np.array(fitted.weights) + fitted.bias
    return stats.proportion(scores >= fitted.threshold, groups=images.groups)


def others(seed: int, photographs: Sequence[str]) -> Iterator[tuple[str, Images]]:
    """Yields images that are no radiograph of a person, and what they are.

    Args:
        seed: of all that is drawn.
        photographs: names of those that scikit-learn or matplotlib brings.
    """
    generator = np.random.default_rng(seed)
    patients = generator.integers(0, 2**32, 200).tolist()
    sizes = generator.integers(200, 300, (200, 2)).tolist()
    labels = [PHANTOM_LABELS[n % len(PHANTOM_LABELS)] for n in range(200)]
    drawn = [
        draw(label, patient, generator, (height, width)).pixels
        for label, patient, (height, width) in zip(labels, patients, sizes, strict=True)
    ]
    yield "drawn phantoms", _seen(drawn)
    noise = [generator.random((200, 240)) for _ in range(200)]
    yield "noise", _seen(noise)
    yield "smooth noise", _seen([_stretched(gaussian_filter(each, 20)) for each in noise])
    ramp = np.linspace(0, 1, 200)[:, None] * np.ones(200)
    yield "gradients", _seen([ramp * end for end in generator.uniform(0.2, 1, 50)])
    yield "even grey", _seen([np.full((99, 99), grey) for grey in generator.random(50)])
    pieces, names = [], []
    for name in photographs:
        grey = np.asarray(Image.open(_photograph(name)).convert("L")) / 255
        for _ in range(50):
            top, left = (generator.integers(0, side // 3) for side in grey.shape)
            pieces.append(grey[top : top + grey.shape[0] // 2, left : left + grey.shape[1] // 2])
            names.append(name)
    yield "pieces of photographs", _seen(pieces, names)


def _photograph(name: str) -> Path:
    scikit_learn = Path(sklearn.__file__).parent / "datasets" / "images" / name
    return scikit_learn if scikit_learn.is_file() else Path(get_data_path()) / "sample_data" / name


def _seen(images: Sequence[NDArray[np.floating]], names: list[str] | None = None) -> Images:
    seen = np.stack([appearance(np.ascontiguousarray(each, np.float32)) for each in images])
    groups = np.array(names or [str(n) for n in range(len(images))])
    return Images(seen, groups, ct=False)


def _stretched(image: NDArray[np.float64]) -> NDArray[np.float64]:
    lowest, highest = image.min(), image.max()
    stretched: NDArray[np.float64] = (image - lowest) / (highest - lowest)
    return stretched


if __name__ == "__main__":
    main()
