"""Seconds that an image takes to be read, by compression; compared with an older version if asked.

    python benchmarks/decoders.py --before ../older-checkout/src

Both versions read the same files, in turns, each in a process of its own whose start is not
counted. Prints a Markdown table of the shortest of all rounds in milliseconds.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
from decoders_under_mutation import Frame, dataset_of
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

ROUNDS: Final = 5
CHILD: Final = """
import json, sys, time
from pathlib import Path
from pulmo.core.errors import PulmoError
from pulmo.radiograph import read_radiograph
times = {}
for name in sys.argv[1:]:
    shortest = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        try:
            read_radiograph(Path(name))
        except PulmoError:
            shortest = None
            break
        shortest = min(shortest, time.perf_counter() - start)
    times[name] = shortest
print(json.dumps(times))
"""


def drawn(side: int, bits: int) -> NDArray[Any]:
    """A smooth image with noise, as images have it: [side, side]."""
    rows, columns = np.mgrid[:side, :side] / side
    grey = (np.sin(9 * columns) + np.cos(7 * rows) + 2) / 4
    grey += np.random.default_rng(bits).normal(0, 0.004, grey.shape)
    values: NDArray[Any] = np.rint(grey.clip(0, 1) * (2**bits - 1)).astype(
        np.uint8 if bits <= 8 else np.uint16
    )
    return values


def pillow(values: NDArray[Any], form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    """Returns a file that Pillow writes."""
    file = io.BytesIO()
    Image.fromarray(values).save(file, form, **options)
    return file.getvalue()


def rle(values: NDArray[Any]) -> bytes:
    """Returns an RLE frame that pydicom writes."""
    return bytes(
        RLELosslessEncoder.encode(
            values.tobytes(),
            rows=values.shape[0],
            columns=values.shape[1],
            samples_per_pixel=1,
            bits_allocated=8 * values.itemsize,
            bits_stored=8 * values.itemsize,
            pixel_representation=0,
            photometric_interpretation="MONOCHROME2",
            number_of_frames=1,
        )
    )


def write_files(folder: Path, side: int) -> dict[str, Path]:
    """Writes one file of each kind; returns what to call each, and where it is."""
    eight, twelve, sixteen = (drawn(side, bits) for bits in (8, 12, 16))
    encode = imagecodecs
    dicom: dict[str, tuple[UID, int, bytes | bytearray]] = {
        "plain, 12 bits": (ExplicitVRLittleEndian, 12, twelve.tobytes()),
        "RLE, 16 bits": (RLELossless, 16, rle(sixteen)),
        "JPEG, 8 bits": (JPEGBaseline8Bit, 8, pillow(eight, "JPEG", quality=90)),
        "JPEG, 12 bits": (
            JPEGExtended12Bit,
            12,
            encode.jpeg8_encode(twelve, 90, bitspersample=12),
        ),
        "JPEG Lossless, 12 bits": (
            JPEGLosslessSV1,
            12,
            encode.jpeg8_encode(twelve, lossless=True, bitspersample=12),
        ),
        "JPEG-LS, 16 bits": (JPEGLSLossless, 16, encode.jpegls_encode(sixteen)),
        "JPEG 2000, 12 bits": (
            JPEG2000Lossless,
            12,
            encode.jpeg2k_encode(twelve, 0, codecformat="j2k", bitspersample=12),
        ),
        "HTJ2K, 16 bits": (HTJ2KLossless, 16, encode.htj2k_encode(sixteen)),
    }
    files = {}
    for number, (name, (syntax, bits, data)) in enumerate(dicom.items()):
        dataset = dataset_of(Frame(b"", syntax, bits, 1))
        dataset.Rows = dataset.Columns = side
        dataset.WindowCenter, dataset.WindowWidth = 2 ** (bits - 1), 2**bits
        dataset.PixelData = encapsulate([bytes(data)]) if syntax.is_encapsulated else data
        files[f"DICOM, {name}"] = folder / f"{number}.dcm"
        dataset.save_as(files[f"DICOM, {name}"], enforce_file_format=True)
    rasters = {
        "JPEG": pillow(eight, "JPEG", quality=90),
        "JPEG, progressive": pillow(eight, "JPEG", quality=90, progressive=True),
        "PNG, 8 bits": pillow(eight, "PNG"),
        "PNG, 16 bits": pillow(sixteen, "PNG"),
    }
    for name, data in rasters.items():
        files[name] = folder / name.replace(", ", "-")
        files[name].write_bytes(data)
    return files


def measured(source: Path | None, files: list[Path]) -> dict[str, float | None]:
    """Reads files with the pulmo of a source folder; returns seconds, None for what is refused."""
    extra = {} if source is None else {"PYTHONPATH": str(source)}
    child = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, files)],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, **extra},
    )
    times: dict[str, float | None] = json.loads(child.stdout)
    return times


def main() -> None:
    """Parses the command line, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, help="the src folder of an older version")
    parser.add_argument("--side", type=int, default=1024, help="of the square images, in pixels")
    options = parser.parse_args()
    sources: dict[str, Path | None] = {"now": None}
    if options.before:
        sources = {"before": options.before.resolve(), **sources}
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), options.side)
        rounds = [
            {name: measured(source, list(files.values())) for name, source in sources.items()}
            for _ in range(ROUNDS)
        ]
    print("| file |", " | ".join(f"{name} (ms)" for name in sources), "|")
    print("|---|" + "---:|" * len(sources))
    for name, path in files.items():
        cells = []
        for version in sources:
            times = [one[version][str(path)] for one in rounds]
            whole = [time for time in times if time is not None]
            cells.append(f"{min(whole) * 1000:.1f}" if whole else "refused")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
