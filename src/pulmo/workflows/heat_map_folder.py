"""Heat maps of images: drawn, named after their image, and never written over one."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pulmo.bundle.card import Card
from pulmo.bundle.outcome import Outcome
from pulmo.core.errors import InputError, UsageError
from pulmo.radiograph import Radiograph
from pulmo.workflows.image_result import heat_map


@dataclass(frozen=True)
class HeatMapFolder:
    """The folder for the heat maps of one call.

    A map is named after its image and the class that it shows: `image.covid.png`. It gets the first
    digits of the image's SHA-256 too, `image.5e884898.covid.png`, where two images have that name,
    and for all images that were found in a folder.

    Attributes:
        root: the folder.
        images: the real paths of the images that were named.
        plain: of these, the images whose name no other has.
        label: the class that is shown; None for the decided one.
    """

    root: Path
    images: frozenset[str]
    plain: frozenset[Path]
    label: str | None = None

    @classmethod
    def from_names(cls, root: Path, names: Sequence[Path], label: str | None = None) -> Self:
        """Plans the heat maps of the images and folders of images that are named.

        Raises:
            UsageError: `root` is one of these folders, whose images the maps would lie among.
        """
        folders = [name for name in names if name.is_dir()]
        for folder in folders:
            if os.path.realpath(folder) == os.path.realpath(root):
                raise UsageError(
                    "output-among-images",
                    f"The heat maps would lie among the images of {folder}; choose another folder.",
                )
        images = [name for name in names if name not in folders]
        stems = Counter(image.stem.casefold() for image in {image.absolute() for image in images})
        return cls(
            root,
            frozenset(os.path.realpath(image) for image in images),
            frozenset(image for image in images if stems[image.stem.casefold()] == 1),
            label,
        )

    def write(self, image: Path, card: Card, radiograph: Radiograph, outcome: Outcome) -> Path:
        """Writes an image with the evidence for a class painted on it, and returns the file.

        Raises:
            InputError: the file cannot be written, or is one of the images.
        """
        label = self.label or outcome.decision
        own = "" if image in self.plain else f".{radiograph.sha256[:8]}"
        path = self.root / f"{image.stem}{own}.{label}.png"
        if os.path.realpath(path) in self.images:
            raise InputError(
                "output-overwrites-image",
                f"The heat map of {image} would overwrite the image {path}; choose another folder.",
            )
        heat_map(radiograph, outcome, card, label).save(path)
        return path
