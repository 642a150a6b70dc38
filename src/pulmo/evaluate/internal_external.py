"""Internal and external: a model's metrics on images like its training's, and on others."""

from typing import Final

from pulmo import stats
from pulmo.core.errors import UsageError
from pulmo.evaluate.decision_results import Gap, InternalExternal
from pulmo.evaluate.evaluation import Evaluation

_DECISION: Final = ("sensitivity", "specificity", "auc")


def compare_internal(external: Evaluation, internal: Evaluation) -> InternalExternal:
    """Compares an evaluation with one of the same model on images like those of its training.

    It is assumed that no image is in both, so the interval of a gap combines both intervals.

    Args:
        external: of images from elsewhere.
        internal: of images like those of the training.

    Raises:
        UsageError: they are of two models, or of the same images.
    """
    if external.model.sha256 != internal.model.sha256:
        raise UsageError(
            "result-of-other-model",
            f"The internal evaluation is of {internal.model.name} {internal.model.version} and "
            f"the external one of {external.model.name} {external.model.version}. Both must be "
            "of the same model.",
        )
    if external.data.manifest_sha256 == internal.data.manifest_sha256:
        raise UsageError(
            "evaluations-of-same-images",
            "The internal and the external evaluation have the same images, so they cannot be "
            "compared.",
        )
    pairs = {name: (internal.overall.get(name), value) for name, value in external.overall.items()}
    for name in _DECISION:
        pairs[name] = getattr(internal.decision, name), getattr(external.decision, name)
    gaps = {
        name: Gap(internal=first, external=second, gap=stats.difference(second, first))
        for name, (first, second) in pairs.items()
        if first and second
    }
    sources = [
        one for one in external.subgroups if one.fact == "source" and one.auc.value is not None
    ]
    worst = min(sources, key=lambda one: one.auc.value or 0.0, default=None)
    return InternalExternal(
        manifest_sha256=internal.data.manifest_sha256,
        n=internal.data.n,
        gaps=gaps,
        worst=worst.name if worst else None,
    )
