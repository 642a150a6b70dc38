"""Counts of a manifest: totals, each column against the class, and what is not stated."""

from typing import Final

import pandas as pd

from pulmo.core.labels import LABELS
from pulmo.core.noted import UNKNOWN, count_kinds, kinds_of
from pulmo.core.sources import are_stated, source_names
from pulmo.datasets.inspect.inspection import NOT_STATED, Crossing, NoteCounts, Totals
from pulmo.datasets.manifest import patient_names
from pulmo.datasets.modality import kinds
from pulmo.datasets.schema import SCHEMA
from pulmo.radiograph.notes import SAYS

CROSSED: Final = ("source", "origin", "view", "modality", "sex", "format", "bits", "split", "fold")
"""The columns that are counted against the class; bands of age come with them."""

LISTED: Final = 40
"""Values of a column that a crossing lists; a source can name thousands of hospitals."""

_BANDS: Final = {"0-5": 0, "6-17": 6, "18-39": 18, "40-64": 40, "65 and over": 65}
"""Band of age -> its first year."""


def classes_of(table: pd.DataFrame) -> list[str]:
    """Returns the labels that occur, in the order of `LABELS`."""
    found = set(table["label"].unique())
    return [label for label in LABELS if label in found]


def totals_of(table: pd.DataFrame) -> Totals:
    """Counts images, groups and patients."""
    patients = patient_names(table).value_counts()
    groups = table["group"].value_counts()
    return Totals(
        images=len(table),
        groups=len(groups),
        largest_group=int(groups.max()),
        patients=len(patients),
        with_patient=int(patients.sum()),
        most_of_a_patient=int(patients.max()) if len(patients) else 0,
        with_source=int(are_stated(source_names(table)).sum()),
    )


def modalities_of(table: pd.DataFrame) -> dict[str, int]:
    """Counts the images of each modality that is stated, DICOM's codes of X-rays as X-ray."""
    counts = kinds(table["modality"]).value_counts().sort_index()
    return {str(name): int(n) for name, n in counts.items()}


def crossings_of(table: pd.DataFrame) -> dict[str, Crossing]:
    """Counts the values of each column of `CROSSED`, and bands of age, against the class."""
    bands = pd.cut(
        table["age"].astype(float), [*_BANDS.values(), 200], right=False, labels=list(_BANDS)
    )
    called = table.assign(source=source_names(table))
    crossings = {name: _cross(called[name], table["label"]) for name in CROSSED}
    return crossings | {"age_band": _cross(bands, table["label"])}


def missing_of(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Counts by class the images of which each column that may be null is null."""
    names = [name for name, column in SCHEMA.columns.items() if column.nullable]
    names.remove("root")  # null of a public data set, of which nothing is missing
    unstated = table[names].isna().assign(notes=_has_note(table, UNKNOWN))
    counts = unstated.groupby(table["label"].to_numpy(str)).sum()
    classes = classes_of(table)
    return {name: {label: int(counts.loc[label, name]) for label in classes} for name in names}


def _has_note(table: pd.DataFrame, kind: str) -> pd.Series:
    """Tells of each image whether it has a note of a kind."""
    return table["notes"].map(lambda cell: kind in kinds_of(cell)).astype(bool)


def notes_of(table: pd.DataFrame) -> dict[str, NoteCounts]:
    """Counts the images with a note of each kind, by class and by source."""
    found = {}
    for kind, n in count_kinds(table["notes"]).items():
        rows = table[_has_note(table, kind)]
        labels, sources = rows["label"].value_counts(), rows["source"].value_counts()
        found[kind] = NoteCounts(
            says=SAYS.get(kind, kind),
            n=n,
            classes={label: int(labels.get(label, 0)) for label in classes_of(table)},
            sources={str(name): int(count) for name, count in sources.items()},
        )
    return found


def _cross(values: pd.Series, labels: pd.Series) -> Crossing:
    """Counts values against classes: numbers and bands in their order, words by frequency."""
    in_order = not isinstance(values.dtype, pd.StringDtype)
    counts = pd.crosstab(values, labels)
    if not in_order:
        counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    listed = {str(value): _row(counts.loc[value]) for value in counts.index[:LISTED]}
    if values.isna().any():
        listed[NOT_STATED] = _row(labels[values.isna()].value_counts())
    rest = counts.iloc[LISTED:]
    return Crossing(rows=listed, others=len(rest), of_others=_row(rest.sum()))


def _row(counts: pd.Series) -> dict[str, int]:
    """Returns class -> images, in the order of `LABELS`, without classes of none."""
    return {label: int(counts[label]) for label in LABELS if counts.get(label, 0)}
