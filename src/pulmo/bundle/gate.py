"""Gate: whether an image looks like one that a model for frontal chest X-rays was not meant for.

A PNG or JPEG file says nothing of what it shows, so a photograph or a slice of CT would get a
result like any radiograph. A multinomial logistic regression sees the numbers of
`pulmo.bundle.looks`. `benchmarks/gate.py` fits and tests it.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.errors import RefusedError
from pulmo.core.record import Record, parse_record
from pulmo.core.sections import Look
from pulmo.radiograph import Facts, Note, Radiograph
from pulmo.radiograph.facts import FRONTAL

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder

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
        weights: one for each number of `looks`.
        bias: added to their sum, which is then the logarithm of how many times as likely as a good
            image one of the kind is.
        threshold: an image whose sum reaches it looks like one of the kind.
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float


class Gate(Record):
    """The fitted gate.

    Attributes:
        kinds: kind -> its boundary.
        finder: SHA-256 of the network of the lungs whose view it was fitted on.
        fitted: how and on what, as a sentence.
    """

    kinds: Mapping[Look, Boundary]
    finder: str
    fitted: str

    def likeliest(self, seen: NDArray[np.float64], kinds: Collection[Look]) -> Look | None:
        """Returns which of some kinds an image looks most like; None if it looks like none.

        Args:
            seen: the numbers of `looks`, one after the other.
            kinds: those that count.
        """
        sums = {
            kind: float(seen @ np.array(self.kinds[kind].weights) + self.kinds[kind].bias)
            for kind in kinds
        }
        reached = [kind for kind in kinds if sums[kind] >= self.kinds[kind].threshold]
        return max(reached, key=sums.__getitem__, default=None)


@lru_cache(maxsize=1)
def shipped_gate() -> Gate:
    """Returns the gate that comes with pulmo."""
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    return parse_record(text, Gate, origin=FILE, what="a gate")


def appearance(
    radiograph: Radiograph, lungs: NDArray[np.float32] | None, finder: "LungFinder"
) -> NDArray[np.float64]:
    """Returns the numbers of `looks` of an image, one after the other.

    Args:
        radiograph: the image.
        lungs: as `finder.look` gives it; None to ask now.
        finder: the network of the lungs.
    """
    # OpenCV, which a model of drawings never uses.
    from pulmo.bundle.looks import looks  # noqa: PLC0415 - see above

    seen = finder.look(radiograph) if lungs is None else lungs
    return np.concatenate(looks(radiograph.pixels, seen, finder))


def check_appearance(
    card: Card,
    radiograph: Radiograph,
    name: str,
    *,
    lungs: NDArray[np.float32] | None = None,
    described: bool = False,
) -> tuple[Note, ...]:
    """Refuses an image that looks like one that the model was not meant for.

    Of the kinds that it looks like, the likeliest one counts. A model of
    drawings is for no patient. The gate knows frontal chest X-rays only, so it is not asked where
    the model or what is stated of the image goes beyond them.

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
    if card.has_drawings or not _is_of_frontal_chests(card, radiograph.facts):
        return ()
    kind = _kind_of(card, radiograph, lungs)
    if kind is None:
        return ()
    if described or kind in training.accepts or not training.modalities:
        known = "trained on X-ray" if training.modalities else "trained on no stated modality"
        text = f"The image looks like {KINDS[kind].says}; {card.name} was {known}."
        return (Note("scope", text),)
    raise KINDS[kind].refusal(name, card.name)


def _is_of_frontal_chests(card: Card, facts: Facts) -> bool:
    """Returns whether nothing stated goes beyond frontal chest X-rays that are made to be seen."""
    views = (*card.training.views, *([facts.view] if facts.view else ()))
    return (
        "CT" not in card.training.modalities
        and all(view in FRONTAL for view in views)
        and (facts.body_part is None or facts.body_part == "chest")
        and facts.intent is None
    )


def _kind_of(card: Card, radiograph: Radiograph, lungs: NDArray[np.float32] | None) -> Look | None:
    """Returns the kind that an image looks most like; None if it looks like none that is asked."""
    from pulmo.lungs.finder import shipped_finder  # noqa: PLC0415 - OpenCV, as in `appearance`

    gate, finder = shipped_gate(), shipped_finder()
    # A network of the lungs that a user trained may see the image otherwise.
    known = lungs if card.input.lungs == gate.finder else None
    asked = [kind for kind in KINDS if KINDS[kind].asked(radiograph.facts)]
    return gate.likeliest(appearance(radiograph, known, finder), asked)
