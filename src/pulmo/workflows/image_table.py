"""Predictions of images of which nothing but their files is known."""

from collections.abc import Sequence

import pandas as pd

from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.noted import cell_of
from pulmo.predictions.predictions import Failure, Predictions
from pulmo.radiograph.image_source import ImageSource, ValueRange, name_of, open_image


def predictions_of(
    predictor: Predictor, images: Sequence[ImageSource], value_range: ValueRange | None = None
) -> Predictions:
    """Classifies images one after the other.

    Args:
        predictor: runs the network.
        images: one or more.
        value_range: of arrays, the values that are shown black and white.

    Returns:
        A row an image. Its `path` is the name of its file, else `image 0` and so on; its label is
        unknown, and it is a group of its own. An image that cannot be used has no row and is one of
        the `failed`.

    Raises:
        InputError: an image is there twice, or none can be used.
        UsageError: an array has no value range or does not fit it; or there is no image.
    """
    if not images:
        raise UsageError("images-not-listed", "The list contains no image.")
    rows, found, failed = [], [], []
    for number, image in enumerate(images):
        name = name_of(image, f"image {number}")
        try:
            radiograph = open_image(image, name, value_range)
            outcome = predictor.predict(radiograph, name)
        except (InputError, RefusedError) as error:
            failed.append(Failure(path=name, reason=str(error)))
            continue
        facts, (height, width) = radiograph.facts, radiograph.pixels.shape
        found.append([*outcome.probabilities.values()])
        rows.append(
            {
                "path": name,
                "sha256": radiograph.sha256,
                "view": facts.view,
                "age": facts.age,
                "sex": facts.sex,
                "width": width,
                "height": height,
                "notes": cell_of(note.kind for note in outcome.notes),
            }
        )
    table = pd.DataFrame(rows).assign(label=pd.array([None] * len(rows), "string"))
    return Predictions.from_probabilities(table, found, predictor.card.decision_rule(), failed)
