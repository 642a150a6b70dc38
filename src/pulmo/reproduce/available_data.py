"""The images of an experiment, from the data sets that are available."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.sections import DataSection
from pulmo.datasets.curate import curate
from pulmo.datasets.curate.report import (
    CONTRADICTION,
    DROPPED,
    GROUPED,
    REMOVED,
    report_csv,
)
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.merge import join
from pulmo.datasets.split import check_split, draw
from pulmo.reproduce.reading_progress import ReadingProgress
from pulmo.reproduce.system import Data, DataSet
from pulmo.train.training_data import filtered


class AvailableImages(NamedTuple):
    """The images of an experiment.

    Attributes:
        manifest: with its split.
        notes: what was left out, as sentences.
    """

    manifest: Manifest
    notes: tuple[str, ...]


class Sets:
    """The data sets below one root; what was read and curated is kept."""

    def __init__(self, root: Path, kept: Path, progress: ReadingProgress | None = None) -> None:
        """Reads sets below `root` and keeps a manifest of those taken together in `kept`."""
        self._root = root
        self._kept = kept
        self._progress = progress or ReadingProgress()

    def present(self, item: DataSet) -> bool:
        """Tells whether the folder of a data set exists."""
        return (self._root / item.folder).is_dir()

    def together(self, items: Sequence[DataSet], *, once: bool) -> AvailableImages:
        """Returns the curated manifest of data sets, without a split, and what was left out.

        It is read again from where it was kept, if it was.

        Args:
            items: the data sets.
            once: whether of each image only the largest image stays.

        Raises:
            InputError: one is not the set that it should be, or nothing stays of them.
        """
        name = "+".join([item.called or item.source for item in items] + ["once"] * once)
        manifest = self._kept / f"{name}.parquet"
        notes = self._kept / f"{name}.notes.json"
        if not manifest.exists():
            joined = join([self._import(item) for item in items])
            done = curate(joined, drop_copies=once, progress=self._progress.curation)
            self._kept.mkdir(parents=True, exist_ok=True)
            write_atomically(self._kept / f"{name}.curation.csv", report_csv(done.report))
            write_atomically(notes, json.dumps([*_left_out(done.report)]).encode())
            done.manifest.save(manifest)
        return AvailableImages(read_manifest(manifest), tuple(json.loads(read_bytes(notes))))

    def _import(self, item: DataSet) -> Manifest:
        folder = self._root / item.folder
        imported = import_source(
            item.source,
            folder,
            item.label_map,
            called=item.called,
            on_progress=self._progress.on_import,
        )
        return imported.manifest


def _left_out(report: pd.DataFrame) -> Iterator[str]:
    """Yields what curation found and left out, as sentences."""
    pairs = int((report["action"] == GROUPED).sum())
    if pairs:
        yield f"Pairs of copies of one image: {pairs}; each pair is on one side of the split."
    removed = report.loc[report["action"] == REMOVED, "reason"]
    contradicting, copies = (int((removed == why).sum()) for why in (CONTRADICTION, DROPPED))
    if contradicting:
        yield f"Left out because their label contradicts that of a copy: {contradicting}."
    if copies:
        yield f"Left out because a larger copy is there: {copies}."


def gather_data(data: Data, sets: Sets, section: DataSection) -> AvailableImages:
    """Returns the images of an experiment: together, curated, chosen and split.

    Args:
        data: what the experiment wants.
        sets: what there is.
        section: which of them its recipe takes.

    Raises:
        InputError: no data set of it is available, or one is not what it should be.
    """
    present = [item for item in data.sets if sets.present(item)]
    if not present:
        wanted = ", ".join(item.folder for item in data.sets)
        raise InputError(
            "dataset-missing", f"No data set of this system is available; it takes {wanted}."
        )
    absent = [f"{item.folder} is not available." for item in data.sets if item not in present]
    found = sets.together(present, once=data.once)
    generator = np.random.default_rng(data.plan.seed)
    chosen = take_some(filtered(section, found.manifest), data.take, generator)
    drawn = draw(chosen, data.plan)
    check_split(drawn.manifest)
    apart = [f"Left out, {why}: {n}." for why, n in drawn.reason.value_counts().items()]
    return AvailableImages(drawn.manifest, (*absent, *found.notes, *apart))


def take_some(
    manifest: Manifest, take: Mapping[str, int], generator: np.random.Generator
) -> Manifest:
    """Returns at most `take[label]` images of each label, whole groups, drawn at random.

    A label that `take` does not name keeps all its images if `take` names none, and else none.
    """
    if not take:
        return manifest
    table = manifest.frame
    parts: list[pd.Index] = []
    for label, count in take.items():
        rows = table[table["label"] == label]
        groups = rows["group"].drop_duplicates().sort_values()
        order = groups.iloc[generator.permutation(len(groups))]
        ranked = rows.assign(rank=rows["group"].map(pd.Series(range(len(order)), order)))
        ranked = ranked.sort_values(["rank", "path"])
        sizes = ranked.groupby("rank", sort=True).size().cumsum()
        kept = sizes.index[sizes <= count]
        parts.append(ranked.index[ranked["rank"].isin(kept)])
    return manifest.select(np.concatenate(parts))
