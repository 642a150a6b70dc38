"""Curation: copies fall into one group, contradictions go, and every step leaves a row."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError, UsageError
from pulmo.datasets.curate.copies import Copy, components, exact_copies, near_copies
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.labels import contradicted
from pulmo.datasets.curate.look import Progress, look
from pulmo.datasets.curate.report import CONTRADICTION, DROPPED, Removal, report
from pulmo.datasets.manifest import Manifest, patient_names
from pulmo.datasets.source import Problem


class Curated(NamedTuple):
    """A curated manifest and what was done.

    Attributes:
        manifest: the images that stay, with their groups.
        report: what was done and why, with the columns `pulmo.datasets.curate.report.COLUMNS`.
        problems: the images that could not be read; they are not in the manifest.
    """

    manifest: Manifest
    report: pd.DataFrame
    problems: list[Problem]


class CurationProgress(NamedTuple):
    """The functions that are called with what is done and what there is in all.

    Attributes:
        read: of the images.
        compared: of the pairs of images that are worth a closer look.
    """

    read: Progress | None = None
    compared: Progress | None = None


def curate(
    manifest: Manifest,
    *,
    drop_copies: bool = False,
    trust: Collection[str] = (),
    progress: CurationProgress | None = None,
) -> Curated:
    """Finds the copies of an image, whatever was cut off, scaled, compressed, turned or mirrored.

    Copies fall into one group. Copies whose labels contradict each other (`labels.COMPATIBLE`) are
    all removed, since no one here knows which label is right, unless one is of a trusted source:
    then the others are removed. An image that cannot be read is removed too.

    Args:
        manifest: the images.
        drop_copies: whether only one image of each image stays: the largest, of equal ones the
            first by path.
        trust: sources whose labels win.
        progress: is called with how far the work is.

    Raises:
        UsageError: `trust` names a source that the manifest does not have.
        InputError: nothing of the manifest can be read, nothing stays, or the folder for temporary
            files is full.
    """
    table = manifest.frame
    _check_trust(table, trust)
    progress = progress or CurationProgress()
    with Gallery() as gallery:
        looks = look(manifest, gallery, progress.read)
        if not looks.rows:
            _refuse_all(looks.problems)
        digests = pd.Series(looks.digests, table.index, dtype=table["pixels_sha256"].dtype)
        seen = table.assign(pixels_sha256=digests).drop(index=list(looks.problems))
        copies = [*exact_copies(seen), *near_copies(gallery, looks, progress.compared)]
    images = components(len(table), ((copy.row, copy.other) for copy in copies))
    removals = list(_contradictions(seen, images, trust))
    if drop_copies:
        staying = seen.drop(index=[each.row for each in removals])
        removals += _surplus(staying, images)
    rows = report(table, copies, images, removals, looks.problems)
    staying = _grouped(seen, copies).drop(index=[each.row for each in removals])
    if staying.empty:
        raise InputError(
            "curation-empty", "Every image has a copy with another label, so no image is left."
        )
    return Curated(Manifest(staying), rows, list(looks.problems.values()))


def _check_trust(table: pd.DataFrame, trust: Collection[str]) -> None:
    known = sorted(table["source"].unique())
    for name in trust:
        if name not in known:
            raise UsageError(
                "source-unknown",
                f"The manifest has no source {name!r}; it has {', '.join(known)}.",
            )


def _refuse_all(problems: dict[int, Problem]) -> NoReturn:
    if not problems:
        raise InputError("manifest-empty", "The manifest has no image.")
    first = next(iter(problems.values()))
    raise InputError(
        "images-unreadable", f"None of the images can be read. The first: {first.reason}."
    )


def _images(rows: pd.DataFrame, images: NDArray[np.intp]) -> Iterator[list[int]]:
    """Yields the rows of each image of which there are several images."""
    for _, places in rows.index.to_series().groupby(images[rows.index]):
        if len(places) > 1:
            yield places.to_list()


def _contradictions(
    rows: pd.DataFrame, images: NDArray[np.intp], trust: Collection[str]
) -> Iterator[Removal]:
    trusted = rows["source"].isin(list(trust))
    for places in _images(rows, images):
        labels = rows["label"].loc[places].to_list()
        for place, other in contradicted(labels, trusted.loc[places].to_list()).items():
            yield Removal(places[place], CONTRADICTION, places[other])


def _surplus(rows: pd.DataFrame, images: NDArray[np.intp]) -> Iterator[Removal]:
    """Yields what does not stay of each image."""
    order = rows.assign(area=-rows["width"] * rows["height"])[["area", "path"]]
    for places in _images(rows, images):
        kept, *others = order.loc[places].sort_values(["area", "path"]).index
        for other in sorted(others):
            yield Removal(int(other), DROPPED, int(kept))


def _grouped(rows: pd.DataFrame, copies: Sequence[Copy]) -> pd.DataFrame:
    """Returns the rows with new groups, in which no earlier group is taken apart.

    A group is named after its first patient or image, as an import names it.
    """
    patients = patient_names(rows)
    ties = [(copy.row, copy.other) for copy in copies]
    for names in (rows["group"], patients):
        first = rows.index.to_series().groupby(names).transform("first").dropna().astype(int)
        ties += zip(first.index, first, strict=True)
    component = components(rows.index.max() + 1, ties)[rows.index]
    least = patients.groupby(component).transform("min")
    content = rows["sha256"].groupby(component).transform("min").str[:16]
    return rows.assign(group=least.fillna(content).astype(rows["group"].dtype))
