"""Whether damaged files crash, stop or swamp the reader, whose decoders run in this process.

    python benchmarks/decoders_under_mutation.py --inputs 1000000 --processes 2

Each input is a drawn image of one format or transfer syntax that is damaged by a rule with a seed,
so that a seed is enough to see it again (`--family NAME --only SEED`). It takes the way of every
file, from its bytes to the pixels that a model sees. The inputs run in a child process with a limit
of memory, and of time for each; a child that ends is an entry in the table, with the seed, and a
new child goes on.

With glibc, the heap is checked for half of the inputs: a decoder that writes beyond a block ends
its process. The other half is read again with other bytes in fresh memory: pixels that a decoder
left out, and that may be of the image before, would differ.
"""

import argparse
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from mutations import FAMILIES, inputs_of

from pulmo.core.errors import PulmoError
from pulmo.radiograph import decode_radiograph

MEMORY_LIMIT: Final = 4 * 2**30
SECONDS_LIMIT: Final = 10.0
"""Of the processor, as all seconds here; on the clock it may be ten times as long."""
SLOW: Final = 2.0
LARGE: Final = 1024.0
"""Seconds, and MiB, above which an input is listed."""
LISTED: Final = (
    "inputs",
    "read",
    "crashes",
    "stops",
    "read otherwise",
    "other errors",
    "over 2 s",
    "over 1 GiB",
)
COLUMNS: Final = {"seed": int, "end": str, "seconds": float, "mib": float}
HEAP_CHECK: Final = {
    "LD_PRELOAD": "libc_malloc_debug.so.0",
    "GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.perturb=90",
}
FRESH_BYTES: Final = (0x11, 0xC3)
M_PERTURB: Final = -6
"""Of malloc.h: what fresh memory is filled with."""


def child(family: str, seeds: range, *, twice: bool) -> None:
    """Reads the inputs of some seeds; prints of each what came of it, its seconds and its MiB."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    refs = os.open("/proc/self/clear_refs", os.O_WRONLY)
    status = os.open("/proc/self/status", os.O_RDONLY)
    for seed, data in inputs_of(family, seeds):
        # Linux counts the most memory anew.
        os.write(refs, b"5")
        before = _peak(status)
        # Nothing catches these signals, so a decoder that runs or waits too long ends with the
        # process.
        signal.setitimer(signal.ITIMER_PROF, SECONDS_LIMIT)
        signal.setitimer(signal.ITIMER_REAL, 10 * SECONDS_LIMIT)
        start = time.process_time()
        end = _end_of(data)
        seconds = time.process_time() - start
        if twice and end == "read" and not _is_read_alike(data):
            end = "read-otherwise"
        line = f"{seed} {end} {seconds:.4f} {_peak(status) - before:.1f}\n"
        os.write(sys.stdout.fileno(), line.encode())


def _peak(status: int) -> float:
    text = os.pread(status, 4096, 0)
    return int(text.partition(b"VmHWM:")[2].split(maxsplit=1)[0]) / 1024


def _end_of(data: bytes) -> str:
    try:
        decode_radiograph(data, "image")
    except PulmoError as error:
        return error.code
    except Exception as error:  # noqa: BLE001 - the reader should have made one of its own of it
        return type(error).__name__
    return "read"


def _is_read_alike(data: bytes) -> bool:
    """Tells whether the pixels are the same, whatever lies in fresh memory."""
    pixels = []
    for byte in FRESH_BYTES:
        ctypes.CDLL(None).mallopt(M_PERTURB, byte)
        pixels.append(decode_radiograph(data, "image").pixels)
    return np.array_equal(pixels[0], pixels[1])


def run(family: str, seeds: range) -> dict[str, Any]:
    """Runs the inputs of some seeds in children; returns counts, and seeds of what went wrong."""
    ended: dict[str, list[str]] = {"crashes": [], "stops": []}
    half = seeds[: len(seeds) // 2], seeds[len(seeds) // 2 :]
    parts = [(half[0], False), (half[1], True)]
    table = pd.concat(
        [part for some, twice in parts for part in _run(family, some, ended, twice=twice)]
    )
    is_ours = table["end"].str.contains("-") | (table["end"] == "read")
    return {
        "inputs": len(seeds),
        "read": int((table["end"] == "read").sum()),
        **ended,
        "read otherwise": table.loc[table["end"] == "read-otherwise", "seed"].tolist(),
        "other errors": table.loc[~is_ours, "seed"].tolist(),
        "over 2 s": table.loc[table["seconds"] > SLOW, "seed"].tolist(),
        "over 1 GiB": table.loc[table["mib"] > LARGE, "seed"].tolist(),
        "slowest": round(float(table["seconds"].max()), 2),
        "largest": round(float(table["mib"].max())),
        "seconds": round(float(table["seconds"].sum())),
        "ends": table["end"].value_counts().to_dict(),
    }


def _run(
    family: str, seeds: range, ended: dict[str, list[str]], *, twice: bool
) -> Iterator[pd.DataFrame]:
    """Yields what children said of the inputs of some seeds; adds to `ended` what ended one."""
    start, environment = seeds.start, {**os.environ, **({} if twice else HEAP_CHECK)}
    while start < seeds.stop:
        words = [sys.executable, __file__, "--child", family, str(start), str(seeds.stop)]
        words += ["--twice"] if twice else []
        with tempfile.TemporaryFile() as log:
            done = subprocess.run(
                words, stdout=log, stderr=subprocess.PIPE, check=False, env=environment
            )
            log.seek(0)
            rows = [line.decode().split() for line in log]
        table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
        if done.returncode > 0:
            raise RuntimeError(f"This script itself failed: {done.stderr[-2000:].decode()}")
        yield table
        start += len(table)
        if done.returncode < 0:
            ending = signal.Signals(-done.returncode)
            is_stop = ending in {signal.SIGALRM, signal.SIGPROF}
            ended["stops" if is_stop else "crashes"].append(f"{start} ({ending.name})")
            start += 1


def print_table(results: dict[str, dict[str, Any]], seconds: float) -> None:
    """Prints a row for each family as Markdown, then all of them and how fast they were."""
    print("|", " | ".join(("file", *LISTED, "slowest (s)", "most memory (MiB)")), "|")
    print("|---|" + "---:|" * 10)
    for family, result in results.items():
        counts = [len(x) if isinstance(x := result[name], list) else x for name in LISTED]
        cells = [f"{count:,}" for count in counts]
        print(
            "|", " | ".join((family, *cells, f"{result['slowest']}", f"{result['largest']}")), "|"
        )
    inputs = sum(result["inputs"] for result in results.values())
    used = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    print(
        f"\n{inputs:,} inputs in {seconds:,.0f} s, {inputs / seconds:,.0f} a second; "
        f"{inputs / used:,.0f} in a second of one processor."
    )


def main() -> None:
    """Parses the command line, runs all families and prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=6000, help="over all families")
    parser.add_argument("--start", type=int, default=0, help="first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a JSON file for the counts and the seeds")
    parser.add_argument("--only", type=int, help="one seed, of --family")
    parser.add_argument("--family", choices=FAMILIES, action="append")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--twice", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        family, start, stop = options.child
        child(family, range(int(start), int(stop)), twice=options.twice)
        return
    families = options.family or list(FAMILIES)
    each = -(-options.inputs // len(families))
    seeds = range(options.start, options.start + each)
    if options.only is not None:
        seeds = range(options.only, options.only + 1)
    results: dict[str, dict[str, Any]] = {}
    start = time.perf_counter()
    with ThreadPoolExecutor(options.processes) as pool:
        for family, result in zip(
            families, pool.map(lambda name: run(name, seeds), families), strict=True
        ):
            results[family] = result
            print(family, json.dumps(result), file=sys.stderr, flush=True)
    print_table(results, time.perf_counter() - start)
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
