"""What became of files that were de-identified."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pulmo.core.errors import InputError, PartialError

CAVEATS: Final = (
    "This cannot promise that an image shows nothing of its patient: look at each of them.",
    "Text in the pixels stays; the search for it misses handwriting, short words and faint print.",
    "Slices of a head show a face, and whoever has an image can recognise it.",
    "Numbers, code strings, manufacturer and model in the header are kept as they are.",
)
"""What a person must know before giving the files away."""


class Copy(NamedTuple):
    """What became of one file.

    Attributes:
        source: the file that was given.
        status: ok; check if a person should look at the copy first; withheld or failed if nothing
            was written.
        reasons: why to look at it, or why there is no copy.
        output: the copy; None if nothing was written.
        patient: the patient's pseudonym.
    """

    source: Path
    status: Literal["ok", "check", "withheld", "failed"]
    reasons: tuple[str, ...] = ()
    output: Path | None = None
    patient: str = ""


@dataclass(frozen=True)
class Copies:
    """What became of all files.

    Attributes:
        copies: of each file, in the order of the files.
    """

    copies: Sequence[Copy]

    @property
    def written(self) -> list[Copy]:
        """What was written, in an order that says nothing of that of the files given."""
        found = (copy for copy in self.copies if copy.output)
        return sorted(found, key=lambda copy: str(copy.output))

    @property
    def withheld(self) -> list[Copy]:
        """What was not written because a person should look at it first."""
        return [copy for copy in self.copies if copy.status == "withheld"]

    @property
    def failed(self) -> list[Copy]:
        """What could not be de-identified or written."""
        return [copy for copy in self.copies if copy.status == "failed"]

    def record(self) -> dict[str, Any]:
        """Returns all of it for a program, as JSON can hold it."""
        written = [
            {
                "file": str(copy.output),
                "status": copy.status,
                "patient": copy.patient,
                "reasons": list(copy.reasons),
            }
            for copy in self.written
        ]
        others = {
            name: [{"file": str(copy.source), "reasons": list(copy.reasons)} for copy in copies]
            for name, copies in (("withheld", self.withheld), ("failed", self.failed))
        }
        return {"written": written, **others, "caveats": list(CAVEATS)}

    def require_any(self) -> None:
        """Refuses it if every file failed.

        Raises:
            InputError: every file failed.
        """
        if len(self.failed) == len(self.copies):
            raise InputError(
                "files-all-failed",
                "Nothing was written: none of the files could be de-identified.",
            )

    def require_all(self) -> None:
        """Refuses it if a file was not written.

        Raises:
            PartialError: one was not.
        """
        if self.failed or self.withheld:
            raise PartialError(
                "some-files-failed",
                f"{len(self.failed)} failed and {len(self.withheld)} were withheld, named above.",
            )
