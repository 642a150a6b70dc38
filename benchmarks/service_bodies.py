"""Hostile bodies of requests: images that claim or unpack to too much, and broken forms."""

import io
import random
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from PIL import Image
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from pulmo.radiograph.encoded import dicom_file

_MIB: Final = 2**20
TOO_MUCH: Final = 600 * _MIB
"""More than the reader unpacks."""
BOUNDARY: Final = "b0undary"
FORM: Final = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class Body(NamedTuple):
    """What is sent, and what is to come back.

    Attributes:
        name: what it is.
        data: the bytes.
        status: of HTTP that is expected.
        headers: that are sent with it.
    """

    name: str
    data: bytes
    status: int = 201
    headers: Mapping[str, str] = {}


def images(unpacked: int = TOO_MUCH) -> Iterator[Body]:
    """Yields images that no answer with a probability is given for.

    Args:
        unpacked: bytes that those which are packed unpack to.
    """
    yield from _too_large()
    yield Body("PNG of 100 x 100 whose data unpack to too much", _png(100, 100, unpacked))
    yield Body("PNG with a text that unpacks to too much", _png(64, 64, 0, _text(unpacked)))
    yield Body("PNG with a profile that unpacks to too much", _png(64, 64, 0, _profile(unpacked)))
    yield Body("deflated DICOM that unpacks to too much", _deflated_dicom(unpacked))
    yield from _odd_dicom()
    yield Body("gzip of zeros", _gzip(unpacked))
    yield Body("zip of zeros", b"PK\x03\x04" + _deflated(unpacked))
    yield Body("bytes without a meaning", random.Random(0).randbytes(4096))  # noqa: S311 - no secret


def slow() -> Body:
    """Returns an image of 62 kB whose work takes longer than it may: elements without number."""
    return Body("deflated DICOM of 8 million elements", _deflated_dicom(64 * _MIB), 504)


def _too_large() -> Iterator[Body]:
    """Yields images that state a size which nobody can hold."""
    yield Body("PNG that states 60,000 x 60,000", _png(60_000, 60_000, 1000))
    jpeg = bytearray(_pillow("JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    struct.pack_into(">HH", jpeg, frame + 5, 65_500, 65_500)
    yield Body("JPEG that states 65,500 x 65,500", bytes(jpeg))
    yield Body("TIFF that states 100,000 x 100,000", _tiff(100_000, 100_000))
    bmp = bytearray(_pillow("BMP"))
    struct.pack_into("<ii", bmp, 18, 100_000, 100_000)
    yield Body("BMP that states 100,000 x 100,000", bytes(bmp))
    jp2 = bytearray(_pillow("JPEG2000"))
    struct.pack_into(">II", jp2, jp2.index(b"\xff\x4f\xff\x51") + 8, 2**31, 2**31)
    yield Body("JPEG 2000 that states 2^31 x 2^31", bytes(jp2))


def _odd_dicom() -> Iterator[Body]:
    """Yields DICOM files whose header is a trap."""
    plain = _dicom()
    for name, rows, columns in (("65,535 x 65,535", 65_535, 65_535), ("0 x 64", 0, 64)):
        data = plain.replace(_element(0x0028, 0x0010, 64), _element(0x0028, 0x0010, rows))
        data = data.replace(_element(0x0028, 0x0011, 64), _element(0x0028, 0x0011, columns))
        yield Body(f"DICOM that states {name}", data)
    at = plain.index(b"\x28\x00\x02\x00US")
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    # A sequence of undefined length, in each item of which lies the next one.
    nested = (struct.pack("<HH2s2xI", 0x0008, 0x1140, b"SQ", 0xFFFFFFFF) + item) * 20_000
    yield Body("DICOM with 20,000 sequences in each other", plain[:at] + nested + plain[at:])
    long = struct.pack("<HH2s2xI", 0x0009, 0x1001, b"UN", 0xFFFFFFF0)
    yield Body("DICOM with an element of 4 GiB", plain[:at] + long + plain[at:])
    open_ = struct.pack("<HH2s2xI", 0x0009, 0x1001, b"UN", 0xFFFFFFFF)
    yield Body("DICOM with an element without an end", plain[:at] + open_ + plain[at:])
    yield Body("DICOM that is cut off", plain[: len(plain) // 2])


def forms() -> Iterator[Body]:
    """Yields forms that cannot be read, or take more than they may."""
    part, end = _part(b"x"), f"--{BOUNDARY}--\r\n".encode()
    kind = "multipart/form-data"
    yield Body("a form without a boundary", part + end, 400, {"Content-Type": kind})
    for boundary in ("", "b" * 10_000, 'b"', "\x01"):
        headers = {"Content-Type": f"{kind}; boundary={boundary}"}
        yield Body(f"a form with the boundary {boundary[:3]!r}", part + end, 400, headers)
    yield Body("a form without an end", part, 400, FORM)
    yield Body("a form that is empty", b"", 400, FORM)
    yield Body("a form of an end alone", end, 400, FORM)
    yield Body("a form of noise", random.Random(1).randbytes(4096), 400, FORM)  # noqa: S311 - no secret
    yield Body("a part without a header", f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + end, 400, FORM)
    nameless = f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n".encode()
    yield Body("a part without a name", nameless + end, 400, FORM)
    broken = f"--{BOUNDARY}\r\nContent-Disposition\x00: form-data; name=a\r\n\r\nx\r\n".encode()
    yield Body("a part with a broken header", broken + end, 400, FORM)
    large = f"--{BOUNDARY}\r\nX: {'x' * _MIB}\r\n\r\nx\r\n".encode()
    yield Body("a part with a header of 1 MiB", large + end, 400, FORM)
    many = "".join(f"X-{number}: x\r\n" for number in range(10_000))
    yield Body("a part of 10,000 headers", f"--{BOUNDARY}\r\n{many}\r\n".encode() + end, 400, FORM)
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n'.encode()
    yield Body("a field of 2 MiB", field + b"x" * 2 * _MIB + b"\r\n" + end, 400, FORM)
    yield Body("a form of 10,000 fields", (field + b"x\r\n") * 10_000 + end, 400, FORM)
    yield Body("a form of 10,000 files", part * 10_000 + end, 400, FORM)
    yield Body("a form of fields alone", field + b"x\r\n" + end, 400, FORM)


def named(image: bytes) -> Iterator[Body]:
    """Yields forms of one image whose file has an odd name, which nobody looks at."""
    names = {
        "a path": "../../../../etc/passwd",
        "a path of Windows": "..\\..\\boot.ini",
        "a null": "a\0b.png",
        "text from right to left": "\u202egnp.\u05d0\u05d1",
        "quotes": 'a"; name="b',
        "a command": "$(reboot).png",
        "nothing": "",
    }
    for name, value in names.items():
        data = _part(image, value) + f"--{BOUNDARY}--\r\n".encode()
        yield Body(f"a file's name of {name}", data, 201, FORM)
    data = _part(image, "x" * 10_000) + f"--{BOUNDARY}--\r\n".encode()
    yield Body("a file's name of 10 kB", data, 400, FORM)


def _part(data: bytes, name: str = "a.png") -> bytes:
    escaped = name.replace('"', "%22")
    head = f'Content-Disposition: form-data; name="file"; filename="{escaped}"'
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"


def _pillow(form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(file, form)
    return file.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(height: int, width: int, unpacked: int, more: bytes = b"") -> bytes:
    """Returns a PNG image whose data unpack to so many zeros; 0 for as many as it needs."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = _chunk(b"IDAT", _deflated(unpacked or height * (width + 1), zlib.MAX_WBITS))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + more + data + _chunk(b"IEND", b"")


def _text(unpacked: int) -> bytes:
    return _chunk(b"zTXt", b"Comment\0\0" + _deflated(unpacked, zlib.MAX_WBITS))


def _profile(unpacked: int) -> bytes:
    return _chunk(b"iCCP", b"Profile\0\0" + _deflated(unpacked, zlib.MAX_WBITS))


def _gzip(unpacked: int) -> bytes:
    return _deflated(unpacked, zlib.MAX_WBITS | 16)


def _deflated(size: int, bits: int = -zlib.MAX_WBITS) -> bytes:
    """Returns so many zeros, packed to a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    full, rest = divmod(size, _MIB)
    parts = [packer.compress(bytes(_MIB)) for _ in range(full)]
    return b"".join([*parts, packer.compress(bytes(rest)), packer.flush()])


def _tiff(height: int, width: int) -> bytes:
    entries = ((256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 200), (277, 1),
               (278, height), (279, 2**32 - 1))  # fmt: skip
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return (head + fields + bytes(4)).ljust(1000, b"\0")


def _dicom(syntax: UID = ExplicitVRLittleEndian) -> bytes:
    return dicom_file(bytes(64 * 64), syntax, (64, 64), bits=8)


def _deflated_dicom(unpacked: int) -> bytes:
    whole = _dicom(DeflatedExplicitVRLittleEndian)
    head = whole[: 144 + struct.unpack_from("<I", whole, 140)[0]]
    return head + _deflated(unpacked)


def _element(group: int, element: int, value: int) -> bytes:
    return struct.pack("<HH2sHH", group, element, b"US", 2, value)
