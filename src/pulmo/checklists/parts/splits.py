"""The statements of a manifest on its split."""

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Statement
from pulmo.checklists.phrases import counted
from pulmo.datasets.inspect.inspection import NOT_STATED


def sides(artefacts: Artefacts) -> Statement:
    """States how many images of each label are on each side."""
    given = artefacts.images
    rows = given.inspection.crossings["split"].rows
    if not set(rows) - {NOT_STATED}:
        raise Gap(f"{given.name} has no split; `pulmo data split` makes one.")
    whole = given.inspection.totals.images
    ordered = {name: rows[name] for name in ("train", "val", "test", NOT_STATED) if name in rows}
    parts = (
        f"{name}: {sum(by.values()):,} ({100 * sum(by.values()) / whole:.1f} %; {counted(by)})"
        for name, by in ordered.items()
    )
    return Statement(
        f"{'; '.join(parts)}. train: fits the weights; val: chooses among them; test: evaluates.",
        f"{given.name}: split, label",
    )


def apart(artefacts: Artefacts) -> Statement:
    """States what never is on two sides."""
    given = artefacts.images
    if given.manifest.frame["split"].isna().all():
        raise Gap(f"{given.name} has no split; `pulmo data split` makes one.")
    found, sums = given.inspection.copies.groups_across_splits, given.inspection.totals
    nameless = sums.images - sums.with_patient
    spanning = (
        f"{found.sets:,} groups are in several splits ({found.images:,} images)."
        if found.sets
        else "No group of images is in two splits."
    )
    unnamed = (
        f" The patient of {nameless:,} of {sums.images:,} images is unknown; of these only "
        "known copies are kept together."
        if nameless
        else ""
    )
    return Statement(
        f"The splits are separated by group (one patient, and known copies). {spanning}{unnamed}",
        f"{given.name}: group, patient, split",
    )


def folds(artefacts: Artefacts) -> Statement:
    """States whether there are folds of cross-validation."""
    given = artefacts.images
    rows = given.inspection.crossings["fold"].rows
    numbered = {f"fold {name}": sum(by.values()) for name, by in rows.items()}
    numbered.pop(f"fold {NOT_STATED}", None)
    text = f"Folds: {counted(numbered)}." if numbered else "No folds of cross-validation."
    return Statement(text, f"{given.name}: fold")
