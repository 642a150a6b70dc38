"""Heat maps of images: drawn, named after their image, and never written over one."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import Outcome
from pulmo.core.errors import InputError, UsageError
from pulmo.decide.detections import Detection
from pulmo.explain.heat_map import HeatMap
from pulmo.explain.methods import GRAPH, Method, Report, read_method, report_nothing
from pulmo.radiograph import Radiograph
from pulmo.workflows.image_result import ImageResult, heat_map


@dataclass(frozen=True)
class Shown:
    """How maps are made, and what is written of them.

    Attributes:
        method: how a map is made.
        label: the class that is shown; None for the decided one of each image.
        values: whether the values are written next to the drawing.
        on_progress: called while a map is made.
    """

    method: Method
    label: str | None = None
    values: bool = False
    on_progress: Report = field(default=report_nothing, compare=False)


@dataclass(frozen=True)
class Explanation:
    """What a heat map that was written shows.

    Attributes:
        label: the class.
        method: the method's name.
        parameters: those of the method.
        layer: the layer of the network that it was made from; None if of none in particular.
        unit: of the values.
        scale: the value at the end of the colour scale.
        values: the file of the values; None if there is none.
        share_in_lungs: share of the evidence inside the lungs, 0 to 1; None if no lungs were found,
            or there is no evidence.
    """

    label: str
    method: str
    parameters: dict[str, Any]
    layer: str | None
    unit: str
    scale: float
    values: Path | None
    share_in_lungs: float | None

    @classmethod
    def of(cls, shown: HeatMap, values: Path | None) -> Self:
        """Returns what a map shows whose values are in a file."""
        return cls(
            label=shown.label,
            method=shown.method.name,
            parameters=shown.method.table(),
            layer=shown.layer,
            unit=shown.unit,
            scale=shown.scale,
            values=values,
            share_in_lungs=shown.share_in_lungs,
        )


class Written(NamedTuple):
    """A heat map that was written.

    Attributes:
        drawing: its PNG file.
        explanation: what it shows.
        detections: boxes about evidence, the highest first; None if not of a bundle's own map.
    """

    drawing: Path
    explanation: Explanation
    detections: tuple[Detection, ...] | None


@dataclass(frozen=True)
class HeatMapFolder:
    """The folder for the heat maps of one call.

    A map is named after its image and the class that it shows: `image.covid.png`. It gets the first
    digits of the image's SHA-256 too, `image.5e884898.covid.png`, where two images have that name,
    and for all images that were found in a folder; and the name of the method,
    `image.covid.rise.png`, if that is not the graph's.

    Attributes:
        root: the folder.
        images: the real paths of the images that were named.
        plain: of these, the images whose name no other has.
        shown: how a map is made, and of which class.
    """

    root: Path
    images: frozenset[str]
    plain: frozenset[Path]
    shown: Shown

    @classmethod
    def from_names(cls, root: Path, names: Sequence[Path], shown: Shown | None = None) -> Self:
        """Plans the heat maps of the images and folders of images that are named.

        Args:
            root: the folder.
            names: images and folders of images.
            shown: how a map is made, and of which class; if None, the graph's of the decided one.

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
            shown or Shown(read_method(GRAPH)),
        )

    def write(
        self, image: Path, model: ImagePredictor, radiograph: Radiograph, outcome: Outcome
    ) -> Written:
        """Writes an image with the evidence for a class painted on it.

        Where the values are wanted, they lie next to it, in a file of the same name with the suffix
        `.npz`.

        Raises:
            InputError: a file cannot be written, or is one of the images, or the network gave a
                value that is not a number.
        """
        shown = self.shown
        label = shown.label or outcome.decision
        own = "" if image in self.plain else f".{radiograph.sha256[:8]}"
        how = "" if shown.method.name == GRAPH else f".{shown.method.name}"
        path = self.root / f"{image.stem}{own}.{label}{how}.png"
        if os.path.realpath(path) in self.images:
            raise InputError(
                "output-overwrites-image",
                f"The heat map of {image} would overwrite the image {path}; choose another folder.",
            )
        result = ImageResult(str(image), outcome, model, radiograph)
        drawn = heat_map(result, label, shown.method, shown.on_progress)
        values = path.with_suffix(".npz") if shown.values else None
        if values is not None:
            drawn.save_values(values)
        drawn.save(path)
        detections = drawn.detections if drawn.method.in_graph else None
        return Written(path, Explanation.of(drawn, values), detections)
