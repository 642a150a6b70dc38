"""The pictures of an experiment, out of the data sets that are at hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pulmo.core.errors import InputError
from pulmo.datasets.manifest import import_source, merge_agreeing
from pulmo.datasets.split import check_split, draw
from pulmo.study.system import Data, DataSet


class AtHand(NamedTuple):
    """The pictures of an experiment.

    Attributes:
        manifest: with its split.
        notes: what was left out, as sentences.
    """

    manifest: pd.DataFrame
    notes: tuple[str, ...]


Read = Callable[[DataSet], pd.DataFrame]


class Sets:
    """The data sets below one root, each imported once."""

    def __init__(self, root: Path, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Reads sets below `root`; `on_progress` hears of pictures done and in all."""
        self._root = root
        self._on_progress = on_progress
        self._read: dict[str, pd.DataFrame] = {}

    def present(self, item: DataSet) -> bool:
        """Tells whether a data set is at hand."""
        return (self._root / item.folder).is_dir()

    def __getitem__(self, item: DataSet) -> pd.DataFrame:
        """Returns the manifest of a data set.

        Raises:
            InputError: it is not the set that it should be.
        """
        name = item.called or item.source
        if name not in self._read:
            folder = self._root / item.folder
            imported = import_source(
                item.source,
                folder,
                item.label_map,
                called=item.called,
                on_progress=self._on_progress,
            )
            self._read[name] = imported.manifest
        return self._read[name]


def gather_data(data: Data, sets: Sets) -> AtHand:
    """Returns the pictures of an experiment, merged, chosen and split.

    Pictures of which a copy has another label are left out.

    Args:
        data: what the experiment wants.
        sets: what there is.

    Raises:
        InputError: no data set of it is at hand, or one is not what it should be.
    """
    present = [item for item in data.sets if sets.present(item)]
    if not present:
        wanted = ", ".join(item.folder for item in data.sets)
        raise InputError(f"No data set of this system is at hand; it takes {wanted}.")
    notes = [f"{item.folder} is not at hand." for item in data.sets if item not in present]
    merged = merge_agreeing(sets[item] for item in present)
    if merged.problems:
        notes.append(f"{len(merged.problems)} pictures contradict a copy and were left out.")
    generator = np.random.default_rng(data.plan.seed)
    chosen = take_some(merged.manifest, data.take, generator)
    drawn = draw(chosen, data.plan).table
    check_split(drawn)
    return AtHand(drawn, tuple(notes))


def take_some(
    table: pd.DataFrame, take: Mapping[str, int], generator: np.random.Generator
) -> pd.DataFrame:
    """Returns at most `take[label]` pictures of each label, whole groups, drawn at random.

    A label that `take` does not name keeps all its pictures if `take` names none, and else none.
    """
    if not take:
        return table
    parts = []
    for label, count in take.items():
        rows = table[table["label"] == label]
        groups = rows["group"].drop_duplicates().sort_values()
        order = groups.iloc[generator.permutation(len(groups))]
        ranked = rows.assign(rank=rows["group"].map(pd.Series(range(len(order)), order)))
        ranked = ranked.sort_values(["rank", "path"])
        sizes = ranked.groupby("rank", sort=True).size().cumsum()
        kept = sizes.index[sizes <= count]
        parts.append(ranked[ranked["rank"].isin(kept)].drop(columns="rank"))
    return pd.concat(parts, ignore_index=True)
