"""Patients that the files themselves state, by a pseudonym."""

from contextlib import closing
from pathlib import Path

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.parallel import in_threads
from pulmo.datasets.grouping import group
from pulmo.datasets.known import stamp
from pulmo.datasets.manifest import Manifest
from pulmo.radiograph.patients import patient_of
from pulmo.radiograph.pseudonyms import Pseudonyms


def name_patients(manifest: Manifest, key: bytes) -> Manifest:
    """Returns an import's manifest with the patients that its DICOM files state, and new groups.

    A patient that the data set states stays. What stands for a Patient ID is its keyed hash, so
    that nobody without the key can find out whose it is. A file that states none, or whose header
    cannot be read again, has no known patient.

    Args:
        manifest: of one data set.
        key: secret; the same key gives the same pseudonyms, those of `pulmo data deidentify` too.
    """
    pseudonyms, table = Pseudonyms(key), manifest.frame
    asked = table.index[(table["format"] == "DICOM") & table["patient"].isna()]

    def read(path: str) -> str | None:
        try:
            return patient_of(Path(path), pseudonyms)
        except InputError:
            return None

    with closing(in_threads(read, table.loc[asked, "path"])) as found:
        stated = pd.Series(list(found), asked, dtype="string")
    named = manifest.with_columns(patient=table["patient"].fillna(stated))
    return stamp(group(named, keep=True))
