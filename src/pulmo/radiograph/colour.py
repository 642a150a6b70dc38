"""Colour images: grey ones in disguise become grey, photographs are refused."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import RefusedError
from pulmo.radiograph.notes import Note

MAX_CHROMA: Final = 0.08
"""Largest mean chroma of an image.

Chroma is a pixel's largest channel minus its smallest, as a fraction of full scale. A grey image
stored as colour has 0, one compressed as a JPEG below 0.01, one on blue film base (channels 0.86,
0.93 and 1 of the grey value) 0.14 times its mean grey value, about 0.06, and an image with a
coloured arrow on a hundredth of it 0.01. The photographs that come with scikit-learn and
matplotlib have 0.11 to 0.28.
"""


def grey_of_colour(
    colour: NDArray[Any], top: float, name: str
) -> tuple[NDArray[np.float32], tuple[Note, ...]]:
    """Returns the grey image of a colour one, and notes on it.

    Args:
        colour: unsigned or float [height, width, 3] in [0, top]: red, green, blue.
        top: the value of full intensity.
        name: what a message calls the file.

    Returns:
        float32 [height, width] in [0, 1]: the channel itself if all are equal, else the luma of
        ITU-R BT.601 (0.299 red, 0.587 green, 0.114 blue), with a note.

    Raises:
        RefusedError: the mean chroma is above `MAX_CHROMA`.
    """
    red, green, blue = (colour[..., channel] for channel in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    if not spread.any():
        return np.divide(red, top, dtype=np.float32), ()
    chroma = float(spread.mean(dtype=np.float64)) / top
    if chroma > MAX_CHROMA:
        raise RefusedError(
            "image-colour",
            f"{name} is a colour image (mean chroma {chroma:.3f}; at most {MAX_CHROMA} is "
            "accepted). A grey radiograph was expected.",
        )
    luma = np.multiply(red, 0.299 / top, dtype=np.float32)
    luma += np.multiply(green, 0.587 / top, dtype=np.float32)
    luma += np.multiply(blue, 0.114 / top, dtype=np.float32)
    return luma, (Note("colour", f"Colour was removed (mean chroma {chroma:.3f})."),)
