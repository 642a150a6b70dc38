"""The time of `pulmo features` on a mini-vggnet, from the command line to the page, on one thread.

The network is trained for one epoch on drawn images of 64 pixels; how well it is trained changes
no time. With a manifest both networks see every image of val and test once more.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from pulmo.core.folders import FeaturesFolder, RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.importing import import_source
from pulmo.datasets.phantom import write_phantoms
from pulmo.datasets.split import Plan, draw
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run


class Seconds(NamedTuple):
    """What a command took: on the clock, and of the processor (user and system)."""

    clock: float
    processor: float


def timed(*words: str | Path) -> Seconds:
    """Runs `pulmo` on one thread and returns what it took."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pulmo", *words],
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Seconds(time.perf_counter() - begun, used)


def main() -> None:
    """Measures and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    settings = ["train.epochs=1", "train.precision=fp32"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = write_phantoms(folder / "images", arguments.images, seed=0)
        imported = import_source("csv", table, called="phantom").manifest
        manifest = draw(imported, Plan(val=0.25, test=0.25)).manifest
        manifest.save(folder / "images.parquet")
        run = RunFolder(folder / "run")
        place = Place(run, folder / "cache", "cpu")
        train_run(load_recipe("minivgg", settings), manifest, place, Callbacks())
        image = Path(str(manifest.split("test").frame["path"].iloc[0]))
        data = ("--data", folder / "images.parquet")
        shown = manifest.split("val", "test")
        for title, words in (("one image", ()), (f"and {len(shown)} of a manifest", data)):
            taken = [
                timed("features", run.root, image, "-o", folder / f"page-{number}", *words)
                for number in range(arguments.rounds)
            ]
            clock, processor = (statistics.median(column) for column in zip(*taken, strict=True))
            size = FeaturesFolder(folder / "page-0").page.stat().st_size
            print(
                f"mini-vggnet, 4 layers, {title}: {clock:.1f} s, of which the processor works "
                f"{processor:.1f} s; page {size / 1e6:.2f} MB (median of {arguments.rounds})"
            )


if __name__ == "__main__":
    main()
