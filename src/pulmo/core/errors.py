"""The errors that pulmo raises on purpose, each with the exit status of the command.

A message is a sentence to a person: what happened, in which file, what was expected. The command
adds what to type.
"""

from pathlib import Path
from typing import ClassVar, Literal

ImageStatus = Literal["done", "refused", "failed"]
"""What became of an image: it has a result; it can be read, but is not meant for this; it cannot be
read or handled."""


class PulmoError(Exception):
    """Base of all errors that pulmo raises on purpose.

    Attributes:
        code: what went wrong, in kebab case, such as "manifest-empty". Programs and tests rely on
            it; the message is for people and may change.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


class UsageError(PulmoError):
    """The call itself is wrong: an unknown name, a bad option, a recipe with a typo."""

    exit_status = 2


class WeightsError(UsageError):
    """Published initial weights are not available; a file or a random start can be chosen."""


class InputError(PulmoError):
    """The input cannot be used: it is missing, damaged or not what it should be."""

    exit_status = 3


class NoManifestError(InputError):
    """A folder or a table of images was given where a manifest was expected.

    Attributes:
        path: what was given.
    """

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__("manifest-expected", f"{path} is {kind}; a manifest was expected.")
        self.path = path


class DivergedError(InputError):
    """Training led to numbers that are not finite; the learning rate may be too high."""


class PartialError(PulmoError):
    """The work is done, but some of the files failed; each was named with its reason."""

    exit_status = 4


class RefusedError(PulmoError):
    """The input is readable, but using it would be wrong: it is out of scope or it leaks."""

    exit_status = 5


class InterruptedRunError(PulmoError):
    """A person or the system asked the program to stop, and what was finished is kept."""

    exit_status = 130


def status_of(error: PulmoError) -> Literal["refused", "failed"]:
    """Returns what became of an image that an error left without a result."""
    return "refused" if isinstance(error, RefusedError) else "failed"
