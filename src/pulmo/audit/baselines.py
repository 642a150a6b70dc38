"""Shortcut baselines: simple classifiers that see no sign of the disease.

A baseline is fitted on the training and validation images of the model, and tested on the same
images as the model, fold by fold where there are folds.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from scipy.special import softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from pulmo.audit.context import AuditContext
from pulmo.datasets.inspect.facts import FACTS, file_facts

SIDE: Final = 16
"""Side in pixels of the thumbnails."""

CENTRE: Final = 0.875
"""Share of the height and of the width that the baseline `border` does not see."""

MAX_IMAGES: Final = 6000
"""Greatest number of images for fitting; more change little and take long."""

MIN_IMAGES: Final = 10
"""Images of a class that a baseline needs, for fitting and for testing."""

MIN_KNOWN: Final = 0.9
"""Share of the images whose fact must be known for a baseline to use it."""

_DEPTH: Final = 3

_GREYS: Final = 4
"""Greys of a histogram's bin, of 256."""


class NoBaseline(Exception):  # noqa: N818 - it is a result of its own, not an error
    """A baseline cannot be fitted; its text is the reason, without a capital and a full stop."""


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
        look: gives facts, nullable, on which trees of depth 3 are fitted, as `pulmo data inspect`
            does, or numbers [n, columns], on which a support vector machine is.
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
        balanced: likewise, fitted as if all classes were equally frequent.
        probabilities: of the second, [m, classes], rows that sum to 1. A support vector machine's
            are the softmax of its scores, which rank but are not calibrated.
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
    fit = context.known_rows(context.parts[number].fit)
    fit = fit[_usable(context, kind, fit)]
    generator = context.generator(f"floor {number}")
    fit = fit.iloc[np.sort(generator.permutation(len(fit))[:MAX_IMAGES])]
    _check_enough(fit, "training")
    rows = context.rows.iloc[test]
    inputs = kind.look(context, Side(fit, lambda: context.images_of(fit)))
    asked = kind.look(context, Side(rows, lambda: context.images[test]))
    truth = context.places(fit["class"])
    classes = np.unique(truth)
    plain, balanced = (_fitted(inputs, truth, asked, weight) for weight in (None, "balanced"))
    probabilities = np.zeros((len(test), len(context.rule.classes)))
    probabilities[:, classes] = balanced
    return Baseline(
        test, classes[plain.argmax(axis=1)], classes[balanced.argmax(axis=1)], probabilities
    )


def _fitted(
    inputs: pd.DataFrame | NDArray[np.float32],
    truth: NDArray[np.intp],
    asked: pd.DataFrame | NDArray[np.float32],
    weight: Literal["balanced"] | None,
) -> NDArray[np.float64]:
    """Returns probabilities [asked, classes that `truth` has]."""
    if isinstance(inputs, pd.DataFrame):
        tree = DecisionTreeClassifier(max_depth=_DEPTH, random_state=0, class_weight=weight)
        stated = pd.concat([inputs, pd.DataFrame(asked)], ignore_index=True)
        numbers = _as_numbers(stated, len(inputs))
        fitted = tree.fit(numbers[: len(inputs)], truth)
        return np.asarray(fitted.predict_proba(numbers[len(inputs) :]))
    machine = make_pipeline(StandardScaler(), SVC(C=10.0, class_weight=weight))
    scores = np.asarray(machine.fit(inputs, truth).decision_function(asked), float)
    if scores.ndim == 1:
        # Of two classes there is one score, that of the second.
        scores = np.stack([-scores, scores], axis=1)
    return np.asarray(softmax(scores, axis=1))


def _as_numbers(facts: pd.DataFrame, fitted: int) -> NDArray[np.float64]:
    """Returns facts as numbers, NaN where an image does not state one.

    A fact that too few of the first `fitted` images state is left out.
    """
    stated = facts.iloc[:fitted].notna().mean()
    kept = facts.loc[:, stated >= MIN_KNOWN]
    if kept.empty or kept.iloc[fitted:].isna().all(axis=None):
        raise NoBaseline("too few images state it")
    words = [name for name in kept if not is_numeric_dtype(kept[name])]
    coded = pd.get_dummies(kept, columns=words, dtype=float).astype("Float64")
    numbers = coded.to_numpy(float, na_value=np.nan)
    if not (numbers[:fitted] != numbers[0]).any():
        raise NoBaseline("it is the same for all training images")
    return numbers


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
    return _shrunk(side.images())


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
    return _shrunk(images)


def without_lungs(context: AuditContext, side: Side) -> NDArray[np.float32]:
    """Looks at the image with 16 x 16 pixels, its lungs black."""
    images = side.images().copy()
    for image, mask in zip(images, context.masks_of(side.rows), strict=True):
        image[mask] = 0
    return _shrunk(images)


def _shrunk(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns float32 [n, 256], each image's greys in [0, 1] averaged over 16 x 16 tiles."""
    small = [cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for each in images]
    flat: NDArray[np.float32] = np.stack(small).reshape(len(small), -1).astype(np.float32)
    return flat / np.float32(255)


BASELINES: Final[dict[str, Kind]] = {
    "facts": Kind("file facts (no pixel)", facts),
    "aspect": Kind("aspect ratio alone", aspect),
    "view": Kind("view alone", view),
    "age": Kind("age alone", age),
    "histogram": Kind("grey histogram alone", histogram),
    "thumbnail": Kind("16 x 16 thumbnail", thumbnail),
    "border": Kind("16 x 16 thumbnail, central 87.5 % black", border),
    "lungless": Kind("16 x 16 thumbnail, lungs black", without_lungs, AuditContext.has_mask),
}
"""Name -> what the baseline sees."""
