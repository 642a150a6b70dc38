"""The facts of the files: the manifest's, or those that a table keeps of the published files."""

from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.datasets.rows import read_rows

FACTS: Final = ("width", "height", "aspect", "bytes", "bytes_per_pixel", "format", "bits")
"""Width and height in pixels, width over height, bytes, bytes a pixel, format, bits a sample."""

_NUMBERS: Final = ("width", "height", "bytes", "bits")


class Published(NamedTuple):
    """A table of the facts of files.

    Attributes:
        name: the table's file name.
        facts: by the end of a file's path, `folder/name` or `name`: the columns that it has of
            `width`, `height`, `bytes` and `bits` (Int64) and `format` (string).
    """

    name: str
    facts: pd.DataFrame


def file_facts(table: pd.DataFrame, published: Published | None = None) -> pd.DataFrame:
    """Returns the facts of a manifest's files.

    Args:
        table: a manifest.
        published: where to take the facts from instead. Of an image that it does not name, and of
            a fact that it does not have, nothing is then known: facts of two origins side by side
            would predict the classes by themselves.

    Returns:
        The columns of `FACTS`, nullable, with the index of `table`.

    Raises:
        InputError: `published` names none of the images.
    """
    source = table if published is None else _matched(table, published)
    facts = pd.DataFrame(index=table.index)
    for name in _NUMBERS:
        facts[name] = source[name].astype("Int64") if name in source else pd.NA
    facts["format"] = source["format"].astype("string") if "format" in source else pd.NA
    sides = facts["width"].astype("Float64"), facts["height"].astype("Float64")
    facts["aspect"] = sides[0] / sides[1]
    facts["bytes_per_pixel"] = facts["bytes"].astype("Float64") / (sides[0] * sides[1])
    return facts[list(FACTS)]


def read_facts(path: Path) -> Published:
    """Reads a CSV table of the facts of files.

    It has a column `filename`, if need be a column `folder` (the end of the path to the folder),
    and some of `width`, `height`, `bytes`, `bits` and `format`.

    Raises:
        InputError: it cannot be read, has no such column, names a file twice, or a number in it is
            not a whole one above 0.
    """
    rows = read_rows(path, ["filename"])
    facts = pd.DataFrame(rows, dtype="string")
    found = [name for name in (*_NUMBERS, "format") if name in facts]
    if not found:
        raise InputError(
            "column-missing", f"{path} has none of the columns {', '.join(_NUMBERS)} and format."
        )
    for name in _NUMBERS:
        if name in facts:
            facts[name] = _whole(facts[name], path)
    folders = facts["folder"].fillna("") if "folder" in facts else [""] * len(facts)
    names = facts["filename"].fillna("")
    ends = [_end_of_path(*parts) for parts in zip(folders, names, strict=True)]
    facts.index = pd.Index(ends, dtype="string")
    twice = facts.index[facts.index.duplicated()]
    if len(twice):
        raise InputError(
            "image-repeated",
            f"{path} names {twice[0]} more than once. A column folder must distinguish such files.",
        )
    return Published(path.name, facts[found])


def _whole(text: pd.Series, path: Path) -> pd.Series:
    """Returns a column as whole numbers above 0; blank cells become null."""
    text = text.str.strip()
    text = text.mask(text == "")
    wrong = text.notna() & ~text.str.fullmatch("[1-9][0-9]{0,17}").fillna(value=False)
    if wrong.any():
        raise InputError(
            "value-not-count",
            f"{path}, row {int(wrong.to_numpy(bool).argmax()) + 1}: {text.name} is "
            f"{text[wrong].iloc[0]!r}; a whole number above 0 was expected.",
        )
    return text.astype("Int64")


def _end_of_path(folder: str, name: str) -> str:
    return PurePosixPath(folder.strip().replace("\\", "/"), name.strip()).as_posix()


def _matched(table: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Returns the published facts of each image, by as much of its path as they name."""
    facts = published.facts
    parts = table["path"].str.split("/")
    keys = pd.Series(pd.NA, table.index, dtype="string")
    for depth in sorted({name.count("/") + 1 for name in facts.index}):
        ends = parts.str[-depth:].str.join("/").astype("string")
        keys = ends.where(ends.isin(facts.index), keys)
    if keys.isna().all():
        raise InputError(
            "facts-of-no-image",
            f"{published.name} matches none of the images of the manifest. Its columns folder "
            "and filename must be the end of an image's path.",
        )
    return facts.reindex(keys).set_axis(table.index)
