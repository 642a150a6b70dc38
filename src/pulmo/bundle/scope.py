"""Whether a model was meant for an image, by what the image's header says."""

from typing import Final

from pulmo.bundle.card import Card
from pulmo.core.errors import RefusedError
from pulmo.radiograph import Facts, Note
from pulmo.radiograph.facts import ADULT, FRONTAL, AgeGroup, age_group

_XRAY: Final = ("X-ray",)
_CHEST: Final = "chest"
_AGES: Final[dict[AgeGroup, str]] = {"child": f"a child, under {ADULT} years", "adult": "an adult"}
_AGES_OF: Final[dict[AgeGroup, str]] = {"child": "children", "adult": "adults"}


def check_scope(card: Card, facts: Facts, name: str) -> tuple[Note, ...]:
    """Refuses an image whose header says that the model was not meant for it.

    What the header leaves open passes: most files do not say what they show.

    Args:
        card: of the model; `training.accepts` names what passes with the reader's note of it.
        facts: what the image's file says.
        name: what the message calls the image.

    Returns:
        a note where the view is frontal, but not one of the training, and where the patient is a
        child and all training images that state an age are of adults, or the reverse.

    Raises:
        RefusedError: the image is of another modality, part of the body or view than those that
            the model was trained on, or is not made to be looked at (PS3.3 C.8.11.1.1.1).
    """
    training = card.training
    modalities = training.modalities or _XRAY
    if facts.modality not in (None, *modalities):
        stated = "" if training.modalities else " (its card states no other modality)"
        raise RefusedError(
            "modality-out-of-scope",
            f"{name} has the modality {facts.modality}, but {card.name} was trained on "
            f"{' and '.join(modalities)} only{stated}.",
        )
    against: dict[str, str] = {}
    if facts.intent:
        against[facts.intent] = (
            "Presentation Intent Type FOR PROCESSING: values of the detector, not for display"
        )
    if facts.view and facts.view not in (*FRONTAL, *training.views):
        against[facts.view] = f"a {facts.view} view; {_trained_on(card)}"
    if facts.body_part and _CHEST not in facts.body_part:
        against["other body part"] = f"another part of the body: {facts.body_part}"
    refused = [words for key, words in against.items() if key not in training.accepts]
    if refused:
        raise RefusedError(
            "image-out-of-scope",
            f"{name} is out of scope. Its header states {'; and '.join(refused)}.",
        )
    notes = _age(card, facts)
    if facts.view in FRONTAL and training.views and facts.view not in training.views:
        view = f"The header states the view {facts.view}; {_trained_on(card)}."
        return (Note("scope", view), *notes)
    return notes


def _age(card: Card, facts: Facts) -> tuple[Note, ...]:
    """Returns a note if the patient's age group is not known to be in the training."""
    known = card.training.ages
    if facts.age is None or not known or age_group(facts.age) in known:
        return ()
    ((other, images),) = known.items()
    return (
        Note(
            "scope",
            f"The patient is {_AGES[age_group(facts.age)]}. All {images:,} training images of "
            f"{card.name} that state an age are of {_AGES_OF[other]}.",
        ),
    )


def _trained_on(card: Card) -> str:
    """Returns which views the model was trained on, as the end of a sentence."""
    views = ", ".join(card.training.views)
    return f"{card.name} was trained on {views or 'frontal images'}"
