"""The statements of a manifest on its images."""

from typing import Final

import pandas as pd

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Statement
from pulmo.checklists.phrases import counted, images
from pulmo.core.message import texts
from pulmo.core.sources import source_names
from pulmo.datasets.inspect.inspection import NOT_STATED, Tally
from pulmo.datasets.manifest import SPLITS
from pulmo.datasets.source import SOURCES

NO_SIDE: Final = "on no side"
SIDES: Final = (*SPLITS, NO_SIDE)
"""The sides of a split in their order, and what images without one are called."""


def totals(artefacts: Artefacts) -> Statement:
    """States how many images, groups and patients there are."""
    given = artefacts.images
    sums = given.inspection.totals
    return Statement(
        f"{images(sums.images)} in {sums.groups:,} groups (images of one patient, and known "
        f"copies), at most {sums.largest_group:,} in one. The source names the patient of "
        f"{sums.with_patient:,} images ({sums.patients:,} patients).",
        f"{given.name}: group, patient",
    )


def labels(artefacts: Artefacts) -> Statement:
    """States how many images each label has, and where the labels come from."""
    given = artefacts.images
    findings = given.table["finding"].value_counts()
    stated = counted({str(name): int(n) for name, n in findings.iloc[:8].items()})
    rest = f" and {len(findings) - 8} more" if len(findings) > 8 else ""
    return Statement(
        f"Labels: {counted(given.inspection.labels)}. A label follows from the finding that "
        f"the source gives the image (findings: {stated}{rest}).",
        f"{given.name}: label, finding",
    )


def sources(artefacts: Artefacts) -> Statement:
    """States whose the images are, under which terms, and where they are available."""
    given = artefacts.images
    counts = source_names(given.table).value_counts(sort=False).sort_index()
    known, unknown = [], []
    for name, n in counts.items():
        if str(name) not in SOURCES:
            unknown.append(f"{name} ({images(int(n))})")
            continue
        about = SOURCES[str(name)].about
        place = f", {about.url}" if about.url else ""
        known.append(f"{name} ({images(int(n))}): {about.title}{place}; licence: {about.licence}")
    gap = f"State where these images are from, and under which terms: {', '.join(unknown)}."
    if not known:
        raise Gap(gap)
    where = f"{given.name}: source; `pulmo data sources`"
    return Statement(f"{'. '.join(known)}.", where, gap if unknown else "")


def licences(artefacts: Artefacts) -> Statement:
    """States what is stated of single images' licences."""
    return _values(artefacts, "licence", "Licences of single images")


def origins(artefacts: Artefacts) -> Statement:
    """States where the sources have the images from."""
    return _values(artefacts, "origin", "Where the sources have the images from")


def views(artefacts: Artefacts) -> Statement:
    """States how the images were taken."""
    return _values(artefacts, "view", "Views")


def modalities(artefacts: Artefacts) -> Statement:
    """States with what the images were taken."""
    return _values(artefacts, "modality", "Modalities")


def files(artefacts: Artefacts) -> Statement:
    """States what the files are like."""
    given = artefacts.images
    table = given.table
    sides = [
        f"{name} {int(table[name].min())} to {int(table[name].max())}"
        for name in ("width", "height")
    ]
    formats = counted(_counts(table["format"]))
    bits = counted(_counts(table["bits"].astype("string") + " bits"))
    return Statement(
        f"Formats: {formats}. Depths: {bits}. Pixels: {', '.join(sides)}.",
        f"{given.name}: format, bits, width, height",
    )


def people(artefacts: Artefacts) -> Statement:
    """States how old the patients are and of which sex, on each side of the split."""
    given = artefacts.images
    table = given.table
    if table["age"].isna().all() and table["sex"].isna().all():
        raise Gap(f"{given.name} states no age and no sex.")
    sides = table["split"].fillna(NO_SIDE)
    parts = [f"{side}: {_people(table[sides == side])}" for side in SIDES if (sides == side).any()]
    return Statement(
        f"Counted by image. {'; '.join(parts)}.",
        f"{given.name}: age, sex, split",
    )


def _people(rows: pd.DataFrame) -> str:
    ages = rows["age"].dropna()
    age = f"age of {len(ages):,} of {len(rows):,} stated"
    if len(ages):
        age += f" (median {ages.median():g} years, {ages.min():g} to {ages.max():g})"
    return f"{age}, sex {counted(_counts(rows['sex']))}"


def missing(artefacts: Artefacts) -> Statement:
    """States what is not stated, and of how many images."""
    given = artefacts.images
    nulls = {name: sum(by.values()) for name, by in given.inspection.missing.items()}
    return Statement(
        f"Not stated, of {images(given.inspection.totals.images)}: {counted(nulls)}.",
        f"{given.name}: nulls",
    )


def copies(artefacts: Artefacts) -> Statement:
    """States what occurs more than once."""
    given = artefacts.images
    found = given.inspection.copies
    return Statement(
        f"Files of identical content: {_tally(found.same_bytes)}; of identical pixels: "
        f"{_tally(found.same_pixels)}; groups across sources: "
        f"{_tally(found.groups_across_sources)}; patients with several labels: "
        f"{_tally(found.patients_with_several_labels)}.",
        f"{given.name}: sha256, pixels_sha256, group, patient",
        "State whether `pulmo data curate` searched for near copies; the manifest does not record "
        "it.",
    )


def _tally(tally: Tally) -> str:
    return f"{tally.sets:,} ({images(tally.images)})" if tally.sets else "none"


def confounding(artefacts: Artefacts) -> Statement:
    """States which facts predict the class without the pixels."""
    given = artefacts.images
    found = given.inspection
    return Statement(
        " ".join((found.verdict, *texts(found.warnings))),
        f"{given.name}, as `pulmo data inspect` has it",
    )


def identifiers(artefacts: Artefacts) -> Statement:
    """States what in the table could lead to a person."""
    given = artefacts.images
    named = given.inspection.totals.with_patient
    return Statement(
        f"The table has the source's own code of the patient for {images(named)}, age in years, "
        "sex, place of origin and days since onset where stated, and the paths of the files; it "
        "has no column for a name, a date of birth or the date of an image.",
        f"{given.name}: columns",
        "Look at the images for burned-in text, and at the paths and codes for names.",
    )


def content(artefacts: Artefacts) -> Statement:
    """States what distinguishes this set from any other."""
    given = artefacts.images
    return Statement(
        f"SHA-256 of what the manifest says of its images: {given.inspection.manifest_sha256}. "
        "Each image has the SHA-256 of its file.",
        f"{given.name}: content, sha256",
    )


def obtaining(artefacts: Artefacts) -> Statement:
    """States that the images stay with their sources."""
    given = artefacts.images
    names = counted(_counts(source_names(given.table)))
    return Statement(
        f"The manifest contains paths and hashes, no images; those are of their sources: {names}.",
        f"{given.name}: path, sha256, source",
    )


def _values(artefacts: Artefacts, column: str, what: str) -> Statement:
    """Counts the values of a column."""
    given = artefacts.images
    counts = _counts(given.table[column])
    if set(counts) <= {NOT_STATED}:
        raise Gap(f"{given.name} does not state it: its column {column} is empty.")
    listed = dict(list(counts.items())[:6])
    rest = len(counts) - len(listed)
    more = f", and {rest} further values" if rest else ""
    return Statement(f"{what}: {counted(listed)}{more}.", f"{given.name}: {column}")


def _counts(values: pd.Series) -> dict[str, int]:
    """Counts the values, what is not stated first, then the commonest."""
    counts = values.astype("string").value_counts()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    nulls = int(values.isna().sum())
    first = {NOT_STATED: nulls} if nulls else {}
    return first | {str(name): int(n) for name, n in ordered}
