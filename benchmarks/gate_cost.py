"""What the gate costs: cold `pulmo predict`, and images a second, with it and without it.

Both are measured in turns in one run, so that a busy machine slows both alike. The model is one of
whole images, which needs no network of the lungs for itself.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final
from unittest import mock

import numpy as np

from pulmo.bundle.predictor import Predictor
from pulmo.datasets.manifest import read_manifest
from pulmo.workflows.predict import predict_images

IMAGES: Final = 200
TURNS: Final = 9

_COLD: Final = """
import runpy, sys
if sys.argv.pop(1) == "without":
    from pulmo.bundle import image_predictor
    image_predictor.check_appearance = lambda *_, **__: ()
runpy.run_module("pulmo", run_name="__main__")
"""


HEAD: Final = """
## What it costs

With and without the gate, in turns, on a busy machine with two cores: medians of {turns} turns, and
the median of the ratios of a turn. The model is `starter`, whose network is small, and so are its
files: the gate takes the same time for a larger network, so its share is smaller there. Most of
that time goes to the network of the lungs, for the images in doubt. Warm, the images a second
change by {change:+.0%}; the aim was a loss of 15 % at most. Milliseconds of the processor count
both cores.

| | without | with | ratio |
|---|---|---|---|"""


def section(model: Path, run: Path) -> list[str]:
    """Returns the section of the report.

    Args:
        model: a bundle of whole images.
        run: the run that it is of; images of its test are predicted.
    """
    frame = read_manifest(run / "manifest.parquet").filter(split="test").frame
    files = [Path(path) for path in frame["path"].sample(IMAGES, random_state=0)]
    predictor = Predictor.open(model)
    (cold,) = in_turns(lambda gate: (_cold(files[0], model, gate=gate),))
    wall, processor = in_turns(lambda gate: _warm(files, predictor, gate=gate))
    rows = {
        "cold `pulmo predict` of one file, seconds": cold,
        "warm, milliseconds an image": wall,
        "warm, milliseconds of the processor an image": processor,
    }
    lines = [
        f"| {what} | {without:.3g} | {having:.3g} | {ratio:.2f} |"
        for what, (without, having, ratio) in rows.items()
    ]
    return [HEAD.format(turns=TURNS, change=1 / wall[2] - 1), *lines]


def in_turns(measure: Callable[[bool], tuple[float, ...]]) -> list[tuple[float, float, float]]:
    """Returns of each value the median without the gate, with it, and the median ratio."""
    for gate in (False, True):
        measure(gate)
    turns = [[measure(gate) for gate in (False, True)] for _ in range(TURNS)]
    found = []
    for pairs in np.moveaxis(np.array(turns), 2, 0):
        without, having = np.median(pairs, axis=0)
        found.append((float(without), float(having), float(np.median(pairs[:, 1] / pairs[:, 0]))))
    return found


def _cold(file: Path, model: Path, *, gate: bool) -> float:
    words = ["with" if gate else "without", "predict", file, "--model", model]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", _COLD, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def _warm(files: Sequence[Path], predictor: Predictor, *, gate: bool) -> tuple[float, float]:
    """Returns milliseconds of wall time and of the processor, an image."""
    # What refuses nothing and notes nothing takes the place of the gate.
    without = mock.patch("pulmo.bundle.image_predictor.check_appearance", return_value=())
    with nullcontext() if gate else without:
        start, used = time.perf_counter(), time.process_time()
        found = [*predict_images(predictor, files, None, lambda _: None)]
        seconds = time.perf_counter() - start, time.process_time() - used
    if len(found) != len(files):
        raise SystemExit("Some files were left out.")
    return seconds[0] / len(files) * 1000, seconds[1] / len(files) * 1000
