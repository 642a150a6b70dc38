"""MedMNIST (Yang et al. 2023): Kermany's and NIH's images made small, as arrays in one file."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes, write_atomically
from pulmo.datasets.findings import label_of_findings
from pulmo.datasets.manifest import SPLITS
from pulmo.datasets.source import About, Entry, Problem, Published, refuse_map, source

_URL: Final = "https://zenodo.org/records/10519652/files/{}.npz?download=1"
_MD5: Final = {
    "pneumoniamnist_224": "d6a3c71de1b945ea11211b03746c1fe1",
    "pneumoniamnist_128": "05b46931834c231683c68f40c47b2971",
    "pneumoniamnist_64": "8f4eceb4ccffa70c672198ea285246c6",
    "pneumoniamnist": "28209eda62fecd6e6a2d98b1501bb15f",
    "chestmnist_224": "45bd33e6f06c3e8cdb481c74a89152aa",
    "chestmnist_128": "db107e5590b27930b62dbaf558aebee3",
    "chestmnist_64": "9de6cd0b934ebb5b7426cfba5efbae16",
    "chestmnist": "02c8a6516a18b556561a56cbdd36c4a8",
}
_STEM: Final = re.compile(r"(?P<set>pneumoniamnist|chestmnist)(_(?P<size>64|128|224))?")

# In the order of ChestMNIST's columns.
_CHEST: Final = {
    "atelectasis": "other",
    "cardiomegaly": "other",
    "effusion": "other",
    "infiltration": "other",
    "mass": "other",
    "nodule": "other",
    "pneumonia": "pneumonia",
    "pneumothorax": "other",
    "consolidation": "other",
    "edema": "other",
    "emphysema": "other",
    "fibrosis": "other",
    "pleural": "other",
    "hernia": "other",
    # Has no column: a row without a 1 is what NIH, whose labels these are, calls so.
    "no finding": "normal",
}
# In the order of PneumoniaMNIST's numbers.
_PNEUMONIA: Final = {"normal": "normal", "pneumonia": "pneumonia"}


class _Set(NamedTuple):
    """One of the two sets: its labels, how many columns state them, and where it is from."""

    labels: Mapping[str, str]
    columns: int
    origin: str
    view: str | None


_SETS: Final = {
    "pneumoniamnist": _Set(_PNEUMONIA, 1, "kermany", "AP"),
    "chestmnist": _Set(_CHEST, 14, "nih", None),
}


@source(
    "medmnist",
    About(
        title="PneumoniaMNIST and ChestMNIST of MedMNIST+ (Yang et al. 2023)",
        licence="CC BY 4.0",
        size="5856 and 112,120 images of 28, 64, 128 or 224 pixels; 214 MB for pneumoniamnist_224",
        url="https://medmnist.com",
        obtain="Download one .npz file from https://zenodo.org/records/10519652; ROOT is that "
        "file. Its images are unpacked into a folder next to it.",
        remote={
            name: Published(_URL.format(name), f"md5:{digest}") for name, digest in _MD5.items()
        },
    ),
)
def medmnist(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of a MedMNIST file, or of the only one in a folder, in its order.

    They are unpacked as PNG files into `<file's stem>/<split>/<number>.png` next to the file; those
    that are there and right are left as they are. The file is read as a stream. ChestMNIST's label
    is pneumonia if that is among the findings, normal without any finding, else other. No patients
    are named.

    Raises:
        InputError: there is no such file, its arrays are not those of its name, or the images
            cannot be written.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "medmnist")
    file = _file(root)
    try:
        with open_bytes(file) as data, zipfile.ZipFile(data) as archive:
            _check_names(file, archive)
            for split in SPLITS:
                yield from _entries(file, archive, split)
    # RuntimeError: an archive that is encrypted or compressed in another way.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError) as error:
        raise InputError(
            "medmnist-invalid", f"{file} is not a valid MedMNIST file: {error}."
        ) from error


def _file(root: Path) -> Path:
    if not root.is_dir():
        return root
    files = sorted(root.glob("*.npz"))
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise InputError(
            "source-file-ambiguous",
            f"{root} must contain exactly one .npz file; it contains {found}. Or give the file "
            "itself.",
        )
    return files[0]


def _check_names(file: Path, archive: zipfile.ZipFile) -> None:
    if not _STEM.fullmatch(file.stem):
        raise InputError(
            "medmnist-name-unknown",
            f"{file} does not have the name of a MedMNIST file: {', '.join(_MD5)} (.npz).",
        )
    names = {name.removesuffix(".npy") for name in archive.namelist()}
    expected = {f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels")}
    if names != expected:
        raise InputError(
            "medmnist-arrays-unexpected",
            f"{file} contains the arrays {', '.join(sorted(names))}; those of MedMNIST are "
            f"{', '.join(sorted(expected))}.",
        )


def _entries(file: Path, archive: zipfile.ZipFile, split: str) -> Iterator[Entry]:
    name, _, size = file.stem.partition("_")
    about, side = _SETS[name], int(size or 28)
    with (
        archive.open(f"{split}_images.npy") as images,
        archive.open(f"{split}_labels.npy") as labels,
    ):
        count, _ = _header(images, (side, side), f"{split}_images")
        rows, kind = _header(labels, (about.columns,), f"{split}_labels")
        if rows != count:
            raise ValueError(f"{split} has {count} images and {rows} rows of labels")
        for number in range(count):
            pixels = _next(images, side * side, np.dtype(np.uint8)).reshape(side, side)
            findings = _findings(_next(labels, about.columns, kind), about)
            path = file.parent / file.stem / split / f"{number:06d}.png"
            _unpack(pixels, path)
            yield Entry(
                path,
                label_of_findings(findings, about.labels),
                finding="|".join(findings),
                view=about.view,
                modality="X-ray",
                split=split,
                origin=about.origin,
            )


def _header(array: IO[bytes], row: tuple[int, ...], name: str) -> tuple[int, np.dtype[Any]]:
    """Returns the number of rows of an array, which must have this shape, and their type."""
    version = np.lib.format.read_magic(array)
    if version != (1, 0):
        raise ValueError(f"{name} is in version {version} of NumPy's format, not (1, 0)")
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(array)
    wanted = np.integer if len(row) == 1 else np.uint8
    if by_columns or not np.issubdtype(kind, wanted) or shape[1:] != row:
        raise ValueError(f"{name} is {kind} {shape}, not uint8 (n, {', '.join(map(str, row))})")
    return shape[0], kind


def _next(array: IO[bytes], length: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Returns the next numbers of an array, so that no split is ever held as a whole."""
    data = array.read(length * kind.itemsize)
    if len(data) != length * kind.itemsize:
        raise EOFError("an array ends early")
    return np.frombuffer(data, kind)


def _findings(values: NDArray[Any], about: _Set) -> list[str]:
    if not set(values.tolist()) <= {0, 1}:
        raise ValueError(f"a row of labels is {values.tolist()}, not 0 and 1")
    names = list(about.labels)
    if about.columns == 1:
        return [names[values[0]]]
    return [name for name, value in zip(names, values, strict=False) if value] or names[-1:]


def _unpack(pixels: NDArray[np.uint8], path: Path) -> None:
    """Writes an image, unless it is there.

    Raises:
        InputError: it cannot be written.
    """
    if _shows(path, pixels):
        return
    buffer = io.BytesIO()
    # Lossless at any level; the default would take thrice the time for a sixth of the bytes.
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    try:
        write_atomically(path, buffer.getvalue())
    except InputError as error:
        raise InputError(
            "source-not-unpacked",
            f"{error} The images of MedMNIST are unpacked into the folder of their file. It must "
            "be writable and have room.",
        ) from error


def _shows(path: Path, pixels: NDArray[np.uint8]) -> bool:
    """Returns whether a file is there and shows exactly this image."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.mode == "L" and np.array_equal(np.asarray(image), pixels)
    # SyntaxError is what Pillow raises for a damaged PNG.
    except (OSError, SyntaxError, ValueError):
        return False
