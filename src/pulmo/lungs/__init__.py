"""Where the lungs are on a frontal chest X-ray, and when there are none. No torch is needed.

For example::

    lungs = pulmo.lungs.segment("image.png")
    if lungs.found:
        top, bottom, left, right = lungs.box(margin=0.05)
    else:
        print(lungs.reason)
"""

from pulmo.lungs.finder import LungFinder, shipped_finder
from pulmo.lungs.mask import Box, LungMask, Zone
from pulmo.radiograph.image_source import ImageSource, ValueRange, name_of, open_image

__all__ = ["Box", "LungFinder", "LungMask", "Zone", "segment", "shipped_finder"]


def segment(image: ImageSource, *, value_range: ValueRange | None = None) -> LungMask:
    """Finds the lungs on an image with the network that comes with pulmo.

    It was trained on frontal X-rays of children and adults (`docs/how-to/find-lungs.md`). On an
    image of another kind it is to find no lungs.

    Args:
        image: a file, its bytes, an image of Pillow, an array [height, width], or an image that was
            read.
        value_range: of an array, the values that are shown black and white, such as (0, 255).

    Raises:
        InputError: the file is missing or damaged.
        RefusedError: it is readable, but not one grey image within the limits.
        UsageError: an array has no value range or does not fit it.
    """
    return shipped_finder().find(open_image(image, name_of(image, "The image"), value_range))
