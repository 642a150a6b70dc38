"""Masks are found by name and brought to the input as their images are."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fixtures.refuses import refuses
from pulmo.lungs.mask_files import find_masks, read_mask, write_mask


def write(path: Path, pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    return path


def test_a_mask_is_found_by_its_folder_and_name(tmp_path: Path) -> None:
    blank = np.zeros((4, 4), np.uint8)
    one = write(tmp_path / "masks" / "chest_xray" / "a.1.png", blank)
    other = write(tmp_path / "masks" / "cohen" / "a.1.png", blank)
    masks = find_masks(tmp_path / "masks")
    assert masks.root == tmp_path / "masks"
    assert masks.of("/data/chest_xray/train/NORMAL/a.1.jpeg") == one
    assert masks.of("/data/cohen/images/a.1.jpg") == other
    assert masks.of("/data/chest_xray/cohen/a.1.jpg") == other
    assert masks.of("/data/chest_xray/train/a.2.jpeg") is None
    assert masks.of("/data/elsewhere/a.1.jpeg") is None


def test_a_folder_without_masks_is_an_error(tmp_path: Path) -> None:
    with refuses("lung-masks-missing"):
        find_masks(tmp_path)
    with refuses("lung-masks-missing", "none"):
        find_masks(tmp_path / "none")


def test_a_mask_becomes_square_as_its_image_does(tmp_path: Path) -> None:
    pixels = np.zeros((100, 200), np.uint8)
    pixels[:, 100:] = 255
    path = write(tmp_path / "mask.png", pixels)
    squashed = read_mask(path, 50, "squash")
    assert squashed.dtype == np.bool_
    assert squashed.shape == (50, 50)
    assert not squashed[:, :25].any()
    assert squashed[:, 25:].all()
    padded = read_mask(path, 50, "pad")
    assert padded[13:37, 25:].all()
    assert not padded[:12].any()
    assert not padded[38:].any()
    cropped = read_mask(path, 50, "crop")
    assert not cropped[:, :25].any()
    assert cropped[:, 25:].all()


def test_a_mask_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("no image")
    with refuses("image-format-unknown"):
        read_mask(tmp_path / "mask.png", 50, "squash")


def test_a_mask_that_is_written_is_read_again(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((33, 47)) > 0.5
    path = tmp_path / "deep" / "chest_xray" / "a.png"
    write_mask(path, mask)
    with Image.open(path) as opened:
        assert (opened.format, opened.mode) == ("PNG", "1")
        np.testing.assert_array_equal(np.asarray(opened), mask)
    assert find_masks(tmp_path).of("/data/chest_xray/a.jpeg") == path
    np.testing.assert_array_equal(read_mask(path, 47, "pad")[7:40], mask)


def test_a_mask_cannot_be_written_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refuses("folder-is-file"):
        write_mask(tmp_path / "file" / "a.png", np.ones((4, 4), np.bool_))
