from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pulmo.radiograph.burned_in import TextLine, text_lines

DATA = Path(__file__).parents[3] / "shared" / "data"
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
NAMES = ("DOE^JANE 1940-03-05", "Mueller, Karl", "ID 4711-0815", "13:42:07 City Hospital")
FACES = ("DejaVuSans", "DejaVuSansMono", "DejaVuSerif", "DejaVuSans-Bold")


def printed(
    image: NDArray[np.float32],
    word: str,
    place: tuple[float, float],
    height: int,
    style: tuple[str, float] = ("DejaVuSans", 1),
) -> NDArray[np.float32]:
    """The image with a word at a place (column, row), in a face and a grey value."""
    layer = Image.new("L", image.shape[::-1])
    font = ImageFont.truetype(str(FONTS / f"{style[0]}.ttf"), height)
    ImageDraw.Draw(layer).text(place, word, fill=255, font=font)
    share = np.asarray(layer, np.float32) / 255
    return (image * (1 - share) + style[1] * share).astype(np.float32)


def image(seed: int, side: int = 512) -> NDArray[np.float32]:
    """Something like a chest: soft shades, ribs, grain and a side marker."""
    rng = np.random.default_rng(seed)
    shades = cv2.resize(rng.integers(0, 256, (6, 6), np.uint8), (side, side))
    for number in range(8):
        centre = (int(side * (0.3 + 0.4 * (number % 2))), int(side * (0.2 + 0.09 * number)))
        axes = (side // 5, side // 14)
        cv2.ellipse(shades, centre, axes, 10.0, 0.0, 180.0, 200, side // 60, cv2.LINE_AA)
    grey = 0.1 + 0.7 / 255 * cv2.GaussianBlur(shades, (0, 0), side / 120).astype(np.float32)
    grey += rng.normal(0, 0.01, grey.shape).astype(np.float32)
    return printed(np.clip(grey, 0, 1), "R", (side // 12, side // 12), side // 12)


def burned(seed: int, height: int, grey: float = 1, side: int = 512) -> NDArray[np.float32]:
    """The image with a line of text of this height of letters in pixels."""
    place = 0.02 * side, side * np.random.default_rng([1, seed]).uniform(0.4, 0.9)
    name, face = NAMES[seed // 4 % 4], FACES[seed % 4]
    return printed(image(seed, side), name, place, height, (face, grey))


def compressed(image: NDArray[np.float32], quality: int) -> NDArray[np.float32]:
    grey = np.rint(image * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return (decoded / 255).astype(np.float32)


def rate(images: list[NDArray[np.float32]]) -> float:
    return float(np.mean([bool(text_lines(image)) for image in images]))


@pytest.mark.parametrize("side", [256, 512, 800])
def test_an_image_with_a_side_marker_holds_no_text(side: int) -> None:
    assert rate([image(seed, side) for seed in range(8)]) == 0


@pytest.mark.parametrize("grey", [0, 1])
@pytest.mark.parametrize("height", [12, 16, 24, 40])
def test_burned_in_text_is_found(height: int, grey: float) -> None:
    assert rate([burned(seed, height, grey) for seed in range(8)]) >= 0.9


def test_it_is_found_after_compression() -> None:
    assert rate([compressed(burned(seed, 16), 75) for seed in range(8)]) >= 0.9


def test_large_letters_are_found_in_a_smaller_image() -> None:
    assert rate([burned(seed, 90, side=1200) for seed in (0, 5, 6, 9)]) >= 0.75


def test_where_it_is() -> None:
    image = np.full((200, 300), 0.3, np.float32)
    (line,) = text_lines(printed(image, "SMITH", (60, 100), 30))
    found = np.argwhere(printed(image, "SMITH", (60, 100), 30) > 0.7)
    top, left = found.min(axis=0)
    height, width = np.ptp(found, axis=0) + 1
    assert line.letters == 5
    assert line[:4] == pytest.approx((left, top, width, height), abs=2)


@pytest.mark.parametrize("word", ["R", "AP", "L19"])
def test_short_labels_are_not_text(word: str) -> None:
    image = np.full((200, 300), 0.3, np.float32)
    assert text_lines(printed(image, word, (60, 100), 30)) == []


def test_lines_overlap_where_they_share_a_pixel() -> None:
    line = TextLine(10, 10, 20, 5, 4)
    assert line.overlaps(TextLine(29, 14, 3, 3, 4))
    assert not line.overlaps(TextLine(30, 10, 3, 3, 4))
    assert not line.overlaps(TextLine(10, 15, 3, 3, 4))
    assert line.enlarged(2) == (20, 20, 40, 10, 4)


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="the real images are not next to the project")
def test_real_images() -> None:
    def shown(path: Path) -> NDArray[np.float32]:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        return (grey / 255).astype(np.float32)

    children = DATA / "chest_xray_512" / "train"
    # With the time of day in a corner.
    timed = ("1239_virus_2099", "1266_virus_2158", "1272_virus_2190", "1603_virus_2781")
    for name in timed:
        assert text_lines(shown(children / "PNEUMONIA" / f"person{name}.jpeg"))
    # With a side marker at most.
    plain = sorted((children / "NORMAL").iterdir())[:24]
    plain += sorted((DATA / "adult-normals" / "normal").iterdir())[:24]
    assert rate([shown(path) for path in plain]) == 0
