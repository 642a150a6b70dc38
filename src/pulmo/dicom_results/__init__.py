"""DICOM objects of a result: a structured report, a secondary capture, a presentation state."""

from pulmo.dicom_results.objects import (
    KINDS,
    Kind,
    check_kinds,
    make_objects,
    require_highdicom,
)
from pulmo.dicom_results.said import Said
from pulmo.dicom_results.source import Source, read_source

__all__ = [
    "KINDS",
    "Kind",
    "Said",
    "Source",
    "check_kinds",
    "make_objects",
    "read_source",
    "require_highdicom",
]
