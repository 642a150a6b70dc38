"""Image files with damage that a seed decides."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from image_files import RASTERS, SYNTAXES, file_of, images_of, raster_files
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from pulmo.radiograph.codestream import codestream_of

FAMILIES: Final = (*SYNTAXES, *RASTERS)
"""Transfer syntaxes of DICOM, and other formats."""
SHAPES: Final = ((24, 37), (70, 130))
EDGES: Final = (0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF)
US: Final = b"US\x02\0"
SIDES: Final = range(2**16)
PREAMBLE: Final = 132


class Example(NamedTuple):
    """A whole file; of a compressed DICOM file the image lies between two other parts."""

    before: bytes
    image: bytes
    after: bytes
    syntax: UID | None = None


def examples_of(family: str) -> list[Example]:
    """The images of a format or a transfer syntax."""
    if family in RASTERS:
        return [Example(b"", data, b"") for shape in SHAPES for data in raster_files(family, shape)]
    syntax, examples = SYNTAXES[family], []
    for shape in SHAPES:
        for pixels in images_of(syntax, shape):
            data = file_of(pixels, syntax, shape)
            # The length of the image stands before it; behind it is the end of the sequence.
            at = data.find(pixels.data)
            parts = (data[: at - 4], pixels.data, data[-8:])
            whole = (b"", data, b"")
            examples.append(Example(*(parts if syntax.is_encapsulated else whole), syntax))
    return examples


def damaged(example: Example, other: Example, rng: np.random.Generator) -> bytes:
    """Returns a file with damage to its image, or anywhere in it."""
    before, image, after, syntax = example
    if not before:
        if image.startswith(b"\x89PNG") and rng.random() < 0.6:
            return _damaged_png(image, other.image, rng)
        if syntax == DeflatedExplicitVRLittleEndian and rng.random() < 0.6:
            return _damaged_deflated(image, rng)
        return _damaged_file(image, other.image, rng)
    way = rng.random()
    if way < 0.2:
        return _damaged_file(_joined(before, image, after), other.image, rng)
    image = mutated(image, other.image, rng)
    # Whoever means harm lets the header agree.
    return _joined(_agreeing(before, image) if way < 0.6 else before, image, after)


def _damaged_file(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Returns a file with damage anywhere, but in the bytes that say that it is DICOM."""
    start = PREAMBLE if data[128:PREAMBLE] == b"DICM" else 0
    return data[:start] + mutated(data[start:], other, rng)


def mutated(data: bytes, other: bytes, rng: np.random.Generator, fewest: int = 20) -> bytes:
    """Returns bytes of which one to five bytes, numbers or stretches were changed.

    Half of the changes are in the first bytes, where the headers lie; the end may be cut off, the
    rest may be another image's. What has fewer bytes than `fewest` is left as it is.
    """
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        if len(changed) < fewest:
            return bytes(changed)
        stop = min(len(changed), 120 if rng.random() < 0.5 else 2**30)
        _change(changed, int(rng.integers(2, stop)), rng)
    if rng.random() < 0.15:
        del changed[int(rng.integers(len(changed) + 1)) :]
    if rng.random() < 0.05:
        changed += other[int(rng.integers(len(other))) :]
    if rng.random() < 0.3:
        changed += b"\xff\xd9"
    return bytes(changed)


def _change(data: bytearray, at: int, rng: np.random.Generator) -> None:
    kind = int(rng.integers(7))
    if kind == 0:
        data[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        data[at] = int(rng.integers(256))
    elif kind == 2:
        data[at] = EDGES[int(rng.integers(len(EDGES)))]
    elif kind == 3:
        number = int(rng.choice([0, 1, 2, 3, 0x7FFF, 0xFFFF, int(rng.integers(65536))]))
        data[at : at + 2] = struct.pack(">H", number)
    elif kind == 4:
        data[at : at + 4] = struct.pack(">I", int(rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])))
    elif kind == 5:
        del data[at : at + int(rng.integers(1, 20))]
    else:
        data[at:at] = data[at : at + int(rng.integers(1, 20))]


def _joined(before: bytes, image: bytes, after: bytes) -> bytes:
    image += bytes(len(image) % 2)
    return before + struct.pack("<I", len(image)) + image + after


def _agreeing(before: bytes, image: bytes) -> bytes:
    """Returns the header with the size and the bits that a compressed image itself states."""
    head = codestream_of(image)
    if head is None or head.height not in SIDES or head.width not in SIDES:
        return before
    allocated = 8 if head.bits <= 8 else 16
    said = {0x10: head.height, 0x11: head.width, 0x100: allocated, 0x101: head.bits}
    for element, number in {**said, 0x102: max(head.bits - 1, 0)}.items():
        place = before.find(struct.pack("<HH", 0x28, element) + US) + 8
        before = before[:place] + struct.pack("<H", number) + before[place + 2 :]
    return before


def _damaged_png(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Returns a PNG file whose damage no check sum shows."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    image = [(kind, body) for kind, body in chunks[:-1] if kind != b"IDAT"]
    way = int(rng.integers(3))
    if way == 0:
        packed = zlib.compress(mutated(zlib.decompress(packed), other, rng))
    elif way == 1:
        packed = mutated(packed, other, rng)
    else:
        image = [(kind, mutated(body, other, rng, fewest=4)) for kind, body in image]
    pieces = [data[:8]]
    for kind, body in (*image, (b"IDAT", packed), chunks[-1]):
        pieces += [len(body).to_bytes(4), kind, body, zlib.crc32(kind + body).to_bytes(4)]
    return b"".join(pieces)


def _damaged_deflated(data: bytes, rng: np.random.Generator) -> bytes:
    """Returns a deflated DICOM file whose data set was damaged before it was deflated."""
    length = data.find(struct.pack("<HH", 2, 0) + b"UL\x04\0") + 8
    start = length + 4 + int.from_bytes(data[length : length + 4], "little")
    inside = mutated(zlib.decompress(data[start:], -zlib.MAX_WBITS), data, rng)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return data[:start] + packer.compress(inside) + packer.flush()


def inputs_of(family: str, seeds: range) -> Iterator[tuple[int, bytes]]:
    """Yields each seed with its damaged file."""
    examples = examples_of(family)
    for seed in seeds:
        example, other = examples[seed % len(examples)], examples[seed // 7 % len(examples)]
        rng = np.random.default_rng([seed, FAMILIES.index(family)])
        yield seed, damaged(example, other, rng)
