"""Shortcut baselines: simple classifiers that see nothing of the lungs' structure.

Most see no lung at all. A thumbnail, also that of the lungs, shows how bright their parts are, and
nothing finer: a network that is no better needs no sign of the disease that a radiologist would
name.

A baseline is fitted on the training and validation images of the model, and tested on the same
images as the model, fold by fold where there are folds.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.audit.found_lungs import SIDE
from pulmo.audit.learners import (
    Learnt,
    NoBaseline,
    learn_facts,
    learn_thumbnails,
    learn_vectors,
)
from pulmo.datasets.inspect.facts import FACTS, file_facts

CENTRE: Final = 0.875
"""Share of the height and of the width that the baseline `border` does not see."""

MAX_IMAGES: Final = 6000
"""Greatest number of images for fitting; more change little and take long."""

MIN_IMAGES: Final = 10
"""Images of a class that a baseline needs, for fitting and for testing."""

_GREYS: Final = 4
"""Greys of a histogram's bin, of 256."""


class Side(NamedTuple):
    """Images for fitting or testing a baseline.

    Attributes:
        rows: of a manifest.
        images: gives their inputs, uint8 [n, size, size].
    """

    rows: pd.DataFrame
    images: Callable[[], NDArray[np.uint8]]


class Kind(NamedTuple):
    """What a baseline sees.

    Attributes:
        words: its name in tables.
        look: gives facts, on which trees are fitted, numbers [n, columns], on which a support
            vector machine is, or thumbnails [n, 16, 16] in [0, 1], on which a small network is
            (`pulmo.audit.learners`).
        needs: returns which rows [n] it can use; None if all.
    """

    words: str
    look: Callable[[AuditContext, Side], pd.DataFrame | NDArray[np.float32]]
    needs: Callable[[AuditContext, pd.DataFrame], NDArray[np.bool_]] | None = None


class Baseline(NamedTuple):
    """The predictions of a baseline.

    Attributes:
        numbers: the test rows that it could use, [m].
        decided: index of the predicted class, [m]; fitted for the highest accuracy.
        balanced: likewise, as if all classes were equally frequent.
        probabilities: of the second, [m, classes], rows that sum to 1; they rank but are not
            calibrated.
    """

    numbers: NDArray[np.intp]
    decided: NDArray[np.intp]
    balanced: NDArray[np.intp]
    probabilities: NDArray[np.float64]


def fit_baseline(
    context: AuditContext, kind: Kind, among: NDArray[np.intp] | None = None
) -> Baseline:
    """Fits a baseline on each part's training images, and returns its predictions for the test.

    Args:
        context: the models and their images.
        kind: what the baseline sees.
        among: the test rows to predict, as far as it can use them; all if None.

    Raises:
        NoBaseline: too little is known, or there are fewer than two classes to fit on.
    """
    asked = np.arange(len(context.rows)) if among is None else among
    test = asked[_usable(context, kind, context.rows.iloc[asked])]
    _check_enough(context.rows.iloc[test], "test")
    found = [
        _fit_part(context, kind, number, test[context.part[test] == number])
        for number in np.unique(context.part[test])
    ]
    return Baseline(*(np.concatenate(pieces) for pieces in zip(*found, strict=True)))


def _usable(context: AuditContext, kind: Kind, rows: pd.DataFrame) -> NDArray[np.bool_]:
    return kind.needs(context, rows) if kind.needs else np.ones(len(rows), np.bool_)


def _check_enough(rows: pd.DataFrame, words: str) -> None:
    if (rows["class"].value_counts() >= MIN_IMAGES).sum() < 2:
        raise NoBaseline(f"fewer than two classes have {MIN_IMAGES} usable {words} images")


def _fit_part(context: AuditContext, kind: Kind, number: int, test: NDArray[np.intp]) -> Baseline:
    """Fits a baseline on the training images of one part and predicts test rows of that part."""
    fit = context.known_rows(context.parts[number].fitted)
    fit = fit[_usable(context, kind, fit)]
    generator = context.generator(f"floor {number}")
    fit = fit.iloc[np.sort(generator.permutation(len(fit))[:MAX_IMAGES])]
    _check_enough(fit, "training")
    rows = context.rows.iloc[test]
    inputs = kind.look(context, Side(fit, lambda: context.images_of(fit)))
    asked = kind.look(context, Side(rows, lambda: context.images[test]))
    truth = context.places(fit["class"])
    classes = np.unique(truth)
    learnt = _learnt(inputs, truth, asked, generator)
    plain, balanced = (classes[each.argmax(axis=1)] for each in learnt)
    probabilities = np.zeros((len(test), len(context.rule.classes)))
    probabilities[:, classes] = learnt.balanced
    return Baseline(test, plain, balanced, probabilities)


def _learnt(
    inputs: pd.DataFrame | NDArray[np.float32],
    truth: NDArray[np.intp],
    asked: pd.DataFrame | NDArray[np.float32],
    generator: np.random.Generator,
) -> Learnt:
    if isinstance(inputs, pd.DataFrame):
        return learn_facts(inputs, truth, pd.DataFrame(asked))
    new = np.asarray(asked, np.float32)
    if inputs.ndim == 2:
        return learn_vectors(inputs, truth, new)
    return learn_thumbnails(inputs, truth, new, generator)


def facts(context: AuditContext, side: Side) -> pd.DataFrame:
    """Looks at width, height, aspect ratio, bytes, format and bits of the files."""
    return file_facts(side.rows, context.options.facts)[list(FACTS)]


def aspect(context: AuditContext, side: Side) -> pd.DataFrame:
    """Looks at the aspect ratio."""
    return facts(context, side)[["aspect"]]


def view(_: AuditContext, side: Side) -> pd.DataFrame:
    """Looks at the view: PA, AP and the like."""
    return side.rows[["view"]]


def age(_: AuditContext, side: Side) -> pd.DataFrame:
    """Looks at the age."""
    return side.rows[["age"]]


def thumbnail(_: AuditContext, side: Side) -> NDArray[np.float32]:
    """Looks at the image with 16 x 16 pixels."""
    return shrunk(side.images())


def histogram(_: AuditContext, side: Side) -> NDArray[np.float32]:
    """Looks at how often each grey occurs, which is all that shuffled pixels still show."""
    images, bins = side.images(), 256 // _GREYS
    counts = np.stack([np.bincount(each.ravel() // _GREYS, minlength=bins) for each in images])
    # Square roots part histograms as Hellinger's distance does.
    return np.asarray(np.sqrt(counts / counts.sum(axis=1, keepdims=True)), np.float32)


def border(_: AuditContext, side: Side) -> NDArray[np.float32]:
    """Looks at the image with 16 x 16 pixels, its central 87.5 % black."""
    images = side.images().copy()
    size = images.shape[1]
    edge = round(size * (1 - CENTRE) / 2)
    images[:, edge : size - edge, edge : size - edge] = 0
    # As numbers and not as a thumbnail: a copy that is shifted has another border.
    return shrunk(images).reshape(len(images), -1)


def without_lungs(context: AuditContext, side: Side) -> NDArray[np.float32]:
    """Looks at the image with 16 x 16 pixels, its lungs black."""
    images = side.images().copy()
    for image, mask in zip(images, context.masks_of(side.rows), strict=True):
        image[mask] = 0
    return shrunk(images)


def of_lungs(context: AuditContext, side: Side) -> NDArray[np.float32]:
    """Looks at the lungs with 16 x 16 pixels, at the whole image where none are found."""
    finder = context.options.finder
    if finder is None:
        raise NoBaseline("nothing finds the lungs")
    return np.asarray(finder.thumbnails(side.rows) / np.float32(255), np.float32)


def _finds_lungs(context: AuditContext, rows: pd.DataFrame) -> NDArray[np.bool_]:
    return np.full(len(rows), context.options.finder is not None and context.has_manifest)


def shrunk(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns float32 [n, 16, 16], each image's greys in [0, 1] averaged over 16 x 16 tiles."""
    small = [cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for each in images]
    return np.asarray(np.stack(small) / np.float32(255), np.float32)


BASELINES: Final[dict[str, Kind]] = {
    "facts": Kind("file facts (no pixel)", facts),
    "aspect": Kind("aspect ratio alone", aspect),
    "view": Kind("view alone", view),
    "age": Kind("age alone", age),
    "histogram": Kind("grey histogram alone", histogram),
    "thumbnail": Kind("16 x 16 thumbnail", thumbnail),
    "border": Kind("16 x 16 thumbnail, central 87.5 % black", border),
    "lungless": Kind("16 x 16 thumbnail, lungs black", without_lungs, AuditContext.has_mask),
    "lungs": Kind("16 x 16 thumbnail of the lungs", of_lungs, _finds_lungs),
}
"""Name -> what the baseline sees."""
