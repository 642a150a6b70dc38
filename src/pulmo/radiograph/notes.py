"""Notes: what the reader assumed about an image, or did to it, that a user must know of."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from pulmo.core.noted import UNKNOWN

NoteKind = Literal[
    "own-range",
    "window-unusable",
    "window-first",
    "table-range",
    "value-unusable",
    "value-repaired",
    "contradiction",
    "bits-unused",
    "bits-masked",
    "bits-differ",
    "hot-pixel",
    "padding",
    "shutter",
    "aspect",
    "orientation",
    "colour",
    "transparency",
    "sides",
    "scope",
    "looks",
    "no-lungs",
    "drawings",
    "seen",
]

KINDS: Final[dict[NoteKind, str]] = {
    "own-range": "no usable display window is stated; the image's own range was used",
    "window-unusable": "a stated display window is not usable and was ignored",
    "window-first": "several display windows are stated; the first usable one was used",
    "table-range": "the entries of a lookup table contradict its descriptor; the entries were used",
    "value-unusable": "a value of the header is not usable; it was ignored or counts as unknown",
    "value-repaired": "a value of the header is written wrongly; it was read as was probably meant",
    "contradiction": "two statements of the header contradict each other",
    "bits-unused": "the values use only a part of the bits that are stored",
    "bits-masked": "bits that do not belong to the image were removed",
    "bits-differ": "the header and the compressed image state different numbers of bits",
    "hot-pixel": "a few extreme pixels are far beyond the others",
    "padding": "pixels that are marked as padding were made black",
    "shutter": "pixels outside the display shutter were made black",
    "aspect": "the image was resampled to square pixels",
    "orientation": "the header says that the image is turned or mirrored; this was not corrected",
    "colour": "colour was removed",
    "transparency": "transparent parts were made black",
    "sides": "the view is not stated; left and right of the patient are those of a frontal image",
    "scope": "the model was not meant for such an image, as is stated of it",
    "looks": "the model was not meant for what the image looks like, such as CT or a lateral view",
    "no-lungs": "no lungs were found; the model, which sees the lungs, was shown the whole image",
    "drawings": "the model was trained on drawings; its result says nothing about a patient",
    "seen": "the model was trained or chosen on this image; its result is no test of the model",
}
"""Kind -> what such a note says, in words that fit any image of which it is true."""

ABOUT_MODEL: Final = frozenset({"drawings", "seen"})
"""Kinds that no reader makes, for they are about a model; an evaluation warns of what they say."""

SAYS: Final[Mapping[str, str]] = {str(kind): says for kind, says in KINDS.items()} | {
    UNKNOWN: "the notes are unknown (not decoded, or imported by an earlier version)",
}
"""The same, and what it means that the notes of an image are not known."""


class Note(NamedTuple):
    """One note.

    Attributes:
        kind: what it is about, a key of `KINDS`; for counts and for programs.
        text: a sentence about this image. It quotes no value that could identify a person.
    """

    kind: NoteKind
    text: str

    def __str__(self) -> str:
        return self.text


def count_sentence(kind: str, images: int, total: int | None = None) -> str:
    """Returns how many images have notes of a kind, and what such a note says.

    Args:
        kind: a key of `KINDS`, or `pulmo.core.noted.UNKNOWN`.
        images: those that have such a note.
        total: all of them; None if nobody counted.
    """
    of = "" if total is None else f" of {total:,}"
    noun = "image" if (images if total is None else total) == 1 else "images"
    return f"{images:,}{of} {noun}: {SAYS.get(kind, kind)}"
