"""A folder of phantoms: images in several formats, masks, and a table of them."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from pulmo.core.errors import InputError, UsageError
from pulmo.core.files import write_atomically
from pulmo.core.labels import DRAWN
from pulmo.datasets.phantom.encodings import Levels, dicom, jpeg, mask_png, png
from pulmo.datasets.phantom.image import PHANTOM_LABELS, Phantom, check_phantom_label, draw

TABLE: Final = "phantoms.csv"
"""Name of the table in the folder; it is written last."""

COLUMNS: Final = (
    "path", "label", "patient", "source", "view", "age", "sex", "modality", "width", "height",
    "origin",
)  # fmt: skip
"""Columns of the table."""

_SHORT_SIDE = (200, 301)
_ASPECT = (0.8, 1.3)
_FORMATS = ("png", "jpeg", "png 16 bits", "dicom")
_SHARES = (0.35, 0.30, 0.15, 0.20)
_MOST_PATIENTS = 2**32


def write_phantoms(
    folder: Path,
    count: int,
    seed: int,
    *,
    labels: Sequence[str] = PHANTOM_LABELS,
    on_progress: Callable[[int], None] | None = None,
) -> Path:
    """Draws phantoms into a folder and returns their table.

    The folder gets `images/*.png|jpg|dcm`, `lung-masks/images/*.png` and
    `lesion-masks/images/*.png` of the same stems, where masks of these images are looked for, and
    last `phantoms.csv`, whose paths are relative to the folder. A patient has one label
    and one to three images. Sizes, formats and markers are drawn without regard to the label. The
    same arguments give the same bytes.

    Args:
        folder: made if need be; if it is there it must be empty.
        count: images, 1 or more; every label gets its share of them, to the nearest one.
        seed: 0 or more; different seeds have different patients.
        labels: what to draw, at least one and each once.
        on_progress: called with the number of images written after each of them.

    Raises:
        UsageError: an argument is not as above.
        InputError: a file cannot be written.
    """
    _check(folder, count, seed, labels)
    rows = []
    for index, (label, patient) in enumerate(_plan(count, seed, labels)):
        generator = np.random.default_rng((seed, 2, index))
        phantom = draw(label, patient, generator, _draw_size(generator))
        rows.append(_write(folder, f"image-{index:05d}", phantom, patient, generator))
        if on_progress is not None:
            on_progress(index + 1)
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_atomically(folder / TABLE, text.getvalue().encode())
    return folder / TABLE


def _plan(count: int, seed: int, labels: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Gives label and patient of each image; the labels take turns, patient by patient."""
    draw_images = np.random.default_rng((seed, 1))
    left = Counter({label: (count + i) // len(labels) for i, label in enumerate(reversed(labels))})
    patient = seed * _MOST_PATIENTS
    while any(left.values()):
        for label in labels:
            images = min(left[label], int(draw_images.choice((1, 2, 3), p=(0.6, 0.25, 0.15))))
            yield from [(label, patient)] * images
            left[label] -= images
            patient += bool(images)


def _draw_size(generator: np.random.Generator) -> tuple[int, int]:
    """Draws height and width in pixels: portrait and landscape, 200 to 400 a side."""
    short, aspect = int(generator.integers(*_SHORT_SIDE)), generator.uniform(*_ASPECT)
    return (short, round(short * aspect)) if aspect > 1 else (round(short / aspect), short)


def _write(
    folder: Path, stem: str, phantom: Phantom, patient: int, generator: np.random.Generator
) -> dict[str, str | int]:
    """Writes one image and its masks, and returns its row of the table."""
    suffix, data = _encode(phantom, f"{patient} {stem}", generator)
    image = Path("images", stem + suffix)
    _put(folder / image, data)
    for kind, mask in (("lung", phantom.lungs), ("lesion", phantom.lesion)):
        _put(folder / f"{kind}-masks" / image.parent / f"{stem}.png", mask_png(mask))
    height, width = phantom.pixels.shape
    return {
        "path": image.as_posix(),
        "label": phantom.label,
        "patient": str(patient),
        "source": "phantom",
        "view": phantom.view,
        "age": phantom.age,
        "sex": phantom.sex,
        "modality": "DX",
        "width": width,
        "height": height,
        "origin": DRAWN,
    }


def _encode(phantom: Phantom, identity: str, generator: np.random.Generator) -> tuple[str, bytes]:
    """Encodes an image in a format drawn at random; returns the file's suffix and bytes."""
    match generator.choice(_FORMATS, p=_SHARES):
        case "png":
            return ".png", png(phantom.pixels, 8)
        case "jpeg":
            return ".jpg", jpeg(phantom.pixels, int(generator.integers(80, 97)))
        case "png 16 bits":
            return ".png", png(phantom.pixels, 16)
        case _:
            low, high = int(generator.integers(0, 400)), int(generator.integers(3000, 4096))
            inverse = generator.random() < 0.5
            levels = Levels("MONOCHROME1" if inverse else "MONOCHROME2", low, high)
            return ".dcm", dicom(phantom, levels, identity)


def _put(path: Path, data: bytes) -> None:
    """Writes a file that the table will name.

    It is not flushed to the disk: that takes as long as drawing it, and it can be drawn again.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise InputError(
            "file-not-written", f"{path} could not be written: {error.strerror or error}."
        ) from error


def _check(folder: Path, count: int, seed: int, labels: Sequence[str]) -> None:
    if count < 1:
        raise UsageError(
            "phantom-count-invalid", f"The number of phantoms must be at least 1; got {count}."
        )
    if seed < 0:
        raise UsageError("seed-invalid", f"The seed must be at least 0; got {seed}.")
    for label in labels:
        check_phantom_label(label)
    if not labels or len(set(labels)) != len(labels):
        raise UsageError(
            "phantom-labels-invalid",
            f"Name at least one label, and each label once; got {list(labels)}.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("folder-not-empty", f"{folder} exists and is not an empty folder.")
