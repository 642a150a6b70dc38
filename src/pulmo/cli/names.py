"""Names of images: the words of a call, and standard input, as many as come."""

import os
import select
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

if TYPE_CHECKING:
    from pulmo.core.parallel import Pause

STDIN: Final = "-"
"""The word that stands for the names on standard input."""

FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="[BUNDLE] FILES",
        help="The bundle, if --model does not name it, and the images: PNG, JPEG, TIFF, DICOM and "
        "other files, folders, which are searched for images, or - for names on standard input, "
        "one a line.",
    ),
]

_CHUNK: Final = 1 << 16


def names_of(words: Sequence[str]) -> "Iterator[str | Pause]":
    """Yields the words of a call; in the place of `-` the names on standard input, one a line.

    Before standard input is waited for there is a pause, for what writes the names may wait for the
    results of those that it wrote.
    """
    for word in words:
        if word == STDIN:
            yield from _lines(sys.stdin.buffer)
        else:
            yield word


def named_files(words: Sequence[str]) -> list[Path]:
    """Returns the files and folders that the words of a call name."""
    return [Path(word) for word in words if word != STDIN]


def _lines(stream: BinaryIO) -> "Iterator[str | Pause]":
    from pulmo.core.parallel import PAUSE

    rest = b""
    while True:
        if _must_wait(stream):
            yield PAUSE
        chunk = stream.read1(_CHUNK)  # type: ignore[attr-defined] # what is there, unlike read
        *lines, rest = (rest + chunk).split(b"\n")
        if not chunk:
            lines, rest = [rest], b""
        # A name is bytes, which need not be characters.
        yield from (os.fsdecode(name) for line in lines if (name := line.removesuffix(b"\r")))
        if not chunk:
            return


def _must_wait(stream: BinaryIO) -> bool:
    try:
        return not select.select([stream], [], [], 0)[0]
    except (OSError, ValueError):  # not a stream of the system, or one that it cannot tell of
        return False
