"""Chest X-ray classifiers: data that cannot leak, training, figures with intervals, one bundle.

For research, not diagnosis.

    predictor = pulmo.load("bundle")
    radiograph = pulmo.read("image.dcm")
    outcome = predictor.predict(radiograph)

What is named here is loaded when it is first used, so that `import pulmo` costs nothing.
"""

from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulmo import stats
    from pulmo.bundle.predictor import Predictor
    from pulmo.datasets.manifest import read_manifest
    from pulmo.radiograph import read_radiograph as read
    from pulmo.workflows.predict import predict

    load = Predictor.open

__version__ = "0.1.0"

__all__ = ["load", "predict", "read", "read_manifest", "stats"]

_PLACES: Final = {
    "load": ("pulmo.bundle.predictor", "Predictor.open"),
    "predict": ("pulmo.workflows.predict", "predict"),
    "read": ("pulmo.radiograph", "read_radiograph"),
    "read_manifest": ("pulmo.datasets.manifest", "read_manifest"),
    "stats": ("pulmo.stats", ""),
}
"""Name -> the module that has it, and what it is called there; "" is the module itself."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Loads what a name stands for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, path = _PLACES[name]
    return reduce(getattr, filter(None, path.split(".")), import_module(module))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
