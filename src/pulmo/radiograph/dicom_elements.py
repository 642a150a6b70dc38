"""The elements of a DICOM data set as plain values, with a note on each that cannot be used."""

import math
import re
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from pulmo.radiograph.notes import Note, NoteKind

_TEXT: Final = frozenset({"CS", "DS", "IS", "LO", "LT", "SH", "ST", "UC", "UN", "UT", None})
"""Value representations of a number that is written in characters, right or wrong."""
_THOUSANDS: Final = re.compile(r"[+-]?\d{1,3},\d{3}")
"""What may be a number of thousands as well as one with a decimal comma."""


def text_of(dataset: Dataset, keyword: str) -> str:
    """Returns an element's text, its first value if there are several, "" without one.

    Raises:
        Exception: pydicom's, where the element holds something else.
    """
    value = dataset.get(keyword)
    if isinstance(value, MutableSequence):
        value = next(iter(value), None)
    return "" if value is None else str(value).strip()


def element_name(keyword: str) -> str:
    """Returns the standard's name of an element, such as `Window Center`."""
    return dictionary_description(keyword)


@dataclass(frozen=True)
class Elements:
    """Reads a data set's elements; one that no result needs never stops the reading.

    Attributes:
        dataset: the data set or an item of one of its sequences.
        notes: on what could not be used, in the order in which it was found. No note quotes a
            value, which may hold anything.
    """

    dataset: Dataset
    notes: list[Note] = field(default_factory=list)

    def note(self, kind: NoteKind, text: str) -> None:
        """Adds a note, once."""
        if (note := Note(kind, text)) not in self.notes:
            self.notes.append(note)

    def unusable(self, keyword: str, why: str = "cannot be used; it counts as unknown") -> None:
        """Notes that an element's value cannot be used."""
        self.note("value-unusable", f"The value of {element_name(keyword)} {why}.")

    def text(self, keyword: str) -> str:
        """Returns an element's text, its first value if there are several, "" without one."""
        try:
            return text_of(self.dataset, keyword)
        except Exception:  # noqa: BLE001 - pydicom raises anything on a value that departs
            self.unusable(keyword)
            return ""

    def texts(self, keyword: str) -> list[str]:
        """Returns all of an element's values as text."""
        try:
            value = self.dataset.get(keyword)
            several = value if isinstance(value, MutableSequence) else [value]
            return [str(one).strip() for one in several if one is not None]
        except Exception:  # noqa: BLE001 - as above
            self.unusable(keyword)
            return []

    def numbers(self, keyword: str) -> list[float]:
        """Returns an element's numbers; none where it has none or one of them is no number."""
        try:
            value = self.dataset.get(keyword)
            if value is None or value == "":
                return []
            several = value if isinstance(value, MutableSequence | tuple) else [value]
            found = [float(number) for number in several]
        except Exception:  # noqa: BLE001 - as above
            self.unusable(keyword)
            return []
        if not all(math.isfinite(number) for number in found):
            self.unusable(keyword)
            return []
        return found

    def written_numbers(self, keyword: str) -> list[float | None]:
        """Returns an element's values one by one, None in the place of one that is no number.

        A comma is read as a decimal point, unless it may part thousands, and a value in another
        value representation than the standard's is read too: windows are often written so.
        """
        raw = self._raw(keyword)
        if raw is None:
            return []
        if isinstance(raw, RawDataElement) and raw.VR in _TEXT:
            written = (raw.value or b"").decode("latin-1").split("\\")
        else:
            try:
                value: Any = self.dataset[keyword].value
                several = value if isinstance(value, MutableSequence | tuple) else [value]
                written = ["" if one is None else str(one) for one in several]
            except Exception:  # noqa: BLE001 - as above
                self.unusable(keyword)
                return []
        return [self._number(one.strip(" \0"), keyword) for one in written]

    def items(self, keyword: str) -> list[Dataset]:
        """Returns the items of a sequence; none where there is no such sequence."""
        try:
            value = self.dataset.get(keyword) or []
        except Exception:  # noqa: BLE001 - as above
            self.unusable(keyword)
            return []
        usable = isinstance(value, Iterable) and not isinstance(value, str | bytes)
        items = [item for item in value if isinstance(item, Dataset)] if usable else []
        if value and not items:
            self.unusable(keyword)
        return items

    def within(self, item: Dataset) -> Self:
        """Returns the elements of an item; their notes are added to these."""
        return type(self)(item, self.notes)

    def replace(self, keyword: str, number: int) -> None:
        """Puts a number in an element's place, in the value representation of the standard."""
        self.dataset[keyword] = DataElement(keyword, dictionary_VR(keyword), number)

    def _raw(self, keyword: str) -> object:
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(keyword)
        return self.dataset.get_item(Tag(tag)) if tag in self.dataset else None

    def _number(self, text: str, keyword: str) -> float | None:
        if not text:
            return None
        if text.count(",") == 1 and "." not in text and not _THOUSANDS.fullmatch(text):
            self.note(
                "value-repaired",
                f"{element_name(keyword)} has a decimal comma, which was read as a point.",
            )
            text = text.replace(",", ".")
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        self.unusable(keyword)
        return None
