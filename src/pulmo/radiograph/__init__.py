"""Bytes become a Radiograph: decoded by content, checked, grey, in [0, 1]."""

from pulmo.radiograph.facts import Facts
from pulmo.radiograph.limits import LIMITS, Limits
from pulmo.radiograph.notes import KINDS, Note
from pulmo.radiograph.radiograph import (
    Radiograph,
    decode_radiograph,
    pixels_sha256,
    radiograph_from_array,
    read_radiograph,
)

__all__ = [
    "KINDS",
    "LIMITS",
    "Facts",
    "Limits",
    "Note",
    "Radiograph",
    "decode_radiograph",
    "pixels_sha256",
    "radiograph_from_array",
    "read_radiograph",
]
