"""What the server says of an image, as JSON."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from pulmo.core.errors import ImageStatus
from pulmo.core.record import Record
from pulmo.predictions.operating_point import Band
from pulmo.radiograph import Radiograph
from pulmo.serve.examples import ANSWER, PAGE, shown
from pulmo.serve.models import ServedModel
from pulmo.workflows.predict import Prediction
from pulmo.workflows.prediction_output import record

NAME: Final = "The image"
"""What messages call an image, whose file's name nobody is told."""

# Names of files, and boxes, which have a route of their own.
_LEFT_OUT: Final = ("file", "heatmap", "detections")


class Facts(Record):
    """What the file says of its image and not of the patient; null where it says nothing."""

    format: str
    """The format by the file's content, such as DICOM."""
    bits: int
    """Bits of a stored sample."""
    height: int
    """Pixels, as the image is displayed."""
    width: int
    """Pixels, as the image is displayed."""
    view: str | None
    """PA, AP, lateral, oblique or decubitus."""
    modality: str | None
    """X-ray, CT, MR, US, NM, PT, MG, XA or other."""
    body_part: str | None
    """Such as chest."""
    intent: str | None
    """`for processing`, where the image is the detector's and not meant to be looked at."""
    patient_right: Literal["left", "right"] | None
    """The edge of the image at which the patient's right side lies."""
    spacing: tuple[float, float] | None
    """Distance of neighbouring rows and of neighbouring columns in mm."""

    @classmethod
    def of(cls, radiograph: Radiograph) -> "Facts":
        """Returns the facts of an image but for age and sex, which are the patient's."""
        height, width = radiograph.pixels.shape
        known = radiograph.facts._asdict()
        own = {name: known[name] for name in cls.model_fields if name in known}
        return cls(height=height, width=width, **own)


class AnsweringModel(Record):
    """The model that answered."""

    id: str
    name: str
    version: str
    sha256: str
    weights_sha256: str


class Answer(Record):
    """What became of an image."""

    model_config = shown(ANSWER)

    id: str
    created: str
    """Time in UTC, ISO 8601."""
    status: ImageStatus
    """done; refused: it can be read, but the model is not for it; failed: it cannot be read."""
    reason: str | None
    """Why there is no result, as a sentence."""
    code: str | None
    """The same as a code for programs."""
    sha256: str
    """Of the image's bytes."""
    notes: list[str]
    """What a reader of the result must know."""
    note_kinds: list[str]
    probabilities: dict[str, float] | None
    """Class -> calibrated probability; they sum to one."""
    decision: str | None
    """The class with the highest probability."""
    positive_classes: list[str]
    positive_probability: float | None
    """Summed probability of the positive classes."""
    threshold: float
    """From which on that is positive."""
    positive: bool | None
    band: Band | None
    """The triage band; null if the model has none."""
    prediction_set: list[str] | None
    """The classes that the image may be of, its conformal set; null if the model has none."""
    facts: Facts | None
    """Null if the file could not be read."""
    model: AnsweringModel
    image_until: str | None
    """Until when the image, its heat maps, lungs, boxes and report can be asked for, at the latest;
    null if they cannot."""
    notice: str


class Answers(Record):
    """The answers on the images of a form, in their order."""

    predictions: list[Answer]


class Page(Record):
    """Some results, the newest first."""

    model_config = shown(PAGE)

    predictions: list[Answer]
    next: int | None
    """The cursor of the next page; null on the last one."""


def answer_of(
    model: ServedModel, sha256: str, prediction: Prediction, facts: Facts | None, keep: int
) -> dict[str, Any]:
    """Returns the JSON object of a new answer.

    Args:
        model: the model that was asked.
        sha256: of the image's bytes.
        prediction: what became of it.
        facts: what its file says; None if it could not be read.
        keep: minutes for which the image is kept.
    """
    created = datetime.now(UTC)
    said = record(prediction, model.predictor)
    is_kept = keep > 0 and facts is not None
    return {
        "id": uuid4().hex,
        "created": _text(created),
        **{key: value for key, value in said.items() if key not in _LEFT_OUT},
        "sha256": sha256,
        "facts": facts and facts.model_dump(mode="json"),
        "model": {"id": model.id, **said["model"]},
        "image_until": _text(created + timedelta(minutes=keep)) if is_kept else None,
        "notice": model.card.notice,
    }


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
