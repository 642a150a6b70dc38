"""A bundle's results on a manifest, as a table."""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.bundle.predictor import Predictor, Prepared
from pulmo.core.errors import InputError, PulmoError
from pulmo.core.noted import cell_of
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.parallel import in_threads
from pulmo.evaluate.evaluation import Failure
from pulmo.radiograph import read_radiograph

_BATCH = 32
_KEPT = (
    "path", "sha256", "label", "patient", "group", "source", "origin", "root", "view", "age",
    "sex", "width", "height", "split",
)  # fmt: skip


class Predicted(NamedTuple):
    """The results and what could not be read.

    Attributes:
        table: one row a picture: what the manifest says of it, `p_<class>` for each class,
            `decision`, `positive_probability`, `positive` and `notes`, the kinds of the notes on
            each, as a manifest has those of the reader.
        failed: the pictures without a result.
    """

    table: pd.DataFrame
    failed: list[Failure]


def predict_manifest(
    predictor: Predictor,
    manifest: Manifest,
    on_progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """Runs a bundle on every picture of a manifest.

    Args:
        predictor: the opened bundle.
        manifest: the pictures.
        on_progress: called with the pictures done and the pictures in all.

    Raises:
        InputError: not one picture could be read.
    """
    frame = manifest.frame
    rows: list[dict[str, object]] = []
    failed: list[Failure] = []

    def read(picture: tuple[str, str]) -> Prepared | Failure:
        path, expected = picture
        try:
            radiograph = read_radiograph(Path(path))
            prepared = predictor.prepare(radiograph, path)
        except PulmoError as error:
            return Failure(path=path, reason=str(error))
        if radiograph.sha256 != expected:
            return Failure(path=path, reason=f"{path} has changed since it was imported.")
        return prepared

    pictures = zip(frame["path"], frame["sha256"], strict=True)
    with closing(in_threads(read, pictures)) as results:
        for start in range(0, len(manifest), _BATCH):
            batch = frame.iloc[start : start + _BATCH]
            inputs = list(islice(results, len(batch)))
            failed += [item for item in inputs if isinstance(item, Failure)]
            read_rows = [not isinstance(item, Failure) for item in inputs]
            readable = [item for item in inputs if not isinstance(item, Failure)]
            if readable:
                rows += _results(predictor, batch[read_rows], readable)
            if on_progress:
                on_progress(start + len(batch), len(manifest))
    if not rows:
        first = f" The first: {failed[0].reason}" if failed else ""
        raise InputError(f"There is no readable picture to evaluate.{first}")
    return Predicted(pd.DataFrame(rows).astype({"notes": "string"}), failed)


def _results(
    predictor: Predictor, batch: pd.DataFrame, pictures: Sequence[Prepared]
) -> list[dict[str, object]]:
    """Returns a row for each picture of a batch."""
    results = predictor.judge(pictures)
    return [
        {str(name): value for name, value in known.items()}
        | {f"p_{label}": p for label, p in result.probabilities.items()}
        | {
            "decision": result.decision,
            "positive_probability": result.positive_probability,
            "positive": result.positive,
            "notes": cell_of(note.kind for note in result.notes),
        }
        for known, result in zip(batch[list(_KEPT)].to_dict("records"), results, strict=True)
    ]
