"""In which form `pulmo predict` writes its results, and where to."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import typer

from pulmo.core.errors import UsageError
from pulmo.core.files import replacing

if TYPE_CHECKING:
    from pulmo.workflows.prediction_output import Form

_FORMS: "Final[tuple[Form, ...]]" = ("json", "jsonl", "csv")


def form_of(asked: "dict[Form, bool]", output: Path | None) -> "Form | None":
    """Returns the form of the results; None for lines that people read.

    Args:
        asked: form -> whether its option is there.
        output: the file for the results, whose name tells the form too.

    Raises:
        UsageError: several forms are asked for, or the file's name tells none or another.
    """
    named = [form for form, there in asked.items() if there]
    if len(named) > 1:
        raise UsageError(
            "output-format-ambiguous", f"Choose one of {', '.join(f'--{form}' for form in named)}."
        )
    if output is None:
        return named[0] if named else None
    by_name = [form for form in _FORMS if output.suffix.lower() == f".{form}"]
    if not by_name or (named and named != by_name):
        wanted = f".{named[0]}" if named else ".json, .jsonl or .csv"
        raise UsageError(
            "output-name-unsuitable",
            f"{output} does not end in {wanted}, which says what is written there.",
        )
    return by_name[0]


@contextmanager
def results_to(output: Path | None) -> Iterator[TextIO]:
    """Gives the stream for results: standard output, or a file that is there when it is whole."""
    if output is None:
        yield typer.get_text_stream("stdout")
        return
    with replacing(output) as file:
        text = io.TextIOWrapper(file, "utf-8", errors="backslashreplace", newline="")
        yield text
        text.flush()
        text.detach()
