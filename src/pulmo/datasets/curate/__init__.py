"""Curation of a manifest: copies are found, grouped and reported; contradictions are removed."""

from pulmo.datasets.curate.curate import Curated, CurationProgress, curate
from pulmo.datasets.curate.labels import COMPATIBLE

__all__ = ["COMPATIBLE", "Curated", "CurationProgress", "curate"]
