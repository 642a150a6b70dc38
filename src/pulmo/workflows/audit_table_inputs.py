"""What is audited where only a table of predictions is known, and maybe a manifest."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.parts import AuditedModel, Part
from pulmo.core.errors import InputError
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.schema import COLUMNS
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.external import ExternalPredictions
from pulmo.predictions.predictions import Predictions
from pulmo.workflows.audit_inputs import AuditInput, fitted_images, judged_rows, without_seen

_WINDOWS: Final = (
    " Its back-slashes were taken for those of a path of Windows, and what is behind the last one "
    "for the file's name."
)
_STATED: Final = ("decision", "positive")


def table_input(
    external: ExternalPredictions,
    name: ModelName,
    manifest: Manifest | None,
    split: str | None,
) -> AuditInput:
    """Returns a table of predictions with its images.

    With a manifest the judged rows are its own, and so are their labels. It tells what the model
    was fitted on: the training and the validation or, where every fold has predictions and no split
    is named, of each fold all others.

    Args:
        external: the table.
        name: of its model.
        manifest: the images; None if no more is known than the table says.
        split: those of the manifest that are judged; all but the training and the validation, or
            all folds, if None.

    Raises:
        InputError: the table cannot be judged, a prediction is of no image of the manifest, or no
            image is left.
    """
    model = AuditedModel(name, external.rule)
    if manifest is None:
        rows = _judged(external.table, external)
        parts = (Part(model, None, rows),)
        return AuditInput(parts, tuple(_left_out(external.table, external)), external.notes)
    joined = _joined(external, manifest)
    rows = _judged(joined, external)
    doubts = [*_left_out(joined, external), *_relabelled(joined, external)]
    taken = _by_fold(model, rows, manifest) if split is None else None
    taken = taken or _by_split(model, rows, manifest, split)
    silent = taken.askable[~taken.askable["path"].isin(joined["path"])]
    doubts += taken.doubts
    if len(silent):
        doubts.append(
            f"{len(silent):,} of the {len(taken.askable):,} images of the manifest that could be "
            "judged have no prediction; who leaves some out can choose which."
        )
    return without_seen(AuditInput(taken.parts, tuple(doubts), external.notes), split)


class _Taken(NamedTuple):
    """What is taken of a manifest.

    Attributes:
        parts: the judged rows, with those that their model was fitted on.
        askable: all rows that could be judged, had they predictions.
        doubts: as sentences.
    """

    parts: tuple[Part, ...]
    askable: pd.DataFrame
    doubts: list[str]


def _by_fold(model: AuditedModel, rows: pd.DataFrame, manifest: Manifest) -> _Taken | None:
    """Takes each fold with all others; None if there are no folds, or one has no prediction."""
    folds = sorted(manifest.frame["fold"].dropna().unique())
    if not folds or not set(folds) <= set(rows["fold"].dropna()):
        return None
    folded = manifest.select(manifest.frame["fold"].notna())
    parts = [
        Part(
            model,
            folded.select(folded.frame["fold"] != fold) or None,
            rows[(rows["fold"] == fold).fillna(value=False)],
        )
        for fold in folds
    ]
    doubts = [
        (
            f"The predictions are taken for those of {len(folds)} models, each of which did not "
            "see the fold that it is judged on; the table does not say so."
        )
    ]
    if outside := int(rows["fold"].isna().sum()):
        doubts.append(f"{outside:,} predictions of images in no fold take no part.")
    return _Taken(tuple(parts), folded.frame, doubts)


def _by_split(
    model: AuditedModel, rows: pd.DataFrame, manifest: Manifest, split: str | None
) -> _Taken:
    """Takes a split, or all but the training and the validation, which the model was fitted on."""
    part = Part(model, fitted_images(manifest), judged_rows(rows, split, "The table"))
    doubt = (
        f"The model is taken to have been fitted on the {len(part.fitted):,} training and "
        "validation images of the manifest; the table does not say so."
    )
    askable = judged_rows(manifest.frame, split, "The manifest")
    return _Taken((part,), askable, [] if part.fit is None else [doubt])


def _judged(table: pd.DataFrame, external: ExternalPredictions) -> pd.DataFrame:
    """Returns the rows of a class that is known, checked, with all columns of a manifest."""
    found = Predictions.from_table(table, external.rule).labelled()
    rows = found.frame.assign(**{"class": found.classes})
    # Of a file in a folder of Windows only the name may get onto a page, too.
    paths = rows["path"].astype("string").str.replace("\\", "/", regex=False)
    missing = [name for name in COLUMNS if name not in rows]
    return rows.assign(path=paths).reindex(columns=[*rows.columns, *missing])


def _joined(external: ExternalPredictions, manifest: Manifest) -> pd.DataFrame:
    """Returns the manifest's rows that have predictions, with these and the labels of the table.

    Raises:
        InputError: there is no path, a prediction is of no image of the manifest, or none has a
            label that is known.
    """
    if "path" not in external.table:
        raise InputError(
            "predictions-columns-missing",
            "The predictions lack the column path, by which the images of the manifest are found.",
        )
    frame = manifest.frame
    rows = frame.iloc[_places(external.table["path"], frame["path"])].reset_index(drop=True)
    kept = [f"p_{label}" for label in external.rule.classes] if external.rule.scored else []
    kept += [name for name in _STATED if name in external.table]
    for name in kept:
        rows[name] = external.table[name].to_numpy()
    if "label" in external.table:
        rows["stated"] = external.table["label"].to_numpy()
    if all(external.rule.class_of(label) is None for label in rows["label"].unique()):
        raise InputError(
            "labels-not-of-predictions",
            f"None of the labels of these images ({', '.join(sorted(rows['label'].unique()))}) "
            f"is a class of the predictions ({', '.join(external.rule.classes)}); say as which "
            "class each label counts.",
        )
    return rows


def _places(paths: pd.Series, files: pd.Series) -> NDArray[np.intp]:
    """Returns where each path is in a manifest: the same or, if only one has it, the same name.

    Raises:
        InputError: one is nowhere.
    """
    given, known = paths.astype("string").fillna(""), files.astype("string")
    names, ends = (each.str.replace(r"^.*[/\\]", "", regex=True) for each in (given, known))
    exact = pd.Index(known).get_indexer(pd.Index(given))
    once = pd.Series(np.arange(len(ends)), index=pd.Index(ends))[
        ~ends.duplicated(keep=False).to_numpy()
    ]
    alike = once.reindex(names.mask(names.duplicated(keep=False))).fillna(-1).to_numpy(np.intp)
    places = np.where(exact >= 0, exact, alike)
    if (places < 0).any():
        lost = np.flatnonzero(places < 0)
        first = str(given.iloc[lost[0]])
        raise InputError(
            "predictions-of-other-images",
            f"{len(lost):,} of the {len(paths):,} predictions are of no image of the manifest, "
            f"by path or by a file name that is there once; the first is of {first}."
            + (_WINDOWS if "\\" in first else ""),
        )
    return np.asarray(places, np.intp)


def _left_out(table: pd.DataFrame, external: ExternalPredictions) -> Iterator[str]:
    """Says which labels are no class."""
    labels = table["label"].astype(str)
    unknown = sorted(label for label in labels.unique() if external.rule.class_of(label) is None)
    if unknown:
        yield (
            f"{int(labels.isin(unknown).sum()):,} images take no part, for their labels "
            f"({', '.join(unknown)}) are no class of the predictions."
        )


def _relabelled(joined: pd.DataFrame, external: ExternalPredictions) -> Iterator[str]:
    """Says how often the manifest and the table give an image different classes."""
    if "stated" not in joined:
        return
    ours, theirs = (
        joined[name].astype(str).map(external.rule.class_of) for name in ("label", "stated")
    )
    different = int((ours.notna() & theirs.notna() & (ours != theirs)).sum())
    if different:
        yield (
            f"{different:,} of {len(joined):,} predictions state another class than the manifest; "
            "they are judged by that of the manifest."
        )
