"""The display shutter of a DICOM image (PS3.3 C.7.6.11)."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pulmo.radiograph.dicom_elements import Elements
from pulmo.radiograph.dicom_tags import aspect_of, frame_item

_EDGES: Final = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")


class _Plane(NamedTuple):
    """The image's pixels.

    Attributes:
        height: in pixels.
        width: in pixels.
        tall: the height of a pixel divided by its width.
    """

    height: int
    width: int
    tall: float

    @property
    def places(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The numbers of the rows, [height, 1], and of the columns, [1, width], counted from 1."""
        return np.arange(1, self.height + 1)[:, None], np.arange(1, self.width + 1)[None]


def shutter_of(elements: Elements, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Returns where the shutter is open, bool [height, width]; None where it hides nothing.

    Of several shapes what lies outside any of them is hidden. A shape that cannot be used, or that
    would hide the whole image, is left out and noted, and so is a bitmap, which no image has.

    Args:
        elements: of the data set.
        shape: height and width of the image.
    """
    plane = _Plane(*shape, aspect_of(elements))
    elements = frame_item(elements, "FrameDisplayShutterSequence") or elements
    open_ = np.ones(shape, np.bool_)
    for kind in elements.texts("ShutterShape"):
        read = _SHAPES.get(kind.upper())
        found = read(elements, plane) if read else None
        if found is None or not (open_ & found).any():
            elements.unusable("ShutterShape", "cannot be used; the shutter was ignored")
        else:
            open_ &= found
    return None if open_.all() else open_


def _rectangle(elements: Elements, plane: _Plane) -> NDArray[np.bool_] | None:
    """Returns what lies between the edges, which are rows and columns counted from 1."""
    found = [elements.numbers(f"Shutter{edge}Edge") for edge in _EDGES]
    if not all(found):
        return None
    left, right, top, bottom = (numbers[0] for numbers in found)
    rows, columns = plane.places
    inside: NDArray[np.bool_] = (
        (columns >= left) & (columns <= right) & (rows >= top) & (rows <= bottom)
    )
    return inside


def _circle(elements: Elements, plane: _Plane) -> NDArray[np.bool_] | None:
    """Returns the disc about a row and a column; its radius is in columns."""
    center, radius = (
        elements.numbers("CenterOfCircularShutter"),
        elements.numbers("RadiusOfCircularShutter"),
    )
    if len(center) != 2 or not radius:
        return None
    rows, columns = plane.places
    away = ((rows - center[0]) * plane.tall) ** 2 + (columns - center[1]) ** 2
    inside: NDArray[np.bool_] = away <= radius[0] ** 2
    return inside


def _polygon(elements: Elements, plane: _Plane) -> NDArray[np.bool_] | None:
    """Returns the polygon whose vertices are pairs of a row and a column."""
    vertices = elements.numbers("VerticesOfThePolygonalShutter")
    if len(vertices) < 6 or len(vertices) % 2 or max(map(abs, vertices)) > 2**15:
        return None
    corners = [(x - 1, y - 1) for y, x in np.reshape(vertices, (-1, 2)).tolist()]
    mask = Image.new("L", (plane.width, plane.height))
    ImageDraw.Draw(mask).polygon(corners, fill=1, outline=1)
    return np.asarray(mask, np.bool_)


_SHAPES: Final = {"RECTANGULAR": _rectangle, "CIRCULAR": _circle, "POLYGONAL": _polygon}
