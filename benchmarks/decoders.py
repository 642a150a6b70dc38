"""How long an image takes to be read, by compression; compared with an older version if asked.

    python benchmarks/decoders.py --before ../older-checkout/src

Both versions read the same files, in turns, each in a process of its own whose start is not
counted. Prints a Markdown table of the shortest of all rounds in milliseconds, and how many times
that of an uncompressed DICOM file it is.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from image_files import SYNTAXES, drawn, file_of, images_of, pillow

ROUNDS: Final = 5
UNCOMPRESSED: Final = "DICOM, ExplicitVRLittleEndian, 12 bits"
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


def write_files(folder: Path, side: int) -> dict[str, Path]:
    """Writes one file of each kind; returns what to call each, and where it is."""
    shape, files = (side, side), {}
    for keyword, syntax in SYNTAXES.items():
        pixels = next(images_of(syntax, shape))
        path = folder / f"{keyword}.dcm"
        path.write_bytes(file_of(pixels, syntax, shape))
        files[f"DICOM, {keyword}, {pixels.bits} bits"] = path
    eight = drawn(shape, 8)
    rasters = {
        "JPEG": pillow(eight, "JPEG", quality=90),
        "JPEG, progressive": pillow(eight, "JPEG", quality=90, progressive=True),
        "PNG, 8 bits": pillow(eight, "PNG"),
        "PNG, 16 bits": pillow(drawn(shape, 16), "PNG"),
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


def shortest(
    rounds: list[dict[str, dict[str, float | None]]], version: str, path: Path
) -> float | None:
    """Returns the shortest time of a file in all rounds; None where it is refused."""
    times = [one[version][str(path)] for one in rounds]
    return min((time for time in times if time is not None), default=None)


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
    print("| file |", " | ".join(f"{name} (ms) | ratio" for name in sources), "|")
    print("|---|" + "---:|---:|" * len(sources))
    for name, path in files.items():
        cells = []
        for version in sources:
            seconds = shortest(rounds, version, path)
            plain = shortest(rounds, version, files[UNCOMPRESSED])
            cells += (
                ["refused", ""]
                if seconds is None or plain is None
                else [f"{seconds * 1000:.1f}", f"{seconds / plain:.1f}"]
            )
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
