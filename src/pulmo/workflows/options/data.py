"""Options of the workflows that make, divide and describe data sets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pulmo.core.flags import flag


@dataclass(frozen=True)
class ImportOptions:
    """How a data set is imported; the empty class in `stated` stands for all classes not named.

    Attributes:
        name: the name of the data set in the manifest. Default: the source's name or, for images of
            your own, one that follows from their folder.
        label_map: the label of a class folder, or of a class in a table.
        label: the label of all images, for a folder without class folders.
        stated: the hospital or public set that your own images, or those of one class, are from.
            Default: not known.
        files: the folder that the paths of a table are relative to. Default: that of the table.
        patient_key: a file with a secret. With it the patients of DICOM files are keyed hashes of
            their Patient ID, the same that a de-identification with this secret gives.
        headers_only: hash files and read headers, but decode no image, so that damaged images are
            not noticed.
        fresh: also read files again that have not changed since an earlier import.
    """

    name: str | None = None
    label_map: Mapping[str, str] = field(
        default_factory=dict, metadata=flag("--map", metavar="NAME=LABEL")
    )
    label: str | None = None
    stated: Mapping[str, str] = field(
        default_factory=dict, metadata=flag("--source", metavar="[CLASS=]NAME")
    )
    files: Path | None = field(default=None, metadata=flag("--root"))
    patient_key: Path | None = field(
        default=None, metadata=flag("--patients-from-dicom", metavar="KEYFILE")
    )
    headers_only: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class JoinOptions:
    """How manifests are joined.

    Attributes:
        one_set: a data set that lies in several folders, its patients numbered together.
    """

    one_set: Collection[str] = field(default=(), metadata=flag(metavar="NAME"))


@dataclass(frozen=True)
class MergeOptions(JoinOptions):
    """How manifests are merged.

    Attributes:
        drop_contradictions: leave out all copies of an image that have several labels.
    """

    drop_contradictions: bool = False


@dataclass(frozen=True)
class CurateOptions(JoinOptions):
    """How images are curated.

    Attributes:
        drop_copies: keep only the largest copy of each image.
        trust: a source whose labels win where copies have contradicting labels. Default: none.
    """

    drop_copies: bool = False
    trust: Collection[str] = field(default=(), metadata=flag(metavar="SOURCE"))


@dataclass(frozen=True)
class SplitOptions:
    """How images are divided. A default of None lets a contradicting value be noticed.

    Attributes:
        val: fraction for validation. Default: 0.15; with folds one fold is the validation.
        test: fraction for the test. Default: 0.15; a source that is left out is the test.
        keep_test: keep the test that a source publishes.
        keep_official: keep the whole split that a source publishes.
        leave_out: make this source the test.
        folds: divide what is not test into this many folds.
        folds_by_source: make each source a fold.
        fold: the fold for validation. Default: 0.
        by_origin: keep all images of an origin (a hospital or publication of a source) on one side,
            or in one fold.
        match: first choose equally many images of each label for every view, age, sex, modality or
            source.
        age_band: years that count as one age in a match. Default: 10.
        labels: a label to match. Default: all.
        seed: seed of the random draw. Default: 0.
    """

    val: float | None = None
    test: float | None = None
    keep_test: bool = False
    keep_official: bool = False
    leave_out: str | None = field(default=None, metadata=flag(metavar="SOURCE"))
    folds: int | None = field(default=None, metadata=flag(least=2))
    folds_by_source: bool = False
    fold: int | None = field(default=None, metadata=flag(least=0))
    by_origin: bool = False
    match: tuple[str, ...] = field(default=(), metadata=flag(metavar="COLUMN"))
    age_band: int | None = field(default=None, metadata=flag(least=1))
    labels: tuple[str, ...] = field(default=(), metadata=flag("--label", metavar="LABEL"))
    seed: int | None = field(default=None, metadata=flag(least=0))


@dataclass(frozen=True)
class InspectOptions:
    """How a manifest is inspected.

    Attributes:
        facts: a CSV table of the published files' width, height and bytes. Default: none.
        samples: how many images of each class and source to show.
        seed: seed of the random draw of the samples and of the folds.
    """

    facts: Path | None = None
    samples: int = field(default=6, metadata=flag(least=0))
    seed: int = field(default=0, metadata=flag(least=0))


@dataclass(frozen=True)
class DeidentifyOptions:
    """How files are de-identified.

    Attributes:
        keep: what else is kept: characteristics are age, sex, size, weight and the like. Default:
            nothing else.
        key: a file with a secret; the same secret gives the same pseudonyms. Default: a secret that
            is drawn and forgotten.
        trace: also write to this CSV file which file became which.
        withhold: do not write files that a person should look at first.
    """

    keep: Literal["characteristics"] | None = None
    key: Path | None = None
    trace: Path | None = field(default=None, metadata=flag("--map", metavar="FILE"))
    withhold: bool = field(default=False, metadata=flag("--withhold-flagged"))
