"""What a manifest says of its split."""

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Said
from pulmo.checklists.phrases import counted
from pulmo.datasets.inspect.inspection import NOT_STATED


def sides(artefacts: Artefacts) -> Said:
    """Says how many images of each label are on each side."""
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
    return Said(
        f"{'; '.join(parts)}. train sets the weights, val chooses among them, test is for judging.",
        f"{given.name}: split, label",
    )


def apart(artefacts: Artefacts) -> Said:
    """Says what never is on two sides."""
    given = artefacts.images
    if given.table["split"].isna().all():
        raise Gap(f"{given.name} has no split; `pulmo data split` makes one.")
    found, sums = given.inspection.copies.groups_across_splits, given.inspection.totals
    nameless = sums.images - sums.with_patient
    spanning = (
        f"{found.sets:,} groups are on several sides ({found.images:,} images)."
        if found.sets
        else "No group of images is on two sides."
    )
    unnamed = (
        f" The patient of {nameless:,} of {sums.images:,} images is not named; of these only "
        "known copies are kept together."
        if nameless
        else ""
    )
    return Said(
        f"The sides are apart by group (one patient, and known copies). {spanning}{unnamed}",
        f"{given.name}: group, patient, split",
    )


def folds(artefacts: Artefacts) -> Said:
    """Says whether there are folds of cross-validation."""
    given = artefacts.images
    rows = given.inspection.crossings["fold"].rows
    numbered = {f"fold {name}": sum(by.values()) for name, by in rows.items()}
    numbered.pop(f"fold {NOT_STATED}", None)
    text = f"Folds: {counted(numbered)}." if numbered else "No folds of cross-validation."
    return Said(text, f"{given.name}: fold")
