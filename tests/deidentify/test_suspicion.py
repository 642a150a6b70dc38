import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from pulmo.deidentify.suspicion import reasons_to_look
from pulmo.radiograph import LIMITS

MakeDicom = Callable[..., bytes]


def reasons(data: bytes) -> tuple[str, ...]:
    return reasons_to_look(dcmread(io.BytesIO(data)), data, LIMITS)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ()),
        ({"BurnedInAnnotation": "YES"}, ("it says that text is burned in",)),
        (
            {"SOPClassUID": SecondaryCaptureImageStorage},
            ("it is a copy of a screen or an image",),
        ),
        ({"ConversionType": "DF"}, ("it is a copy of a screen or an image",)),
        ({"ConversionType": "DF", "BurnedInAnnotation": "NO"}, ()),
        (
            {"RecognizableVisualFeatures": "YES"},
            ("it says that a person can be recognised",),
        ),
    ],
)
def test_what_the_header_admits(
    dicom: MakeDicom,
    grey: NDArray[np.uint8],
    tags: dict[str, object],
    expected: tuple[str, ...],
) -> None:
    assert reasons(dicom(grey, tags)) == expected


def test_a_comment_in_the_compressed_image(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    for comment, expected in (
        (b"", ()),
        (b"DOE^JANE", ("its compressed image carries a comment",)),
    ):
        frame = io.BytesIO()
        Image.fromarray(grey).save(frame, "JPEG", comment=comment)
        dataset = dcmread(io.BytesIO(dicom(grey, {}, JPEG2000Lossless)))
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = encapsulate([frame.getvalue()])
        file = io.BytesIO()
        dataset.save_as(file)
        assert reasons(file.getvalue()) == expected


@pytest.mark.parametrize("high", [11, 13])
def test_an_overlay_in_unused_bits(dicom: MakeDicom, twelve: NDArray[np.uint16], high: int) -> None:
    window = {"WindowCenter": 2048, "WindowWidth": 4096, "BitsStored": 12, "HighBit": high}
    plain = (twelve << (high - 11)).astype(np.uint16)
    hidden = plain.copy()
    hidden[5:9, 5:9] |= 0x8000
    assert reasons(dicom(plain, window)) == ()
    assert reasons(dicom(hidden, window)) == ("it uses bits that its image does not use",)
    assert reasons(dicom(plain, window, RLELossless)) == ()
    assert reasons(dicom(hidden, window, RLELossless)) == (
        "it uses bits that its image does not use",
    )


def test_negative_values_fill_the_upper_bits(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    signed = (twelve.astype(np.int16) - 2048).astype(np.int16)
    assert reasons(dicom(signed, {"BitsStored": 12, "HighBit": 11})) == ()


def test_what_cannot_be_searched_is_reported(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    assert reasons(dicom(grey, {"PixelData": bytes(8)})) == (
        "its pixels were not searched for text: it is truncated: 8 of 768 bytes of pixel data",
    )
    assert reasons(dicom(grey, {"NumberOfFrames": 2, "PixelData": grey.tobytes() * 2})) == (
        "its pixels were not searched for text: it contains several frames. One image was expected",
    )


def test_text_in_the_pixels(dicom: MakeDicom) -> None:
    image = Image.new("L", (300, 200), 80)
    font = ImageFont.load_default(24)
    drawing = ImageDraw.Draw(image)
    drawing.text((20, 30), "DOE JANE", fill=255, font=font)
    (one,) = reasons(dicom(np.asarray(image)))
    assert one.startswith("its pixels seem to hold a line of text, at column 2")
    drawing.text((20, 100), "19400305", fill=255, font=font)
    (two,) = reasons(dicom(np.asarray(image)))
    assert two.startswith("its pixels seem to hold 2 lines of text, at column 2")
