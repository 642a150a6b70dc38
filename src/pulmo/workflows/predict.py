"""Predict: images become results, one after the other, however many there are."""

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import Outcome, Prepared
from pulmo.core.errors import (
    ImageStatus,
    InputError,
    PulmoError,
    UsageError,
    status_of,
)
from pulmo.core.output import claim_folder
from pulmo.core.parallel import Pause, in_threads
from pulmo.datasets.source import Problem
from pulmo.decide.detections import Detection
from pulmo.predictions.operating_point import Band
from pulmo.radiograph import Note, Radiograph
from pulmo.radiograph.image_source import ImageSource, ValueRange, open_image
from pulmo.workflows.found import Found, images_of, is_image
from pulmo.workflows.heat_map_folder import Explanation, HeatMapFolder, Written
from pulmo.workflows.image_result import ImageResult, check_label
from pulmo.workflows.model import Model, load

if TYPE_CHECKING:
    from pulmo.workflows.dicom_folder import DicomFolder

_READERS: Final = 8
"""Threads that work on images: each may hold three of them, so more would need much memory."""


@dataclass(frozen=True)
class Prediction:
    """What became of one file; None of whatever there is none of.

    Attributes:
        file: its name, as it was given or found.
        status: `ok`; `refused` if it was read and was refused by the model's scope; else `error`.
        reason: why there is no result, as a sentence.
        code: that reason as a code of `pulmo.core.errors`, such as "image-colour".
        sha256: of the file's bytes.
        notes: what a user must know to read the result: what the reader assumed about the image or
            did to it, and what the model has to do with it.
        probabilities: class -> calibrated probability; they sum to one.
        decision: the class with the highest probability.
        positive_probability: summed probability of the card's positive classes.
        positive: whether that reaches the card's threshold.
        band: the triage band of that probability.
        prediction_set: the classes that the image may be of, its conformal set.
        heatmap: the file of its heat map.
        detections: boxes about evidence on the map, the highest first; only of a bundle's own map.
        explanation: what the heat map shows.
        objects: the files of its DICOM results.
    """

    file: str
    status: ImageStatus
    reason: str | None = None
    code: str | None = None
    sha256: str | None = None
    notes: tuple[Note, ...] = ()
    probabilities: dict[str, float] | None = None
    decision: str | None = None
    positive_probability: float | None = None
    positive: bool | None = None
    band: Band | None = None
    prediction_set: tuple[str, ...] | None = None
    heatmap: Path | None = None
    detections: tuple[Detection, ...] | None = None
    explanation: Explanation | None = None
    objects: tuple[Path, ...] | None = None


class _Outputs(NamedTuple):
    """The folders that are written; None of whatever is not."""

    maps: HeatMapFolder | None = None
    objects: "DicomFolder | None" = None


class _Ready(NamedTuple):
    """An image that was read; its pixels are kept only where something is drawn on them."""

    path: Path
    given: ImageSource
    sha256: str
    prepared: Prepared
    radiograph: Radiograph | None


def predict(
    model: Model | str | os.PathLike[str],
    images: Iterable[ImageSource | Pause],
    *,
    value_range: ValueRange | None = None,
    maps: HeatMapFolder | None = None,
    objects: "DicomFolder | None" = None,
    on_left_out: Callable[[Problem], None] = lambda _: None,
) -> Generator[Prediction, None, None]:
    """Yields the result of each image, in order; one image a core is worked on at once.

    A file that cannot be used gets a result that says so, and the rest is done. In a folder, a file
    that neither looks like an image nor is called like one is left out. Neither names nor results
    are kept, so memory does not grow with their number.

    Args:
        model: the bundle.
        images: files; folders, which are walked as `pulmo.workflows.found` does; and whatever else
            `Model.predict` takes. A pause among them has all results so far yielded before the next
            image is taken.
        value_range: of arrays, the values that are shown black and white, such as (0, 255).
        maps: the folder for a heat map of each image; nothing below it is taken as an image.
        objects: the folder for the DICOM results of each DICOM image, likewise. Another image then
            has no result.
        on_left_out: called with each file and link in a folder that is left out, and why.

    Raises:
        InputError: the bundle is missing or damaged, or the folder cannot be written to.
        UsageError: the model has no class that the maps are to show, or a value
            range is missing or not for an array.
    """
    predictor = (model if isinstance(model, Model) else load(model)).predictor
    return predict_images(predictor, images, maps, on_left_out, value_range, objects)


def predict_images(
    predictor: ImagePredictor,
    images: Iterable[ImageSource | Pause],
    maps: HeatMapFolder | None,
    on_left_out: Callable[[Problem], None],
    value_range: ValueRange | None = None,
    objects: "DicomFolder | None" = None,
) -> Generator[Prediction, None, None]:
    """Does what `predict` does, with a model of any kind.

    Raises:
        InputError: the folder cannot be written to.
        UsageError: the model has no class that the maps are to show, or cannot serve their method.
    """
    if maps is not None:
        maps.shown.method.check(predictor)
        if maps.shown.label is not None:
            check_label(predictor.card, maps.shown.label)
        claim_folder(maps.root)
    if objects is not None:
        claim_folder(objects.root)
    outputs = _Outputs(maps, objects)
    if not any(outputs):
        # Each thread does all of an image: a small network gains little from several threads.
        work = partial(_read_and_predict, predictor=predictor, value_range=value_range)
        return _each(work, predictor, images, outputs, on_left_out)
    # Explanations change the network while they run, so one thread alone runs it.
    read = partial(_read, predictor=predictor, value_range=value_range, keep=True)
    return _each(read, predictor, images, outputs, on_left_out)


def predict_file(found: Found, predictor: ImagePredictor) -> Prediction | Problem:
    """Returns the result of one file, or why it is left out."""
    return _read_and_predict(found, predictor, None)


def _read_and_predict(
    found: Found, predictor: ImagePredictor, value_range: ValueRange | None
) -> Prediction | Problem:
    ready = _read(found, predictor, value_range, keep=False)
    return _predict(ready, predictor, _Outputs()) if isinstance(ready, _Ready) else ready


def _each(
    work: Callable[[Found], "_Ready | Prediction | Problem"],
    predictor: ImagePredictor,
    images: Iterable[ImageSource | Pause],
    outputs: _Outputs,
    on_left_out: Callable[[Problem], None],
) -> Generator[Prediction, None, None]:
    found = images_of(images, *(None if each is None else each.root for each in outputs))
    with closing(in_threads(work, found, most=_READERS)) as results:
        for result in results:
            if isinstance(result, Problem):
                on_left_out(result)
            else:
                yield (
                    result
                    if isinstance(result, Prediction)
                    else _predict(result, predictor, outputs)
                )


def _read(
    found: Found, predictor: ImagePredictor, value_range: ValueRange | None, *, keep: bool
) -> _Ready | Prediction | Problem:
    path = found.path
    if found.problem is not None:
        return found.problem
    try:
        if found.inside:
            _open_folder(path)
            if not is_image(path):
                return Problem(str(path), "it is not an image that pulmo reads", failed=False)
        given = path if found.image is None else found.image
        radiograph = open_image(given, str(path), value_range)
        prepared = predictor.prepare(radiograph, str(path))
    except UsageError:
        raise
    except PulmoError as error:
        return failed_prediction(str(path), error)
    except OSError as error:
        return failed_prediction(
            str(path),
            InputError("file-unreadable", f"{path} could not be read: {error.strerror or error}."),
        )
    return _Ready(path, given, radiograph.sha256, prepared, radiograph if keep else None)


def _open_folder(path: Path) -> None:
    """Opens a folder, if it is one: one that cannot be opened takes the place of its files."""
    if path.is_dir():
        with os.scandir(path):
            pass


def _predict(ready: _Ready, predictor: ImagePredictor, outputs: _Outputs) -> Prediction:
    written = objects = None
    name, radiograph = str(ready.path), ready.radiograph
    try:
        outcome = predictor.predict_prepared([ready.prepared])[0]
        if outputs.objects is not None and radiograph is not None:
            result = ImageResult(name, outcome, predictor, radiograph)
            objects = outputs.objects.write(result, ready.given)
        if outputs.maps is not None and radiograph is not None:
            written = outputs.maps.write(ready.path, predictor, radiograph, outcome)
    except PulmoError as error:
        return failed_prediction(name, error)
    return replace(prediction_of(name, ready.sha256, outcome, written), objects=objects)


def prediction_of(
    name: str, sha256: str, outcome: Outcome, written: Written | None = None
) -> Prediction:
    """Returns the result of an image that was classified.

    Args:
        name: what the image is called.
        sha256: of its file.
        outcome: what the model says of it.
        written: its heat map; None if none was written.
    """
    return Prediction(
        file=name,
        status="done",
        sha256=sha256,
        notes=outcome.notes,
        probabilities=outcome.probabilities,
        decision=outcome.decision,
        positive_probability=outcome.positive_probability,
        positive=outcome.positive,
        band=outcome.band,
        prediction_set=outcome.prediction_set,
        heatmap=written and written.drawing,
        detections=written and written.detections,
        explanation=written and written.explanation,
    )


def failed_prediction(name: str, error: PulmoError) -> Prediction:
    """Returns what became of an image that has no result, and why."""
    return Prediction(name, status_of(error), str(error), error.code)
