"""Loss of resolution."""

import numpy as np

from pulmo.radiograph.changes import (
    Change,
    Images,
    disturbance,
    one_by_one,
    resized,
)


@disturbance(
    "resolution",
    words="enlarged from {:.0%} of the side",
    unit="share of the side",
    strengths=(0.25, 0.5, 0.75),
    harmless=(0.75,),
)
def resolution(share: float, _: np.random.Generator) -> Change:
    """Shrinks each image to a share of its side and enlarges it again."""

    def coarse(image: Images) -> Images:
        size = len(image)
        return resized(resized(image, max(1, round(size * share))), size)

    return one_by_one(coarse)
