"""The page of a gallery: heat maps of true and false, positive and negative results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.bundle.card import Card
from pulmo.core.files import write_atomically
from pulmo.core.message import texts
from pulmo.explain.methods import Method
from pulmo.explain.overlay import colour_stops
from pulmo.report import words
from pulmo.report.examples import KINDS, Example, Gallery, Kind, Question
from pulmo.report.gallery import data_uri, file_name
from pulmo.report.template import render

_MEANINGS: Final[Mapping[Kind, str]] = {
    "false negative": "It is {name}, and the answer is no.",
    "false positive": "It is not {name}, and the answer is yes.",
    "true positive": "It is {name}, and the answer is yes.",
    "true negative": "It is not {name}, and the answer is no.",
}


@dataclass(frozen=True)
class GalleryContent:
    """What the page shows.

    Attributes:
        gallery: in numbers.
        card: the card of the model.
        method: how the maps were made.
        images: of each question the drawings of its examples: JPEG of the image and its heat map,
            as `pulmo.explain.overlay.small_pair` draws them.
    """

    gallery: Gallery
    card: Card
    method: Method
    images: Sequence[Sequence[bytes]]


class _Shown(NamedTuple):
    """An example with its drawing, as a `data:` address."""

    example: Example
    address: str


class _Part(NamedTuple):
    """The examples of one kind of result.

    Attributes:
        kind: its name.
        meaning: a sentence.
        n: images of it.
        shown: the examples.
    """

    kind: Kind
    meaning: str
    n: int
    shown: list[_Shown]


class _Section(NamedTuple):
    """A question on the page.

    Attributes:
        anchor: of the section.
        name: the classes, as words.
        title: the question.
        rule: a sentence on when the answer is yes.
        parts: the kinds of results.
    """

    anchor: str
    name: str
    title: str
    rule: str
    parts: list[_Part]

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> images."""
        return {part.kind: part.n for part in self.parts}


def write_gallery_page(path: Path, content: GalleryContent) -> None:
    """Writes the page as one HTML file, which is self-contained as that of `write_report`.

    It names files without their folders.

    Raises:
        InputError: an image is not a PNG, or the file cannot be written.
    """
    write_atomically(path, render_gallery(content).encode())


def render_gallery(content: GalleryContent) -> str:
    """Returns the page as HTML.

    Raises:
        InputError: an image is not a PNG.
    """
    gallery, card = content.gallery, content.card
    data, sections = gallery.data, list(_sections(content))
    failed = data.failed
    return render(
        "gallery",
        {
            "gallery": gallery,
            "data": data,
            "card": card,
            "method": content.method,
            "colours": colour_stops(12),
            "sections": sections,
            "names": KINDS,
            "anchors": {
                **{section.anchor: section.title for section in sections},
                "data": "Data",
            },
            "warnings": [words.without_folders(text, failed) for text in texts(gallery.warnings)],
            "failed": [
                (file_name(one.path), words.without_folders(one.reason, failed)) for one in failed
            ],
        },
        notice=card.notice,
    )


def _sections(content: GalleryContent) -> Iterator[_Section]:
    for number, (question, images) in enumerate(
        zip(content.gallery.questions, content.images, strict=True), start=1
    ):
        name = " or ".join(question.classes)
        yield _Section(
            anchor=f"question-{number}",
            name=name,
            title=name if question.threshold is None else f"{name}, by the threshold",
            rule=_rule(question, name),
            parts=list(_parts(question, name, images)),
        )


def _rule(question: Question, name: str) -> str:
    if question.threshold is None:
        return f"The answer is yes where {name} is the class with the highest probability."
    return f"The answer is yes where the probability of {name} is {question.threshold:.3f} or more."


def _parts(question: Question, name: str, images: Sequence[bytes]) -> Iterator[_Part]:
    pairs = list(zip(question.examples, images, strict=True))
    for kind in KINDS:
        shown = [
            _Shown(example, data_uri(image, example.file))
            for example, image in pairs
            if example.kind == kind
        ]
        yield _Part(kind, _MEANINGS[kind].format(name=name), question.counts[kind], shown)
