"""What a file's header says of its image, without decoding it."""

from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes
from pulmo.radiograph.content import known_format
from pulmo.radiograph.facts import Facts
from pulmo.radiograph.guard import damage_of, quiet_decoders
from pulmo.radiograph.limits import LIMITS, Limits
from pulmo.radiograph.raster import read_raster_header


class Header(NamedTuple):
    """What a header says.

    Attributes:
        height: of the image as it is meant to be looked at, in pixels.
        width: likewise.
        facts: what the file says of the image; notes that need its pixels are lacking.
    """

    height: int
    width: int
    facts: Facts


def read_header(data: bytes, name: str, limits: Limits = LIMITS) -> Header:
    """Reads the header of a file; some damage is seen only by decoding.

    Args:
        data: all bytes of the file, so that a missing end is noticed.
        name: what messages call the file.
        limits: the file's and the image's size are checked against them.

    Raises:
        InputError: the bytes are damaged or end early, or are of a format that is not read.
        RefusedError: the header tells that the image is not within the limits, is not one or is
            stored in a way that is not read.
    """
    if not data:
        raise InputError("file-empty", f"{name} is empty.")
    limits.check_bytes(len(data), name)
    form = known_format(data, name)
    with quiet_decoders:
        if form == "DICOM":
            # pydicom costs a tenth of a second that a PNG need not pay.
            from pulmo.radiograph.dicom import read_dicom_header  # noqa: PLC0415 - see above

            (height, width), facts = read_dicom_header(data, name, limits)
        else:
            (height, width), facts = read_raster_header(data, form, name, limits)
    return Header(height, width, facts)


def read_dicom_tags(path: Path) -> Facts:
    """Reads the first tags of a DICOM file that was read before: view, modality, age and sex.

    Raises:
        InputError: the file is damaged.
    """
    from pydicom.filereader import dcmread  # noqa: PLC0415 - see above

    from pulmo.radiograph.dicom_elements import Elements  # noqa: PLC0415 - see above
    from pulmo.radiograph.dicom_tags import facts_of  # noqa: PLC0415 - see above

    with quiet_decoders, damage_of(str(path), "the header of a DICOM file"):
        dataset = dcmread(path, force=True, stop_before_pixels=True)
        return facts_of(Elements(dataset), bits=0)


def read_dicom_size(path: Path) -> tuple[int, int]:
    """Reads how many rows and columns of pixels a DICOM file states, and none of its pixels.

    Raises:
        InputError: the file is missing, damaged or no DICOM file, or states no size.
    """
    from pydicom.filereader import dcmread  # noqa: PLC0415 - see above

    name = str(path)
    with open_bytes(path) as file, quiet_decoders, damage_of(name, "the header of a DICOM file"):
        dataset = dcmread(
            file, force=True, stop_before_pixels=True, specific_tags=["Rows", "Columns"]
        )
        rows, columns = dataset.get("Rows"), dataset.get("Columns")
    if not rows or not columns:
        raise InputError(
            "image-size-missing", f"{name} does not state its rows and columns of pixels."
        )
    return int(rows), int(columns)
