"""The lookup tables of a DICOM data set: their entries count where their descriptor is wrong."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from pulmo.core.errors import InputError
from pulmo.radiograph.dicom_elements import Elements, element_name
from pulmo.radiograph.display import Lut

MODALITY: Final = "Modality LUT"
_COLOURS: Final = ("Red", "Green", "Blue")
_PALETTE: Final = "PaletteColorLookupTable"


@dataclass(frozen=True)
class TableReader:
    """How a data set's tables are to be read.

    Attributes:
        elements: of the data set; what was assumed is noted there.
        name: what messages call the file.
        signed: whether stored values are two's complement.
        words: NumPy's type of 16-bit words in the file's order.
        implicit: whether the file leaves the value representation to the dictionary, where that of
            a table's first input value depends on other elements.
    """

    elements: Elements
    name: str
    signed: bool
    words: str
    implicit: bool

    @classmethod
    def of(cls, elements: Elements, name: str) -> Self:
        """Returns the reader of a data set's tables."""
        syntax = elements.dataset.file_meta.TransferSyntaxUID
        return cls(
            elements,
            name,
            signed=elements.dataset["PixelRepresentation"].value == 1,
            words=">u2" if syntax == ExplicitVRBigEndian else "<u2",
            implicit=syntax.is_implicit_VR,
        )

    def lut(self, item: Dataset, what: str, *, signed: bool, highest: float | None = None) -> Lut:
        """Reads a lookup table (PS3.3 C.11.1.1 and C.11.2.1.1).

        Args:
            item: of the sequence; it has LUT Descriptor and LUT Data.
            what: what messages call the table.
            signed: whether an input can be negative.
            highest: the largest input, if it is known: a first input beyond it is a negative one
                whose sign was lost.

        Raises:
            InputError: its data do not fit its descriptor.
        """
        count, first, bits = self._descriptor(item, "LUTDescriptor", what)
        lost = self.implicit or highest is None or first > highest
        if signed and first >= 2**15 and lost:
            first -= 2**16
        entries = self._entries(item, "LUTData", (count, bits), what)
        if what == MODALITY and entries.min() == entries.max():
            raise InputError(
                "dicom-table-constant", f"{self.name} has a {what} whose entries are all equal."
            )
        return Lut(first, self._true_bits(int(entries.max()), bits, what), entries)

    def colours(self, stored: NDArray[Any]) -> tuple[NDArray[np.uint16], int]:
        """Looks stored values up in the palette (PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6).

        Args:
            stored: integers [height, width].

        Returns:
            unsigned [height, width, 3], red, green and blue, and the value of full intensity.

        Raises:
            InputError: the palette is missing or does not fit its descriptors.
        """
        dataset = self.elements.dataset
        shapes = [
            self._descriptor(dataset, f"{colour}{_PALETTE}Descriptor", "palette")
            for colour in _COLOURS
        ]
        _, first, bits = shapes[0]
        if self.signed and first >= 2**15:
            first -= 2**16
        if f"Segmented{_COLOURS[0]}{_PALETTE}Data" in dataset:
            tables = self._segmented(shapes[0][0], bits)
        else:
            tables = [
                self._entries(dataset, f"{colour}{_PALETTE}Data", shape[::2], "palette")
                for colour, shape in zip(_COLOURS, shapes, strict=True)
            ]
        top = max(int(table.max()) for table in tables)
        true_bits = self._true_bits(top, bits, "palette")
        luts = [Lut(first, true_bits, table) for table in tables]
        inputs = stored.astype(np.int64) - first
        channels = [lut.entries[np.clip(inputs, 0, len(lut.entries) - 1)] for lut in luts]
        return np.stack(channels, axis=-1), luts[0].top

    def _descriptor(self, item: Dataset, keyword: str, what: str) -> tuple[int, int, int]:
        """Returns the number of entries, the first input and the bits of an entry."""
        if keyword not in item:
            raise InputError(
                "dicom-table-incomplete",
                f"{self.name} has a {what} without its {element_name(keyword)}.",
            )
        count = first = bits = 0
        with suppress(Exception):  # pydicom raises anything on a value that departs
            count, first, bits = (int(number) for number in item[keyword].value)
        if not 1 <= bits <= 16:
            raise InputError(
                "dicom-table-descriptor-invalid",
                f"{self.name} has a {what} whose descriptor is not of three numbers, of which the "
                "last is 1 to 16 bits.",
            )
        # The descriptor's unsigned and signed spellings are mixed up in files.
        return (count & 0xFFFF) or 2**16, first, bits

    def _entries(
        self, item: Dataset, keyword: str, shape: tuple[int, int], what: str
    ) -> NDArray[np.uint16]:
        """Returns a table's entries; two of 8 bits may be packed into a word, as the length tells.

        Raises:
            InputError: there are fewer than the descriptor says.
        """
        count, bits = shape
        if keyword not in item:
            raise InputError(
                "dicom-table-incomplete",
                f"{self.name} has a {what} without its {element_name(keyword)}.",
            )
        try:
            element = item[keyword]
            words = self._words(element.value)
        except Exception:  # noqa: BLE001 - as above
            raise self._misfit(what) from None
        entries: NDArray[Any] = words
        if len(words) < count and (bits <= 8 or len(words) == (count + 1) // 2):
            # No order of bytes applies to what is stored as single bytes.
            single = element.VR == "OB"
            entries = np.frombuffer(element.value, np.uint8) if single else words.view(np.uint8)
        if len(entries) < count:
            raise self._misfit(what)
        return entries[:count].astype(np.uint16)

    def _words(self, data: Any) -> NDArray[np.uint16]:  # noqa: ANN401 - numbers, or bytes of them
        """Returns a table's data as little-endian 16-bit numbers."""
        if isinstance(data, bytes):
            data += b"\0" * (len(data) % 2)
            return np.frombuffer(data, self.words).astype("<u2")
        return np.atleast_1d(np.asarray(data, np.int64)).astype("<u2")

    def _segmented(self, count: int, bits: int) -> list[NDArray[np.uint16]]:
        """Returns the entries of a palette that is stored in segments (PS3.3 C.7.9.2).

        Raises:
            InputError: it is damaged.
        """
        source = Dataset()
        source.file_meta = FileMetaDataset()
        source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        # Entries of 9 to 15 bits lie in words of 16.
        shape = [count % 2**16, 0, 8 if bits <= 8 else 16]
        try:
            for colour in _COLOURS:
                keyword = f"Segmented{colour}{_PALETTE}Data"
                setattr(
                    source, keyword, self._words(self.elements.dataset[keyword].value).tobytes()
                )
                setattr(source, f"{colour}{_PALETTE}Descriptor", shape)
            tables = apply_color_lut(np.arange(count), source)
        except Exception:  # noqa: BLE001 - as above
            raise self._misfit("palette") from None
        return [tables[:, channel].astype(np.uint16) for channel in range(3)]

    def _true_bits(self, largest: int, bits: int, what: str) -> int:
        """Returns the bits of an entry, and notes where the largest entry contradicts them."""
        used = max(largest.bit_length(), 1)
        if used == bits:
            return bits
        self.elements.note(
            "table-range",
            f"The {what} states {bits} bits for its entries, but the largest entry has {used}; "
            f"{used} bits were used as the full range.",
        )
        return used

    def _misfit(self, what: str) -> InputError:
        return InputError(
            "dicom-table-length", f"{self.name} has a {what} whose data do not fit its descriptor."
        )
