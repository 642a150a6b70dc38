"""Outside: judged images from where no training image is, as far as that is known."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.audit.parts import Part, require_fit
from pulmo.core.sources import HOW_TO_STATE, are_stated, is_stated, source_names


class Whereabouts(NamedTuple):
    """What is known of where the judged images are from; of some it may be neither.

    Attributes:
        outside: whether an image is surely of a source and an origin that its model never saw,
            [n].
        inside: whether it is of a source, an origin or a data set that its model saw, [n].
    """

    outside: NDArray[np.bool_]
    inside: NDArray[np.bool_]


class _Saw(NamedTuple):
    """What a model was fitted on.

    Attributes:
        names: the sources, origins and data sets.
        stated: whether the source of each training image is stated; where it is not, they may be
            from any.
    """

    names: set[str]
    stated: bool


def whereabouts(context: AuditContext) -> Whereabouts:
    """Tells which judged images are from where their model was fitted, and which are not.

    An image whose source is not stated, and which is of a data set that the model never saw, may
    be from the same hospital nonetheless.

    Raises:
        Unanswered: nothing tells what it saw.
    """
    outside, inside = np.zeros((2, len(context.rows)), np.bool_)
    for number, part in enumerate(context.parts):
        at = context.part == number
        rows, called = context.rows[at], context.called[at]
        saw, stated = _seen_by(part), are_stated(called)
        known = called.isin(saw.names) | rows["origin"].isin(saw.names)
        known |= rows["source"].isin(saw.names) & ~stated
        inside[at] = known.to_numpy(np.bool_)
        outside[at] = ~inside[at] & stated & saw.stated
    return Whereabouts(outside, inside)


def unsure_sentence(n: int, of: int) -> str:
    """Says that it is not known of some images whether they are from elsewhere."""
    return (
        f"Whether {n:,} of {of:,} images are from where the model was trained is not known, for "
        f"their source, or that of training images, is not stated. {HOW_TO_STATE}"
    )


def _seen_by(part: Part) -> _Saw:
    """Returns what a part's model was fitted on, or what its card says of it."""
    if part.fit.empty and part.model.card is not None:
        counts = part.model.card.training.sources.values()
        names = {source for sources in counts for source in sources}
        return _Saw(names, all(map(is_stated, names)))
    require_fit([part])
    called = source_names(part.fit)
    names = {*called, *part.fit["origin"].dropna()}
    return _Saw(names, bool(are_stated(called).all()))
