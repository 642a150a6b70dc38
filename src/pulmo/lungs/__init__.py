"""Where the lungs are on a frontal chest X-ray, and when there are none. No torch is needed.

For example::

    lungs = pulmo.lungs.segment("image.png")
    if lungs.found:
        top, bottom, left, right = lungs.box(margin=0.05)
    else:
        print(lungs.reason)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder, segment, shipped_finder
    from pulmo.lungs.mask import LungMask, Zone
    from pulmo.radiograph.geometry import Box

__all__ = ["Box", "LungFinder", "LungMask", "Zone", "segment", "shipped_finder"]

_PLACES: Final = {
    "Box": "pulmo.radiograph.geometry",
    "LungFinder": "pulmo.lungs.finder",
    "LungMask": "pulmo.lungs.mask",
    "Zone": "pulmo.lungs.mask",
    "segment": "pulmo.lungs.finder",
    "shipped_finder": "pulmo.lungs.finder",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Loads what a name stands for (PEP 562); OpenCV, which a model of whole images never uses."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
