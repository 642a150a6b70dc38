"""Lungs: the decisions without the lungs, and with the lungs of another image."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy, chance, skill
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Table, Verdict
from pulmo.audit.context import AuditContext, Pixels
from pulmo.audit.drops import MARGIN, decided_on, require_skill, worst
from pulmo.lungs.parts import box_of
from pulmo.stats.estimate import Estimate

MIN_IMAGES: Final = 10
"""Images with a lung mask that a class needs."""

MAX_REMAINING: Final = 0.5
"""Greatest share of the skill above chance that may remain without the lungs."""

_FEATHER: Final = 1.0
"""Deviation in pixels of the edge between pasted lungs and their background."""

Masks = NDArray[np.bool_]


class Swaps(NamedTuple):
    """Images with the lungs of an image of another class.

    Attributes:
        background: the rows whose surroundings they have, [m].
        lungs: the rows whose lungs they have, [m].
        images: uint8 [m, size, size].
    """

    background: NDArray[np.intp]
    lungs: NDArray[np.intp]
    images: Pixels


@check(
    "lungs",
    question="Does the model decide by the lungs, or by the rest of the image?",
    statement="The model decides by the lungs more than by the rest of the image.",
)
def lungs(context: AuditContext) -> Outcome:
    """Fails where the model works without the lungs, or follows the background of a swap.

    Black in the shape of the lungs still shows their shape, and a mask is worse where a lung is
    opaque. So the rectangle around them is blackened too, and only that can fail: where the whole
    interval of the balanced accuracy is above chance plus the margin, and more than half of the
    skill above chance remains. The same with the lungs' own shape warns.

    A swap has the lungs of an image of another class on the background. Only images that are
    classified correctly without a change are swapped: the decision follows the class of the lungs,
    that of the background, or neither.
    """
    context.require_network()
    numbers, masks = _with_masks(context)
    guessing = chance(context, numbers)
    own = require_skill(context, numbers)
    images = context.images[numbers]
    shaped, boxed = (
        _accuracy_of(context, numbers, np.where(hidden, np.uint8(0), images))
        for hidden in (masks, boxes_of(masks))
    )
    followed, neither = _followed(context, swap(context, numbers, masks))
    verdict = worst(
        "fails" if _is_kept(boxed, own, guessing) else "passes",
        "warns" if _is_kept(shaped, own, guessing) else "passes",
        _followed_verdict(followed),
    )
    shown = {"unchanged": own, "lungs black": shaped, "rectangle around the lungs black": boxed}
    values = shown | {
        "swaps that follow the lungs": followed,
        "swaps that follow neither": neither,
    }
    table = Table(
        title="Without lungs",
        columns=("images", "balanced accuracy", "skill (0 is chance, 1 perfect)"),
        rows=tuple((name, value, skill(value, guessing)) for name, value in shown.items()),
    )
    messages = (
        Message(
            "hidden-lungs",
            f"The balanced accuracy on {len(numbers)} images with a lung mask is {own.in_text}. "
            f"With black lungs it is {shaped.in_text}, with a black rectangle around the lungs "
            f"{boxed.in_text}; chance is {guessing:.2f}.",
        ),
        Message(
            "swapped-lungs",
            "With the lungs of an image of another class, the share of decisions that follow the "
            f"lungs and not the background is {followed.in_text}.",
        ),
        *context.mask_messages,
    )
    return Outcome(verdict, messages, values, (table,))


def swap(context: AuditContext, numbers: NDArray[np.intp], masks: Masks) -> Swaps:
    """Puts the lungs of a random image of another class on each image.

    Both are classified correctly, and are of the same part, so that no model meets an image of its
    training.

    Args:
        context: whose images they are.
        numbers: rows, [m].
        masks: where their lungs are, [m, size, size].
    """
    truth, part = context.truth[numbers], context.part[numbers]
    right = context.sample.decided[numbers] == truth
    generator = context.generator("swap")
    pairs = []
    for place in np.flatnonzero(right):
        others = np.flatnonzero(right & (truth != truth[place]) & (part == part[place]))
        if len(others):
            pairs.append((place, generator.choice(others)))
    back, front = np.array(pairs, np.intp).reshape(-1, 2).T
    images = context.images
    made = [
        paste(images[numbers[a]], masks[a], images[numbers[b]], masks[b])
        for a, b in zip(back, front, strict=True)
    ]
    size = images.shape[1]
    stack = np.array(made, np.uint8).reshape(-1, size, size)
    return Swaps(numbers[back], numbers[front], stack)


def paste(
    background: Pixels, there: NDArray[np.bool_], image: Pixels, lungs: NDArray[np.bool_]
) -> Pixels:
    """Returns a background with the lungs of an image, resized to those that were there.

    Both lungs' rectangles are laid over each other. What is pasted is the union of both shapes, so
    that nothing is left of the lungs that were there.

    Args:
        background: uint8 [size, size].
        there: where its lungs are, [size, size], somewhere.
        image: uint8 [size, size].
        lungs: where its lungs are, [size, size], somewhere.
    """
    top, bottom, left, right = box_of(there)
    upper, lower, first, last = box_of(lungs)
    scale = np.array([(right - left) / (last - first), (bottom - top) / (lower - upper)])
    # Pixels have their centres at halves.
    shift = np.array([left, top]) - 0.5 - scale * (np.array([first, upper]) - 0.5)
    way = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    size = (background.shape[1], background.shape[0])
    moved = cv2.warpAffine(image, way, size, borderMode=cv2.BORDER_REPLICATE)
    shape = cv2.warpAffine(lungs.astype(np.float32), way, size)
    union = np.maximum(shape, there.astype(np.float32))
    alpha = cv2.GaussianBlur(union, (0, 0), _FEATHER)
    # The blur must not let the old lungs through.
    alpha = np.maximum(alpha, there)
    return np.rint(alpha * moved + (1 - alpha) * background).astype(np.uint8)


def boxes_of(masks: Masks) -> Masks:
    """Returns masks [n, size, size] of the rectangles that hold those of masks."""
    boxes = np.zeros_like(masks)
    for box, mask in zip(boxes, masks, strict=True):
        top, bottom, left, right = box_of(mask)
        box[top:bottom, left:right] = True
    return boxes


def _with_masks(context: AuditContext) -> tuple[NDArray[np.intp], Masks]:
    """Returns rows whose masks show lungs, of classes that have enough of them, and the masks."""
    numbers = np.flatnonzero(context.has_mask(context.rows))
    masks = context.masks_of(context.rows.iloc[numbers])
    seen = masks.any(axis=(1, 2))
    counts = np.bincount(context.truth[numbers[seen]], minlength=len(context.rule.classes))
    if (counts >= MIN_IMAGES).sum() < 2:
        held = ", ".join(
            f"{n} of {label}" for label, n in zip(context.rule.classes, counts, strict=True)
        )
        raise CannotRun(
            "few-masks",
            f"Two classes need {MIN_IMAGES} test images with a lung mask each; there are {held}.",
        )
    chosen = context.few(numbers[seen & (counts[context.truth[numbers]] >= MIN_IMAGES)])
    return chosen, masks[np.isin(numbers, chosen)]


def _accuracy_of(context: AuditContext, numbers: NDArray[np.intp], images: Pixels) -> Estimate:
    decided = decided_on(context, images, numbers)
    return balanced_accuracy(context, numbers, decided)


def _is_kept(without: Estimate, own: Estimate, guessing: float) -> bool:
    """Returns whether more than half of the skill remains, above chance by more than the margin."""
    left, all_of_it = skill(without, guessing), skill(own, guessing)
    is_above = (without.low or 0.0) > guessing + MARGIN
    return is_above and (left.value or 0.0) > MAX_REMAINING * (all_of_it.value or 0.0)


def _followed(context: AuditContext, swaps: Swaps) -> tuple[Estimate, Estimate]:
    """Returns the share that follows the lungs, of those that follow either, and of neither."""
    if not len(swaps.lungs):
        reason = "no two images of different classes are classified correctly"
        return Estimate.undefined(reason), Estimate.undefined(reason)
    decided = decided_on(context, swaps.images, swaps.background)
    lungs, background = (decided == context.truth[rows] for rows in (swaps.lungs, swaps.background))
    either, groups = lungs | background, context.groups[swaps.background]
    return (
        stats.proportion(
            lungs[either], groups[either], undefined="no decision follows lungs or background"
        ),
        stats.proportion(~either, groups, undefined="no image was swapped"),
    )


def _followed_verdict(lungs: Estimate) -> Verdict:
    """Returns the verdict on the share of decisions that follow the lungs."""
    if lungs.low is None or lungs.high is None:
        return "warns"
    if lungs.high < 0.5:
        return "fails"
    return "passes" if lungs.low > 0.5 else "warns"
