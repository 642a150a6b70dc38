import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.uid import JPEG2000Lossless

from fixtures.refuses import refuses
from pulmo.core.errors import PulmoError
from pulmo.radiograph import Limits, decode_radiograph
from pulmo.radiograph.header import Header, read_dicom_size, read_dicom_tags, read_header

MakeDicom = Callable[..., bytes]

REAL = Path(__file__).parents[3] / "shared" / "data"


def saved(image: NDArray[Any], form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    file = io.BytesIO()
    Image.fromarray(image).save(file, form, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def by_decoding(data: bytes) -> Header:
    image = decode_radiograph(data, "image")
    height, width = image.pixels.shape
    return Header(height, width, image.facts)


def assert_is_like(header: Header, decoded: Header) -> None:
    """A header says what decoding finds, but for the notes that need the pixels."""
    assert set(header.facts.notes) <= set(decoded.facts.notes)
    facts = decoded.facts._replace(notes=header.facts.notes)
    assert header == decoded._replace(facts=facts)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_header_says_what_decoding_finds(
    grey: NDArray[np.uint8], form: str, orientation: int
) -> None:
    data = saved(grey, form, exif=turned(orientation))
    header = read_header(data, "image")
    assert_is_like(header, by_decoding(data))
    assert (header.height, header.width) == ((32, 24) if orientation == 6 else (24, 32))


def test_a_png_that_is_turned_by_its_xmp(grey: NDArray[np.uint8]) -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="8"/>')
    data = saved(grey, "PNG", pnginfo=info)
    assert_is_like(read_header(data, "image"), by_decoding(data))
    assert read_header(data, "image").height == 32


def test_tags_and_size_of_dicom(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    said = {"PatientAge": "040Y", "PatientSex": "F", "ViewPosition": "PA", "BitsStored": 12}
    for data in (
        dicom(twelve, {**said, "HighBit": 11}),
        dicom(twelve.astype(np.uint8), {}, JPEG2000Lossless),
    ):
        assert_is_like(read_header(data, "image"), by_decoding(data))


def test_tags_alone_are_read_without_the_image(
    dicom: MakeDicom, grey: NDArray[np.uint8], tmp_path: Path
) -> None:
    said = {"PatientAge": "018M", "PatientSex": "M", "ViewPosition": "LL"}
    (tmp_path / "image.dcm").write_bytes(dicom(grey, said)[:-100])
    tags = read_dicom_tags(tmp_path / "image.dcm")
    assert (tags.view, tags.modality, tags.age, tags.sex) == ("lateral", "X-ray", 1.5, "M")
    with refuses("image-damaged", "none.dcm"):
        read_dicom_tags(tmp_path / "none.dcm")


def test_the_size_of_a_dicom_file_is_read_without_its_pixels(
    tmp_path: Path, dicom: MakeDicom, grey: NDArray[np.uint8]
) -> None:
    whole = dicom(grey)
    path = tmp_path / "image.dcm"
    for data in (whole, whole[: -grey.size // 2]):
        path.write_bytes(data)
        assert read_dicom_size(path) == grey.shape
    for data in (b"", b"no DICOM file", whole[:200]):
        path.write_bytes(data)
        with refuses("image-size-missing", "image.dcm"):
            read_dicom_size(path)
    with refuses("file-missing"):
        read_dicom_size(tmp_path / "none.dcm")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_a_missing_end_is_noticed(grey: NDArray[np.uint8], form: str) -> None:
    # The directory of Pillow's TIFF files lies before their strips.
    data = saved(np.tile(grey, (4, 4)), form)[:-20]
    with refuses("image-truncated", form):
        read_header(data, "image")


def test_missing_pixel_data_are_noticed(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    with refuses("image-truncated", "image", "668", "768"):
        read_header(dicom(grey)[:-100], "image")


def test_what_is_no_image_is_refused_as_by_decoding(
    dicom: MakeDicom, grey: NDArray[np.uint8]
) -> None:
    for data in (b"", b"text", saved(grey[:8], "PNG"), dicom(grey, {"NumberOfFrames": 2})):
        with pytest.raises(PulmoError) as by_decoding:
            decode_radiograph(data, "image")
        with refuses(by_decoding.value.code) as by_header:
            read_header(data, "image")
        assert str(by_header.value) == str(by_decoding.value)


def test_a_file_beyond_the_limit_is_refused(grey: NDArray[np.uint8]) -> None:
    with refuses("file-too-large", "0"):
        read_header(saved(grey, "PNG"), "image", Limits(max_bytes=10))


@pytest.mark.real
def test_headers_of_real_images() -> None:
    if not REAL.is_dir():
        pytest.skip("../shared/data is not here")
    images = sorted((REAL / "covid-chestxray-dataset" / "images").iterdir())[::20]
    for image in [*images, REAL / "dicom" / "RG1_J2KI.dcm"]:
        data = image.read_bytes()
        assert_is_like(read_header(data, str(image)), by_decoding(data))
