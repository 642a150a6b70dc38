"""Images a second of `pulmo data import`, compared with the least possible cost, and its memory.

Draws images, stores them in four ways, and measures by turns on the same files, which lie in the
page cache after the first turn: bare loops that read, hash and decode; and imports that decode,
that read headers, and that find all files unchanged.

With --rows, `import_memory.py` measures the memory of an import of so many files.
"""

import argparse
import hashlib
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from pulmo.core.files import write_atomically
from pulmo.core.parallel import cores
from pulmo.datasets import workers
from pulmo.datasets.importing import Reading, import_source
from pulmo.datasets.phantom import write_phantoms
from pulmo.radiograph import read_radiograph

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results" / "import.md"
HEADS = (
    "files", "bytes each", "read", "and hash", "and decode", "import", "the same in threads",
    "headers only", "unchanged",
)  # fmt: skip
TEXT = """# The speed and the memory of an import

Made by `python benchmarks/importing.py{options}` on {cores} processor cores ({machine}, Python
{python}), which other work shared: compare within a row.

Images a second in the fastest of {turns} turns, in each of which everything ran once on the same
files in the page cache. The first three are bare loops on one core: read the bytes; read and hash
them; read them and decode them with Pillow or pydicom. In brackets is the time as a multiple of a
bare loop's: of `import` of the decoding's, of `--headers-only` of the hashing's, and of a repeated
import, which finds all files unchanged, of the reading's.

{speed}

An import decodes every image, hashes its bytes and its pixels as 32-bit numbers, notes what it
has read for the case that it is killed, and groups copies. For DICOM, pydicom's part is to hand out
the stored numbers; most of the work is to display them, as PS3.4 N.2 says. From {threshold} files
on an import reads in one process a core; "the same in threads" is an import that does not. Threads
wait for each other's use of Python's lock, which is about a third of the work on a 224 px JPEG: on
two busy cores that costs little, since other work fills the gaps, but more cores would stay idle.
"""
MEMORY = """
The memory of the main process, for small PNG files; an image is in the memory of a process that
reads, {cores} in all, and only while it is decoded.

{rows}"""


class Kind(NamedTuple):
    """A way to store images: `distinct` ones of `side` pixels, each of which has `links` names."""

    name: str
    side: int
    distinct: int
    links: int


KINDS = (
    Kind("JPEG, 224 px", 224, 100, 200),
    Kind("PNG, 1024 px, 8 bit", 1024, 20, 12),
    Kind("JPEG, 2000 px", 2000, 10, 20),
    Kind("DICOM, 2000 px, 16 bit, uncompressed", 2000, 6, 12),
)


def stored(image: NDArray[np.float32], kind: Kind) -> bytes:
    """Returns the bytes of an image's file, as a detector's noise would leave them."""
    rng = np.random.default_rng(int(image.sum()))
    large = cv2.resize(image, (kind.side, kind.side), interpolation=cv2.INTER_CUBIC)
    noisy = np.clip(large + rng.normal(0, 0.01, large.shape), 0, 1)
    file = io.BytesIO()
    if kind.name.startswith("DICOM"):
        save_dicom((noisy * 4095).astype(np.uint16), file)
    else:
        form = kind.name.partition(",")[0]
        Image.fromarray((noisy * 255).astype(np.uint8)).save(file, form, quality=85)
    return file.getvalue()


def save_dicom(values: NDArray[np.uint16], file: io.BytesIO) -> None:
    """Writes 12 bits in 16, as a computed radiograph has them."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
        ComputedRadiographyImageStorage
    )
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation, dataset.Modality = "MONOCHROME2", "CR"
    dataset.PixelData = values.tobytes()
    dataset.save_as(file, enforce_file_format=True)


def make_set(kind: Kind, folder: Path) -> list[Path]:
    """Stores a kind's images below `folder`/normal."""
    with tempfile.TemporaryDirectory() as name:
        write_phantoms(Path(name) / "images", kind.distinct, seed=0)
        drawn = sorted((Path(name) / "images" / "images").iterdir())
        images = [stored(read_radiograph(path).pixels, kind) for path in drawn]
    places: list[Path] = []
    for link in range(kind.links):
        (folder / "normal" / f"{link:03d}").mkdir(parents=True)
        for number, data in enumerate(images):
            place = folder / "normal" / f"{link:03d}" / f"{number:04d}"
            if link:
                os.link(places[number], place)
            else:
                place.write_bytes(data)
            places.append(place)
    return places


def hashed(path: Path) -> None:
    """Reads and hashes a file."""
    hashlib.sha256(path.read_bytes()).digest()


def decoded(path: Path) -> None:
    """Reads and decodes a file with the library that pulmo decodes it with."""
    data = path.read_bytes()
    if data[128:132] == b"DICM":
        pydicom.dcmread(io.BytesIO(data)).pixel_array  # noqa: B018 - decodes when asked for
    else:
        Image.open(io.BytesIO(data)).load()


def each(work: Callable[[Path], object], paths: list[Path]) -> None:
    """Does the work for one file after the other."""
    for path in paths:
        work(path)


def imported(folder: Path, reading: Reading) -> None:
    """Imports a folder."""
    assert not import_source("folder", folder, reading=reading).problems  # noqa: S101


def in_threads_alone(folder: Path) -> None:
    """Imports a folder, and begins no process."""
    with patch.object(workers, "PROCESSES_FROM", sys.maxsize):
        imported(folder, Reading())


def seconds(work: Callable[[], None]) -> float:
    """Returns the wall time of a piece of work."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(kind: Kind, folder: Path, turns: int) -> str:
    """Returns a kind's row: images a second, and in brackets the ratio to a bare loop."""
    paths = make_set(kind, folder)
    manifest = folder / "m.parquet"
    import_source("folder", folder).manifest.save(manifest)
    works = {
        "read": partial(each, Path.read_bytes, paths),
        "hashed": partial(each, hashed, paths),
        "decoded": partial(each, decoded, paths),
        "import": partial(imported, folder, Reading()),
        "threads": partial(in_threads_alone, folder),
        "headers": partial(imported, folder, Reading(decode=False)),
        "unchanged": partial(imported, folder, Reading(earlier=manifest)),
    }
    turned = [{name: seconds(work) for name, work in works.items()} for _ in range(turns)]
    # What else the machine does can only make a turn slower.
    best = {name: min(turn[name] for turn in turned) for name in works}

    def cell(name: str, baseline: str = "") -> str:
        share = f" ({best[name] / best[baseline]:.2f})" if baseline else ""
        return f"{len(paths) / best[name]:,.0f}{share}"

    size = statistics.fmean(path.stat().st_size for path in paths) / 1000
    baseline = {"import": "decoded", "threads": "decoded", "headers": "hashed", "unchanged": "read"}
    speeds = (cell(name, baseline.get(name, "")) for name in works)
    return row((f"{len(paths)} {kind.name}", f"{size:,.0f} kB", *speeds))


def row(cells: Iterable[str]) -> str:
    """Returns a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def memory(rows: int) -> str:
    """Returns what the memory of an import is said to be."""
    script = Path(__file__).with_name("import_memory.py")
    child = subprocess.run(
        [sys.executable, script, str(rows)], check=True, stdout=subprocess.PIPE, text=True
    )
    return MEMORY.format(rows=child.stdout, cores=cores())


def main() -> None:
    """Measures and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--rows", type=int, default=0, help="also import so many small files")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    lines = [row(HEADS), row(["---"] * len(HEADS))]
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as name:
            lines.append(measure(kind, Path(name), arguments.turns))
        print(lines[-1], flush=True)
    text = TEXT.format(
        options=f" --rows {arguments.rows}" if arguments.rows else "",
        cores=cores(),
        machine=platform.machine(),
        python=platform.python_version(),
        turns=arguments.turns,
        speed="\n".join(lines),
        threshold=workers.PROCESSES_FROM,
    )
    text += memory(arguments.rows) if arguments.rows else ""
    write_atomically(arguments.results, text.encode())
    print(arguments.results)


if __name__ == "__main__":
    main()
