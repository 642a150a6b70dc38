"""Chest X-ray classifiers: data that cannot leak, training, values with intervals, one bundle.

For research, not diagnosis. For example::

    model = pulmo.load("bundle")
    result = model.predict("image.dcm")
    result.heatmap("covid").save("map.png")

    data = pulmo.read_manifest("split.parquet")
    report = pulmo.evaluate(model, data.split("test"), output="evaluation")
    pulmo.audit(model, data.split("test"), output="audit")

What is named here is loaded when it is first used, so that `import pulmo` costs nothing.
"""

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulmo import datasets, lungs, stats
    from pulmo.bundle.export import load_classifier
    from pulmo.core.errors import InputError, PulmoError, RefusedError, UsageError
    from pulmo.datasets.manifest import Manifest, read_manifest
    from pulmo.predictions.predictions import Predictions
    from pulmo.predictions.reading.options import Options as ReadingOptions
    from pulmo.radiograph import Radiograph
    from pulmo.radiograph import read_radiograph as read
    from pulmo.train.torch_dataset import torch_dataset
    from pulmo.workflows.audit import audit, audit_folds, audit_predictions
    from pulmo.workflows.compare import compare
    from pulmo.workflows.dicom_results import DicomAnswer, answer_dicom
    from pulmo.workflows.evaluate import evaluate
    from pulmo.workflows.evaluate_predictions import evaluate_findings, evaluate_predictions
    from pulmo.workflows.explain import explain
    from pulmo.workflows.features import features
    from pulmo.workflows.gallery import gallery
    from pulmo.workflows.model import Model, load
    from pulmo.workflows.options.evaluation import (
        AuditOptions,
        EvaluateOptions,
        FeaturesOptions,
        GalleryOptions,
        TableOptions,
    )
    from pulmo.workflows.options.screening import ScreenOptions
    from pulmo.workflows.options.training import TrainOptions
    from pulmo.workflows.predict import predict
    from pulmo.workflows.screen import screen
    from pulmo.workflows.train import Run, train

__version__ = "0.1.0"

# Before ONNX Runtime is loaded: else it tells its makers over the network which models were run.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "AuditOptions",
    "DicomAnswer",
    "EvaluateOptions",
    "FeaturesOptions",
    "GalleryOptions",
    "InputError",
    "Manifest",
    "Model",
    "Predictions",
    "PulmoError",
    "Radiograph",
    "ReadingOptions",
    "RefusedError",
    "Run",
    "ScreenOptions",
    "TableOptions",
    "TrainOptions",
    "UsageError",
    "answer_dicom",
    "audit",
    "audit_folds",
    "audit_predictions",
    "compare",
    "datasets",
    "evaluate",
    "evaluate_findings",
    "evaluate_predictions",
    "explain",
    "features",
    "gallery",
    "load",
    "load_classifier",
    "lungs",
    "predict",
    "read",
    "read_manifest",
    "screen",
    "stats",
    "torch_dataset",
    "train",
]

_PLACES: Final = {
    "AuditOptions": "pulmo.workflows.options.evaluation:AuditOptions",
    "DicomAnswer": "pulmo.workflows.dicom_results:DicomAnswer",
    "EvaluateOptions": "pulmo.workflows.options.evaluation:EvaluateOptions",
    "FeaturesOptions": "pulmo.workflows.options.evaluation:FeaturesOptions",
    "GalleryOptions": "pulmo.workflows.options.evaluation:GalleryOptions",
    "InputError": "pulmo.core.errors:InputError",
    "Manifest": "pulmo.datasets.manifest:Manifest",
    "Model": "pulmo.workflows.model:Model",
    "Predictions": "pulmo.predictions.predictions:Predictions",
    "PulmoError": "pulmo.core.errors:PulmoError",
    "Radiograph": "pulmo.radiograph:Radiograph",
    "ReadingOptions": "pulmo.predictions.reading.options:Options",
    "RefusedError": "pulmo.core.errors:RefusedError",
    "Run": "pulmo.workflows.train:Run",
    "ScreenOptions": "pulmo.workflows.options.screening:ScreenOptions",
    "TableOptions": "pulmo.workflows.options.evaluation:TableOptions",
    "TrainOptions": "pulmo.workflows.options.training:TrainOptions",
    "UsageError": "pulmo.core.errors:UsageError",
    "answer_dicom": "pulmo.workflows.dicom_results:answer_dicom",
    "audit": "pulmo.workflows.audit:audit",
    "audit_folds": "pulmo.workflows.audit:audit_folds",
    "audit_predictions": "pulmo.workflows.audit:audit_predictions",
    "compare": "pulmo.workflows.compare:compare",
    "datasets": "pulmo.datasets:",
    "evaluate": "pulmo.workflows.evaluate:evaluate",
    "evaluate_findings": "pulmo.workflows.evaluate_predictions:evaluate_findings",
    "evaluate_predictions": "pulmo.workflows.evaluate_predictions:evaluate_predictions",
    "explain": "pulmo.workflows.explain:explain",
    "features": "pulmo.workflows.features:features",
    "gallery": "pulmo.workflows.gallery:gallery",
    "load": "pulmo.workflows.model:load",
    "load_classifier": "pulmo.bundle.export:load_classifier",
    "lungs": "pulmo.lungs:",
    "predict": "pulmo.workflows.predict:predict",
    "read": "pulmo.radiograph:read_radiograph",
    "read_manifest": "pulmo.datasets.manifest:read_manifest",
    "screen": "pulmo.workflows.screen:screen",
    "stats": "pulmo.stats:",
    "torch_dataset": "pulmo.train.torch_dataset:torch_dataset",
    "train": "pulmo.workflows.train:train",
}
"""Name -> the module that has it and what it is called there; nothing, for the module itself."""


class _FrontDoor(ModuleType):
    """A package some of whose functions are called like a package below it.

    Importing `pulmo.evaluate.curves`, say, makes Python bind `evaluate` in this module to that
    package. The name stays that of the function; `from pulmo.evaluate import curves` works as ever.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _PLACES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Loads what a name stands for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, called = _PLACES[name].partition(":")
    found = import_module(module)
    return getattr(found, called) if called else found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
