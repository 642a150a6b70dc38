"""Provenance: which test images are internal, from a source of the training, and which external."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.audit.parts import Part, require_fit
from pulmo.core.message import Message
from pulmo.core.sources import HOW_TO_STATE, are_stated, is_stated, source_names


class Provenance(NamedTuple):
    """Where the test images are from. An image may be neither: then it is unknown.

    Attributes:
        external: whether an image is known to be from a source and an origin without a training
            image, [n].
        internal: whether it is from a source, an origin or a data set of training images, [n].
    """

    external: NDArray[np.bool_]
    internal: NDArray[np.bool_]

    @property
    def unknown(self) -> int:
        """The number of images that may be either."""
        return int((~self.external & ~self.internal).sum())


class _TrainedOn(NamedTuple):
    """Where the training images of a model are from.

    Attributes:
        names: the sources, origins and data sets.
        stated: whether the source of every training image is stated; if not, an image without a
            stated source may be from any.
    """

    names: set[str]
    stated: bool


def provenance(context: AuditContext) -> Provenance:
    """Tells which test images are internal to their model's training, and which external.

    An image without a stated source, of a data set without a training image, may still be from a
    hospital of the training: it is neither.

    Raises:
        CannotRun: the training images of a model are unknown.
    """
    external, internal = np.zeros((2, len(context.rows)), np.bool_)
    for number, part in enumerate(context.parts):
        at = context.part == number
        rows, called = context.rows[at], context.called[at]
        trained, stated = _trained_on(part), are_stated(called)
        known = called.isin(trained.names) | rows["origin"].isin(trained.names)
        known |= rows["source"].isin(trained.names) & ~stated
        internal[at] = known.to_numpy(np.bool_)
        external[at] = ~internal[at] & stated & trained.stated
    return Provenance(external, internal)


def unknown_provenance(n: int, of: int) -> Message:
    """Returns a message on images that may be internal or external."""
    return Message(
        "unknown-provenance",
        f"{n:,} of {of:,} images may be internal or external: their source, or the source of "
        f"training images, is not stated. {HOW_TO_STATE}",
    )


def _trained_on(part: Part) -> _TrainedOn:
    """Returns where a part's training images are from, by its rows or else by the card."""
    if part.fit is None and part.model.card is not None:
        counts = part.model.card.training.sources.values()
        names = {source for sources in counts for source in sources}
        return _TrainedOn(names, all(map(is_stated, names)))
    require_fit([part])
    called = source_names(part.fitted)
    names = {*called, *part.fitted["origin"].dropna()}
    return _TrainedOn(names, bool(are_stated(called).all()))
