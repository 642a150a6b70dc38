"""The patient of a DICOM file by a pseudonym: the identifier itself is given to nobody."""

from pathlib import Path

from pydicom.filereader import dcmread

from pulmo.radiograph.dicom_elements import text_of
from pulmo.radiograph.guard import damage_of, quiet_decoders
from pulmo.radiograph.pseudonyms import Pseudonyms


def patient_of(path: Path, pseudonyms: Pseudonyms) -> str | None:
    """Returns what stands for the Patient ID of a DICOM file; None where the file states none.

    It is the Patient ID that `deidentify` gives the file by the same key.

    Args:
        path: the file.
        pseudonyms: what replaces identifiers.

    Raises:
        InputError: the file is damaged.
    """
    with quiet_decoders, damage_of(str(path), "the header of a DICOM file"):
        dataset = dcmread(path, force=True, stop_before_pixels=True, specific_tags=["PatientID"])
        real = text_of(dataset, "PatientID")
    return pseudonyms.patient(real) if real else None
