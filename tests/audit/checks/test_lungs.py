"""Models of the lungs, of their shape and of the background, on images with masks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.check import CHECKS
from pulmo.audit.checks.lungs import (
    _followed,
    _followed_verdict,
    boxes_of,
    paste,
    swap,
)
from pulmo.audit.context import AuditContext
from pulmo.audit.parts import AuditOptions
from pulmo.lungs.mask_files import find_masks
from pulmo.lungs.parts import box_of
from pulmo.stats.estimate import Estimate

Images = NDArray[np.uint8]
Masks = NDArray[np.bool_]
Model = Callable[[Images], NDArray[np.floating]]
Show = Callable[..., AuditContext]


def of_all(mask: Masks) -> Masks:
    return np.repeat(mask[np.newaxis], 200, axis=0)


def test_a_model_of_the_lungs_passes(
    show: Show, chests: Images, lungs: Masks, by_lungs: Model
) -> None:
    result = CHECKS["lungs"](show(chests, by_lungs, masks=of_all(lungs)))
    assert result.verdict == "passes"
    assert result.metrics["unchanged"].value == 1.0
    assert result.metrics["lungs black"].value == 0.5
    assert result.metrics["rectangle around the lungs black"].value == 0.5
    assert result.metrics["swaps that follow the lungs"].value == 1.0
    assert result.metrics["swaps that follow neither"].value == 0.0
    assert [row[2].value for row in result.tables[0].rows if isinstance(row[2], Estimate)] == [
        1.0,
        0.0,
        0.0,
    ]


def test_a_model_of_the_background_fails(
    show: Show, chests: Images, lungs: Masks, by_marker: Model
) -> None:
    result = CHECKS["lungs"](show(chests, by_marker, masks=of_all(lungs)))
    assert result.verdict == "fails"
    assert result.metrics["rectangle around the lungs black"].value == 1.0
    assert result.metrics["swaps that follow the lungs"].value == 0.0


def test_a_model_of_the_shape_of_the_lungs_warns(show: Show, lungs: Masks) -> None:
    striped = lungs.copy()
    striped[19:47:2] = False
    masks = np.concatenate([of_all(lungs)[:100], of_all(striped)[:100]])
    images = np.where(masks, np.uint8(30), np.uint8(120))

    def by_area(shown: Images) -> NDArray[np.floating]:
        covid = 650.0 - (shown < 75).sum(axis=(1, 2))
        return np.stack([-covid, covid], axis=1)

    result = CHECKS["lungs"](show(images, by_area, masks=masks))
    assert result.verdict == "warns"
    assert result.metrics["lungs black"].value == 1.0
    assert result.metrics["rectangle around the lungs black"].value == 0.5
    assert result.metrics["swaps that follow the lungs"].value == 1.0


def test_it_is_unknown_without_masks_or_skill(
    show: Show, chests: Images, lungs: Masks, by_lungs: Model
) -> None:
    result = CHECKS["lungs"](show(chests, by_lungs))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("few-masks",)
    assert "0 of normal, 0 of covid" in result.conclusion
    empty = of_all(lungs)
    empty[95:] = False
    result = CHECKS["lungs"](show(chests, by_lungs, masks=empty))
    assert "95 of normal, 0 of covid" in result.conclusion
    result = CHECKS["lungs"](show(chests, lambda it: by_lungs(it) * 0, masks=of_all(lungs)))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("no-skill",)


def test_masks_of_files_are_found(
    write_images: Callable[..., pd.DataFrame], make_context: Show, tmp_path: Path
) -> None:
    rows = write_images(["normal"] * 12 + ["covid"] * 12)
    order = {path: place >= 12 for place, path in enumerate(rows["path"])}
    options = AuditOptions(tmp_path / "cache", find_masks(tmp_path / "masks"))
    context = make_context(rows, lambda it: np.zeros((len(it), 2)), options=options)
    inputs = context.images
    masks = context.masks_of(context.rows)
    bright = np.array([one[mask].mean() for one, mask in zip(inputs, masks, strict=True)])
    assert context.has_mask(context.rows).all()
    assert (
        bright < [one[~mask].mean() for one, mask in zip(inputs, masks, strict=True)]
    ).mean() > 0.9

    def knows(images: Images) -> NDArray[np.floating]:
        covid = [
            any((image[-4:] == one[-4:]).all() for one in inputs[list(order.values())])
            for image in images
        ]
        return np.stack([~np.array(covid), np.array(covid)], axis=1).astype(float)

    context = make_context(rows, knows, options=options)
    result = CHECKS["lungs"](context)
    assert result.verdict == "fails"
    assert result.metrics["unchanged"].n == 24


def test_swaps_are_of_other_classes_that_are_decided_on_rightly(
    show: Show, chests: Images, lungs: Masks, by_lungs: Model
) -> None:
    images = chests.copy()
    images[:5] = chests[100:105]
    context = show(images, by_lungs, masks=of_all(lungs))
    swaps = swap(context, np.arange(200), of_all(lungs))
    assert swaps.background.tolist() == list(range(5, 200))
    assert (context.truth[swaps.background] != context.truth[swaps.lungs]).all()
    assert swaps.lungs.min() >= 5
    inner = lungs & np.roll(lungs, 4, 0) & np.roll(lungs, -4, 0)
    inner &= np.roll(lungs, 3, 1) & np.roll(lungs, -3, 1)
    for made, back, front in zip(swaps.images, swaps.background, swaps.lungs, strict=True):
        assert (made[inner] == images[front][inner]).all()
        assert (made[:8] == images[back][:8]).all()


def test_without_a_swap_nothing_is_followed(
    show: Show, chests: Images, lungs: Masks, by_lungs: Model
) -> None:
    context = show(chests, by_lungs, masks=of_all(lungs))
    swaps = swap(context, np.arange(100), of_all(lungs)[:100])
    assert swaps.images.shape == (0, 64, 64)
    followed, neither = _followed(context, swaps)
    assert followed.value is neither.value is None
    assert "classified correctly" in str(followed.reason)


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (Estimate(0.3, 0.2, 0.45, 50), "fails"),
        (Estimate(0.45, 0.35, 0.55, 50), "warns"),
        (Estimate(0.7, 0.6, 0.8, 50), "passes"),
        (Estimate.undefined("none"), "warns"),
    ],
)
def test_the_lungs_must_be_followed(share: Estimate, verdict: str) -> None:
    assert _followed_verdict(share) == verdict


def test_pasted_lungs_fill_the_place_of_the_old_ones() -> None:
    there, lungs = np.zeros((2, 40, 40), np.bool_)
    there[10:30, 5:35] = True
    lungs[4:14, 20:35] = True
    background = np.full((40, 40), 10, np.uint8)
    background[there] = 90
    image = np.full((40, 40), 50, np.uint8)
    image[lungs] = 200
    image[4:9, 20:35] = 240
    made = paste(background, there, image, lungs)
    assert (made[23:29, 7:33] == 200).all()
    assert (made[11:17, 7:33] == 240).all()
    assert made[there].min() > 120
    assert (made[:6] == 10).all()
    assert box_of(lungs) == (4, 14, 20, 35)


def test_a_rectangle_holds_both_lungs(lungs: Masks) -> None:
    (box,) = boxes_of(lungs[np.newaxis])
    assert box.sum() == 30 * 36
    assert box[18:48, 14:50].all()
