"""Inspection: the content of `inspection.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from pulmo.core.message import Message
from pulmo.core.record import Record, read_record
from pulmo.stats.estimate import Estimate

NOT_STATED: Final = "not stated"
"""The value under which a crossing counts images with an empty column."""

QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles of a spread: minimum, maximum and five between."""


class Failure(Record):
    """An image that was drawn as a sample and could not be shown."""

    path: str
    reason: str


class Totals(Record):
    """Counts of images, groups and patients."""

    images: int
    groups: int
    largest_group: int
    """Images in the group with the most."""
    patients: int
    """Patients that a source names; a patient of two sources counts twice."""
    with_patient: int
    """Images whose patient is named."""
    most_of_a_patient: int
    """Images of the patient with the most; 0 if no patient is named."""
    with_source: int | None = None
    """Images whose hospital or public set is stated; None of an older inspection."""


class Crossing(Record):
    """A column against the class."""

    rows: dict[str, dict[str, int]]
    """Value -> class -> images; the most frequent values first, or in their own order."""
    others: int
    """Further values, too rare to be listed."""
    of_others: dict[str, int]
    """Class -> images with one of those."""


class Spread(Record):
    """How a quantity is spread within a class."""

    n: int
    """Images of which it is known."""
    quantiles: tuple[float, ...]
    """At `QUANTILES`; empty without an image."""
    counts: tuple[int, ...]
    """Images in each bin of the distribution's edges."""


class Distribution(Record):
    """A quantity by class, over bins that all classes share."""

    edges: tuple[float, ...]
    """One more than there are bins, the last bin closed; empty where nothing is known."""
    logarithmic: bool
    """Whether the bins are equally wide in the quantity's logarithm."""
    classes: dict[str, Spread]


class Tally(Record):
    """Images that belong together and should be reviewed."""

    sets: int
    """How many patients, groups or sets of copies."""
    images: int
    """Images in them."""
    examples: tuple[str, ...]
    """Paths of a few images of the first set."""


class Copies(Record):
    """Images, groups and patients that occur more than once, or in two places."""

    same_bytes: Tally
    """Files of identical content."""
    same_pixels: Tally
    """Images that decode to identical pixels, those of identical files among them."""
    groups_across_sources: Tally
    groups_with_several_labels: Tally
    patients_with_several_labels: Tally
    groups_across_splits: Tally


class OtherNames(Record):
    """The images of a class whose file names contain words of other classes only."""

    images: int
    of: int
    """Images of the class."""
    classes: dict[str, int]
    """Class -> images whose name contains its word; a name may contain several."""
    examples: tuple[str, ...]
    """Paths of a few."""


class Clue(Record):
    """How well something other than the image predicts the class."""

    name: str
    columns: tuple[str, ...]
    """The facts that took part: those that are known and that vary."""
    classes: tuple[str, ...]
    """The classes that took part: those with enough images of which the facts are known."""
    commonest: float | None
    """Share of the commonest class: the accuracy of always naming it."""
    chance: float | None
    """One over the number of classes: the balanced accuracy of knowing nothing."""
    v: Estimate
    """Cramer's V with the class, corrected for bias, 0 to 1."""
    accuracy: Estimate
    """Of a cross-validated tree."""
    balanced_accuracy: Estimate
    """Of a cross-validated tree to which all classes weigh alike."""
    flagged: bool
    """Whether the rule of `Confounding` flags it."""
    warning: str | None
    """A sentence, where it is flagged."""


class Confounding(Record):
    """What predicts the class without the pixels."""

    n: int
    """Images that the metrics are computed from: all, or a random sample of very many."""
    rule: str
    """When a clue is flagged."""
    clues: dict[str, Clue]
    """Name -> clue; `file` is all facts of the files together."""


class NoteCounts(Record):
    """The images that have a note of one kind."""

    says: str
    """What such a note says."""
    n: int
    classes: dict[str, int]
    """Class -> images, of every class."""
    sources: dict[str, int]
    """Source -> images, the most first; without sources of none."""


class Inspection(Record):
    """What a manifest holds, without its pixels."""

    format: Literal[2] = 2
    name: str
    """What the manifest's file is called."""
    seed: int
    """Of all that was drawn."""
    manifest_sha256: str
    facts: str | None
    """Name of the table that the facts of the files were taken from; None for the manifest."""
    verdict: str
    """Whether something other than the disease predicts the class, as a sentence."""
    warnings: tuple[Message, ...]
    """What else a user of these images must know."""
    totals: Totals
    labels: dict[str, int]
    """Class -> images."""
    crossings: dict[str, Crossing]
    """Column -> its values against the class."""
    missing: dict[str, dict[str, int]]
    """Column that may be null -> class -> images of which it is null."""
    notes: Mapping[str, NoteCounts] = {}
    """Kind of note that the reader made, or `unknown` -> its images, the commonest first."""
    distributions: dict[str, Distribution]
    """Quantity -> how it is spread in each class."""
    copies: Copies
    names: dict[str, OtherNames] = Field(default_factory=dict)
    """Class -> its images whose file name contradicts it; without classes that have none."""
    confounding: Confounding
    failed: tuple[Failure, ...] = ()


def read_inspection(path: Path) -> Inspection:
    """Reads an inspection.

    Raises:
        InputError: the file is missing or is not an inspection.
    """
    return read_record(path, Inspection, "an inspection")
