"""What is wrong with a split, and what is missing in it."""

import re
from collections.abc import Iterator
from itertools import permutations
from typing import Final, Literal

import pandas as pd

from pulmo.core.errors import RefusedError
from pulmo.core.sources import HOW_TO_STATE, are_stated, source_names
from pulmo.datasets.manifest import SPLITS, Manifest, patient_names

_TOLERANCE: Final = 0.5
"""The share of a side's aim by which it may miss it without a warning."""
_FEW_IMAGES: Final = 10
"""Images by which any side may miss its aim without a warning."""


def check_split(manifest: Manifest) -> None:
    """Refuses a manifest with a group, a patient of a source or an image on two sides or folds.

    Raises:
        RefusedError: it leaks; the message names what is on two sides or folds, and files.
    """
    _check(manifest.frame, "split")
    _check(manifest.frame, "fold")


def absences(manifest: Manifest) -> list[str]:
    """Returns a sentence for each side, or each fold, that lacks a label which another has.

    A side without any image is not spoken of: it was not wanted.
    """
    table = manifest.frame
    labels = sorted(table["label"][table["split"].notna()].unique())
    return list(_absent(table, labels))


def unstated(manifest: Manifest) -> list[str]:
    """Returns a sentence if sources are held apart of which it is not known whether they differ.

    Args:
        manifest: one in which each source is on one side or in one fold.
    """
    table = manifest.frame
    part = table[table["split"].notna()]
    n = int((~are_stated(source_names(part))).sum())
    sentence = (
        f"It is not stated which hospital {n} of these images are from: a source that is held "
        f"apart may be of the same hospital as the others. {HOW_TO_STATE}"
    )
    return [sentence] if n else []


def unnamed_origins(manifest: Manifest) -> list[str]:
    """Returns a sentence if origins are held apart of which some are not known."""
    table = manifest.frame
    n = int((table["origin"].isna() & table["split"].notna()).sum())
    sentence = (
        f"{n} of the images that take part state no origin, so their hospital may be on several "
        "sides."
    )
    return [sentence] if n else []


def unlike_shares(manifest: Manifest, val: float, test: float) -> list[str]:
    """Returns a sentence for each side whose share is far from what was asked for.

    Groups are not divided, and each label of each source wants its part, so a small fraction or a
    large group can give a side many more images, or fewer.

    Args:
        manifest: one whose split was drawn.
        val: the fraction for validation; 0 is not checked.
        test: the fraction for the test, likewise.
    """
    sides = manifest.frame["split"].dropna()
    return [
        f"{side} has {n} of the {len(sides)} images ({n / len(sides):.1%}), not the {share:.2%} "
        "that was asked for: groups are not divided, and each label of each source gets a part."
        for side, share in (("val", val), ("test", test))
        if share
        and abs((n := int((sides == side).sum())) - share * len(sides))
        > max(_TOLERANCE * share * len(sides), _FEW_IMAGES)
    ]


def uncurated(manifest: Manifest) -> list[str]:
    """Returns a sentence for each source that has images from another one, without known copies.

    That is so where an image's origin names the other source, both take part on more than one
    side, and no group holds images of both: then nobody has looked for copies, or there are none.
    """
    table = manifest.frame
    part = table[table["split"].notna()]
    return [
        f"{source} has {n} of its images from {other}, but no group holds images of both. "
        "Unless copies were searched, an image may be on two sides: run `pulmo data curate` first."
        for source, other in permutations(sorted(part["source"].unique()), 2)
        if (n := _named(part[part["source"] == source], other))
        and len(part["split"][part["source"].isin([source, other])].unique()) > 1
        and not _tied(table, source, other)
    ]


def _named(rows: pd.DataFrame, source: str) -> int:
    """Returns how many rows have an origin that names a source: `rsna`, or an address with it."""
    name = re.compile(rf"(?<!\w){re.escape(source)}(?!\w)", re.IGNORECASE)
    counts = rows["origin"].value_counts()
    return sum(int(n) for origin, n in counts.items() if name.search(str(origin)))


def _tied(table: pd.DataFrame, source: str, other: str) -> bool:
    """Returns whether a group holds images of both sources."""
    groups = [table["group"][table["source"] == name] for name in (source, other)]
    return bool(groups[0].isin(groups[1]).any())


def _absent(table: pd.DataFrame, labels: list[str]) -> Iterator[str]:
    sides = {side: set(table["label"][table["split"] == side]) for side in SPLITS}
    folds = {
        int(fold): set(table["label"][table["fold"] == fold])
        for fold in sorted(table["fold"].dropna().unique())
    }
    if folds:
        sides = {"test": sides["test"], "training": set().union(*folds.values())}
    for side, there in sides.items():
        if there and (lacking := [label for label in labels if label not in there]):
            yield f"{side} has no image of {', '.join(lacking)}"
    for fold, there in folds.items():
        if lacking := [x for x in labels if x not in there and x in sides["training"]]:
            yield f"fold {fold} has no image of {', '.join(lacking)}"
        others = set().union(*(held for other, held in folds.items() if other != fold))
        if alone := sorted(there - others):
            names = ", ".join(alone)
            yield f"only fold {fold} has images of {names}: while it is val, none is trained on"


def _check(table: pd.DataFrame, column: Literal["split", "fold"]) -> None:
    used = table[table[column].notna()]
    _check_sides(used, column, used["group"], "group")
    _check_sides(used, column, patient_names(used), "patient")
    _check_sides(used, column, used["sha256"], "identical image")
    _check_sides(used, column, used["pixels_sha256"], "image of identical pixels")


def _check_sides(
    used: pd.DataFrame, column: Literal["split", "fold"], keys: pd.Series, what: str
) -> None:
    """Refuses rows of one key, where it is not null, on two sides."""
    sides = used.groupby(keys)[column].nunique()
    leaks = sides.index[sides > 1]
    if len(leaks):
        rows = used[keys == leaks[0]].sort_values(column).drop_duplicates(column)
        place = "fold " if column == "fold" else ""
        named = ", ".join(
            f"{path} ({place}{side})" for path, side in zip(rows["path"], rows[column], strict=True)
        )
        wrong = "" if what == "group" else " The groups of the manifest are wrong."
        raise RefusedError(
            "split-leaks",
            f"The split leaks: {len(leaks)} {what}{'s are' if len(leaks) > 1 else ' is'} on two "
            f"{'folds' if column == 'fold' else 'sides'}, such as {leaks[0]}: {named}.{wrong}",
        )
