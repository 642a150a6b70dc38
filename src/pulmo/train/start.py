"""The start of a training from the model that comes with pulmo: which images that one has seen.

They count as seen by the new model too: what the weights know of them does not go away.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from pulmo.bundle.seen import SeenImages
from pulmo.core.files import read_bytes
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe
from pulmo.core.shipped import shipped_model
from pulmo.train.training_data import TrainingData


def start_seen(recipe: Recipe, folder: RunFolder) -> SeenImages:
    """Returns the images that the model was trained and chosen on whose weights a run begins with.

    A run that has begun has their list, for another version of pulmo may come with another model.

    Raises:
        InputError: the list cannot be read.
    """
    if recipe.model.weights != "pulmo":
        return SeenImages()
    path = folder.start_seen if folder.start_seen.exists() else shipped_model().folder.seen
    return SeenImages.parse(read_bytes(path))


def seen_before(before: SeenImages, data: TrainingData) -> Mapping[str, int]:
    """Returns split -> images of a training that are of these; empty if there are none of these."""
    if not before:
        return {}
    rows = data.manifest.frame
    known = before.among(rows["sha256"]) | before.among(rows["pixels_sha256"])
    seen = known.to_numpy(np.bool_)
    return {"train": int(seen[data.train].sum()), "val": int(seen[data.val].sum())}


def notes_on_start(before: SeenImages, data: TrainingData) -> Iterator[str]:
    """Yields what the user should read of the images that the start has seen, as sentences."""
    if seen := seen_before(before, data).get("val"):
        yield (
            f"The model that the training starts from was trained or chosen on {seen:,} of the "
            f"{len(data.val):,} validation images. So epoch, temperature and threshold are chosen "
            "on images that the weights know."
        )
