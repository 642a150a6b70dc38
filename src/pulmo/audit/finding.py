"""Finding: the result of one audit check, and the content of `audit.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pulmo.core.record import Record, read_record
from pulmo.evaluate.evaluation import ModelName
from pulmo.stats.estimate import Estimate

Verdict = Literal["passes", "warns", "fails", "unknown"]
"""passes: the fault was looked for and not found. warns: something a reader must know, which does
not close the gate. fails: the fault was found. unknown: it could not be looked for."""

Gate = Literal["open", "undecided", "closed"]
"""open: no check fails, and all that matter most could look. undecided: no check fails, but one of
these could not look. closed: a check fails."""

ORDER: Final[tuple[Verdict, ...]] = ("fails", "warns", "unknown", "passes")
"""The verdicts, what matters most first."""


Cell = str | int | Estimate
"""What a table's cell may hold."""


class Table(Record):
    """A table of a finding."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    """A row has a cell for each column."""


class Series(Record):
    """A figure that changes with something."""

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    y: tuple[Estimate, ...]
    """A figure for each `x`."""
    reference: float | None = None
    """What the figure is without the change; None if there is no such thing."""


class Finding(Record):
    """The result of one check."""

    check: str
    """Its name."""
    question: str
    """What it asks, as a question."""
    verdict: Verdict
    sentence: str
    """What was found, as one sentence or a few; of an unknown one, why."""
    claim: str
    """What a model that passes has been shown, to follow the words `the model`."""
    figures: Mapping[str, Estimate] = {}
    """Name -> figure, those that decide first."""
    tables: tuple[Table, ...] = ()
    series: tuple[Series, ...] = ()
    images: tuple[str, ...] = ()
    """Images that it names, without their folders."""


class Unanswered(Exception):  # noqa: N818 - it is an answer of its own, not an error
    """A check cannot be made here; its text is the reason, as a sentence."""


class AuditedData(Record):
    """What the model was audited on."""

    manifest_sha256: str
    """SHA-256 of what the manifest says of the images; without one, of the predictions' file."""
    split: str | None
    n: int
    groups: int
    labels: dict[str, int]
    """Class -> images."""
    sources: dict[str, dict[str, int]]
    """Source -> class -> images."""
    image_notes: Mapping[str, int] | None = None
    """Kind of note that the reader made -> images, as their manifest has it; None without."""
    fitted: int
    """Images of the training and the validation, on which shortcut floors are fitted."""
    voided: tuple[str, ...] = ()
    """Images that were given to judge the model and that it has seen, without their folders; only
    the search for leaks looks at them."""


class ExternalTable(Record):
    """How predictions of a model were read of which nothing else is known."""

    positive: tuple[str, ...]
    """Classes that count as positive; none if none was named."""
    threshold: float | None
    """Summed probability of these that was named for a positive result; None if none was."""
    merges: Mapping[str, str]
    """Label -> class that it counts as."""
    manifest: bool
    """Whether their images were those of a manifest."""
    columns: Mapping[str, str] = {}
    """Option -> the column that it named."""
    notes: tuple[str, ...] = ()
    """How the table was read, as sentences."""


class Audit(Record):
    """Everything that an audit found."""

    format: Literal[1] = 1
    model: ModelName
    data: AuditedData
    external: ExternalTable | None = None
    """None of a bundle."""
    findings: tuple[Finding, ...]
    """By verdict, what matters most first."""
    accepted: tuple[str, ...] = ()
    """Checks whose failure a person accepted."""
    passed: bool
    """Whether every check that fails is accepted."""
    gate: Gate | None = None
    """None of an audit that was made before a gate could be undecided."""
    headline: str = ""
    """The gate in words: how many checks could look, and about what nothing is shown."""
    shown: tuple[str, ...]
    """What the model has been shown, as sentences."""
    not_shown: tuple[str, ...]
    """What it has not been shown, or the opposite of which has, as sentences."""


def read_audit(path: Path) -> Audit:
    """Reads an audit.

    Raises:
        InputError: the file is missing or is not an audit.
    """
    return read_record(path, Audit, "an audit")
