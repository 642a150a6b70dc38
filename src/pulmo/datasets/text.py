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

_BLOCK: Final = 1 << 20
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
                        f"{path} is no text: it holds a null byte or a line without an end. Save "
                        "it as text in UTF-8."
                    )
                yield line
    except UnicodeDecodeError as error:
        raise InputError(_not_text(path, encoding, error.reason)) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise InputError(f"{path} could not be read: {reason}.") from error


def first_fault(path: Path) -> int | None:
    """Returns the first byte that keeps a text from being UTF-8; None if it is.

    Raises:
        InputError: the file is missing or unreadable.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    with open_bytes(path) as file:
        whole = _unpacked(path, file)
        while True:
            data = whole.read(_BLOCK)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                return done - held + error.start
            if not data:
                return None
            done += len(data)


def _unpacked(path: Path, file: BinaryIO) -> BinaryIO | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file


def _not_text(path: Path, encoding: str, reason: str) -> str:
    if encoding != UTF8:
        return f"{path} is neither UTF-8 nor {encoding} ({reason})."
    with open_bytes(path) as file:
        wide = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    return (
        f"{path} is not UTF-8 ({reason} at byte {first_fault(path)}). Save it as CSV UTF-8 in your "
        f"spreadsheet program, or type: iconv -f {'UTF-16' if wide else 'WINDOWS-1252'} -t UTF-8 "
        f"{shlex.quote(str(path))} > {shlex.quote(f'{path.stem}-utf8{path.suffix}')}"
    )
