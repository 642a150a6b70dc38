"""Modalities: what kind of picture each row of a manifest is, so that kinds are not mixed."""

from collections.abc import Collection
from typing import Final

import pandas as pd

from pulmo.radiograph.facts import modality_of

UNSTATED: Final = "unstated"
"""What a modality that is not known is called in sentences."""


def kind_of(modality: str) -> str | None:
    """Returns what a stated modality means: X-ray for DICOM's CR, DX and their like; else itself.

    None for the codes that do not say where a picture came from (OT, SC).
    """
    known = modality_of(modality)
    return modality if known == "other" else known


def kinds(table: pd.DataFrame) -> pd.Series:
    """Returns the modality of each row of a manifest as `kind_of` has it; null where unknown."""
    stated = table["modality"]
    return stated.map({name: kind_of(name) for name in stated.dropna().unique()}).astype("string")


def stated_kinds(table: pd.DataFrame) -> tuple[str, ...]:
    """Returns the modalities that rows of a manifest state, sorted, each once."""
    return tuple(sorted(kinds(table).dropna().unique()))


def count_kinds(table: pd.DataFrame) -> str:
    """Returns how many rows are of each modality, in words: `21 CT, 450 X-ray, 3 unstated`."""
    counts = kinds(table).value_counts().sort_index()
    unstated = len(table) - int(counts.sum())
    words = [f"{n} {name}" for name, n in counts.items()]
    return ", ".join([*words, f"{unstated} {UNSTATED}"] if unstated else words)


def rows_of(table: pd.DataFrame, modalities: Collection[str]) -> pd.Series:
    """Returns which rows are of one of the named modalities; an unknown one is not named."""
    return kinds(table).isin([kind_of(name) for name in modalities]).astype(bool)
