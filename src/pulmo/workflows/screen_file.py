"""One file of a screening, in a worker process."""

import os
from collections.abc import Callable, Generator, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from pulmo.core.errors import PulmoError, RefusedError
from pulmo.core.workers import Lost, WorkerPool
from pulmo.datasets.source import Problem
from pulmo.workflows.found import Found
from pulmo.workflows.model import Model, load
from pulmo.workflows.predict import Prediction, predict_file
from pulmo.workflows.prediction_output import flat_record

Row = dict[str, Any]
"""The result of a file: a flat record of a prediction, without what a screening has none of."""

LEFT_OUT: Final = "left out"
"""The status of a file that is no image, and of a link."""

_NEVER: Final = ("heatmap", "detections")

_LOST: Final = {
    "died": ("file-crashes-reader", "{path} made the process that read it end; it is damaged."),
    "slow": (
        "file-too-slow",
        "{path} was not read and classified in the time that a file may take.",
    ),
}


def open_bundle(bundle: Path, sha256: str) -> Model:
    """Opens the bundle of a screening, which must not have changed, on one thread.

    Raises:
        InputError: it is missing or damaged.
        RefusedError: it is another one.
    """
    model = load(bundle, threads=1)
    check_model(model, sha256)
    return model


def check_model(model: Model, sha256: str) -> None:
    """Refuses a model that is not the one with this SHA-256, with which a screening was begun."""
    if model.predictor.sha256 != sha256:
        raise RefusedError(
            "screening-model-changed",
            f"The screening was begun with another model than {model.path}.",
        )


def screeners(model: Model, workers: int, seconds: float) -> WorkerPool[Found, Row]:
    """Returns worker processes that read and classify files, each with the bundle of its own.

    Args:
        model: the bundle.
        workers: how many processes.
        seconds: that a file may take.
    """
    make = partial(screen_worker, model.path, model.predictor.sha256)
    return WorkerPool(make, workers=workers, seconds=seconds)


def screened(
    model: Model, files: Iterable[Found], pool: WorkerPool[Found, Row]
) -> Generator[Row, None, None]:
    """Yields the row of each file, in order.

    Raises:
        PulmoError: a worker cannot start.
    """
    for result in pool.map(files):
        yield _lost(result, model) if isinstance(result, Lost) else result


def screen_worker(bundle: Path, sha256: str) -> Callable[[Found], Row]:
    """Opens the bundle in a worker process; returns what makes a row of a file."""
    import cv2

    # A process for each core leaves none for threads.
    cv2.setNumThreads(1)
    return partial(screen_file, model=open_bundle(bundle, sha256))


def screen_file(found: Found, model: Model) -> Row:
    """Returns the row of a file, whatever becomes of it."""
    try:
        result = predict_file(found, model.predictor)
    except Exception as error:  # noqa: BLE001 - one file of millions does not end the work
        code = error.code if isinstance(error, PulmoError) else "internal-error"
        reason = f"{found.path}: {type(error).__name__}: {error}"
        result = Prediction(str(found.path), "failed", reason, code)
    if not isinstance(result, Problem):
        return _row(result, model)
    left_out = _row(Prediction(result.path, "failed", f"{result.reason}."), model)
    return left_out if result.failed else left_out | {"status": LEFT_OUT}


def columns_of(model: Model) -> list[str]:
    """Returns the names of a row's columns."""
    return [*_row(Prediction("", "failed"), model)]


def _lost(lost: Lost[Found], model: Model) -> Row:
    code, reason = _LOST[lost.why]
    path = os.fspath(lost.item.path)
    return _row(Prediction(path, "failed", reason.format(path=path), code), model)


def _row(result: Prediction, model: Model) -> Row:
    return {
        key: value
        for key, value in flat_record(result, model.predictor).items()
        if key not in _NEVER
    }
