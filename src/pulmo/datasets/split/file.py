"""A split as a file of its own, which travels without the images and their paths.

It is text, so that it can be read, compared and kept under version control wherever a paper or a
benchmark publishes it, by tools that know nothing of pulmo. A line that begins with `#` says how it
was made; then comes a CSV table with one line an image, sorted: `sha256` of the image's file,
`split` and `fold`, blank where there is none.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pandas as pd
from pydantic import ValidationError

import pulmo
from pulmo.core.errors import InputError, RefusedError
from pulmo.core.files import read_bytes, sha256, write_atomically
from pulmo.core.record import Record
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split.plan import Plan

MARK: Final = "# pulmo split "
"""How a split file begins."""

_COLUMNS: Final = ["sha256", "split", "fold"]


class Header(Record):
    """How a split was made."""

    format: Literal[1] = 1
    pulmo: str
    """Version of pulmo that made it."""
    plan: Plan
    images: int
    manifest_sha256: str
    """SHA-256 of the manifest's content with this split."""
    sha256: str
    """SHA-256 of the rest of this line, with its keys sorted, and of the lines below it."""


class SplitFile(NamedTuple):
    """A split that was read.

    Attributes:
        header: how it was made.
        rows: `sha256`, `split` and `fold`, one row an image.
    """

    header: Header
    rows: pd.DataFrame


class Applied(NamedTuple):
    """A manifest with a split out of a file.

    Attributes:
        manifest: the images.
        unknown: which of its rows the split does not know; they take no part.
        absent: how many images of the split the manifest lacks.
    """

    manifest: Manifest
    unknown: pd.Series
    absent: int


def write_split(manifest: Manifest, plan: Plan, path: Path) -> None:
    """Writes the split of a manifest, which `plan` made.

    Raises:
        InputError: the file cannot be written.
    """
    table = manifest.frame
    ordered = table.loc[_order(table, ["split", "fold"]), _COLUMNS]
    body = ordered.to_csv(index=False, lineterminator="\n").rstrip("\n")
    header = Header(
        pulmo=pulmo.__version__,
        plan=plan,
        images=len(manifest),
        manifest_sha256=manifest.sha256,
        sha256="",
    ).model_dump(mode="json")
    header["sha256"] = _digest(header, body)
    write_atomically(path, f"{MARK}{json.dumps(header)}\n{body}\n".encode())


def read_split(path: Path) -> SplitFile:
    """Reads a split.

    Raises:
        InputError: the file is missing or is no split of this version of pulmo.
        RefusedError: it was changed after it was written.
    """
    try:
        first, *lines = read_bytes(path).decode().splitlines() or [""]
        stated = json.loads(first.removeprefix(MARK)) if first.startswith(MARK) else None
    except ValueError:
        stated = None
    if not isinstance(stated, dict):
        raise InputError(
            "split-file-invalid",
            f"{path} is not a split file, whose first line begins with {MARK.strip()!r}.",
        )
    body = "\n".join(lines)
    if _digest(stated, body) != stated.get("sha256"):
        raise RefusedError(
            "split-file-changed",
            f"{path} is damaged or was edited: its content does not have the hash that its first "
            "line states. Download it again, or make a new split.",
        )
    try:
        header = Header.model_validate(stated)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise InputError(
            "split-file-version",
            f"{path} is a split file of another version of pulmo: {where}: {problem['msg']}.",
        ) from None
    rows = pd.read_csv(io.StringIO(body), dtype="string").astype({"fold": "Int64"})
    return SplitFile(header, rows)


def apply_split(manifest: Manifest, split: SplitFile) -> Applied:
    """Returns a manifest with the split out of a file, whatever split it had.

    Copies of an image get as many of its rows as there are, in the same order in which they were
    written.

    Raises:
        InputError: the split knows none of the manifest's images.
    """
    table = manifest.frame.drop(columns=["split", "fold"])
    copy = table.loc[_order(table)].groupby("sha256").cumcount()
    rows = split.rows.assign(copy=split.rows.groupby("sha256").cumcount())
    joined = table.assign(copy=copy).merge(
        rows, how="left", on=["sha256", "copy"], indicator="known"
    )
    unknown = joined["known"] == "left_only"
    if unknown.all():
        raise InputError(
            "split-file-of-other-images",
            f"The split file contains none of the {len(table)} images of the manifest: it "
            "belongs to other images, or to other files of the same images.",
        )
    absent = len(rows) - int((~unknown).sum())
    return Applied(Manifest(joined.drop(columns=["copy", "known"])), unknown, absent)


def _order(table: pd.DataFrame, further: list[str] | None = None) -> pd.Index:
    """Returns the index of the rows by content, and of copies by what a manifest's hash sees."""
    return table.sort_values(["sha256", "source", "view", "modality", *(further or [])]).index


def _digest(header: Mapping[str, Any], body: str) -> str:
    rest = {name: value for name, value in header.items() if name != "sha256"}
    return sha256(f"{json.dumps(rest, sort_keys=True)}\n{body}".encode())
