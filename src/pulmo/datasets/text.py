"""The lines of a text file that others wrote: its encoding, its compression, its faults."""

import codecs
import gzip
import shlex
import zlib
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes

UTF8: Final = "utf-8-sig"
"""UTF-8, with or without a byte order mark."""

UTF16: Final = "utf-16"
WINDOWS: Final = "windows-1252"

ENCODINGS: Final = {
    UTF8: "UTF-8",
    UTF16: "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    WINDOWS: "Windows-1252",
}
"""Encodings that are found by themselves -> what people call them."""

_BLOCK: Final = 1 << 16
_HEAD: Final = 4096
# Characters; a file that is no text may be one line.
_LONGEST_LINE: Final = 1 << 24


def text_lines(path: Path, encoding: str = UTF8) -> Iterator[str]:
    """Yields the lines of a text file, each with its end.

    Args:
        path: the file; compressed if its name ends in `.gz`.
        encoding: what it is in.

    Raises:
        InputError: it is missing or unreadable, is not in the encoding, or is no text.
    """
    try:
        with (
            open_bytes(path) as file,
            TextIOWrapper(_unpacked(path, file), encoding, newline="") as text,
        ):
            while line := text.readline(_LONGEST_LINE):
                if "\0" in line or len(line) == _LONGEST_LINE:
                    raise InputError(
                        "text-expected",
                        f"{path} is not text: it contains a null byte or a line without an end. "
                        "Save it as text in UTF-8.",
                    )
                yield line
    except UnicodeDecodeError as error:
        raise InputError("text-encoding-unknown", _not_text(path, encoding, error.reason)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("file-unreadable", _unreadable(path, error)) from error


def found_encoding(path: Path) -> str:
    """Returns what a text file is in: a key of `ENCODINGS`.

    It is UTF-16 where the file begins with its byte order mark, or where every second byte of its
    beginning is null, as in Latin letters; else UTF-8; else Windows-1252, which has a letter for
    all bytes but five, and agrees with Latin-1 on all letters of that. UTF-8 is returned of a file
    that is none of them, whose reading then fails.

    Raises:
        InputError: the file is missing or unreadable.
    """
    with open_bytes(path) as file:
        try:
            head = _unpacked(path, file).read(_HEAD)
        except (OSError, EOFError, zlib.error):
            return UTF8
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF16
    # In UTF-16 Latin letters, marks and line ends have a null byte; in text of one byte none has.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd > len(head) / 4 and not (even and odd):
        return "utf-16-le" if odd else "utf-16-be"
    if first_fault(path) is None or first_fault(path, WINDOWS) is not None:
        return UTF8
    return WINDOWS


def first_fault(path: Path, encoding: str = "utf-8") -> int | None:
    """Returns the first byte that keeps a text from being in an encoding; None if it is.

    Raises:
        InputError: the file is missing or unreadable.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with open_bytes(path) as file:
        whole = _unpacked(path, file)
        while True:
            data = _some(path, whole)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                return done - held + error.start
            if not data:
                return None
            done += len(data)


def _some(path: Path, whole: BinaryIO | gzip.GzipFile) -> bytes:
    try:
        return whole.read(_BLOCK)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("file-unreadable", _unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error).rstrip(".")
    return f"{path} could not be read: {reason}."


def _unpacked(path: Path, file: BinaryIO) -> BinaryIO | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file


def _not_text(path: Path, encoding: str, reason: str) -> str:
    if encoding != UTF8:
        return f"{path} is neither UTF-8 nor {encoding} ({reason})."
    with open_bytes(path) as file:
        wide = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    return (
        f"{path} is not UTF-8 ({reason} at byte {first_fault(path)}). Save it as CSV UTF-8 in a "
        f"spreadsheet program, or use `iconv -f {'UTF-16' if wide else 'WINDOWS-1252'} -t UTF-8 "
        f"{shlex.quote(str(path))} > {shlex.quote(f'{path.stem}-utf8{path.suffix}')}`."
    )
