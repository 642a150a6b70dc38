"""Counts of predictions, of their notes and of the files that are left out, as lines for people."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from pulmo.core.errors import InputError, PartialError
from pulmo.datasets.source import Problem
from pulmo.radiograph.notes import Note, count_sentence

_NAMED: Final = 3
"""So many files are named for each kind of note, and for each reason to leave one out."""


class FileResult(Protocol):
    """What became of a file."""

    @property
    def file(self) -> str:
        """Its name."""

    @property
    def status(self) -> str:
        """`ok`, or why it has no result."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a user must know to read the result."""


class Tally:
    """Counts results, notes and files that are left out; it keeps none of them.

    Args:
        about_model: notes on the model, which every result has, and which are said once.
    """

    def __init__(self, about_model: Sequence[Note] = ()) -> None:
        self._about_model = about_model
        self._done = self._failed = 0
        self._kinds: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def count(self, result: FileResult) -> None:
        """Counts a result and the kinds of its notes."""
        self._done += 1
        self._failed += result.status != "done"
        self._kinds.update({note.kind for note in self._own(result)})

    def leave_out(self, problem: Problem) -> None:
        """Counts a file that is left out."""
        self._left_out[problem.reason] += 1
        if len(self._examples[problem.reason]) < _NAMED:
            self._examples[problem.reason].append(problem.path)

    def notes_on(self, result: FileResult) -> Iterator[str]:
        """Yields the notes on a file that was counted, if few files had such notes before."""
        for note in self._own(result):
            if self._kinds[note.kind] <= _NAMED:
                yield f"note: {result.file}: {note}"

    def lines(self, *, all_kinds: bool = False, of_model: bool = True) -> Iterator[str]:
        """Yields what is true of the model, and how many files have notes or are left out.

        Args:
            all_kinds: also the kinds whose files were all named.
            of_model: also what is true of the model.
        """
        for note in self._about_model if of_model and self._done > self._failed else ():
            yield f"note: {note}"
        for kind, files in self._kinds.most_common():
            if all_kinds or files > _NAMED:
                yield f"notes: {count_sentence(kind, files, self._done - self._failed)}"
        for reason, files in self._left_out.most_common():
            more = ", ..." if files > _NAMED else ""
            yield f"left out: {files} ({reason}): {', '.join(self._examples[reason])}{more}"

    def end(self, nothing: str) -> None:
        """Refuses it if no file, or not every file, could be used.

        Args:
            nothing: what there is none of, as `There is no result`.

        Raises:
            InputError: no file could be used.
            PartialError: some could not.
        """
        if not self._done:
            raise InputError("images-missing", f"{nothing}: no image was found.")
        if self._failed == self._done:
            raise InputError(
                "files-all-failed",
                f"{nothing}: the file could not be used."
                if self._failed == 1
                else f"{nothing}: none of the {self._failed} files could be used.",
            )
        if self._failed:
            raise PartialError(
                "some-files-failed", f"{self._failed} of {self._done} files could not be used."
            )

    def _own(self, result: FileResult) -> list[Note]:
        return [note for note in result.notes if note not in self._about_model]
