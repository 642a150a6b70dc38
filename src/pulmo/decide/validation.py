"""A bundle's threshold for another aim than its card's, fitted on validation images only."""

from collections.abc import Callable

from pulmo.bundle.card import Card
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, RefusedError
from pulmo.datasets.manifest import Manifest
from pulmo.decide.thresholds import Aim, fit_threshold
from pulmo.predictions.operating_point import OperatingPoint


def threshold_for(
    aim: Aim,
    predictor: Predictor,
    validation: Manifest,
    on_progress: Callable[[int, int], None] | None = None,
) -> OperatingPoint:
    """Returns the threshold that reaches an aim, guaranteed where it can be.

    Args:
        aim: what it is to reach.
        predictor: the bundle.
        validation: the validation images. One that cannot be read takes no
            part.
        on_progress: called with the images done and the images in all.

    Raises:
        InputError: no image is of a class that the bundle knows, can be read, or is of the side
            that the aim is about.
    """
    found = predict_manifest(predictor, validation, on_progress=on_progress)
    return fit_threshold(found.predictions.labelled(), aim)


def check_validation(card: Card, manifest: Manifest, *, elsewhere: bool = False) -> None:
    """Refuses a manifest whose val images a threshold cannot honestly be fitted on.

    Args:
        card: the model's card.
        manifest: the whole manifest.
        elsewhere: whether it may be another one than the model was trained on.

    Raises:
        InputError: it has no val image, or a patient or group has val and test images.
        RefusedError: it is another one.
    """
    sides = {name: set(manifest.split(name).groups) for name in ("val", "test")}
    if not sides["val"]:
        raise InputError(
            "The manifest has no val image to fit a threshold on, and it is never fitted on the "
            "test; `pulmo data split` makes a split."
        )
    shared = len(sides["val"] & sides["test"])
    if shared:
        raise InputError(
            f"The manifest has val and test images of the same patient or group ({shared} of "
            "them), so the test would judge what was fitted on it; split it anew with `pulmo data "
            "split`."
        )
    if not elsewhere and manifest.sha256 != card.training.manifest_sha256:
        raise RefusedError(
            f"{card.name} was trained on another manifest: the val images of this one may be of "
            "its training. If they are not, as at another hospital, add --elsewhere."
        )
