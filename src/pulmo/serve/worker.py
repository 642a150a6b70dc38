"""What a worker process does: it reads an image, asks the model and draws, within limits."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import Any, Final, Literal, NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.daemon.confined import limit_memory, silence
from pulmo.daemon.job_pool import result_or_error
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.limits import LIMITS
from pulmo.serve.answers import NAME, Facts
from pulmo.serve.models import ServedModel, open_models
from pulmo.workflows.image_result import ImageResult
from pulmo.workflows.predict import Prediction, failed_prediction, prediction_of

Kind = Literal["ready", "predict", "image", "heatmap", "lungs", "boxes", "report"]

_RECENT: Final = 2
"""Images that a worker has open: a viewer asks for several things of one."""
_SECONDS: Final = 60
"""After which they are forgotten, if no other image is asked about."""


class Job(NamedTuple):
    """What is wanted of an image.

    Attributes:
        kind: what.
        model: the id of the model.
        image: the SHA-256 of its bytes.
        data: its bytes.
        options: of the kind.
    """

    kind: Kind
    model: str
    image: str
    data: bytes
    options: Mapping[str, Any] = {}


READY: Final = Job("ready", "", "", b"")
"""Does nothing, in a worker that has opened the models."""


class Predicted(NamedTuple):
    """What became of an image, and what its file says; None if it could not be read."""

    prediction: Prediction
    facts: Facts | None


class Setup(NamedTuple):
    """What a worker begins with.

    Attributes:
        paths: the bundles.
        ids: the ids of their models, which must not have changed.
        memory: MiB that the process may take.
    """

    paths: Sequence[Path]
    ids: Sequence[str]
    memory: int


class _Open:
    """The models, and the images that were last asked about, which are soon forgotten."""

    def __init__(self, models: Mapping[str, ServedModel]) -> None:
        self.models = models
        self._results: OrderedDict[tuple[str, str], ImageResult] = OrderedDict()
        self._lock = Lock()
        self._timer = Timer(0, self.forget)

    def keep(self, job: Job, result: ImageResult) -> None:
        """Keeps an image for the next job on it."""
        with self._lock:
            self._results[job.model, job.image] = result
            while len(self._results) > _RECENT:
                self._results.popitem(last=False)
            self._timer.cancel()
            self._timer = Timer(_SECONDS, self.forget)
            self._timer.daemon = True
            self._timer.start()

    def forget(self) -> None:
        """Forgets all images."""
        with self._lock:
            self._results.clear()

    def result(self, job: Job) -> ImageResult:
        """Returns the result on the image of a job.

        Raises:
            PulmoError: it cannot be read, or is refused.
        """
        with self._lock:
            known = self._results.get((job.model, job.image))
        if known is not None:
            return known
        predictor = self.models[job.model].predictor
        radiograph = decode_radiograph(job.data, NAME, LIMITS)
        result = ImageResult(NAME, predictor.predict(radiograph, NAME), predictor, radiograph)
        self.keep(job, result)
        return result


def worker(setup: Setup) -> Callable[[Job], Any]:
    """Opens the models in a worker process; returns what does a job.

    What it returns is the job's value, or a `PulmoError` that says why there is none.

    Raises:
        PulmoError: a model is missing, damaged, or not the one that the server was started with.
    """
    import cv2  # noqa: PLC0415 - of the worker alone

    # A process for each core leaves none for threads.
    cv2.setNumThreads(1)
    limit_memory(setup.memory)
    silence()
    models = open_models(setup.paths)
    if list(models) != list(setup.ids):
        raise PulmoError("model-changed", "A model was changed after the server was started.")
    # The first heat map would wait for matplotlib.
    Thread(target=import_module, args=("pulmo.serve.views",), daemon=True).start()
    return worker_of(models)


def worker_of(models: Mapping[str, ServedModel]) -> Callable[[Job], Any]:
    """Returns what does a job with models that are open."""
    return partial(_work, _Open(models))


def _work(opened: _Open, job: Job) -> Any:  # noqa: ANN401 - of the kind of the job
    return result_or_error(partial(_done, opened, job))


def _done(opened: _Open, job: Job) -> Any:  # noqa: ANN401 - of the kind of the job
    match job.kind:
        case "ready":
            return None
        case "predict":
            return _predict(opened, job)
        case "image":
            return _image(opened, job)
    # matplotlib, for which neither the start nor a prediction waits.
    from pulmo.serve.views import VIEWS  # noqa: PLC0415 - see above

    return VIEWS[job.kind](opened.result(job), job.options)


def _predict(opened: _Open, job: Job) -> Predicted:
    facts, predictor = None, opened.models[job.model].predictor
    try:
        radiograph = decode_radiograph(job.data, NAME, LIMITS)
        facts = Facts.of(radiograph)
        result = ImageResult(NAME, predictor.predict(radiograph, NAME), predictor, radiograph)
    except PulmoError as error:
        if error.code == "image-memory":
            # It says something of this server, not of the image.
            raise
        return Predicted(failed_prediction(NAME, error), facts)
    opened.keep(job, result)
    return Predicted(prediction_of(NAME, job.image, result.outcome), facts)


def _image(opened: _Open, job: Job) -> tuple[bytes, int, int]:
    """Returns the image as displayed, also of one that the model refuses."""
    from pulmo.serve.pixels import image_bytes  # noqa: PLC0415 - as above

    try:
        radiograph = opened.result(job).radiograph
    except PulmoError:
        radiograph = decode_radiograph(job.data, NAME, LIMITS)
    return image_bytes(radiograph.pixels, job.options["form"], job.options["side"])
