"""Results of `pulmo predict`, written as they come: JSON, a JSON object a line, CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

import typer

from pulmo.core.errors import UsageError
from pulmo.core.files import replacing

if TYPE_CHECKING:
    from pulmo.workflows.model import Model
    from pulmo.workflows.predict import Prediction

Form = Literal["json", "jsonl", "csv"]
Write = Callable[["Prediction"], None]

_FORMS: Final[tuple[Form, ...]] = ("json", "jsonl", "csv")


def form_of(asked: dict[Form, bool], output: Path | None) -> Form | None:
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


@contextmanager
def writer(form: Form, stream: TextIO, model: "Model") -> Iterator[Write]:
    """Gives what writes a result, and writes what comes before and after all of them."""
    if form == "csv":
        yield _csv(stream, model)
    elif form == "jsonl":
        yield lambda result: _put(stream, f"{json.dumps(record(result, model))}\n")
    else:
        between = "[\n"

        def write(result: "Prediction") -> None:
            nonlocal between
            text = json.dumps(record(result, model), indent=2)
            _put(stream, between + "\n".join(f"  {line}" for line in text.splitlines()))
            between = ",\n"

        yield write
        _put(stream, "[]\n" if between == "[\n" else "\n]\n")


def record(result: "Prediction", model: "Model") -> dict[str, Any]:
    """Returns the JSON object of a result."""
    card = model.card
    return {
        "file": result.file,
        "sha256": result.sha256,
        "status": result.status,
        "reason": result.reason,
        "code": result.code,
        "notes": [note.text for note in result.notes],
        "note_kinds": [note.kind for note in result.notes],
        "probabilities": result.probabilities,
        "decision": result.decision,
        "positive_classes": list(card.decision.positive),
        "positive_probability": result.positive_probability,
        "threshold": card.decision.threshold,
        "positive": result.positive,
        "band": result.band,
        "prediction_set": None if result.prediction_set is None else list(result.prediction_set),
        "heatmap": None if result.heatmap is None else str(result.heatmap),
        "model": {"name": card.name, "version": card.created, "sha256": model.predictor.sha256},
    }


def _csv(stream: TextIO, model: "Model") -> Write:
    """Writes the header of a table and returns what writes a row; an empty cell is a null."""
    labels = model.card.labels.order

    def row(result: "Prediction") -> dict[str, Any]:
        known = record(result, model)
        made_by = known.pop("model")
        probabilities = known.pop("probabilities") or {}
        lists = {"notes": " ", "note_kinds": ";", "positive_classes": ";", "prediction_set": ";"}
        known |= {name: between.join(known[name] or ()) for name, between in lists.items()}
        if result.positive is not None:
            known["positive"] = str(result.positive).lower()
        return (
            known
            | {f"p_{label}": probabilities.get(label) for label in labels}
            | {f"model_{name}": value for name, value in made_by.items()}
        )

    from pulmo.workflows.predict import Prediction

    table = csv.DictWriter(stream, list(row(Prediction("", "error"))), lineterminator="\n")
    table.writeheader()

    def write(result: "Prediction") -> None:
        table.writerow(row(result))
        stream.flush()

    return write


def _put(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
