"""Changes of a film's grey scale that depend on the film alone."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Grey = Literal["plain", "stretch", "equalise", "clahe"]

_BINS: Final = 4096
# OpenCV's and scikit-image's usual division, and a mild limit.
_TILES: Final = (8, 8)
_LIMIT: Final = 2.0


def regrade(pixels: NDArray[np.float32], grey: Grey) -> NDArray[np.float32]:
    """Returns a film with its grey scale changed.

    Args:
        pixels: float32 [height, width] in [0, 1].
        grey: plain leaves it as it is; stretch makes the 1st percentile black and the 99th white;
            equalise makes all greys equally frequent (histogram equalisation); clahe does so in
            tiles, with a limit on the contrast (Zuiderveld 1994).

    Returns:
        float32 [height, width] in [0, 1].
    """
    if grey == "stretch":
        low, high = np.percentile(pixels, [1, 99])
        # A film of nearly one grey has nothing to stretch.
        stretched = np.clip((pixels - low) / max(high - low, 1 / _BINS), 0, 1)
        return np.asarray(stretched, np.float32)
    if grey == "equalise":
        counts, edges = np.histogram(pixels, _BINS, (0, 1))
        # The darkest grey of the film stays black, as in OpenCV's equalizeHist.
        ranks = np.concatenate([[0], counts.cumsum()]) - counts[counts > 0][0]
        shares = np.clip(ranks / max(ranks[-1], 1), 0, 1)
        return np.asarray(np.interp(pixels, edges, shares), np.float32)
    if grey == "clahe":
        import cv2  # noqa: PLC0415 - a prediction without it need not pay for its import

        deep = np.rint(pixels * 65535).astype(np.uint16)
        equalised = cv2.createCLAHE(_LIMIT, _TILES).apply(deep)
        return np.asarray(equalised / np.float32(65535), np.float32)
    return pixels
