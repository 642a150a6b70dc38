"""Shortcut baselines of a reproduced system: the values of classifiers that see no structure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pulmo.audit.baselines import BASELINES, fit_baseline
from pulmo.audit.context import AuditContext
from pulmo.audit.found_lungs import FoundLungs
from pulmo.audit.learners import NoBaseline
from pulmo.audit.parts import AuditOptions, Part
from pulmo.datasets.cache import cache_folder
from pulmo.lungs import shipped_finder
from pulmo.stats.estimates import Estimates, estimate_metrics

COMPARED: Final = ("facts", "thumbnail", "lungs")
"""The baselines that a system is compared with."""

_REPLICATES: Final = 1000


def baseline_values(parts: Sequence[Part]) -> dict[str, Estimates | str]:
    """Returns the values of each baseline of `COMPARED`, or why there are none.

    Args:
        parts: the models, what each was fitted on, and what it was evaluated on.

    Raises:
        InputError: an image cannot be read.
    """
    finder = FoundLungs(shipped_finder(), cache_folder())
    context = AuditContext(parts, AuditOptions(cache_folder(), finder=finder))
    found: dict[str, Estimates | str] = {}
    for name in COMPARED:
        try:
            baseline = fit_baseline(context, BASELINES[name])
        except NoBaseline as reason:
            found[name] = str(reason)
            continue
        sample = context.sample_of(baseline.probabilities, baseline.numbers)
        plain = replace(sample, decided=baseline.decided)
        found[name] = estimate_metrics(plain, _REPLICATES, context.generator(name))
    return found
