"""Why a person should look at an image before it is given away."""

from typing import Final

from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.uid import SecondaryCaptureImageStorage

from pulmo.core.errors import PulmoError
from pulmo.radiograph.burned_in import text_lines
from pulmo.radiograph.codestream import comments_of
from pulmo.radiograph.dicom import decode_dicom
from pulmo.radiograph.dicom_elements import text_of
from pulmo.radiograph.dicom_pixels import has_hidden_bits
from pulmo.radiograph.limits import Limits

# PS3.3 C.8.6.1: of Conversion Type, those that copy an image, a paper or a screen.
_COPIED: Final = ("DV", "DI", "DF", "DRW", "SD", "SI", "SYN", "WSD")


def reasons_to_look(dataset: FileDataset, data: bytes, limits: Limits) -> tuple[str, ...]:
    """Returns why something in the pixels might identify the patient: sentences' ends.

    Args:
        dataset: what `data` holds, before it is cleaned.
        data: the file's bytes.
        limits: of the sizes that are read.
    """
    return (*_said(dataset), *_hidden(dataset), *_seen(data, limits))


def _said(dataset: FileDataset) -> list[str]:
    """Returns what the header admits."""
    reasons = []
    burned_in = text_of(dataset, "BurnedInAnnotation")
    if burned_in == "YES":
        reasons.append("it says that text is burned in")
    copied = text_of(dataset, "ConversionType") in _COPIED
    if burned_in != "NO" and (copied or dataset.SOPClassUID == SecondaryCaptureImageStorage):
        reasons.append("it is a copy of a screen or an image")
    if text_of(dataset, "RecognizableVisualFeatures") == "YES":
        reasons.append("it says that a person can be recognised")
    return reasons


def _hidden(dataset: FileDataset) -> list[str]:
    """Returns what the pixel data contain apart from the image."""
    reasons = []
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        frames = int(dataset.get("NumberOfFrames") or 1)
        frame = get_frame(dataset["PixelData"].value, 0, number_of_frames=frames)
        if comments_of(frame):
            reasons.append("its compressed image carries a comment")
    try:
        hidden = has_hidden_bits(dataset)
    except Exception:  # noqa: BLE001 - damaged pixel data, of which `_seen` tells
        hidden = False
    if hidden:
        reasons.append("it uses bits that its image does not use")
    return reasons


def _seen(data: bytes, limits: Limits) -> list[str]:
    """Returns what the image shows."""
    try:
        pixels, _ = decode_dicom(data, "it", limits)
    except PulmoError as error:
        return [f"its pixels were not searched for text: {str(error).rstrip('.')}"]
    lines = text_lines(pixels)
    if not lines:
        return []
    counted = "a line" if len(lines) == 1 else f"{len(lines)} lines"
    first = lines[0]
    return [f"its pixels seem to hold {counted} of text, at column {first.left}, row {first.top}"]
