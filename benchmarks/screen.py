"""Measures a screening: its rate here and on Ray, its memory, and what 100 million images take.

The list has the images of a folder again and again, so that it is as long as is asked for.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from commands import commit

from pulmo.core.files import write_atomically
from pulmo.core.parallel import cores

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "screening.md"
MANY = 100_000_000
SUFFIXES = (".jpeg", ".jpg", ".png", ".dcm")


@dataclass(frozen=True)
class Measured:
    """A screening that was measured.

    Attributes:
        name: how it was done.
        files: how many.
        seconds: from the first call to the end.
        rate: files a second from the first result on.
        early, late: memory of all its processes in MiB, at a tenth of the files and at the end.
    """

    name: str
    files: int
    seconds: float
    rate: float
    early: float
    late: float


def main() -> None:
    """Writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("images", type=Path, help="a folder of images")
    parser.add_argument("--files", type=int, default=100_000, help="of the long screening")
    parser.add_argument("--compared", type=int, default=5_000, help="of the others")
    parser.add_argument("--out", type=Path, default=Path("out/screen"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    out: Path = asked.out
    shutil.rmtree(out, ignore_errors=True)
    few = listed(asked.images, asked.compared, out / "few.txt")
    many = listed(asked.images, asked.files, out / "many.txt")
    runs = [
        measure(f"{workers} worker(s)", asked.bundle, few, out / f"{workers}", workers=workers)
        for workers in sorted({1, cores()})
    ]
    runs.append(measure("Ray Data, on this machine", asked.bundle, few, out / "ray", ray=True))
    same = (out / f"{cores()}/results.parquet").read_bytes() == (
        out / "ray/results.parquet"
    ).read_bytes()
    runs.append(measure("the long one", asked.bundle, many, out / "long", workers=cores()))
    write_atomically(asked.output, text(runs, asked, same=same).encode())


def listed(images: Path, count: int, path: Path) -> Path:
    """Writes a list of so many images, which are those of a folder again and again."""
    found = sorted(each for each in images.rglob("*") if each.suffix.lower() in SUFFIXES)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{each.absolute()}\n" for each in islice(cycle(found), count)))
    return path


def measure(
    name: str, bundle: Path, names: Path, output: Path, *, workers: int = 0, ray: bool = False
) -> Measured:
    """Runs `pulmo screen` on a list and measures it."""
    words = [sys.executable, "-m", "pulmo", "screen", "-", "--model", str(bundle)]
    words += ["-o", str(output), *(["--ray", "local"] if ray else ["--workers", str(workers)])]
    files = sum(1 for _ in names.open())
    memory: list[float] = []
    began = time.monotonic()
    with names.open("rb") as stdin:
        process = subprocess.Popen(words, stdin=stdin)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(1):
            memory.append(resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    first = None
    while process.poll() is None:
        if first is None and any((output / "parts").glob("*.parquet")):
            first = time.monotonic(), len(list((output / "parts").glob("*.parquet")))
        time.sleep(0.2)
    seconds = time.monotonic() - began
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(process.returncode)
    since, parts = first or (began, 0)
    rate = (files - 1000 * parts) / (began + seconds - since)
    early = memory[len(memory) // 10]
    print(f"{name}: {files} files, {seconds:.0f} s, {rate:.1f}/s", flush=True)
    return Measured(name, files, seconds, rate, early, max(memory[-max(1, len(memory) // 10) :]))


def resident(pid: int) -> float:
    """Returns the memory of a process and its children in MiB, shared pages by their share."""
    pids, total = [pid], 0
    while pids:
        one = pids.pop()
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(rollup.split("\nPss:")[1].split()[0])
            for task in Path(f"/proc/{one}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        except (OSError, IndexError):
            continue
    return total / 1024


def text(runs: list[Measured], asked: argparse.Namespace, *, same: bool) -> str:
    """Returns the page."""
    card = json.loads((asked.bundle / "card.json").read_text())
    same_rows = "the same" if same else "NOT the same"
    rows = [
        f"| {run.name} | {run.files:,} | {run.seconds:,.0f} | {run.rate:,.1f} | {run.early:,.0f} | "
        f"{run.late:,.0f} |"
        for run in runs
    ]
    core = runs[0].rate
    days = MANY / core / 86_400
    return "\n".join([
        "# Screening",
        "",
        (f"Made by `python benchmarks/screen.py BUNDLE IMAGES` at commit {commit()}, on {cores()} "
        f"shared processor cores: `pulmo screen` with {card['network']['backbone']} at "
        f"{card['input']['size']} px. The images of a folder are listed again and again."),
        "",
        ("Files a second are counted from the first part of the results on. Memory is that of all "
        "processes, with shared pages counted once, at a tenth of the work and at its end."),
        "",
        "| how | files | seconds in all | files a second | MiB early | MiB at the end |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"The rows of Ray Data and of worker processes are {same_rows}, byte for byte.",
        "",
        "## 100 million images, on paper",
        "",
        (f"One core does {core:,.1f} files a second here, so 100 million files are {days:,.0f} "
        "days of one core. Parts are independent, and the list and the results are files, so the "
        "time falls with the cores as long as the storage delivers the images."),
        "",
        "| nodes of 32 cores | hours | files a second in all |",
        "|---|---|---|",
        *[
            f"| {nodes} | {days * 24 / 32 / nodes:,.1f} | {core * 32 * nodes:,.0f} |"
            for nodes in (1, 4, 16, 64)
        ],
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
