"""Splits that keep every group on one side: drawn, kept as published, in folds, or from a file."""

from pulmo.datasets.split.check import (
    absences,
    check_split,
    uncurated,
    unlike_shares,
    unnamed_origins,
    unstated,
)
from pulmo.datasets.split.draw import Keep, Shares, split_manifest, undrawn
from pulmo.datasets.split.file import Applied, SplitFile, apply_split, read_split, write_split
from pulmo.datasets.split.folds import validate_on
from pulmo.datasets.split.matching import MATCHABLE, Matching
from pulmo.datasets.split.plan import Drawn, Plan, draw

__all__ = [
    "MATCHABLE",
    "Applied",
    "Drawn",
    "Keep",
    "Matching",
    "Plan",
    "Shares",
    "SplitFile",
    "absences",
    "apply_split",
    "check_split",
    "draw",
    "read_split",
    "split_manifest",
    "uncurated",
    "undrawn",
    "unlike_shares",
    "unnamed_origins",
    "unstated",
    "validate_on",
    "write_split",
]
