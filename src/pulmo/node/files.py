"""Files of DICOM of what came over the network: the same bytes, however an image came."""

import io

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID
from pynetdicom.dsutils import encode_file_meta


def file_of_encoded(kind: UID, uid: UID, syntax: UID, encoded: bytes) -> bytes:
    """Returns the file of a data set as it was sent.

    Args:
        kind: its SOP class.
        uid: its SOP Instance UID.
        syntax: its transfer syntax.
        encoded: the data set.
    """
    return b"\0" * 128 + b"DICM" + encode_file_meta(_meta(kind, uid, syntax)) + encoded


def file_of(dataset: Dataset) -> bytes:
    """Returns the file of a data set that was read from one."""
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    dataset.file_meta = _meta(UID(dataset.SOPClassUID), UID(dataset.SOPInstanceUID), syntax)
    file = io.BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    # What a file states before its meta information is not a part of the image.
    return b"\0" * 128 + file.getvalue()[128:]


def _meta(kind: UID, uid: UID, syntax: UID) -> FileMetaDataset:
    """Returns meta information that says nothing of who wrote the file, and with which version."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, uid
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    return meta
