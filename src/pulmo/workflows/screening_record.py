"""What a screening was begun with, and what it came to."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulmo.core.folders import ScreeningFolder
from pulmo.core.record import Record


class ScreeningPlan(Record):
    """What a screening was begun with, `plan.json`.

    Attributes:
        bundle: the model's folder or file.
        model_sha256: of its `model.onnx`.
        files: how many files are listed.
        part_rows: files of a part of the list.
    """

    bundle: str
    model_sha256: str
    files: int
    part_rows: int


class ScreeningRecord(Record):
    """The counts of a screening, `screening.json`.

    Attributes:
        pulmo: the version that made it.
        model: the name of the model.
        model_sha256: of its `model.onnx`.
        notice: what the model is for.
        files: how many files were listed.
        status: status -> files.
        codes: code of a reason -> files without a result.
        decisions: class -> images with the highest probability of it.
        positive: images that are positive by the model's threshold.
        note_kinds: kind of a note -> images with it.
    """

    pulmo: str
    model: str
    model_sha256: str
    notice: str
    files: int
    status: Mapping[str, int]
    codes: Mapping[str, int]
    decisions: Mapping[str, int]
    positive: int
    note_kinds: Mapping[str, int]


@dataclass(frozen=True)
class Screening:
    """A finished screening.

    Attributes:
        folder: its folder.
        record: its counts.
    """

    folder: ScreeningFolder
    record: ScreeningRecord
