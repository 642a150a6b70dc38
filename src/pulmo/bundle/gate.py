"""Gate: whether an image looks like one that a model for frontal chest X-rays was not meant for.

A PNG or JPEG file says nothing of what it shows, so a photograph or a slice of CT would get a
result like any radiograph. A multinomial logistic regression sees the numbers of
`pulmo.bundle.looks`. Most images are clearly fit by their grey values alone, which another
regression sees first; the network of the lungs, which costs more than many classifiers, is asked of
the others only. `benchmarks/gate.py` fits and tests both.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from importlib import resources
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.bundle.looks import SIDE, grey_looks, lung_looks
from pulmo.core.errors import RefusedError
from pulmo.core.record import Record, parse_record
from pulmo.core.sections import Look
from pulmo.radiograph import Facts, Note, Radiograph
from pulmo.radiograph.facts import FRONTAL

FILE: Final = "gate.json"
"""The coefficients, next to this module."""

CT: Final = "looks like CT"
OTHER: Final = "looks like no radiograph"
LATERAL: Final = "looks lateral"
TURNED: Final = "looks turned"
INVERTED: Final = "looks inverted"
CUT: Final = "looks cut"
SEVERAL: Final = "looks like several"


class Kind(NamedTuple):
    """Images of one kind that a model for frontal chest X-rays was not meant for.

    Attributes:
        says: what such an image looks like, as the end of a sentence.
        refusal: the error of an image, by its name and the model's.
        asked: whether the looks decide, by what the image's file or a manifest says of it: who
            states what it is knows more than its looks tell.
    """

    says: str
    refusal: Callable[[str, str], RefusedError]
    asked: Callable[[Facts], bool] = lambda _: True


def _no_modality(facts: Facts) -> bool:
    return facts.modality is None


KINDS: Final[Mapping[Look, Kind]] = {
    CT: Kind(
        "a slice of CT",
        lambda name, model: RefusedError(
            "image-looks-like-ct",
            f"{name} looks like a slice of CT, but {model} was trained on X-ray only. Nothing "
            "states the modality of the image.",
        ),
        _no_modality,
    ),
    OTHER: Kind(
        "no radiograph, but a photograph, a document, a drawing or nothing",
        lambda name, model: RefusedError(
            "image-looks-like-no-radiograph",
            f"{name} looks like no radiograph, but like a photograph, a document, a drawing or an "
            f"empty image. {model} was trained on X-ray only. Nothing states the modality of the "
            "image.",
        ),
        _no_modality,
    ),
    LATERAL: Kind(
        "a lateral view",
        lambda name, model: RefusedError(
            "image-looks-lateral",
            f"{name} looks like a lateral view, but {model} was trained on frontal views only. "
            "Nothing states the view of the image.",
        ),
        lambda facts: facts.view is None,
    ),
    TURNED: Kind(
        "an image that is upside down or turned by 90 degrees",
        lambda name, model: RefusedError(
            "image-looks-turned",
            f"{name} looks as if it were upside down or turned by 90 degrees, but {model} was "
            "trained on upright images.",
        ),
    ),
    INVERTED: Kind(
        "an image whose grey scale is inverted",
        lambda name, model: RefusedError(
            "image-looks-inverted",
            f"{name} looks as if its grey scale were inverted, with black bones. {model} was "
            "trained on images with white bones.",
        ),
    ),
    CUT: Kind(
        "an image that ends before the second lung",
        lambda name, model: RefusedError(
            "image-looks-cut",
            f"{name} looks as if one lung were cut off, but {model} was trained on images of both "
            "lungs.",
        ),
    ),
    SEVERAL: Kind(
        "several images in one",
        lambda name, model: RefusedError(
            "image-looks-like-several",
            f"{name} looks like several images in one, but {model} was trained on single images.",
        ),
    ),
}
"""What `data.accepts` of a recipe calls a kind -> the kind."""


class Boundary(Record):
    """What parts the images of a kind from good frontal chest X-rays.

    Attributes:
        weights: one for each number that is seen.
        bias: added to their sum, which is then the logarithm of how many times as likely as a good
            image one of the kind is.
        threshold: an image whose sum reaches it looks like one of the kind.
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float

    def sum_of(self, seen: NDArray[np.float64]) -> float:
        """Returns the sum of an image."""
        return float(seen @ np.array(self.weights) + self.bias)


class Gate(Record):
    """The fitted gate.

    Attributes:
        grey: kind -> its boundary by the numbers of `GreyLooks` alone. Few images of the kind are
            below it, and an image that is below all is fit.
        kinds: kind -> its boundary by the numbers of `GreyLooks` and `LungLooks`.
        finder: SHA-256 of the network of the lungs whose view it was fitted on.
        fitted: how and on what, as a sentence.
    """

    grey: Mapping[Look, Boundary]
    kinds: Mapping[Look, Boundary]
    finder: str
    fitted: str

    def likeliest(
        self,
        grey: NDArray[np.float64],
        lungs: Callable[[], NDArray[np.float64]],
        kinds: Collection[Look],
    ) -> Look | None:
        """Returns which of some kinds an image looks most like; None if it looks like none.

        Args:
            grey: the numbers of `GreyLooks`, one after the other.
            lungs: returns those of `LungLooks`; it is called if the grey values leave a doubt.
            kinds: those that count.
        """
        if all(self.grey[kind].sum_of(grey) < self.grey[kind].threshold for kind in kinds):
            return None
        seen = np.concatenate([grey, lungs()])
        sums = {kind: self.kinds[kind].sum_of(seen) for kind in kinds}
        reached = [kind for kind in kinds if sums[kind] >= self.kinds[kind].threshold]
        return max(reached, key=sums.__getitem__, default=None)


@lru_cache(maxsize=1)
def shipped_gate() -> Gate:
    """Returns the gate that comes with pulmo."""
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    return parse_record(text, Gate, origin=FILE, what="a gate")


def check_appearance(
    card: Card,
    radiograph: Radiograph,
    name: str,
    *,
    lungs: NDArray[np.float32] | None = None,
    described: bool = False,
) -> tuple[Note, ...]:
    """Refuses an image that looks like one that the model was not meant for.

    Of the kinds that it looks like, the likeliest one counts. The gate knows frontal chest X-rays
    only, so it is not asked where the model (`unasked`) or what is stated of the image goes beyond
    them.

    Args:
        card: of the model; `training.accepts` may say that such an image passes with a note.
        radiograph: the image.
        name: what the message calls the image.
        lungs: what the model's own network of the lungs saw of the image; None if it has none.
        described: whether a manifest describes the image. Then it is not refused: whoever made the
            manifest chose it, and an evaluation without it would be one of chosen images.

    Returns:
        a note if the image looks so and is described, or the card accepts it or states no modality:
        then nobody knows what the model is for.

    Raises:
        RefusedError: it looks like one of `KINDS`.
    """
    training = card.training
    if unasked(card) or not _is_of_frontal_chest(radiograph.facts):
        return ()
    kind = _kind_of(card, radiograph, lungs)
    if kind is None:
        return ()
    if described or kind in training.accepts or not training.modalities:
        known = "trained on X-ray" if training.modalities else "trained on no stated modality"
        text = f"The image looks like {KINDS[kind].says}; {card.name} was {known}."
        return (Note("looks", text),)
    raise KINDS[kind].refusal(name, card.name)


def unasked(card: Card) -> str | None:
    """Returns why a model asks no looks of its images, as a sentence; None if it asks them.

    The gate knows frontal chest X-rays only, and takes none of them for a drawing.
    """
    training = card.training
    if card.has_drawings:
        beyond = "on drawings"
    elif "CT" in training.modalities:
        beyond = "on CT"
    elif any(view not in FRONTAL for view in training.views):
        beyond = "on views that are not frontal"
    else:
        return None
    return f"Because it was trained {beyond}, the model refuses no image by its looks."


def _is_of_frontal_chest(facts: Facts) -> bool:
    """Returns whether a header states nothing beyond a frontal chest X-ray made to be seen."""
    return (
        facts.view in (None, *FRONTAL) and facts.body_part in (None, "chest") and not facts.intent
    )


def _kind_of(card: Card, radiograph: Radiograph, lungs: NDArray[np.float32] | None) -> Look | None:
    """Returns the kind that an image looks most like; None if it looks like none that is asked."""
    gate, square = shipped_gate(), radiograph.squashed(SIDE)
    # A network of the lungs that a user trained may see the image otherwise.
    known = lungs if card.input.lungs == gate.finder else None

    def of_lungs() -> NDArray[np.float64]:
        # OpenCV, and a network to open, which most images do not need.
        from pulmo.lungs.finder import shipped_finder  # noqa: PLC0415 - see above

        finder = shipped_finder()
        seen = finder.look(radiograph) if known is None else known
        return np.concatenate(lung_looks(square, seen, finder))

    asked = [kind for kind in KINDS if KINDS[kind].asked(radiograph.facts)]
    return gate.likeliest(np.concatenate(grey_looks(square)), of_lungs, asked)
