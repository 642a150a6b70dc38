"""Peak memory of `pulmo data import` of many small files, each of them different.

Prints a Markdown table for a tenth of the rows and for all of them; `importing.py --rows` puts it
into its results.
"""

import argparse
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

# The high-water mark of the process's own memory: that of getrusage counts its parent's too.
SCRIPT = """
import runpy
try:
    runpy.run_module("pulmo", run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
lines = open("/proc/self/status").read().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


def small_png(number: int) -> bytes:
    """Returns a PNG of 16 x 16 pixels that differs from all others."""
    values = np.random.default_rng(number).integers(0, 256, (16, 16), np.uint8)
    parts = (
        (b"IHDR", struct.pack(">IIBB3x", 16, 16, 8, 0)),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in values), 0)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def make_set(folder: Path, rows: int) -> None:
    """Writes files into folders of a thousand."""
    for number in range(rows):
        place = folder / ("covid", "normal")[number % 2] / f"{number // 2000:04d}"
        if number % 2000 < 2:
            place.mkdir(parents=True)
        (place / f"patient{number // 3:07d}-image-{number:07d}.png").write_bytes(small_png(number))


def peak(folder: Path) -> tuple[float, float]:
    """Imports a folder in a process of its own; returns its peak memory in MB, and its seconds."""
    words = [sys.executable, "-c", SCRIPT, "data", "import", "folder", str(folder)]
    start = time.perf_counter()
    child = subprocess.run(
        [*words, "-o", str(folder / "m.parquet")], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(child.stdout.split()[-1]) / 1024, time.perf_counter() - start


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    rows = parser.parse_args().rows
    print("| rows | peak memory, import | time | peak memory, unchanged | time |")
    print("| --- | --- | --- | --- | --- |")
    found = []
    for count in (rows // 10, rows):
        with tempfile.TemporaryDirectory() as name:
            make_set(Path(name), count)
            first, again = peak(Path(name)), peak(Path(name))
        found.append(first[0])
        cells = (f"{used:,.0f} MB | {took:,.0f} s" for used, took in (first, again))
        print(f"| {count:,} | {' | '.join(cells)} |", flush=True)
    each = (found[1] - found[0]) * 2**20 / (rows - rows // 10)
    print(f"\nEach further row of an import takes {each:,.0f} bytes.")


if __name__ == "__main__":
    main()
