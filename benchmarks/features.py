"""The time of an epoch on a frozen base's cached features compared with one that runs the base.

Whole runs on drawn images, with validation and checkpoints, take turns; an epoch's time is from the
end of the one before it, and of a run the mean counts. That the base must run once is stated apart,
as the epochs that it costs.
"""

import argparse
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.phantom import write_phantoms
from pulmo.datasets.split import Plan, draw
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run


class Times(NamedTuple):
    """Seconds of a run: of each epoch but the first, and of the base over the images."""

    epochs: list[float]
    extraction: float


def timed_run(settings: list[str], images: pd.DataFrame, place: Place) -> Times:
    """Trains a run and returns its times."""
    ends: list[float] = []
    batches: list[float] = []
    watch = Callbacks(
        on_epoch=lambda _: ends.append(time.perf_counter()),
        on_features=lambda *_: batches.append(time.perf_counter()),
    )
    train_run(load_recipe("starter", settings), Manifest(images), place, watch)
    # The first batch's own time is not known; it took as long as the others.
    share = len(batches) / (len(batches) - 1) if batches else 0.0
    extraction = (batches[-1] - batches[0]) * share if batches else 0.0
    return Times([later - earlier for earlier, later in pairwise(ends)], extraction)


def main() -> None:
    """Measures and prints the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="resnet34")
    parser.add_argument("--size", type=int, default=128, help="side of the images in pixels")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    settings = [
        f"model.backbone={arguments.backbone}",
        f"image.size={arguments.size}",
        "model.weights=none",
        "train.trains=head",
        "train.patience=99",
    ]
    slow: list[Times] = []
    fast: list[Times] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = write_phantoms(folder / "images", arguments.images, seed=0)
        images = draw(import_source("csv", table, called="phantom").manifest, Plan()).manifest
        for number in range(arguments.rounds):
            for times, kind in ((slow, "train.epochs=2"), (fast, "train.epochs=101")):
                place = Place(RunFolder(folder / f"{kind}-{number}"), folder / "cache")
                views = f"train.views={int(times is fast)}"
                times.append(timed_run([*settings, kind, views], images.frame, place))
    means = [[statistics.fmean(run.epochs) for run in runs] for runs in (slow, fast)]
    ratio = statistics.median(one / other for one, other in zip(*means, strict=True))
    seconds = [statistics.median(runs) for runs in means]
    extraction = statistics.median(run.extraction for run in fast)
    counts = images.frame["split"].value_counts()
    print(
        f"{arguments.backbone}, {arguments.size} px, {counts['train']} images to train on, "
        f"{counts['val']} to validate, {torch.get_num_threads()} threads\n"
        f"an epoch that runs the base {seconds[0]:.2f} s, on its features {seconds[1]:.3f} s, "
        f"ratio {ratio:.0f} (median of {arguments.rounds} rounds)\n"
        f"the features once {extraction:.2f} s, {extraction / seconds[0]:.2f} of such an epoch"
    )


if __name__ == "__main__":
    main()
