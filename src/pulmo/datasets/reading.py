"""What one file of a data set says of itself: its hashes, its header, its size on the disk."""

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.noted import UNKNOWN, cell_of
from pulmo.radiograph import LIMITS, Facts, decode_radiograph, pixels_sha256
from pulmo.radiograph.header import read_dicom_tags, read_header

FACTS_FORMAT: Final = 2
"""Raised when the reader says something else of a file than before: pixels, bits, tags or notes."""


class FileFacts(NamedTuple):
    """What is known of a file that was read; the names are those of a manifest's columns.

    `pixels_sha256` is None for an image that was not decoded. `view`, `modality`, `age` and `sex`
    are what the file itself says, None where it says nothing. `notes` are those of the reader, as a
    manifest has them.
    """

    sha256: str
    pixels_sha256: str | None
    width: int
    height: int
    format: str
    bits: int
    bytes: int
    modified: int
    view: str | None
    modality: str | None
    age: float | None
    sex: str | None
    notes: str | None


class Known(NamedTuple):
    """What an earlier import found in a file.

    Attributes:
        facts: they hold if the file's size and modification time are still the same.
        has_tags: whether what the file says of view, modality, age and sex is among them. A
            manifest does not distinguish it from what the data set's table says.
    """

    facts: FileFacts
    has_tags: bool = True


class Task(NamedTuple):
    """A file to read, and what is known of it."""

    path: str
    known: Known | None = None


class Outcome(NamedTuple):
    """What became of a file.

    Attributes:
        facts: None if it could not be read.
        reason: why it could not be read: the end of a sentence, such as `it is empty`.
        kept: whether the facts are an earlier import's.
    """

    facts: FileFacts | None
    reason: str = ""
    kept: bool = False


def read_file(task: Task, *, decode: bool) -> Outcome:
    """Reads an image's file, or finds that it has not changed since it was read.

    Args:
        task: the file.
        decode: whether to decode the image, which proves that it can be read and gives
            `pixels_sha256`; otherwise its bytes are hashed and its header is read.
    """
    path = Path(task.path)
    try:
        state = path.stat()
        if task.known and _is_current(task.known.facts, state):
            return Outcome(_with_tags(task.known, path), kept=True)
        if stat.S_ISDIR(state.st_mode):
            # What cannot be opened takes the place of its files.
            with os.scandir(path):
                pass
        facts = _facts(path, state, decode=decode)
        after = path.stat()
    except PulmoError as error:
        return Outcome(None, _reason(error, task.path))
    except FileNotFoundError:
        return Outcome(None, _absent(path))
    except OSError as error:
        return Outcome(None, f"it could not be read: {error.strerror or error}")
    if not _is_current(facts, after):
        return Outcome(None, "it changed while it was read; import it again")
    return Outcome(facts)


def _absent(path: Path) -> str:
    """Says that a file is not there, and what is wrong with a path of Windows."""
    if "\\" not in path.name:
        return "it does not exist"
    return (
        "it does not exist; its name has back-slashes, as paths of Windows have: write it with "
        "slashes, without a drive such as C: and as it lies below the table's folder, as in "
        "images/a.png"
    )


def _is_current(facts: FileFacts, state: os.stat_result) -> bool:
    return (facts.bytes, facts.modified) == (state.st_size, state.st_mtime_ns)


def _with_tags(known: Known, path: Path) -> FileFacts:
    """Returns the known facts, with what the file's header says if that is not among them."""
    if known.has_tags:
        return known.facts
    tags = read_dicom_tags(path)
    return known.facts._replace(view=tags.view, modality=tags.modality, age=tags.age, sex=tags.sex)


def _facts(path: Path, state: os.stat_result, *, decode: bool) -> FileFacts:
    name = str(path)
    LIMITS.check_bytes(state.st_size, name)
    data = read_bytes(path)
    if decode:
        radiograph = decode_radiograph(data, name)
        height, width = radiograph.pixels.shape
        said, digest, pixels = radiograph.facts, radiograph.sha256, pixels_sha256(radiograph.pixels)
        return _file_facts((height, width), said, (digest, pixels), state)
    header = read_header(data, name)
    return _file_facts((header.height, header.width), header.facts, (sha256(data), None), state)


def _file_facts(
    shape: tuple[int, int], said: Facts, digests: tuple[str, str | None], state: os.stat_result
) -> FileFacts:
    return FileFacts(
        *digests,
        width=shape[1],
        height=shape[0],
        format=said.format,
        bits=said.bits,
        bytes=state.st_size,
        modified=state.st_mtime_ns,
        view=said.view,
        modality=said.modality,
        age=said.age,
        sex=said.sex,
        notes=cell_of((*(note.kind for note in said.notes), *([] if digests[1] else [UNKNOWN]))),
    )


def _reason(error: PulmoError, path: str) -> str:
    """Returns an error's sentence without the path that it begins with."""
    sentence = str(error).removesuffix(".")
    return f"it{sentence.removeprefix(path)}" if sentence.startswith(f"{path} ") else sentence
