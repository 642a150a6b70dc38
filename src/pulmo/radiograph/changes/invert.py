"""Inversion."""

import numpy as np

from pulmo.radiograph.changes import Change, disturbance


# No inversion is harmless: an image of the other polarity (MONOCHROME1 read as MONOCHROME2) is a
# mistake that the reading of the file must prevent, and a model that tells it is no worse than one
# that does not.
@disturbance(
    "inversion",
    words="inverted",
    unit="inverted",
    strengths=(1.0,),
    harmless=(),
)
def inversion(_strength: float, _: np.random.Generator) -> Change:
    """Shows white as black and black as white."""
    return lambda images: 255 - images
