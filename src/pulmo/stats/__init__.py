"""Statistics of images that cluster in patients: arrays in, an `Estimate` with its interval out.

For example::

    stats.proportion(right, groups=patients)
    stats.auc(positive, scores, groups=patients)
    stats.difference(stats.mean(here, groups=p), stats.mean(there, groups=q))

`groups` says which observations belong together, such as the patient of each image: any hashable
labels, or None where all are independent. What is named here is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulmo.stats.association import cramers_v
    from pulmo.stats.classified import ClassifiedImages
    from pulmo.stats.estimate import Estimate, average, difference
    from pulmo.stats.estimates import estimate_metrics
    from pulmo.stats.means import corrected_mean, mean
    from pulmo.stats.metric import METRICS
    from pulmo.stats.multiple import holm, significantly_above
    from pulmo.stats.paired import (
        PairedDifference,
        accuracy_difference,
        auc_difference,
        balanced_accuracy_difference,
    )
    from pulmo.stats.proportions import (
        balanced_accuracy,
        predictive_value,
        proportion,
        ratio,
        wilson,
    )
    from pulmo.stats.recalibration import recalibrate
    from pulmo.stats.resampling import bootstrap, interval_estimate
    from pulmo.stats.roc import auc

__all__ = [
    "METRICS",
    "ClassifiedImages",
    "Estimate",
    "PairedDifference",
    "accuracy_difference",
    "auc",
    "auc_difference",
    "average",
    "balanced_accuracy",
    "balanced_accuracy_difference",
    "bootstrap",
    "corrected_mean",
    "cramers_v",
    "difference",
    "estimate_metrics",
    "holm",
    "interval_estimate",
    "mean",
    "predictive_value",
    "proportion",
    "ratio",
    "recalibrate",
    "significantly_above",
    "wilson",
]

_MODULES: Final = {
    "METRICS": "metric",
    "ClassifiedImages": "classified",
    "Estimate": "estimate",
    "PairedDifference": "paired",
    "accuracy_difference": "paired",
    "auc": "roc",
    "auc_difference": "paired",
    "average": "estimate",
    "balanced_accuracy": "proportions",
    "balanced_accuracy_difference": "paired",
    "bootstrap": "resampling",
    "corrected_mean": "means",
    "cramers_v": "association",
    "difference": "estimate",
    "estimate_metrics": "estimates",
    "holm": "multiple",
    "interval_estimate": "resampling",
    "mean": "means",
    "predictive_value": "proportions",
    "proportion": "proportions",
    "ratio": "proportions",
    "recalibrate": "recalibration",
    "significantly_above": "multiple",
    "wilson": "proportions",
}
"""Name -> the module that has it."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Loads what a name stands for (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
