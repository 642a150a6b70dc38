"""The images of a manifest as a data set of torch, for those who train with code of their own."""

import os

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pulmo.core.errors import InputError
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.framing import finder_for, framed_input
from pulmo.radiograph import read_radiograph
from pulmo.train.training_data import filtered


class ManifestDataset(Dataset[tuple[Tensor, int]]):
    """Images with their class, each decoded when it is asked for; the bytes are those of a run.

    An item is the input, float32 [1, size, size] in [0, 1], and the number of the class.

    Attributes:
        manifest: the images.
        labels: the classes, in the order of their numbers.
        targets: int64 [n], the class of each image.
    """

    def __init__(self, manifest: Manifest, recipe: Recipe) -> None:
        """Takes the images that a recipe may use and whose label counts as one of its classes.

        Raises:
            InputError: there is none.
        """
        used = filtered(recipe.data, manifest)
        self.manifest = used.select(used.classes(recipe.labels).notna())
        if not len(self.manifest):
            raise InputError(
                "training-images-missing",
                f"The manifest has no image that the recipe {recipe.name} may use.",
            )
        self.labels = recipe.labels.order
        codes = self.manifest.classes(recipe.labels).cat.codes
        self.targets = torch.from_numpy(np.array(codes, np.int64))
        self._image = recipe.image
        self._finder = finder_for(recipe.image)
        self._files = self.manifest.frame[["path", "sha256"]].to_numpy(str).tolist()

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self._files)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        """Returns the input of an image and the number of its class.

        Raises:
            InputError: the file is missing, damaged, or not the one that was imported.
            RefusedError: it is not one grey image.
        """
        path, digest = self._files[place]
        radiograph = read_radiograph(path)
        if radiograph.sha256 != digest:
            raise InputError("image-changed", f"{path} has changed since it was imported.")
        pixels = framed_input(radiograph, self._image, self._finder).pixels
        return torch.from_numpy(pixels)[None].float() / 255, int(self.targets[place])


def torch_dataset(
    manifest: Manifest, recipe: Recipe | str | os.PathLike[str], *, split: str | None = None
) -> ManifestDataset:
    """Returns the images of a manifest as a data set of torch.

    Args:
        manifest: the images.
        recipe: which of them are used, as which classes, and how they become inputs: a recipe, its
            file, or the name of one that is shipped.
        split: the split that is taken; all images if None.

    Raises:
        UsageError: there is no such split, or the recipe is wrong.
        InputError: there is no such image.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(os.fspath(recipe))
    return ManifestDataset(manifest if split is None else manifest.split(split), recipe)
