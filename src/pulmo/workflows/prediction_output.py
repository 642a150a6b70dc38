"""Predictions written as they come: JSON, a JSON object a line, CSV, and a line for people."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final, Literal, TextIO

from pulmo.bundle.card import Card
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.decide.detections import Detection
from pulmo.workflows.heat_map_folder import Explanation
from pulmo.workflows.predict import Prediction

Form = Literal["json", "jsonl", "csv"]
Write = Callable[[Prediction], None]

_MARKS: Final = {"drawings": "trained on drawings", "seen": "seen in training"}
"""What a line says of the notes that change what its result means."""

_LISTS: Final = {"notes": " ", "note_kinds": ";", "positive_classes": ";", "prediction_set": ";"}
"""Keys of a record that are lists -> what stands between their items in a cell."""


@contextmanager
def writer(
    form: Form, stream: TextIO, model: ImagePredictor, *, explained: bool = False
) -> Iterator[Write]:
    """Gives what writes a result, and writes what comes before and after all of them.

    Args:
        form: of the results.
        stream: where they are written to; each result is flushed.
        model: the model that made them.
        explained: whether a JSON object also says what the heat map shows.
    """

    def known(result: Prediction) -> dict[str, Any]:
        more: dict[str, Any] = {"explanation": _explained(result.explanation)} if explained else {}
        if result.objects is not None:
            more["dicom_results"] = list(map(str, result.objects))
        return record(result, model) | more

    if form == "csv":
        yield _csv(stream, model)
    elif form == "jsonl":
        yield lambda result: _put(stream, f"{json.dumps(known(result))}\n")
    else:
        between = "[\n"

        def write(result: Prediction) -> None:
            nonlocal between
            text = json.dumps(known(result), indent=2)
            _put(stream, between + "\n".join(f"  {line}" for line in text.splitlines()))
            between = ",\n"

        yield write
        _put(stream, "[]\n" if between == "[\n" else "\n]\n")


def record(result: Prediction, model: ImagePredictor) -> dict[str, Any]:
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
        "detections": _listed(result.detections),
        "model": {
            "name": card.name,
            "version": card.created,
            "sha256": model.sha256,
            "weights_sha256": card.network.sha256,
        },
    }


def _explained(explanation: Explanation | None) -> dict[str, Any] | None:
    if explanation is None:
        return None
    values = None if explanation.values is None else str(explanation.values)
    return asdict(explanation) | {"values": values}


def _listed(detections: tuple[Detection, ...] | None) -> list[dict[str, float]] | None:
    return None if detections is None else [each._asdict() for each in detections]


def prediction_line(result: Prediction, card: Card, width: int) -> str:
    """Returns a line of a result: the class with its probability, then the positive ones'.

    Args:
        result: of an image that was classified.
        card: the card of the model.
        width: of the column of the files.
    """
    if result.decision is None or result.probabilities is None:
        return f"{result.file:{width}}  {result.status}"
    positive = " or ".join(card.decision.positive)
    marks = [_MARKS[note.kind] for note in result.notes if note.kind in _MARKS]
    return (
        f"{result.file:{width}}  {result.decision:{max(map(len, card.labels.order))}} "
        f"{result.probabilities[result.decision]:.3f}  {positive} "
        f"{result.positive_probability:.3f} {'positive' if result.positive else 'negative'}"
        + (f"  ({', '.join(marks)})" if marks else "")
    )


def positive_sentence(card: Card) -> str:
    """Returns when a result is positive, and how many positive images were found so."""
    decision = card.decision
    return (
        f"positive: probability of {' or '.join(decision.positive)} at least "
        f"{decision.threshold:.3f}, which found {decision.sensitivity} of such validation images."
    )


def _csv(stream: TextIO, model: ImagePredictor) -> Write:
    """Writes the header of a table and returns what writes a row."""
    table = csv.DictWriter(
        stream, list(flat_record(Prediction("", "failed"), model)), lineterminator="\n"
    )
    table.writeheader()

    def write(result: Prediction) -> None:
        table.writerow(csv_cells(flat_record(result, model)))
        stream.flush()

    return write


def flat_record(result: Prediction, model: ImagePredictor) -> dict[str, Any]:
    """Returns the row of a result: its record without nested objects."""
    known = record(result, model)
    made_by = known.pop("model")
    probabilities = known.pop("probabilities") or {}
    return (
        known
        | {f"p_{label}": probabilities.get(label) for label in model.card.labels.order}
        | {f"model_{name}": value for name, value in made_by.items()}
    )


def csv_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a flat record as cells of a CSV table; an empty cell is a null."""
    cells = dict(row)
    cells |= {name: between.join(row[name] or ()) for name, between in _LISTS.items()}
    if row.get("detections") is not None:
        cells["detections"] = json.dumps(row["detections"])
    if row["positive"] is not None:
        cells["positive"] = str(row["positive"]).lower()
    return cells


def _put(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
