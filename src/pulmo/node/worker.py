"""What a worker process does: it has an image judged, within limits."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.daemon.confined import limit_memory, silence
from pulmo.daemon.job_pool import result_or_error
from pulmo.node.inbox import MadeObject, Verdict
from pulmo.node.store import instance_of

if TYPE_CHECKING:
    from pulmo.bundle.image_predictor import ImagePredictor
    from pulmo.workflows.dicom_results import DicomAnswer

Answer = Callable[["ImagePredictor", Path], "DicomAnswer"]

_NAME: Final = "The image"
"""What messages call an image."""


class Job(NamedTuple):
    """An image to judge.

    Attributes:
        path: its file; None for nothing to do.
        sha256: of its bytes.
    """

    path: Path | None
    sha256: str


READY: Final = Job(None, "")
"""Does nothing, in a worker that has opened the model."""


class Setup(NamedTuple):
    """What a worker begins with.

    Attributes:
        bundle: the model.
        sha256: of the model, which must not have changed.
        memory: MiB that the process may take.
        answer: makes an answer of an image.
    """

    bundle: Path
    sha256: str
    memory: int
    answer: Answer


class Judged(NamedTuple):
    """What became of an image, and the objects that say so."""

    verdict: Verdict
    objects: tuple[MadeObject, ...]


def judge_worker(setup: Setup) -> Callable[[Job], Judged | PulmoError | None]:
    """Opens the model in a worker process; returns what judges an image and does not raise.

    Raises:
        InputError: the model is missing or damaged.
        PulmoError: it is not the one that the node was started with.
    """
    import cv2  # noqa: PLC0415 - of the worker alone

    from pulmo.workflows.model import load  # noqa: PLC0415 - likewise

    # A process for each core leaves none for threads.
    cv2.setNumThreads(1)
    limit_memory(setup.memory)
    silence()
    predictor = load(setup.bundle, 1).predictor
    if predictor.sha256 != setup.sha256:
        raise PulmoError("model-changed", "The model was changed after the node was started.")
    return partial(_work, predictor, setup.sha256, setup.answer)


def _work(
    predictor: "ImagePredictor", digest: str, answer: Answer, job: Job
) -> Judged | PulmoError | None:
    path = job.path
    if path is None:
        return None
    return result_or_error(lambda: _judged(predictor, digest, answer(predictor, path), job))


def _judged(predictor: "ImagePredictor", digest: str, answer: "DicomAnswer", job: Job) -> Judged:
    said: dict[str, Any] | None = None
    if answer.result is not None:
        from pulmo.workflows.predict import prediction_of  # noqa: PLC0415 - of the worker alone
        from pulmo.workflows.prediction_output import record  # noqa: PLC0415 - likewise

        prediction = prediction_of(_NAME, job.sha256, answer.result.outcome)
        said = record(prediction, predictor) | {"status": answer.status}
    verdict = Verdict(answer.status, answer.code, answer.reason, digest, said)
    return Judged(verdict, tuple(map(_made, answer.objects)))


def _made(dataset: Any) -> MadeObject:  # noqa: ANN401 - pydicom is of the worker alone
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return MadeObject(instance_of(str(dataset.SOPInstanceUID)), file.getvalue())
