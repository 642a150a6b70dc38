"""Lung masks that the network finds where an audit is given none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.check import CHECKS
from pulmo.audit.context import AuditContext
from pulmo.audit.found_lungs import FoundLungs
from pulmo.audit.parts import AuditOptions
from pulmo.core.sections import ImageSection
from pulmo.lungs import LungFinder, LungMask, shipped_finder
from pulmo.lungs.framing import framed_input
from pulmo.lungs.mask_files import find_masks, read_mask
from pulmo.radiograph import Note, read_radiograph
from pulmo.radiograph.geometry import to_input
from pulmo.stats.overlap import dice

Rows = Callable[..., pd.DataFrame]
MakeContext = Callable[..., AuditContext]


class Blind(LungFinder):
    """Finds no lungs in some images, and counts the images that it was asked about."""

    def __init__(self, blind: int) -> None:
        self.card, self.asked, self.blind = shipped_finder().card, 0, blind

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += len(inputs)
        return shipped_finder().probabilities(inputs)

    def decide(
        self, probability: NDArray[np.float32], shape: tuple[int, int], notes: tuple[Note, ...] = ()
    ) -> LungMask:
        self.blind -= 1
        shown = probability * 0 if self.blind >= 0 else probability
        return shipped_finder().decide(shown, shape, notes)


def level(images: NDArray[np.uint8]) -> NDArray[np.floating]:
    return np.zeros((len(images), 2))


def test_masks_are_shaped_like_the_input(write_images: Rows, tmp_path: Path) -> None:
    rows = write_images(["normal", "covid"] * 3)
    found = FoundLungs(shipped_finder(), tmp_path / "cache")
    assert found.has(rows).all()
    drawn = find_masks(tmp_path / "masks")
    for aspect in ("squash", "pad", "crop"):
        masks = found.of(rows, ImageSection(size=96, aspect=aspect))
        assert masks.shape == (6, 96, 96)
        files = [drawn.of(path) for path in rows["path"]]
        truth = np.stack([read_mask(file, 96, aspect) for file in files if file])
        assert np.median(dice(masks, truth)) > 0.75


def test_each_image_is_asked_about_once(write_images: Rows, tmp_path: Path) -> None:
    rows = write_images(["normal"] * 3)
    finder = Blind(1)
    found = FoundLungs(finder, tmp_path / "cache")
    assert found.has(rows).sum() == 2
    assert found.has(rows).sum() == 2
    shape = ImageSection(size=64, aspect="pad")
    assert found.of(rows, shape).any(axis=(1, 2)).sum() == 2
    assert finder.asked == 3


def test_a_thumbnail_is_the_input_of_a_model_of_the_lungs(
    write_images: Rows, tmp_path: Path
) -> None:
    """It is what training would see, of an image that was squashed and not at its full size."""
    rows = write_images(["normal", "covid"] * 2)
    found = FoundLungs(shipped_finder(), tmp_path / "cache").thumbnails(rows)
    assert found.shape == (4, 16, 16)
    frame = ImageSection(
        size=64, aspect="squash", region="lungs", frame="moments", normalise="lungs", outside="mean"
    )
    for thumbnail, path in zip(found, rows["path"], strict=True):
        framed = framed_input(read_radiograph(Path(path)), frame, shipped_finder()).pixels
        expected = framed.reshape(16, 4, 16, 4).mean(axis=(1, 3))
        assert np.corrcoef(thumbnail.ravel(), expected.ravel())[0, 1] > 0.95  # whole: below 0.75


def test_the_thumbnail_of_an_image_without_lungs_is_the_whole_image(
    write_images: Rows, tmp_path: Path
) -> None:
    rows = write_images(["normal", "covid"])
    whole, lungs = FoundLungs(Blind(1), tmp_path / "cache").thumbnails(rows)
    pixels = [read_radiograph(Path(path)).pixels for path in rows["path"]]
    assert np.abs(whole - to_input(pixels[0], 16, "squash").astype(float)).max() <= 2
    assert np.abs(lungs - to_input(pixels[1], 16, "squash").astype(float)).max() > 50


def test_images_without_lungs_take_no_part_and_are_counted(
    write_images: Rows, make_context: MakeContext, tmp_path: Path
) -> None:
    rows = write_images(["normal", "covid"] * 12)
    found = FoundLungs(Blind(2), tmp_path / "cache")
    context = make_context(rows, level, options=AuditOptions(tmp_path / "cache", found))
    assert context.has_mask(context.rows).sum() == 22
    (message,) = context.mask_messages
    assert message.kind == "masks-of-network"
    assert "22 of 24 test images" in message.text


def test_the_check_says_whose_masks_it_used(
    write_images: Rows, make_context: MakeContext, tmp_path: Path
) -> None:
    rows = write_images(["normal"] * 12 + ["covid"] * 12)
    inputs = make_context(rows, level).images

    def knows(images: NDArray[np.uint8]) -> NDArray[np.floating]:
        covid = np.array([any((i[-4:] == o[-4:]).all() for o in inputs[12:]) for i in images])
        return np.stack([~covid, covid], axis=1).astype(float)

    found = FoundLungs(shipped_finder(), tmp_path / "cache")
    result = CHECKS["lungs"](
        make_context(rows, knows, options=AuditOptions(tmp_path / "cache", found))
    )
    assert result.verdict == "fails"
    assert result.kinds[-1] == "masks-of-network"
    bare = CHECKS["lungs"](make_context(rows, knows))
    assert bare.kinds == ("few-masks",)
    assert make_context(rows, knows).mask_messages == ()
