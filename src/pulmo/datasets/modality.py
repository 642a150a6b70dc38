"""Modalities: what kind of image each row of a manifest is, so that kinds are not mixed."""

from typing import TYPE_CHECKING, Final

import pandas as pd

from pulmo.radiograph.facts import modality_of

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Manifest

UNSTATED: Final = "unstated"
"""What a modality that is not known is called in sentences."""


def kind_of(modality: str) -> str | None:
    """Returns what a stated modality means: X-ray for DICOM's CR, DX and their like; else itself.

    None for the codes that do not say where an image came from (OT, SC).
    """
    known = modality_of(modality)
    return modality if known == "other" else known


def kinds(stated: pd.Series) -> pd.Series:
    """Returns each modality of a manifest's column as `kind_of` has it; null where unknown."""
    return stated.map({name: kind_of(name) for name in stated.dropna().unique()}).astype("string")


def stated_kinds(manifest: "Manifest") -> tuple[str, ...]:
    """Returns the modalities that a manifest states, sorted, each once."""
    return tuple(sorted(kinds(manifest.frame["modality"]).dropna().unique()))


def count_kinds(manifest: "Manifest") -> str:
    """Returns how many images are of each modality, in words: `21 CT, 450 X-ray, 3 unstated`."""
    counts = kinds(manifest.frame["modality"]).value_counts().sort_index()
    unstated = len(manifest) - int(counts.sum())
    words = [f"{n} {name}" for name, n in counts.items()]
    return ", ".join([*words, f"{unstated} {UNSTATED}"] if unstated else words)
