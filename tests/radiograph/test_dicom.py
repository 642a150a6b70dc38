import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from fixtures.dicom_files import decoded, shipped
from fixtures.refuses import refuses
from pulmo.radiograph.facts import Facts

MakeDicom = Callable[..., bytes]

WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}


def test_eight_bits(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    image = decoded(dicom(grey))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-7)
    assert image.facts == Facts("DICOM", 8, modality="X-ray")


def test_a_grey_secondary_capture_in_colour(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    capture = {"Modality": "OT", "SOPClassUID": SecondaryCaptureImageStorage}
    image = decoded(dicom(np.dstack([grey] * 3), capture))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-6)
    assert image.facts.modality is None


def test_a_secondary_capture_in_ybr(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    neutral = np.full_like(grey, 128)
    ybr = np.dstack([grey, neutral, neutral])
    image = decoded(dicom(ybr, {"PhotometricInterpretation": "YBR_FULL"}))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-6)


def test_a_secondary_capture_with_a_palette(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    entries = (np.arange(256) * 257).astype("<u2")[::-1].tobytes()
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel in ("Red", "Green", "Blue"):
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{channel}PaletteColorLookupTableData"] = entries
    np.testing.assert_allclose(decoded(dicom(grey, tags)).pixels, 1 - grey / 255, atol=1e-6)


def test_a_palette_that_states_more_bits_than_it_has(
    dicom: MakeDicom, grey: NDArray[np.uint8]
) -> None:
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel in ("Red", "Green", "Blue"):
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{channel}PaletteColorLookupTableData"] = bytes(range(256))
    np.testing.assert_allclose(decoded(dicom(grey, tags)).pixels, grey / 255, atol=1e-6)


def test_a_colour_photograph_is_refused(dicom: MakeDicom) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    with refuses("image-colour", "image"):
        decoded(dicom(colour))


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, RLELossless, DeflatedExplicitVRLittleEndian])
def test_lossless_compression_changes_nothing(
    dicom: MakeDicom, twelve: NDArray[np.uint16], syntax: UID
) -> None:
    image = decoded(dicom(twelve, WINDOW, syntax))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_padded.dcm",
        "MR_small_RLE.dcm",
    ],
)
def test_pydicoms_copies_of_one_image_are_equal(name: str) -> None:
    plain = dcmread(io.BytesIO(shipped("MR_small.dcm")))
    stored = np.frombuffer(plain.PixelData, "<i2").reshape(64, 64)
    center, width = float(plain.WindowCenter), float(plain.WindowWidth)
    expected = np.clip((stored - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
    np.testing.assert_allclose(decoded(shipped(name)).pixels, expected, atol=1e-6)


def test_jpeg_2000_agrees_with_gdcm() -> None:
    dataset = dcmread(io.BytesIO(shipped("JPEG2000.dcm")))
    stored = pixel_array(dataset, decoding_plugin="gdcm").astype(float)
    expected = (stored - stored.min()) / np.ptp(stored)
    np.testing.assert_allclose(decoded(shipped("JPEG2000.dcm")).pixels, expected, atol=1e-6)


def test_high_throughput_jpeg_2000(htj2k: bytes) -> None:
    rows, columns = np.mgrid[:16, :16]
    np.testing.assert_allclose(decoded(htj2k).pixels, (rows * 3 + columns * 5) / 255, atol=1e-6)


def test_a_missing_preamble_does_not_matter(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    np.testing.assert_allclose(decoded(dicom(grey)[132:]).pixels, grey / 255, atol=1e-7)


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
def test_a_missing_file_meta_group_does_not_matter(
    dicom: MakeDicom, grey: NDArray[np.uint8], syntax: UID | None
) -> None:
    data = dicom(grey) if syntax is None else dicom(grey, {}, syntax)
    length = struct.unpack_from("<I", data, 140)[0]
    np.testing.assert_allclose(decoded(data[144 + length :]).pixels, grey / 255, atol=1e-7)


def test_zeros_behind_the_image_are_padding(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey, {"PixelData": grey.tobytes() + b"\0" * 64})
    np.testing.assert_allclose(decoded(data).pixels, grey / 255, atol=1e-7)
