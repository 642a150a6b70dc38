"""De-identification of DICOM images after PS3.15 annex E."""

from pulmo.deidentify.file import Deidentified, deidentify
from pulmo.radiograph.pseudonyms import Pseudonyms, read_key

__all__ = ["Deidentified", "Pseudonyms", "deidentify", "read_key"]
