"""A source's folder becomes a manifest: every picture read once, hashed, grouped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pulmo.core.boxes import boxes_to_text
from pulmo.core.errors import InputError, PulmoError
from pulmo.core.tables import check_manifest, patient_names
from pulmo.datasets.parallel import in_threads
from pulmo.datasets.source import SOURCES, Entry, Problem
from pulmo.radiograph import pixels_sha256, read_radiograph


class Imported(NamedTuple):
    """A manifest and what did not get into it."""

    manifest: pd.DataFrame
    problems: list[Problem]


def import_source(
    name: str,
    root: Path,
    label_map: Mapping[str, str] | None = None,
    *,
    called: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Indexes a data set and reads every picture of it once.

    Files with the same content and different labels become problems, all of them: no one here
    knows which label is right. So does a second entry that leads to the same file.

    Args:
        name: the source, a name in `SOURCES`.
        root: the data set's folder (for the source csv: the table).
        label_map: class name of a folder or table -> label, for the sources folder and csv.
        called: what to call the source in the manifest; the source's name if None.
        on_progress: called with the pictures done and the pictures in all.

    Raises:
        UsageError: there is no such source, a class has no label, or the source takes no map.
        InputError: `root` is not such a data set, or not one of its pictures could be read.
    """
    found = list(SOURCES[name].entries(root, label_map or {}))
    entries = [item for item in found if isinstance(item, Entry)]
    problems = [item for item in found if isinstance(item, Problem)]
    rows = []
    with closing(in_threads(_read, entries)) as read:
        for done, row in enumerate(read, start=1):
            if isinstance(row, Problem):
                problems.append(row)
            else:
                rows.append(row | {"source": called or name})
            if on_progress:
                on_progress(done, len(entries))
    table = pd.DataFrame(rows)
    if rows:
        table, doubtful = _without_doubtful(table)
        problems += doubtful
    if table.empty:
        first = f" The first: {problems[0].path}: {problems[0].reason}." if problems else ""
        raise InputError(f"{root} gave no readable, labelled picture.{first}")
    return Imported(group(table), problems)


def merge(manifests: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Returns one manifest of several, grouped anew, so that copies across sources are found.

    Raises:
        InputError: a path is in two of them, or files with the same content have different labels:
            which of them is right is for a person to say, who knows the sources.
    """
    table = pd.concat(list(manifests), ignore_index=True)
    twice = table["path"][table["path"].duplicated()]
    if len(twice):
        raise InputError(
            f"{twice.iloc[0]} is in more than one of the manifests ({len(twice)} such pictures)."
        )
    contradictions = list(_contradictions(table))
    if contradictions:
        first = contradictions[0]
        raise InputError(
            f"{len(contradictions)} pictures of the manifests contradict each other, such as "
            f"{first.path}: {first.reason}. Take the pictures that are labelled wrongly out of "
            "their data set, and import it again."
        )
    return group(table)


def _without_doubtful(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Returns the rows that contradict no other, one a file, and a problem for each other row."""
    problems = list(_contradictions(table))
    table = table[~table["path"].isin([problem.path for problem in problems])]
    twice = table["path"].duplicated()
    again = [Problem(str(path), "it is found twice; one counts") for path in table["path"][twice]]
    return table[~twice], problems + again


def _contradictions(table: pd.DataFrame) -> Iterator[Problem]:
    """Yields a problem for each picture that has a copy with another label."""
    content = table["pixels_sha256"].fillna(table["sha256"])
    labels = table.groupby(content)["label"].transform("nunique")
    for _, copies in table[labels > 1].groupby(content[labels > 1], sort=False):
        for row in copies.itertuples():
            other = copies[copies["label"] != row.label].iloc[0]
            yield Problem(
                str(row.path),
                f"it is labelled {row.label}, and its copy {other['path']} {other['label']}",
            )


def group(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the manifest with `group` filled in.

    Two pictures are in one group if they show the same patient of the same source, are the same
    file or decode to the same pixels, and so on along a chain of such pairs. A group is named after
    its first patient or picture.
    """
    table = check_manifest(table)
    patient = patient_names(table)
    # A bipartite graph: each picture is tied to its patient, its bytes and its pixels.
    own = table["sha256"]
    keys = pd.concat([patient.fillna(own), own, table["pixels_sha256"].fillna(own)])
    nodes = len(table) + pd.factorize(keys)[0]
    pictures = np.tile(np.arange(len(table)), 3)
    links = coo_array((np.ones(len(nodes)), (pictures, nodes)), shape=(nodes.max() + 1,) * 2)
    component = connected_components(links, directed=False)[1][: len(table)]
    name = patient.groupby(component).transform("min")
    content = own.groupby(component).transform("min").str[:16]
    return check_manifest(table.assign(group=name.fillna(content)))


def _read(entry: Entry) -> dict[str, object] | Problem:
    """Returns a row of the manifest, or why there is none."""
    try:
        path = entry.path.resolve().as_posix()
        path.encode()
        radiograph = read_radiograph(entry.path)
        state = entry.path.stat()
    except UnicodeEncodeError:
        return Problem(str(entry.path), "its name is not UTF-8, as a manifest needs; rename it")
    except PulmoError as error:
        return Problem(str(entry.path), str(error))
    facts = radiograph.facts
    height, width = radiograph.pixels.shape
    return {
        "path": path,
        "sha256": radiograph.sha256,
        "pixels_sha256": pixels_sha256(radiograph.pixels),
        "label": entry.label,
        "finding": entry.finding,
        "boxes": boxes_to_text(entry.boxes),
        "patient": entry.patient,
        "group": "",
        "origin": entry.origin,
        "licence": entry.licence,
        "view": entry.view or facts.view,
        "modality": entry.modality or facts.modality,
        "age": facts.age if entry.age is None else entry.age,
        "sex": entry.sex or facts.sex,
        "offset": entry.offset,
        "width": width,
        "height": height,
        "format": facts.format,
        "bits": facts.bits,
        "bytes": state.st_size,
        "modified": state.st_mtime_ns,
        "split": entry.split,
        "fold": None,
    }
