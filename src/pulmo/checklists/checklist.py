"""Checklist: the items of a reporting guideline as data, and their answers.

To add a checklist, put a file that registers one into `guidelines`. An item's answer is made of
parts (`pulmo.checklists.parts`), each a function of the artefacts that says what one of them
states, or raises `Gap`. What no artefact can state is the item's `todo`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.core.registry import Registry


class Statement(NamedTuple):
    """What an artefact states.

    Attributes:
        text: the statement.
        where: the file and its field.
        gap: what a person must add, as a sentence; empty if nothing.
    """

    text: str
    where: str
    gap: str = ""


Part = Callable[[Artefacts], Statement]
"""Returns what an artefact states; raises `Gap` where it is absent or does not state it."""


class Item(NamedTuple):
    """An item of a checklist.

    Attributes:
        number: its number, such as `12a`.
        topic: its title, in a few words.
        asks: what it asks, in our own words.
        parts: what the artefacts can say about it.
        todo: what a person must write, since no artefact states it; empty if nothing is left.
    """

    number: str
    topic: str
    asks: str
    parts: tuple[Part, ...] = ()
    todo: str = ""


class Section(NamedTuple):
    """Items under one title."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Checklist:
    """A guideline.

    Attributes:
        title: its name.
        file: what the file with its answers is called.
        source: whose it is, as a citation.
        note: what a reader must know of the items' numbers and words.
        sections: its items.
        of_model: whether it is about the model: then a manifest that the model was not trained on
            is not used. Otherwise it is about the images.
        tables: gives tables in Markdown to go below the answers.
    """

    title: str
    file: str
    source: str
    note: str
    sections: tuple[Section, ...]
    of_model: bool = True
    tables: Callable[[Artefacts], str] | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in their order."""
        return tuple(item for section in self.sections for item in section.items)


CHECKLISTS: Final = Registry[Checklist]("checklist", "pulmo.checklists.guidelines")


class Row(NamedTuple):
    """An item and its answer.

    Attributes:
        item: the item.
        statements: what the artefacts state.
        gaps: what is open, as sentences.
    """

    item: Item
    statements: tuple[Statement, ...]
    gaps: tuple[str, ...]


class Tally(NamedTuple):
    """How many items are answered by the artefacts, answered in part, and not at all."""

    answered: int
    in_part: int
    open: int

    def __str__(self) -> str:
        """Gives the counts as a sentence."""
        return (
            f"{sum(self)} items: {self.answered} answered from the artefacts, {self.in_part} in "
            f"part, {self.open} open."
        )


def answer(item: Item, artefacts: Artefacts) -> Row:
    """Answers an item with what the artefacts state, and with nothing else."""
    statements: list[Statement] = []
    gaps: list[str] = []
    for part in item.parts:
        try:
            found = part(artefacts)
        except Gap as gap:
            gaps.append(str(gap))
        else:
            statements.append(found)
            gaps.append(found.gap)
    gaps.append(item.todo)
    return Row(item, tuple(statements), tuple(dict.fromkeys(filter(None, gaps))))


def fill(checklist: Checklist, artefacts: Artefacts) -> list[Row]:
    """Answers all items of a checklist, in their order."""
    known = artefacts.without_other_images() if checklist.of_model else artefacts
    return [answer(item, known) for item in checklist.items]


def tally(rows: list[Row]) -> Tally:
    """Counts the answers. An item with an answer and a gap is answered in part."""
    whole = sum(1 for row in rows if row.statements and not row.gaps)
    part = sum(1 for row in rows if row.statements and row.gaps)
    return Tally(whole, part, len(rows) - whole - part)
