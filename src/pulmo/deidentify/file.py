"""A DICOM file without what could identify its patient, as far as that can be done."""

import io
from typing import Final, NamedTuple

from pydicom import dcmread, dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset

from pulmo.core.errors import InputError, RefusedError
from pulmo.deidentify.dataset import clean
from pulmo.deidentify.suspicion import reasons_to_look
from pulmo.radiograph.content import format_of
from pulmo.radiograph.dicom import parse_dicom
from pulmo.radiograph.dicom_elements import text_of
from pulmo.radiograph.guard import damage_of, quiet_decoders
from pulmo.radiograph.limits import LIMITS, Limits
from pulmo.radiograph.pseudonyms import Pseudonyms, is_of_the_standard

_NEEDED: Final = ("SOPClassUID", "SOPInstanceUID")


class Deidentified(NamedTuple):
    """A de-identified file.

    Attributes:
        data: the file's bytes.
        uid: its new SOP Instance UID, which no one can trace back.
        patient: the pseudonym that it bears as Patient ID; "" if it bears none.
        reasons: why a person should look at the image: sentences' ends, without identifiers.
    """

    data: bytes
    uid: str
    patient: str
    reasons: tuple[str, ...]


def deidentify(
    data: bytes,
    name: str,
    pseudonyms: Pseudonyms,
    *,
    characteristics: bool = False,
    limits: Limits = LIMITS,
) -> Deidentified:
    """Applies the Basic Application Level Confidentiality Profile (PS3.15 E.2) to a DICOM image.

    The pixel data are the same to the bit. So what is written in the image itself stays; only
    `Deidentified.reasons` tells of it.

    Args:
        data: the file's bytes.
        name: what a message calls the file.
        pseudonyms: what replaces identifiers.
        characteristics: whether the Retain Patient Characteristics Option (PS3.15 E.3.7) is
            applied: age, sex, size, weight and the like are kept.
        limits: of the sizes that are read.

    Raises:
        InputError: the file is damaged, or no DICOM file.
        RefusedError: it is a DICOMDIR or holds no image: the text of a report cannot be checked.
    """
    if format_of(data) != "DICOM":
        raise InputError(
            "dicom-expected", f"{name} is not a DICOM file: its content is of another kind."
        )
    limits.check_bytes(len(data), name)
    with quiet_decoders, damage_of(name, "DICOM"):
        dataset = parse_dicom(data, name, limits)
        _check_scope(dataset, name)
        reasons = reasons_to_look(dataset, data, limits)
        pixel_data: bytes = dataset["PixelData"].value
        clean(dataset, pseudonyms, characteristics=characteristics)
        written = _written(dataset)
        again = dcmread(io.BytesIO(written))
        if again["PixelData"].value[: len(pixel_data)] != pixel_data:
            raise InputError(
                "dicom-not-rewritable",
                f"{name} could not be written without changing its pixel data.",
            )
    return Deidentified(written, again.SOPInstanceUID, text_of(again, "PatientID"), reasons)


def _check_scope(dataset: FileDataset, name: str) -> None:
    """Does nothing for an image of a class and a transfer syntax that the standard has.

    Raises:
        InputError: it lacks what every DICOM object has.
        RefusedError: it is something else.
    """
    if "DirectoryRecordSequence" in dataset:
        raise RefusedError(
            "dicom-directory",
            f"{name} is a DICOMDIR, which names patients and files. Name these files instead.",
        )
    if "PixelData" not in dataset:
        raise RefusedError(
            "dicom-without-image",
            f"{name} contains no image. Text, such as that of a report, is not de-identified.",
        )
    missing = [keyword for keyword in _NEEDED if not text_of(dataset, keyword)]
    if missing:
        raise InputError(
            "dicom-elements-missing",
            f"{name} lacks {' and '.join(missing)}, which every DICOM object has.",
        )
    known = (dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    if not all(is_of_the_standard(uid) for uid in known):
        raise RefusedError(
            "dicom-kind-unknown",
            f"{name} has an object class or a transfer syntax that is not in the DICOM standard.",
        )


def _written(dataset: FileDataset) -> bytes:
    """Returns a file with a preamble and file meta information of its own (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    dataset.preamble = bytes(128)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
