"""The table of what was done to a manifest, and why: one row a merge or a removal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.datasets.curate.copies import Copy
from pulmo.datasets.curate.verify import Evidence
from pulmo.datasets.source import Problem

GROUPED: Final = "grouped"
REMOVED: Final = "removed"

CONTRADICTION: Final = "contradiction"
DROPPED: Final = "copy"

COLUMNS: Final = (
    "path",
    "action",
    "reason",
    "other_path",
    "image",
    "label",
    "other_label",
    "source",
    "other_source",
    *Evidence._fields,
)
"""The columns of the report.

`image` numbers the images of which there are several images. The last columns are `Evidence`, empty
where nothing was measured."""

_COUNTS: Final = ("row", "other", "hash_distance", "matches", "inliers")
_TYPES: Final = dict.fromkeys(_COUNTS, "Int64") | {"mirrored": "boolean"}


class Removal(NamedTuple):
    """A row that does not stay.

    Attributes:
        row: the row.
        reason: `contradiction` or `copy`.
        other: the row that contradicts it, or the copy that stays.
    """

    row: int
    reason: str
    other: int


def report(
    table: pd.DataFrame,
    copies: Sequence[Copy],
    images: NDArray[np.intp],
    removals: Sequence[Removal],
    problems: Mapping[int, Problem],
) -> pd.DataFrame:
    """Returns a row for each pair of copies and for each image that was removed, by path.

    Args:
        table: the manifest before, whose index counts its rows.
        copies: the pairs.
        images: equal numbers for rows that chains of copies join, [rows].
        removals: the images that were removed for a copy's sake.
        problems: row -> why the image could not be read.
    """
    measured = {(copy.row, copy.other): copy.evidence for copy in copies}
    measured |= {(copy.other, copy.row): copy.evidence for copy in copies}
    done: list[tuple[object, ...]] = [
        (copy.row, GROUPED, copy.reason, copy.other, *_columns(copy.evidence)) for copy in copies
    ]
    for each in removals:
        evidence = measured.get((each.row, each.other))
        done.append((each.row, REMOVED, each.reason, each.other, *_columns(evidence)))
    done += [
        (row, REMOVED, problem.reason, None, *_columns(None)) for row, problem in problems.items()
    ]
    names = ["row", "action", "reason", "other", *Evidence._fields]
    rows = pd.DataFrame(done, columns=names).astype(_TYPES)
    for prefix, place in (("", "row"), ("other_", "other")):
        for column in ("path", "label", "source"):
            rows[f"{prefix}{column}"] = rows[place].map(table[column])
    numbers = dict.fromkeys(images[[min(copy.row, copy.other) for copy in copies]].tolist())
    numbered = {image: number for number, image in enumerate(numbers, start=1)}
    rows["image"] = [numbered.get(image) for image in images[rows["row"].to_numpy(int)].tolist()]
    ordered = rows.sort_values(["path", "action", "other_path"], kind="stable", ignore_index=True)
    return ordered[list(COLUMNS)].astype({"image": "Int64"})


def _columns(evidence: Evidence | None) -> tuple[object, ...]:
    if evidence is None:
        return (None,) * len(Evidence._fields)
    rounded = {
        name: round(getattr(evidence, name), 3)
        for name in ("correlation", "displacement", "overlap")
    }
    return tuple(evidence._replace(**rounded))


def report_csv(rows: pd.DataFrame) -> bytes:
    """Returns a report as the bytes of a CSV file."""
    # The name of a file may hold bytes that are no characters.
    return rows.to_csv(index=False, lineterminator="\n").encode(errors="backslashreplace")


def summary_lines(report: pd.DataFrame) -> list[str]:
    """Returns what a report says was found and removed, in words."""
    pairs = report[report["action"] == GROUPED]
    removed = report.loc[(report["action"] == REMOVED) & report["other_path"].notna(), "reason"]
    kinds = [f"{n} {reason}" for reason, n in pairs["reason"].value_counts().items()]
    lines = [
        f"copies: {len(pairs)} pairs of {pairs['image'].nunique()} images ({', '.join(kinds)})"
        if kinds
        else "copies: none"
    ]
    for sources, n in sorted(_shared(pairs).items()):
        lines.append(f"  in both {' and '.join(sources)}: {n}")
    lines += [f"removed: {n} ({reason})" for reason, n in removed.value_counts().items()]
    return lines


def _shared(pairs: pd.DataFrame) -> Counter[tuple[str, ...]]:
    """Returns, for every two sources, how many images have copies in both."""
    shared: Counter[tuple[str, ...]] = Counter()
    for _, rows in pairs.groupby("image"):
        shared.update(combinations(sorted({*rows["source"], *rows["other_source"]}), 2))
    return shared
