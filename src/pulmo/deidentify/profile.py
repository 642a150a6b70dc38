"""What is done with an element: table E.1-1 of PS3.15, and a stricter rule for the rest."""

import re
from functools import cache
from importlib import resources
from typing import Final, Literal, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.tag import BaseTag

Action = Literal["remove", "empty", "replace", "rename", "keep"]

EDITION: Final = "PS3.15 2026c"

# Where a row leaves a choice by the type of the attribute, the one that suits CR, DX, CT and
# secondary capture: there X/D and X/Z/D may be absent, and X/Z and Z/D may have to be there, empty.
_ACTIONS: Final[dict[str, Action]] = {
    "X": "remove",
    "Z": "empty",
    "D": "replace",
    "U": "rename",
    "X/D": "remove",
    "X/Z": "empty",
    "X/Z/D": "remove",
    "Z/D": "empty",
    # A sequence of references, whose instances are renamed within it.
    "X/Z/U*": "keep",
}

_NUMBERS: Final = ("AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV")

_BULK: Final = (
    "PixelData",
    "LUTData",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
)

_CODE_STRING: Final = re.compile(r"[A-Za-z0-9_ .\-]{0,16}")


class _Row(NamedTuple):
    """What the table says of an attribute."""

    action: Action
    characteristic: bool


def action_by_tag(tag: BaseTag, *, characteristics: bool) -> Action | None:
    """Returns what is done with an attribute whatever it holds; None if that depends.

    Private attributes, overlays, curves and group lengths are removed. An attribute of table E.1-1
    gets its action.

    Args:
        tag: of the attribute.
        characteristics: whether age, sex, size, weight and the like are kept (the Retain Patient
            Characteristics Option).
    """
    if tag.is_private or tag.element == 0 or tag.group & 0xFF00 in {0x5000, 0x6000}:
        return "remove"
    if row := _table().get(tag):
        return "keep" if row.characteristic and characteristics else row.action
    return None if _kinds_of(tag) else "remove"


def action_by_value(element: DataElement) -> Action:
    """Returns what is done with an element that no row of the table names.

    The table is a list of what is known to identify; another attribute may hold anything too. So of
    the others only numbers, sequences (for what is in them), unique identifiers (renamed), tables
    and pixels of the image, and a short list of words are kept.
    """
    kind = element.VR
    if kind not in _kinds_of(element.tag):
        return "remove"
    if kind == "UI":
        return "rename"
    if kind in _NUMBERS or kind == "SQ" or element.keyword in _BULK:
        return "keep"
    kept = _kept_words().get(element.keyword, "remove")
    if kept == "code":
        values = element.value if element.VM > 1 else [element.value or ""]
        kept = "keep" if all(_CODE_STRING.fullmatch(str(value)) for value in values) else "remove"
    return kept


def _kinds_of(tag: BaseTag) -> list[str]:
    """Returns the value representations that an attribute may have; none for an unknown one."""
    try:
        return dictionary_VR(tag).split(" or ")
    except KeyError:
        return []


@cache
def _table() -> dict[int, _Row]:
    """Returns the table: attribute -> what is done with it."""
    return {
        int(tag, 16): _Row(_ACTIONS[action], characteristic == "K")
        for tag, action, characteristic, _ in _rows_of("profile.tsv")
    }


@cache
def _kept_words() -> dict[str, Action | Literal["code"]]:
    """Returns what is done with attributes of text that are no row of the table, by keyword."""
    actions: dict[str, Action | Literal["code"]] = {
        "code": "code",
        "words": "keep",
        "empty": "empty",
    }
    return {keyword: actions[values] for keyword, values in _rows_of("kept.tsv")}


def _rows_of(file: str) -> list[list[str]]:
    """Returns the rows of a table that is next to this module, without comments and header."""
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")][1:]
