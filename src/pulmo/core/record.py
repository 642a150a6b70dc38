"""Record: what a JSON or TOML file of pulmo holds, or a part of it."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, write_atomically


class Record(BaseModel):
    """A record is frozen, refuses keys that it does not know, and holds no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


AnyRecord = TypeVar("AnyRecord", bound=Record)


def parse_record(text: str | bytes, kind: type[AnyRecord], *, origin: str, what: str) -> AnyRecord:
    """Makes a record of JSON.

    Args:
        text: the JSON.
        kind: the record's class.
        origin: where the text is from, for errors.
        what: what it should be, for errors, such as `an audit`.

    Raises:
        InputError: it is no such record.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the text"
        raise InputError(
            "record-invalid", f"{origin} is not {what}: {where}: {first['msg']}."
        ) from None


def read_record(path: Path, kind: type[AnyRecord], what: str) -> AnyRecord:
    """Reads a record of a JSON file; the arguments are those of `parse_record`.

    Raises:
        InputError: the file is missing or is no such record.
    """
    return parse_record(read_bytes(path), kind, origin=str(path), what=what)


def write_record(path: Path, record: Record) -> None:
    """Writes a record as a JSON file that `read_record` reads.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, record.model_dump_json(indent=2).encode() + b"\n")
