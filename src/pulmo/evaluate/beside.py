"""Inside and outside: a model's figures where it was trained beside those elsewhere."""

from typing import Final

from pulmo import stats
from pulmo.core.errors import UsageError
from pulmo.evaluate.evaluation import Beside, Evaluation, Gap

_DECISION: Final = ("sensitivity", "specificity", "auc")


def beside(here: Evaluation, inside: Evaluation) -> Beside:
    """Sets an evaluation beside one of the same model on pictures like those of its training.

    The pictures are taken to be others, so that the interval of a gap combines both intervals.

    Args:
        here: of pictures from elsewhere.
        inside: of pictures like those of the training.

    Raises:
        UsageError: they are of two models, or of the same pictures.
    """
    if here.model.sha256 != inside.model.sha256:
        raise UsageError(
            f"The internal evaluation is of {inside.model.name} {inside.model.version}, this one "
            f"of {here.model.name} {here.model.version}; a gap is one model's."
        )
    if here.data.manifest_sha256 == inside.data.manifest_sha256:
        raise UsageError("The internal evaluation is of the very same pictures; there is no gap.")
    pairs = {name: (inside.overall.get(name), figure) for name, figure in here.overall.items()}
    for name in _DECISION:
        pairs[name] = getattr(inside.decision, name), getattr(here.decision, name)
    figures = {
        name: Gap(inside=first, here=second, gap=stats.difference(second, first))
        for name, (first, second) in pairs.items()
        if first and second
    }
    sources = [one for one in here.subgroups if one.fact == "source" and one.auc.value is not None]
    worst = min(sources, key=lambda one: one.auc.value or 0.0, default=None)
    return Beside(
        manifest_sha256=inside.data.manifest_sha256,
        n=inside.data.n,
        figures=figures,
        worst=worst.name if worst else None,
    )
