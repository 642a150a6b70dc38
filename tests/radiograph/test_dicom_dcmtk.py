"""Images that DCMTK writes and displays, against what is read here."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.uid import ComputedRadiographyImageStorage

from fixtures.refuses import refuses
from pulmo.radiograph import LIMITS, decode_radiograph
from pulmo.radiograph.dicom import parse_dicom
from pulmo.radiograph.dicom_pixels import stored_values

MakeDicom = Callable[..., bytes]
Dcmtk = Callable[..., Path]

CR = {"SOPClassUID": ComputedRadiographyImageStorage, "Modality": "CR"}


def values(bits: int, *, signed: bool = False) -> NDArray[Any]:
    """A smooth image that has every value of 8 or 12 bits or every 16th of 16: [64, 96]."""
    rows, columns = np.mgrid[:64, :96]
    ramp = (rows * 96 + columns) / (64 * 96 - 1)
    grey = np.rint(ramp * (2**bits - 1)).astype(np.int64) - (2 ** (bits - 1) if signed else 0)
    kind = "i" if signed else "u"
    stored: NDArray[Any] = grey.astype(f"{kind}{1 if bits <= 8 else 2}")
    return stored


def image(
    dicom: MakeDicom, stored: NDArray[Any], bits: int, tags: dict[str, object] | None = None
) -> bytes:
    return dicom(stored, {**CR, "BitsStored": bits, "HighBit": bits - 1, **(tags or {})})


def stored_of(data: bytes) -> NDArray[Any]:
    return stored_values(parse_dicom(data, "image", LIMITS), "image")[0]


LOSSLESS = {
    "implicit": ("dcmconv", "+ti"),
    "big endian": ("dcmconv", "+tb"),
    "deflated": ("dcmconv", "+td"),
    "RLE": ("dcmcrle",),
    "JPEG Lossless": ("dcmcjpeg", "+el"),
    "JPEG Lossless SV1": ("dcmcjpeg", "+e1"),
    "JPEG-LS": ("dcmcjpls",),
    "JPEG-LS in many fragments": ("dcmcjpls", "+fs", "1"),
}


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("bits", "signed"), [(8, False), (12, False), (16, False), (16, True)])
@pytest.mark.parametrize("coding", LOSSLESS)
def test_lossless_codings_give_the_values_that_went_in(
    dicom: MakeDicom,
    dcmtk: Dcmtk,
    photometric: str,
    bits: int,
    signed: bool,  # noqa: FBT001 - a parameter
    coding: str,
) -> None:
    stored = values(bits, signed=signed)
    plain = image(dicom, stored, bits, {"PhotometricInterpretation": photometric})
    coded = dcmtk(*LOSSLESS[coding], source=plain).read_bytes()
    np.testing.assert_array_equal(stored_of(coded), stored)
    expected = decode_radiograph(plain, "image").pixels
    np.testing.assert_array_equal(decode_radiograph(coded, "image").pixels, expected)


@pytest.mark.parametrize(("bits", "option"), [(8, "+eb"), (12, "+ee")])
@pytest.mark.parametrize("quality", ["30", "90"])
def test_lossy_jpeg_gives_the_values_that_dcmtk_decodes(
    dicom: MakeDicom, dcmtk: Dcmtk, bits: int, option: str, quality: str
) -> None:
    stored = values(bits)
    plain = image(dicom, stored, bits)
    coded = dcmtk("dcmcjpeg", option, "+q", quality, source=plain)
    decoded = stored_of(coded.read_bytes())
    theirs = dcmread(dcmtk("dcmdjpeg", source=coded))
    kind = "<u2" if bits == 12 else "u1"
    np.testing.assert_array_equal(
        decoded, np.frombuffer(theirs.PixelData, kind).reshape(stored.shape)
    )
    assert decoded.max() > 0.98 * stored.max()


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("tools", "options"),
    [
        (("dcmcjpeg", "dcmdjpeg"), ("+eb", "+s4")),
        (("dcmcjpeg", "dcmdjpeg"), ("+eb", "+s2")),
        (("dcmcjpeg", "dcmdjpeg"), ("+eb", "+cr")),
        (("dcmcjpls", "dcmdjpls"), ("+el", "+il")),
        (("dcmcjpls", "dcmdjpls"), ("+el", "+is")),
        (("dcmcjpls", "dcmdjpls"), ("+el", "+in")),
        (("dcmcrle", "dcmdrle"), ()),
        (("dcmconv", "dcmconv"), ("+td",)),
        (("dcmconv", "dcmconv"), ("+tb",)),
    ],
)
def test_colours_are_those_of_dcmtk(
    dicom: MakeDicom,
    dcmtk: Dcmtk,
    tools: tuple[str, str],
    options: tuple[str, ...],
    planar: bool,  # noqa: FBT001 - a parameter
) -> None:
    grey = values(8)[:41, :57]
    # An odd number of bytes, so that one fills it up.
    colours = np.dstack([grey, grey[::-1] // 2 + 60, 255 - grey])
    given = colours.transpose(2, 0, 1) if planar else colours
    tags = {"PlanarConfiguration": int(planar), "PixelData": given.tobytes() + b"\0"}
    coded = dcmtk(tools[0], *options, source=dicom(colours, tags))
    theirs = dcmread(dcmtk(tools[1], "+te", source=coded.read_bytes()))
    shape = (3, 41, 57) if theirs.PlanarConfiguration else (41, 57, 3)
    plain = np.frombuffer(theirs.PixelData[: colours.size], np.uint8).reshape(shape)
    expected = plain.transpose(1, 2, 0) if theirs.PlanarConfiguration else plain
    np.testing.assert_array_equal(stored_of(coded.read_bytes()), expected)


def test_signed_jpeg_of_12_bits_keeps_its_sign(dicom: MakeDicom, dcmtk: Dcmtk) -> None:
    stored = values(12, signed=True)
    coded = dcmtk("dcmcjpeg", "+ee", source=image(dicom, stored, 12))
    dataset = dcmread(coded)
    # DCMTK counts the values from 0; a header may count them as two's complement instead.
    dataset.PixelRepresentation = 1
    file = io.BytesIO()
    dataset.save_as(file)
    unsigned = stored_of(coded.read_bytes()).astype(np.int64)
    signed = stored_of(file.getvalue())
    assert signed.min() < 0 < signed.max()
    np.testing.assert_array_equal(signed % 4096, unsigned)


def test_jpeg_of_12_bits_and_three_channels_is_refused_by_name(
    dicom: MakeDicom, dcmtk: Dcmtk
) -> None:
    coded = dcmread(dcmtk("dcmcjpeg", "+ee", source=image(dicom, values(12), 12)))
    coded.SamplesPerPixel, coded.PhotometricInterpretation = 3, "RGB"
    file = io.BytesIO()
    coded.save_as(file)
    with refuses("dicom-compression-unsupported", "JPEG Extended"):
        decode_radiograph(file.getvalue(), "image")


@pytest.mark.parametrize(("option", "name"), [("+ep", "JPEG Full"), ("+es", "JPEG Spectral")])
def test_progressive_jpeg_of_12_bits_is_refused_by_name(
    dicom: MakeDicom, dcmtk: Dcmtk, option: str, name: str
) -> None:
    coded = dcmtk("dcmcjpeg", option, source=image(dicom, values(12), 12)).read_bytes()
    with refuses("dicom-compression-unsupported", name):
        decode_radiograph(coded, "image")


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("coding", ["plain", "RLE"])
def test_values_that_begin_above_the_lowest_bit(
    dicom: MakeDicom,
    dcmtk: Dcmtk,
    signed: bool,  # noqa: FBT001 - a parameter
    coding: str,
) -> None:
    stored = values(12, signed=signed)
    # Of old: an overlay below the values, as one above them.
    above = (stored << 3).view(np.uint16) & 0x7FFF | 0x8004
    tags = {**CR, "BitsStored": 12, "HighBit": 14, "WindowCenter": 100, "WindowWidth": 900}
    data = dicom(above.view(stored.dtype), tags)
    shown = dcmtk("dcmj2pnm", "+Wi", "1", "+on2", source=data)
    if coding == "RLE":
        data = dcmtk("dcmcrle", source=data).read_bytes()
    np.testing.assert_array_equal(stored_of(data), stored)
    with Image.open(shown) as image:
        theirs = np.asarray(image) / 65535
    np.testing.assert_allclose(decode_radiograph(data, "image").pixels, theirs, atol=0.05 / 255)


def table(first: int, bits: int) -> Dataset:
    """A lookup table of 3000 entries with a bend."""
    item = Dataset()
    entries = np.rint((np.arange(3000) / 2999) ** 2 * (2**bits - 1)).astype(int)
    item.add(DataElement("LUTDescriptor", "US", [3000, first, bits]))
    item.add(DataElement("LUTData", "US", entries.tolist()))
    return item


WINDOW: dict[str, object] = {"WindowCenter": "1800.5", "WindowWidth": "1700"}
VOI: dict[str, dict[str, object]] = {
    "window": WINDOW,
    "narrow window": {"WindowCenter": 1000, "WindowWidth": 2},
    "sigmoid": {**WINDOW, "VOILUTFunction": "SIGMOID"},
    "rescaled window": {"RescaleSlope": "-0.5", "RescaleIntercept": "2000", **WINDOW},
    "table": {"VOILUTSequence": [table(500, 12)]},
    "modality table and window": {"ModalityLUTSequence": [table(500, 12)], **WINDOW},
    "own range": {},
}


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("voi", VOI)
def test_the_displayed_image_is_that_of_dcmtk(
    dicom: MakeDicom, dcmtk: Dcmtk, photometric: str, voi: str
) -> None:
    tags = {**VOI[voi], "PhotometricInterpretation": photometric}
    data = image(dicom, values(12), 12, tags)
    option = {"table": ["+Wl", "1"], "own range": ["+Wm"]}.get(voi, ["+Wi", "1"])
    function = ["+Wfs"] if voi == "sigmoid" else []
    with Image.open(dcmtk("dcmj2pnm", *option, *function, "+on2", source=data)) as opened:
        theirs = np.asarray(opened) / 65535
    # DCMTK cuts what a sigmoid gives, and what comes out of a table, to whole numbers.
    tolerance = {"sigmoid": 1, "table": 1}.get(voi, 0.1)
    pixels = decode_radiograph(data, "image").pixels
    np.testing.assert_allclose(pixels, theirs, atol=tolerance / 255)
