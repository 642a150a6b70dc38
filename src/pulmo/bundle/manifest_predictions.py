"""A bundle runs on a manifest, and gives predictions."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from pulmo.bundle.outcome import Prepared
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import PulmoError
from pulmo.core.noted import cell_of
from pulmo.core.parallel import in_threads
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.modality import kinds
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Failure, Predictions
from pulmo.radiograph import Radiograph, read_radiograph

_BATCH = 32


def predict_manifest(
    predictor: Predictor,
    manifest: Manifest,
    rule: DecisionRule | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Runs a bundle on every image of a manifest.

    Args:
        predictor: the opened bundle.
        manifest: the images.
        rule: how probabilities become results; None for the card's.
        on_progress: called with the images done and the images in all.

    Returns:
        Predictions with what the manifest says of each image and `notes`, the kinds of the notes on
        it, as a manifest has those of the reader.

    Raises:
        InputError: not one image could be read, or the network gave a value that is not a number.
    """

    def read(image: tuple[str, str, str, float | None]) -> Prepared | Failure:
        path, expected, modality, age = image
        try:
            radiograph = read_radiograph(Path(path))
            prepared = predictor.prepare(_stated(radiograph, modality, age), path, described=True)
        except PulmoError as error:
            return Failure(path=path, reason=str(error))
        if radiograph.sha256 != expected:
            return Failure(path=path, reason=f"{path} has changed since it was imported.")
        return prepared

    probabilities: list[list[float]] = []
    notes: list[str | None] = []
    failures: dict[int, Failure] = {}
    frame = manifest.frame
    modalities = kinds(frame["modality"]).fillna("")
    ages = [None if pd.isna(age) else float(age) for age in frame["age"]]
    images = zip(frame["path"], frame["sha256"], modalities, ages, strict=True)
    with closing(in_threads(read, images)) as results:
        for start in range(0, len(manifest), _BATCH):
            batch = list(islice(results, _BATCH))
            failures |= {start + i: one for i, one in enumerate(batch) if isinstance(one, Failure)}
            readable = [one for one in batch if not isinstance(one, Failure)]
            for outcome in predictor.predict_prepared(readable) if readable else ():
                probabilities.append([*outcome.probabilities.values()])
                notes.append(cell_of(note.kind for note in outcome.notes))
            if on_progress:
                on_progress(start + len(batch), len(manifest))
    read_rows = frame.iloc[np.setdiff1d(np.arange(len(manifest)), [*failures])]
    rows = read_rows.assign(notes=pd.array(notes, "string"))
    rule = rule or predictor.card.decision_rule()
    return Predictions.from_probabilities(rows, probabilities, rule, [*failures.values()])


def _stated(radiograph: Radiograph, modality: str, age: float | None) -> Radiograph:
    """Returns a radiograph with what a manifest states of it, where its file states nothing."""
    facts = radiograph.facts
    return replace(
        radiograph,
        facts=facts._replace(
            modality=facts.modality or modality or None,
            age=age if facts.age is None else facts.age,
        ),
    )
