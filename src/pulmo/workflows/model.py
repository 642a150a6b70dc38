"""A model that was loaded: it classifies images, however they are given."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, UsageError
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.core.shipped import shipped_bundle
from pulmo.radiograph.image_source import ImageSource, ValueRange, name_of, open_image
from pulmo.workflows.image_result import ImageResult

if TYPE_CHECKING:
    from pulmo.predictions.predictions import Predictions

AnySource = TypeVar("AnySource", bound=ImageSource)


@dataclass(frozen=True, eq=False)
class Model:
    """A bundle that was opened.

    Attributes:
        path: its folder, or its `model.onnx`.
        predictor: what runs the network.
    """

    path: Path
    predictor: Predictor = field(repr=False)

    @property
    def card(self) -> Card:
        """What the model is."""
        return self.predictor.card

    @overload
    def predict(
        self, image: ImageSource, *, value_range: ValueRange | None = None
    ) -> ImageResult: ...

    @overload
    def predict(
        self, image: list[AnySource], *, value_range: ValueRange | None = None
    ) -> "Predictions": ...

    def predict(
        self,
        image: ImageSource | list[AnySource],
        *,
        value_range: ValueRange | None = None,
    ) -> "ImageResult | Predictions":
        """Classifies an image, or a list of them.

        Args:
            image: a file, its bytes, an image of Pillow, an array [height, width], an image that
                was read, or a list of such.
            value_range: of arrays, the values that are shown black and white, such as (0, 255).

        Returns:
            The result for the image; of a list a table of predictions, whose labels are unknown. An
            image of a list that cannot be used is one of its `failed`.

        Raises:
            InputError: the image is missing or damaged, or none of a list can be used.
            RefusedError: the model was not meant for the image, or it is not one grey image.
            UsageError: an array has no value range or does not fit it; or the list is empty.
        """
        if isinstance(image, list):
            # pandas, for which a prediction of one image does not wait.
            from pulmo.workflows.image_table import predictions_of

            return predictions_of(self.predictor, image, value_range)
        name = name_of(image, "image")
        radiograph = open_image(image, name_of(image, "The image"), value_range)
        outcome = self.predictor.predict(radiograph, name)
        return ImageResult(name, outcome, self.predictor, radiograph)


def load(path: str | os.PathLike[str] | None = None, threads: int = 0) -> Model:
    """Loads a bundle.

    Args:
        path: its folder, or its `model.onnx`. None: the model that comes with pulmo.
        threads: threads of the network; 0 takes all cores.

    Raises:
        InputError: it is missing or damaged, or is a training run.
        UsageError: none is named, and none comes with this copy of pulmo.
    """
    named = shipped_bundle() if path is None else path
    if named is None:
        raise UsageError("model-not-given", "No model was named, and none comes with this copy.")
    path = Path(named)
    bundle = BundleFolder(path)
    if RunFolder(path).recipe.exists() and not bundle.model.exists():
        raise InputError("run-not-exported", f"{path} is a training run and not a bundle.")
    if path.is_dir() and not bundle.card.exists():
        raise InputError("bundle-missing", f"{path} is not a bundle: it has no {bundle.card.name}.")
    return Model(path, Predictor.open(path, threads))
