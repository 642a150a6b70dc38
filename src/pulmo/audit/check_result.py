"""CheckResult: the result of one audit check; Audit: the content of `audit.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pulmo.core.message import Message, texts
from pulmo.core.record import Record, read_record
from pulmo.evaluate.evaluation import ModelName
from pulmo.stats.estimate import Estimate

Verdict = Literal["passes", "warns", "fails", "could_not_run"]
"""passes: the check found no fault. warns: it found something that a reader must know, but that
does not fail the audit. fails: it found a fault. could_not_run: the data do not suffice."""

AuditResult = Literal["passed", "failed", "incomplete"]
"""failed: a check fails. incomplete: no check fails, but an essential check could not run. passed:
no check fails, and all essential checks ran."""

ORDER: Final[tuple[Verdict, ...]] = ("fails", "warns", "could_not_run", "passes")
"""The verdicts, the most important first."""

Cell = str | int | Estimate
"""What a table's cell may hold."""


class Table(Record):
    """A table of a check's result."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    """A row has a cell for each column."""


class Series(Record):
    """A value that changes with the strength of a change of the images."""

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    y: tuple[Estimate, ...]
    """A value for each `x`."""
    reference: float | None = None
    """The value without the change; None if there is none."""


class CheckResult(Record):
    """The result of one check."""

    check: str
    """Name of the check."""
    question: str
    verdict: Verdict
    messages: tuple[Message, ...]
    """What the check found, or why it could not run; the most important message first."""
    statement: str
    """What is shown of a model that passes, as a sentence."""
    metrics: Mapping[str, Estimate] = {}
    """Name -> value; those that the verdict depends on come first."""
    tables: tuple[Table, ...] = ()
    series: tuple[Series, ...] = ()
    images: tuple[str, ...] = ()
    """Names of the images that are concerned, without their folders."""

    @property
    def conclusion(self) -> str:
        """The texts of the messages."""
        return " ".join(texts(self.messages))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the messages."""
        return tuple(message.kind for message in self.messages)


class CannotRun(Exception):  # noqa: N818 - the check ends with a verdict of its own, not an error
    """A check cannot run on these data or this model.

    Attributes:
        message: why, and what to do.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.message = Message(kind, text)


class AuditedData(Record):
    """The images of an audit."""

    manifest_sha256: str
    """SHA-256 of the manifest's content; without a manifest, of the predictions' file."""
    split: str | None
    n: int
    groups: int
    labels: dict[str, int]
    """Class -> images."""
    sources: dict[str, dict[str, int]]
    """Source -> class -> images."""
    image_notes: Mapping[str, int] | None = None
    """Kind of note on an image -> images; None if the manifest has no notes."""
    fitted: int
    """Training and validation images, on which shortcut baselines are fitted."""
    excluded: tuple[str, ...] = ()
    """Names of the test images that the model has seen; only the check `leakage` uses them."""


class ExternalTable(Record):
    """How a table of external predictions was read."""

    positive: tuple[str, ...]
    """Classes that count as positive; empty if none was named."""
    threshold: float | None
    """Summed probability of these classes from which a result is positive; None if not named."""
    merges: Mapping[str, str]
    """Label -> class that it counts as."""
    manifest: bool
    """Whether a manifest of the images was given."""
    columns: Mapping[str, str] = {}
    """Option -> the column that it names."""
    notes: tuple[str, ...] = ()
    """How the table was read, as sentences."""


class Audit(Record):
    """The results of all checks of a model."""

    format: Literal[2] = 2
    model: ModelName
    data: AuditedData
    external: ExternalTable | None = None
    """None for a bundle."""
    checks: tuple[CheckResult, ...]
    """By verdict, in the order of `ORDER`."""
    accepted: tuple[str, ...] = ()
    """Checks that fail and whose failure the user accepted."""
    result: AuditResult
    summary: str
    """The result in words: how many checks ran, which failed and which could not run."""
    shown: tuple[str, ...]
    """What the checks that pass show, as sentences."""
    not_shown: tuple[str, ...]
    """What the other checks found, or why they could not run, as sentences."""


def read_audit(path: Path) -> Audit:
    """Reads an audit.

    Raises:
        InputError: the file is missing or is not an audit.
    """
    return read_record(path, Audit, "an audit")
