"""Every change against an independent implementation, and what all of them keep."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pulmo.radiograph.changes import DISTURBANCES
from pulmo.radiograph.changes.blur import blur
from pulmo.radiograph.changes.contrast import contrast
from pulmo.radiograph.changes.crop import crop
from pulmo.radiograph.changes.flip import mirror
from pulmo.radiograph.changes.gamma import gamma
from pulmo.radiograph.changes.invert import inversion
from pulmo.radiograph.changes.jpeg import jpeg
from pulmo.radiograph.changes.noise import noise
from pulmo.radiograph.changes.resolution import resolution
from pulmo.radiograph.changes.rotate import rotation

Images = NDArray[np.uint8]


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def images() -> Images:
    """Smooth images with something fine on them."""
    generator = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(generator.normal(0, 600, (4, 64, 64)), (0, 6, 6))
    return (128 + smooth + generator.normal(0, 5, (4, 64, 64))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_change_keeps_shape_and_input_and_is_drawn_once(name: str, images: Images) -> None:
    kind = DISTURBANCES[name]
    assert set(kind.harmless) <= set(kind.strengths)
    assert sorted(kind.strengths) == list(kind.strengths)
    assert "{" not in kind.words.format(kind.strengths[0])
    before = images.copy()
    images.flags.writeable = False
    for strength in kind.strengths:
        change = kind.make(strength, np.random.default_rng(3))
        changed = change(images)
        assert changed.dtype == np.uint8
        assert changed.shape == images.shape
        assert (changed != images).any()
        assert (change(images) == changed).all()
        assert (kind.make(strength, np.random.default_rng(3))(images) == changed).all()
    assert (images == before).all()


def test_rotation_is_scipys_to_either_side(images: Images, generator: np.random.Generator) -> None:
    many = np.repeat(images, 8, axis=0)
    turned = rotation(15, generator)(many)
    sides = []
    for image, made in zip(many, turned, strict=True):
        errors = [
            np.abs(
                ndimage.rotate(image.astype(float), angle, reshape=False, order=1)[8:56, 8:56]
                - made[8:56, 8:56]
            ).mean()
            for angle in (-15, 15)
        ]
        assert min(errors) < 1
        sides.append(int(np.argmin(errors)))
    assert 8 < sum(sides) < 24


def test_crop_enlarges_the_middle(generator: np.random.Generator) -> None:
    image = np.zeros((1, 100, 100), np.uint8)
    image[:, 20:80, 20:80] = 200
    assert (crop(0.2, generator)(image) == 200).all()
    assert (crop(0.1, generator)(image)[0, 14:86, 14:86] == 200).all()
    assert (crop(0.1, generator)(image)[0, :11] == 0).all()


def test_contrast_keeps_the_mean(generator: np.random.Generator) -> None:
    image = np.array([[[100, 140], [110, 130]]], np.uint8)
    assert contrast(0.5, generator)(image).tolist() == [[[110, 130], [115, 125]]]
    assert contrast(2, generator)(image).tolist() == [[[80, 160], [100, 140]]]
    assert contrast(9, generator)(image).tolist() == [[[0, 255], [30, 210]]]


def test_gamma_keeps_black_and_white(generator: np.random.Generator) -> None:
    image = np.array([[[0, 255], [64, 128]]], np.uint8)
    made = gamma(2, generator)(image)
    assert made.tolist() == [[[0, 255], [round(64 * 64 / 255), round(128 * 128 / 255)]]]


def test_blur_is_scipys(images: Images, generator: np.random.Generator) -> None:
    expected = ndimage.gaussian_filter(images.astype(float), (0, 2, 2), mode="mirror")
    assert np.abs(blur(2, generator)(images) - expected).max() < 2


def test_noise_has_its_deviation(generator: np.random.Generator) -> None:
    grey = np.full((20, 64, 64), 128, np.uint8)
    added = noise(10, generator)(grey).astype(float) - 128
    assert added.mean() == pytest.approx(0, abs=0.2)
    assert added.std() == pytest.approx(10, rel=0.02)
    assert (added[0] != added[1]).any()


def test_jpeg_is_pillows(images: Images, generator: np.random.Generator) -> None:
    for image, made in zip(images, jpeg(25, generator)(images), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=25)
        expected = np.asarray(Image.open(buffer), float)
        assert np.abs(made - expected).mean() < 0.5


def test_resolution_loses_what_is_fine(images: Images, generator: np.random.Generator) -> None:
    board = np.where(np.indices((64, 64)).sum(axis=0) % 2, 100, 150).astype(np.uint8)[np.newaxis]
    assert (resolution(0.5, generator)(board) == 125).all()
    detail = [
        float(np.abs(np.diff(resolution(share, generator)(images).astype(int))).mean())
        for share in (0.25, 0.5, 0.75)
    ]
    assert detail == sorted(detail)


def test_inversion_and_mirror_undo_themselves(
    images: Images, generator: np.random.Generator
) -> None:
    change = inversion(1, generator)
    assert (change(images).astype(int) + images == 255).all()
    assert (mirror(mirror(images)) == images).all()
    assert (mirror(images)[:, :, 0] == images[:, :, -1]).all()
