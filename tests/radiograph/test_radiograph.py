import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import JPEGLSLossless

from fixtures.compressed import file_in
from fixtures.refuses import refuses
from pulmo.radiograph import (
    Limits,
    decode_radiograph,
    pixels_sha256,
    radiograph_from_array,
    read_radiograph,
)
from pulmo.radiograph.geometry import to_input


@pytest.fixture
def image(tmp_path: Path, grey: NDArray[np.uint8]) -> Path:
    path = tmp_path / "image.png"
    Image.fromarray(grey).save(path)
    return path


def test_a_file(image: Path, grey: NDArray[np.uint8]) -> None:
    radiograph = read_radiograph(image)
    np.testing.assert_allclose(radiograph.pixels, grey / 255, atol=1e-7)
    assert radiograph.sha256 == hashlib.sha256(image.read_bytes()).hexdigest()
    assert radiograph.facts.format == "PNG"


def test_the_name_of_a_file_means_nothing(image: Path) -> None:
    renamed = image.rename(image.with_name("image.dcm"))
    assert read_radiograph(renamed).facts.format == "PNG"


def test_a_missing_file(tmp_path: Path) -> None:
    with refuses("file-missing", "image.png"):
        read_radiograph(tmp_path / "image.png")


def test_a_folder(tmp_path: Path) -> None:
    with refuses("file-is-folder"):
        read_radiograph(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "image.png").touch()
    with refuses("file-empty", "image.png"):
        read_radiograph(tmp_path / "image.png")


def test_a_text_called_png(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_text("not an image\n" * 20)
    with refuses(
        "image-format-unknown", "image.png", "PNG, JPEG, TIFF, BMP, WebP, JPEG 2000 or DICOM"
    ):
        read_radiograph(tmp_path / "image.png")


def test_a_large_file_is_refused_before_it_is_read(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("pulmo.radiograph.radiograph.read_bytes")
    with refuses("file-too-large", "image.png"):
        read_radiograph(image, Limits(max_bytes=10))


def test_many_bytes_are_refused(image: Path) -> None:
    with refuses("file-too-large", "upload"):
        decode_radiograph(image.read_bytes(), "upload", Limits(max_bytes=10))


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        (Limits(max_pixels=767), ("image-too-large", "767")),
        (Limits(min_side=25), ("image-too-small", "25")),
    ],
)
def test_the_limits_of_the_caller_hold(
    image: Path, limits: Limits, refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        read_radiograph(image, limits)


def test_an_even_image_is_refused(tmp_path: Path) -> None:
    Image.new("L", (40, 40), 128).save(tmp_path / "image.png")
    with refuses("image-blank", "image.png"):
        read_radiograph(tmp_path / "image.png")


def test_a_decoder_is_loaded_when_an_image_needs_it(
    tmp_path: Path, dicom: Callable[..., bytes], grey: NDArray[np.uint8]
) -> None:
    plain, coded = tmp_path / "plain.dcm", tmp_path / "coded.dcm"
    plain.write_bytes(dicom(grey))
    coded.write_bytes(file_in(dicom, JPEGLSLossless, grey))
    program = (
        "import sys; from pulmo.radiograph import read_radiograph\n"
        "for name in sys.argv[1:]:\n"
        "    read_radiograph(name)\n"
        "    print(sorted(word[12:] for word in sys.modules if word[:13] == 'imagecodecs._'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, plain, coded], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == "[]"
    assert "_jpegls" in second
    assert "_jpeg8" not in second
    assert "_jpeg2k" not in second


def test_a_png_is_read_without_pydicom_and_opencv(image: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pulmo.radiograph import read_radiograph; "
        f"read_radiograph(Path({str(image)!r})); "
        "print(sorted({'pydicom', 'cv2', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_hash_of_pixels_survives_a_lossless_encoding(
    tmp_path: Path, grey: NDArray[np.uint8]
) -> None:
    deep = grey.astype(np.uint16) * 257
    Image.fromarray(grey).save(tmp_path / "image.png")
    Image.fromarray(grey).save(tmp_path / "image.tif")
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(grey[::-1]).save(tmp_path / "other.png")
    names = ("image.png", "image.tif", "deep.png", "other.png")
    first, *rest = (pixels_sha256(read_radiograph(tmp_path / name).pixels) for name in names)
    assert rest[:2] == [first, first]
    assert rest[2] != first


def test_the_hash_of_pixels_sees_the_shape() -> None:
    line = np.arange(6, dtype=np.float32)
    assert pixels_sha256(line.reshape(2, 3)) != pixels_sha256(line.reshape(3, 2))


@pytest.mark.parametrize(
    ("top", "hot", "kinds"),
    [
        (4095, None, ["bits-unused"]),
        (32767, None, ["bits-unused"]),
        (65535, None, []),
        (4095, 65535, ["hot-pixel"]),
        (40000, 65535, []),
    ],
)
def test_a_deep_image_that_leaves_its_upper_bits_unused_is_noted(
    top: int, hot: int | None, kinds: list[str]
) -> None:
    stored = np.linspace(0, top, 64 * 64).astype(np.uint16).reshape(64, 64)
    if hot is not None:
        stored[3, 3] = hot
    file = io.BytesIO()
    Image.fromarray(stored).save(file, "PNG")
    image = decode_radiograph(file.getvalue(), "image.png")
    # Nothing states a range, so none is guessed.
    np.testing.assert_array_equal(np.rint(image.pixels * 65535), stored)
    assert [note.kind for note in image.facts.notes] == kinds


def test_the_small_square_is_made_once() -> None:
    pixels = np.random.default_rng(0).random((30, 50)).astype(np.float32)
    radiograph = radiograph_from_array(pixels, (0, 1))
    square = radiograph.squashed(20)
    assert np.array_equal(square, to_input(pixels, 20, "squash"))
    assert radiograph.squashed(20) is square
    assert radiograph.squashed(10).shape == (10, 10)
