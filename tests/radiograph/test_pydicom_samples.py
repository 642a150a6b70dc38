"""Every file that pydicom ships is decoded to the right values, or refused with a code.

`pydicom_samples.tsv` says which, with the code of the error and what its message names: a file that
a new pydicom brings fails here until someone decides.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.uid import (
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from pulmo.core.errors import PulmoError
from pulmo.radiograph import LIMITS, Radiograph, decode_radiograph
from pulmo.radiograph.dicom import parse_dicom
from pulmo.radiograph.dicom_pixels import check_pixel_data, stored_values
from pulmo.radiograph.guard import quiet_decoders

Dcmtk = Callable[..., Path]

FOLDER = Path(pydicom.data.__file__).parent / "test_files"
TABLE = Path(__file__).with_name("pydicom_samples.tsv").read_text()
EXPECTED = {name: rest for name, *rest in (line.split("\t") for line in TABLE.splitlines())}

# DCMTK does not parse the first, whose header is written in two ways, and takes the 32-bit
# big-endian values of the second for pairs of words.
BEYOND_DCMTK = {"SC_rgb_jpeg.dcm", "rtdose_expb_1frame.dcm"}
# Many thumbnails of three CT and MR series; of another CT series and of all CR images none is left
# out.
ALIKE = "dicomdirtests/9889"
# Its numbers are stored as text, which only the whole reader mends.
OF_WORDS = "badVR.dcm"
# Their windows leave nothing to see, so that DCMTK shows one grey value.
BLANK = {f"dicomdirtests/77654033/CT2/{number}" for number in (17166, 17196)}
NOT_A_SAMPLE = {".py", ".pyc"}


def outcome(path: Path) -> Radiograph | PulmoError:
    """The radiograph, or why there is none."""
    try:
        return decode_radiograph(path.read_bytes(), "FILE")
    except PulmoError as error:
        return error


def test_the_table_names_the_files_that_are_there() -> None:
    files = {path for path in FOLDER.rglob("*") if path.is_file()}
    found = {str(path.relative_to(FOLDER)) for path in files if path.suffix not in NOT_A_SAMPLE}
    assert found == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_is_read_or_refused_as_the_table_says(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    image = outcome(FOLDER / name)
    code, *named = EXPECTED[name]
    assert capfd.readouterr() == ("", "")
    if isinstance(image, PulmoError):
        assert image.code == code
        assert all(word in str(image) for word in named)
    else:
        assert code == "read"
        assert 0 <= image.pixels.min() < image.pixels.max() <= 1


def images() -> dict[str, FileDataset]:
    """The samples of one frame that are whole, whatever they show and however small they are."""
    found = {}
    for name, (code, *_) in EXPECTED.items():
        if code not in {"read", "image-colour", "image-blank", "image-too-small"}:
            continue
        if name == OF_WORDS:
            continue
        with quiet_decoders:
            found[name] = parse_dicom((FOLDER / name).read_bytes(), name, LIMITS)
            check_pixel_data(found[name], name)
    return found


IMAGES = images()
JPEG_2000 = {
    name
    for name, dataset in IMAGES.items()
    if dataset.file_meta.TransferSyntaxUID in JPEG2000TransferSyntaxes
}


def decompressed(dcmtk: Dcmtk, name: str) -> Path:
    """The file in Explicit VR Little Endian, by DCMTK."""
    syntax = IMAGES[name].file_meta.TransferSyntaxUID
    tool = "dcmconv"
    if syntax in JPEGLSTransferSyntaxes:
        tool = "dcmdjpls"
    elif syntax in JPEGTransferSyntaxes:
        tool = "dcmdjpeg"
    elif syntax == RLELossless:
        tool = "dcmdrle"
    return dcmtk(tool, "+te", source=FOLDER / name)


def by_dcmtk(dcmtk: Dcmtk, name: str) -> NDArray[Any]:
    """The stored values, decompressed by DCMTK; colours also converted and rendered by it."""
    plain = decompressed(dcmtk, name)
    dataset = IMAGES[name]
    shape = dataset.Rows, dataset.Columns
    if dataset.SamplesPerPixel == 3:
        bits = 16 if dataset.BitsAllocated == 16 else 8
        kind = "+on2" if bits == 16 else "+op"
        with Image.open(dcmtk("dcmj2pnm", kind, source=plain)) as image:
            return np.asarray(image)
    dumped = pydicom.dcmread(plain)
    if dataset.BitsAllocated == 1:
        packed = np.frombuffer(dumped.PixelData, np.uint8)
        unpacked = np.unpackbits(packed, bitorder="little")
        return unpacked[: shape[0] * shape[1]].reshape(shape)
    kind = f"<{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}"
    return np.frombuffer(dumped.PixelData, kind)[: shape[0] * shape[1]].reshape(shape)


def ours_of(name: str) -> NDArray[Any]:
    """The stored values as they are decoded here."""
    with quiet_decoders:
        return stored_values(IMAGES[name], name)[0]


@pytest.mark.parametrize(
    "name",
    sorted(name for name in set(IMAGES) - JPEG_2000 - BEYOND_DCMTK if not name.startswith(ALIKE)),
)
def test_stored_values_are_those_of_dcmtk(dcmtk: Dcmtk, name: str) -> None:
    ours, theirs = ours_of(name), by_dcmtk(dcmtk, name)
    if theirs.itemsize != ours.itemsize:
        # Pillow cuts 48-bit PNG to 24 bits, and DCMTK 96-bit images.
        ours = (ours >> (8 * (ours.dtype.itemsize - 1))).astype(np.uint8)
    # Plain 4:2:2 is widened to full width in two ways; all others agree to the bit, JPEG too.
    tolerance = 1 if "422_uncompressed" in name else 0
    np.testing.assert_allclose(ours.astype(np.int64), theirs.astype(np.int64), atol=tolerance)


def by_gdcm(name: str) -> NDArray[Any]:
    """The stored values, parsed and decoded by GDCM without pydicom."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(FOLDER / name))
    assert reader.Read()
    dataset = IMAGES[name]
    kind = f"{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}"
    values = reader.GetImage().GetBuffer().encode("utf-8", errors="surrogateescape")
    channels = [3] if dataset.SamplesPerPixel == 3 else []
    return np.frombuffer(values, kind).reshape(dataset.Rows, dataset.Columns, *channels)


@pytest.mark.parametrize("name", sorted(JPEG_2000))
def test_stored_values_of_jpeg_2000_are_those_of_gdcm(name: str) -> None:
    # Where the codestream is unsigned and the header is not, GDCM leaves the sign to its caller.
    period = 2 ** IMAGES[name].BitsStored
    ours, theirs = ours_of(name).astype(np.int64), by_gdcm(name).astype(np.int64)
    np.testing.assert_array_equal(ours % period, theirs % period)


# Pillow scales what has fewer bits than it allocates, and does not open the text.
FOR_PILLOW = [
    name
    for name in sorted(JPEG_2000 - {"GDCMJ2K_TextGBR.dcm"})
    if IMAGES[name].BitsStored == IMAGES[name].BitsAllocated
]


@pytest.mark.parametrize("name", FOR_PILLOW)
def test_stored_values_of_jpeg_2000_are_those_of_pillow(name: str) -> None:
    dataset = IMAGES[name]
    ours = ours_of(name)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    with Image.open(io.BytesIO(frame), formats=["JPEG2000"]) as image:
        theirs = np.asarray(image)
    # Pillow counts signed values from 0.
    offset = 2**15 if dataset.PixelRepresentation else 0
    np.testing.assert_array_equal(ours.astype(np.int64) + offset, theirs)


SHOWN = [
    name
    for name, (code, *_) in EXPECTED.items()
    if code == "read"
    and not name.startswith(ALIKE)
    and IMAGES[name].SamplesPerPixel == 1
    # DCMTK displays 1 of 1 bit as half of white.
    and IMAGES[name].BitsStored > 1
    and IMAGES[name].PhotometricInterpretation != "PALETTE COLOR"
    and name not in JPEG_2000
    and name not in BLANK
]


@pytest.mark.parametrize("name", SHOWN)
def test_the_displayed_image_is_that_of_dcmtk(dcmtk: Dcmtk, name: str) -> None:
    image = outcome(FOLDER / name)
    assert isinstance(image, Radiograph)
    syntax = IMAGES[name].file_meta.TransferSyntaxUID
    plain = decompressed(dcmtk, name) if syntax in JPEGLSTransferSyntaxes else FOLDER / name
    if "WindowCenter" in IMAGES[name]:
        window = ["+Wi", "1"]
    else:
        window = [] if IMAGES[name].BitsStored <= 8 else ["+Wm"]
    # Without a window, DCMTK scales what it writes with 16 bits as if 256 were white.
    form, top = ("+on2", 65535) if window else ("+op", 255)
    with Image.open(dcmtk("dcmj2pnm", "-O", *window, form, source=plain)) as opened:
        theirs = np.asarray(opened) / top
    # Within a tenth of a grey level of 8 bits.
    np.testing.assert_allclose(image.pixels, theirs, atol=0.1 / 255)


def test_a_sign_that_only_the_header_has_is_applied() -> None:
    # The values of padding in a CT image, as pydicom's own tests have them.
    assert ours_of("J2K_pixelrep_mismatch.dcm")[0, 0] == -2000
