"""Samples: a few images of each class and source, drawn and read."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import PulmoError
from pulmo.core.labels import LABELS
from pulmo.core.parallel import in_threads
from pulmo.core.sources import source_names
from pulmo.datasets.inspect.inspection import Failure
from pulmo.datasets.manifest import Manifest
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import to_input

SIDE: Final = 192
"""Pixels a side of a sample."""


class Sample(NamedTuple):
    """An image to show.

    Attributes:
        label: its class.
        source: its source.
        path: its file.
        pixels: uint8 [SIDE, SIDE], the whole image on black.
    """

    label: str
    source: str
    path: str
    pixels: NDArray[np.uint8]


class Samples(NamedTuple):
    """The samples of a manifest, and those that could not be read."""

    shown: list[Sample]
    failed: list[Failure]


def draw_samples(manifest: Manifest, count: int, generator: np.random.Generator) -> pd.DataFrame:
    """Returns up to `count` rows of each class and source, of different groups while there are.

    Args:
        manifest: the images.
        count: rows of each class and source, 0 or more.
        generator: draws them.

    Returns:
        Rows by class, in the order of `LABELS`, then by source, which is called as by
        `pulmo.core.sources.source_names`.
    """
    table = manifest.frame
    called = table.assign(source=source_names(table))
    rows = called.iloc[generator.permutation(len(table))]
    cell = ["label", "source"]
    again = rows.duplicated([*cell, "group"])
    drawn = rows.loc[again.sort_values(kind="stable").index].groupby(cell).head(count)
    order = drawn["label"].map({label: place for place, label in enumerate(LABELS)})
    return drawn.assign(order=order).sort_values(["order", "source"], kind="stable")


def read_samples(
    rows: pd.DataFrame, on_progress: Callable[[int, int], None] | None = None
) -> Samples:
    """Reads the images of `draw_samples`.

    Args:
        rows: rows of a manifest.
        on_progress: called with the images read and the images in all.
    """
    samples = Samples([], [])
    wanted = list(zip(rows["label"], rows["source"], rows["path"], rows["sha256"], strict=True))
    with closing(in_threads(_read, wanted)) as read:
        for done, sample in enumerate(read, start=1):
            if isinstance(sample, Sample):
                samples.shown.append(sample)
            else:
                samples.failed.append(sample)
            if on_progress:
                on_progress(done, len(wanted))
    return samples


def _read(row: tuple[str, str, str, str]) -> Sample | Failure:
    label, source, path, expected = row
    try:
        radiograph = read_radiograph(Path(path))
    except PulmoError as error:
        return Failure(path=path, reason=str(error))
    if radiograph.sha256 != expected:
        reason = f"{path} has changed since it was imported; import it again."
        return Failure(path=path, reason=reason)
    return Sample(label, source, path, to_input(radiograph.pixels, SIDE, "pad"))
