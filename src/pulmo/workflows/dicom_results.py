"""DICOM results: one DICOM image becomes the objects that a hospital's archive keeps with it."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from pydicom import dcmwrite
from pydicom.dataset import Dataset

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.errors import ImageStatus, InputError, PulmoError, status_of
from pulmo.dicom_results import (
    KINDS,
    Kind,
    Said,
    check_kinds,
    make_objects,
    read_source,
    require_highdicom,
)
from pulmo.lungs.opacity import opacity
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.guard import quiet_decoders
from pulmo.workflows.image_result import ImageResult
from pulmo.workflows.model import Model

_NAME: Final = "The image"
"""What every message calls the image: the name of a file may be that of a patient."""

_KINDS: Final[dict[str, Kind]] = {"SR": "sr", "OT": "sc", "PR": "gsps"}
"""The Modality of an object -> its kind."""


@dataclass(frozen=True, eq=False)
class DicomAnswer:
    """What became of one DICOM image.

    Attributes:
        status: done; refused if it was read, and the model was not meant for it or it lacks an
            identifier; failed if it could not be used.
        code: why there are no objects, as a code of `pulmo.core.errors`; None if there are.
        reason: the same as a sentence, which quotes nothing that could identify a person.
        result: what the model says; None if there are no objects.
        objects: the objects, each complete with its file meta information, to be sent or saved.
    """

    status: ImageStatus
    code: str | None = None
    reason: str | None = None
    result: ImageResult | None = field(default=None, repr=False)
    objects: tuple[Dataset, ...] = field(default=(), repr=False)


def answer_dicom(
    model: ImagePredictor | Model,
    source: bytes | str | os.PathLike[str],
    *,
    kinds: Sequence[str] = KINDS,
) -> DicomAnswer:
    """Returns the DICOM objects of what a model says of a DICOM image.

    They belong to the patient and the study of the image, each in a series of its own. The same
    image, model and version of pulmo give objects of the same identifiers. An image in colours has
    no presentation state. The image itself is never changed.

    Args:
        model: the model.
        source: the image: the bytes of a DICOM file, or the file.
        kinds: of the objects: sr, a structured report of TID 1500; sc, a secondary capture of the
            heat map; gsps, a presentation state with the lungs and the boxes.

    Raises:
        UsageError: highdicom is not installed, or there is no such kind.
    """
    require_highdicom()
    wanted = check_kinds(kinds)
    try:
        data = source if isinstance(source, bytes) else _bytes_of(Path(source))
        predictor = model.predictor if isinstance(model, Model) else model
        result, objects = _answered(predictor, data, wanted)
    except PulmoError as error:
        return DicomAnswer(status_of(error), error.code, str(error))
    return DicomAnswer("done", result=result, objects=objects)


def _answered(
    model: ImagePredictor, data: bytes, kinds: Sequence[Kind]
) -> tuple[ImageResult, tuple[Dataset, ...]]:
    source = read_source(data, _NAME)
    radiograph = decode_radiograph(data, _NAME)
    result = ImageResult(_NAME, model.predict(radiograph, _NAME), model, radiograph)
    return result, make_objects(source, said_by(result), kinds, datetime.now().astimezone())


def said_by(result: ImageResult) -> Said:
    """Returns what DICOM objects repeat of a result.

    Raises:
        InputError: the network gave a value that is not a number.
    """
    shown, model = result.heatmap(), result.model
    height, width = result.radiograph.pixels.shape
    return Said(
        card=result.card,
        model_sha256=model.sha256 or model.card.network.sha256,
        outcome=result.outcome,
        lungs=result.lungs,
        opacity=opacity(result.radiograph.pixels, result.lungs),
        detections=shown.detections,
        draw=shown.sheet,
        shape=(height, width),
    )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "file-unreadable", f"{_NAME} could not be read: {error.strerror or 'unknown'}."
        ) from None


def kind_of(made: Dataset) -> Kind:
    """Returns of which kind an object is."""
    return _KINDS[made.Modality]


def file_of(made: Dataset) -> bytes:
    """Returns an object as a DICOM file (PS3.10 7)."""
    buffer = io.BytesIO()
    with quiet_decoders:  # values of patient and study are written as they were read
        dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()
