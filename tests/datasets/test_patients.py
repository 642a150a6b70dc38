"""Patients of DICOM files, by a pseudonym."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread

from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.patients import name_patients
from pulmo.datasets.phantom import draw
from pulmo.datasets.phantom.encodings import Levels, dicom
from pulmo.deidentify import Pseudonyms

KEY = bytes(range(32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five DICOM images: two of one patient, two of others, and one that states none."""
    target = tmp_path / "set" / "normal"
    target.mkdir(parents=True)
    for number, patient in enumerate(("4711", "4711", "4712", "4713", "")):
        image = draw("normal", number, np.random.default_rng(number), (64, 64))
        path = target / f"{number}.dcm"
        path.write_bytes(dicom(image, Levels("MONOCHROME2", 0, 4095), str(number)))
        dataset = dcmread(path)
        dataset.PatientID = patient
        dataset.save_as(path)
    return tmp_path / "set"


def test_a_patient_id_becomes_a_hash_that_needs_the_key(folder: Path) -> None:
    table = import_source("folder", folder).manifest
    assert table.frame["patient"].isna().all()
    assert table.frame["group"].nunique() == 5
    named = name_patients(table, KEY)
    expected = [Pseudonyms(KEY).patient(real) for real in ("4711", "4711", "4712", "4713")]
    assert named.frame["patient"].dropna().tolist() == expected
    assert named.frame["group"].nunique() == 4
    assert "471" not in "".join(named.frame["patient"].dropna())
    other = name_patients(table, KEY[::-1])
    assert not set(other.frame["patient"].dropna()) & set(expected)
    assert named.frame.attrs == table.frame.attrs


def test_a_patient_that_is_known_stays_and_a_lost_file_names_none(folder: Path) -> None:
    table = import_source("folder", folder).manifest.frame
    table.loc[2, "patient"] = "known"
    Path(table["path"][3]).unlink()
    named = name_patients(Manifest(table), KEY)
    assert named.frame["patient"][2] == "known"
    assert pd.isna(named.frame["patient"][3])
