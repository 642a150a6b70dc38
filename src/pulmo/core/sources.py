"""Where images are from, as far as that is stated: a data set of the user's own is no hospital.

The reader of a public data set knows what it reads. Of a folder or a table of the user's own nobody
but the user can say whether its images are from one hospital, and so from one kind of scanner, or
whether each class is from another one.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

OWN: Final = ("csv", "folder")
"""The readers of a user's own files."""

UNSTATED: Final = "unstated"
"""The source of images of a table that names no source."""

HOW_TO_STATE: Final = (
    "State it in a column source or origin of the table, or when the images are imported."
)
"""What a user can do where the source of images is not stated, as a sentence."""

_REMARK: Final = " (hospital not stated)"
_NO_SOURCE: Final = (UNSTATED, *OWN)
"""A card that is older than the remark calls a user's own files after their reader."""

_UNNAMED: Final = rf"^({'|'.join(OWN)})-[0-9a-f]{{8}}(?=:|$)"


def unnamed(reader: str, root: Path) -> str:
    """Returns the name of a data set of the user's own that has none, such as `csv-0f3a91b2`.

    It follows from where the data set lies, so that two of them do not share a name by accident.

    Args:
        reader: one of `OWN`.
        root: the folder or table.
    """
    place = os.fsencode(os.path.realpath(root))
    return f"{reader}-{hashlib.sha256(place).hexdigest()[:8]}"


def without_place(names: pd.Series) -> pd.Series:
    """Returns names of sources or groups without what distinguishes unnamed data sets."""
    return names.str.replace(_UNNAMED, r"\1", regex=True)


def is_own(rows: pd.DataFrame) -> pd.Series:
    """Tells which rows are of a data set of the user's own.

    Args:
        rows: images with `source` and, where it is known, `root`
            (`pulmo.datasets.manifest.SCHEMA`). A manifest that is older than that column calls such
            a set after its reader.
    """
    own = rows["source"].isin(OWN)
    return own | rows["root"].notna() if "root" in rows else own


def source_names(rows: pd.DataFrame) -> pd.Series:
    """Returns what the source of each image is called where images are evaluated, text.

    That of a public data set is its name. An image of the user's own is called after the origin
    that is stated for it, or else after its data set, with a remark that this is no hospital.

    Args:
        rows: images with `source` and, where they are known, `origin` and `root`, nullable.
    """
    names = rows["source"].astype("string")
    own = is_own(rows)
    remarked = names.where(names.str.endswith(_REMARK).fillna(value=False), names + _REMARK)
    if "origin" in rows:
        remarked = rows["origin"].astype("string").fillna(remarked)
    return names.mask(own, remarked)


def are_stated(names: pd.Series) -> NDArray[np.bool_]:
    """Tells which names of `source_names` are those of a source, [n]."""
    known = names.notna() & ~names.isin(_NO_SOURCE) & ~names.str.endswith(_REMARK)
    return known.fillna(value=False).to_numpy(np.bool_)


def is_stated(name: str) -> bool:
    """Tells whether a name of `source_names` is that of a source."""
    return name not in _NO_SOURCE and not name.endswith(_REMARK)
