"""A bundle's threshold for another aim than its card's, fitted on validation images only."""

from collections.abc import Callable

from pulmo.bundle.card import Card
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, RefusedError
from pulmo.datasets.manifest import Manifest
from pulmo.decide.aim import Aim
from pulmo.decide.thresholds import fit_threshold
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
            "validation-images-missing",
            "The manifest has no val image. A threshold is fitted on val images and never on "
            "test images.",
        )
    shared = len(sides["val"] & sides["test"])
    if shared:
        raise InputError(
            "validation-shares-patients",
            f"The manifest has val and test images of the same patient or group ({shared} of "
            "them), so a threshold would be tested on patients that it was fitted on.",
        )
    if not elsewhere and manifest.sha256 != card.training.manifest_sha256:
        raise RefusedError(
            "manifest-not-of-training",
            f"{card.name} was trained on another manifest, so the val images of this one may be "
            "among its training images.",
        )
