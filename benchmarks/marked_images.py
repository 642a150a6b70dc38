"""Radiographs that someone marked, and what a network sees of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import probabilities
from pulmo.core.boxes import Box, boxes_of_text
from pulmo.datasets.importing import import_source
from pulmo.lungs import shipped_finder
from pulmo.lungs.framing import framed_input
from pulmo.radiograph import geometry, read_radiograph

SIDE: Final = 256
"""Pixels of the longer side of the image on which maps, marks and lungs are compared."""

PNEUMONIA: Final = frozenset({"Pneumonia", "Infiltrate"})
"""What NIH's boxes call the findings that are looked for."""

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Marked:
    """An image that someone marked, or one without findings.

    Attributes:
        path: its file.
        sha256: of the file.
        group: its patient.
        mask: the file of the mask, where it was marked by one.
        boxes: the boxes, where it was marked by boxes.
    """

    path: Path
    sha256: str
    group: str
    mask: Path | None = None
    boxes: tuple[Box, ...] = ()


class Seen(NamedTuple):
    """What a network sees of an image, and what there is to see.

    Attributes:
        image: the image.
        input: the network's input, uint8 [size, size].
        box: the part of the image that became the input, at the size of `marks`; None if all.
        aspect: how it became square.
        label: number of the abnormal class with the highest probability.
        marks: what was marked, bool [height, width], `SIDE` pixels the longer side.
        lungs: the lungs that pulmo's network finds, likewise; empty if it finds none.
    """

    image: Marked
    input: Pixels
    box: geometry.Box | None
    aspect: geometry.Aspect
    label: int
    marks: Mask
    lungs: Mask

    def on_image(self, values: Map) -> Map:
        """Returns a map on the input as one on the image, 0 where the network did not look."""
        height, width = self.marks.shape
        placed = geometry.to_image(values, (height, width), self.aspect, self.box)
        return np.nan_to_num(placed, nan=0.0)


def lesion_images(data: Path) -> list[Marked]:
    """Returns the images of Cohen's set with a mask of lesions."""
    frame = import_source("cohen", data / "covid-chestxray-dataset").manifest.frame
    rows = {Path(str(row["path"])).stem: row for _, row in frame.iterrows()}
    return [
        Marked(Path(str(row["path"])), str(row["sha256"]), str(row["group"]), mask=file)
        for file in sorted((data / "lesion-masks" / "covid-chestxray-dataset").glob("*.png"))
        if (row := rows.get(file.stem)) is not None
    ]


def box_images(data: Path) -> list[Marked]:
    """Returns NIH's images with boxes of pneumonia or infiltrates."""
    frame = import_source("darkcovidnet", data / "darkcovidnet").manifest.frame
    found = []
    for _, row in frame[frame["boxes"].notna()].iterrows():
        boxes = [box for box in boxes_of_text(str(row["boxes"])) if box.finding in PNEUMONIA]
        if boxes:
            path, group = Path(str(row["path"])), str(row["group"])
            found.append(Marked(path, str(row["sha256"]), group, boxes=tuple(boxes)))
    return found


def normal_images(data: Path, count: int) -> list[Marked]:
    """Returns images of NIH without findings, one of each patient."""
    frame = import_source("darkcovidnet", data / "darkcovidnet").manifest.frame
    rows = frame[frame["label"] == "normal"].sort_values("sha256").drop_duplicates("group")
    return [
        Marked(Path(str(row["path"])), str(row["sha256"]), str(row["group"]))
        for _, row in rows.head(count).iterrows()
    ]


def see(model: ImagePredictor, image: Marked) -> Seen:
    """Returns what a network sees of an image."""
    radiograph = read_radiograph(image.path)
    height, width = radiograph.pixels.shape
    scale = SIDE / max(height, width)
    small = max(2, round(height * scale)), max(2, round(width * scale))
    framed = framed_input(radiograph, model.card.input.image, model.finder)
    if image.mask is None:
        marks = _mask_of(image.boxes, small)
    else:
        marks = _resized(np.asarray(Image.open(image.mask)) > 0, small)
    return Seen(
        image,
        framed.pixels,
        framed.box and framed.box.scaled((height, width), small),
        model.card.input.aspect,
        _abnormal(model, framed.pixels),
        marks,
        _resized(shipped_finder().find(radiograph).mask, small),
    )


def spread(images: Sequence[Marked], count: int | None) -> list[Marked]:
    """Returns so many images, spread evenly over all; all if None."""
    if count is None or count >= len(images):
        return list(images)
    return [images[int(number)] for number in np.linspace(0, len(images) - 1, count)]


def _abnormal(model: ImagePredictor, given: Pixels) -> int:
    shares = probabilities(model.run(given[None]).logits, model.card.temperature)[0]
    normal = model.card.labels.order.index("normal")
    return int(np.argmax(np.where(np.arange(len(shares)) == normal, -1, shares)))


def _resized(mask: Mask, shape: tuple[int, int]) -> Mask:
    size = shape[::-1]
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def _mask_of(boxes: Sequence[Box], shape: tuple[int, int]) -> Mask:
    height, width = shape
    marks = np.zeros(shape, bool)
    for box in boxes:
        top, left = round(box.top * height), round(box.left * width)
        bottom, right = box.top + box.height, box.left + box.width
        marks[top : round(bottom * height), left : round(right * width)] = True
    return marks
