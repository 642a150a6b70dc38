from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import sklearn.datasets
from numpy.typing import NDArray
from PIL import Image

from fixtures.refuses import refuses
from pulmo.radiograph.colour import MAX_CHROMA, grey_of_colour
from pulmo.radiograph.notes import Note


def image() -> NDArray[np.uint8]:
    """An image of mean grey value 0.5, [64, 64]."""
    return np.tile(np.arange(0, 256, 4), (64, 1)).astype(np.uint8)


def tinted(red: float, green: float, blue: float) -> NDArray[np.uint8]:
    return np.rint(image()[..., None] * [red, green, blue]).astype(np.uint8)


def photograph(name: str) -> NDArray[np.uint8]:
    if name == "grace_hopper":
        path = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
        with Image.open(path) as image:
            return np.asarray(image)
    pixels: NDArray[np.uint8] = sklearn.datasets.load_sample_image(name)
    return pixels


def test_equal_channels_are_the_image_itself_without_a_note() -> None:
    grey, notes = grey_of_colour(tinted(1, 1, 1), 255, "image.png")
    np.testing.assert_array_equal(grey, image().astype(np.float32) / 255)
    assert grey.dtype == np.float32
    assert notes == ()


def test_a_blue_film_base_is_accepted_as_luma() -> None:
    colour = tinted(0.86, 0.93, 1)
    grey, notes = grey_of_colour(colour, 255, "image.png")
    np.testing.assert_allclose(grey, colour @ [0.299, 0.587, 0.114] / 255, atol=1e-6)
    assert notes == (Note("colour", "Colour was removed (mean chroma 0.069)."),)


def test_luma_agrees_with_pillow() -> None:
    colour = tinted(1, 0.95, 0.9)
    grey, _ = grey_of_colour(colour, 255, "image.png")
    pillow = np.asarray(Image.fromarray(colour).convert("L"))
    np.testing.assert_allclose(grey * 255, pillow, atol=0.51)


def test_an_image_with_a_small_red_arrow_is_accepted() -> None:
    colour = tinted(1, 1, 1)
    colour[10:16, 10:16] = [255, 0, 0]
    _, notes = grey_of_colour(colour, 255, "image.png")
    assert notes == (Note("colour", "Colour was removed (mean chroma 0.009)."),)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg", "grace_hopper"])
def test_photographs_are_refused(name: str) -> None:
    with refuses("image-colour", "photo.jpg"):
        grey_of_colour(photograph(name), 255, "photo.jpg")


def test_the_depth_does_not_matter() -> None:
    colour = tinted(0.86, 0.93, 1)
    deep, notes = grey_of_colour(colour.astype(np.uint16) * 257, 65535, "image.png")
    shallow, shallow_notes = grey_of_colour(colour, 255, "image.png")
    np.testing.assert_allclose(deep, shallow, atol=1e-6)
    assert notes == shallow_notes


def test_the_limit_lies_between_film_and_photograph() -> None:
    blue = tinted(0.86, 0.93, 1).astype(float)
    china = photograph("china.jpg").astype(float)
    chroma = [np.ptp(image, axis=2).mean() / 255 for image in (blue, china)]
    assert chroma[0] < MAX_CHROMA < chroma[1]
