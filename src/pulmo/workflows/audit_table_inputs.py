"""What is audited where only a table of predictions is known, and maybe a manifest."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.parts import AuditedModel, Part
from pulmo.core.errors import InputError
from pulmo.datasets.manifest import COLUMNS, Manifest
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.external import ExternalPredictions
from pulmo.predictions.predictions import Predictions
from pulmo.workflows.audit_inputs import AuditInput, evaluated_rows, fitted_rows, without_seen

_WINDOWS: Final = (
    " Its back-slashes were read as those of a Windows path; the file name is what follows the "
    "last one."
)
_STATED: Final = ("decision", "positive")


def table_input(
    external: ExternalPredictions,
    name: ModelName,
    manifest: Manifest | None,
    split: str | None,
) -> AuditInput:
    """Returns a table of predictions with its images.

    With a manifest the test rows and their labels are its own. It shows what the model was
    fitted on: the training and the validation or, where every fold has predictions and no split
    is named, of each fold all others.

    Args:
        external: the table.
        name: of its model.
        manifest: the images; None if no more is known than the table says.
        split: those of the manifest that are the test; all but the training and the validation, or
            all folds, if None.

    Raises:
        InputError: the table cannot be evaluated, a prediction is of no image of the manifest, or
            no image is left.
    """
    model = AuditedModel(name, external.rule)
    if manifest is None:
        rows = _checked(external.table, external)
        parts = (Part(model, rows.iloc[:0], rows),)
        return AuditInput(parts, tuple(_left_out(external.table, external)), external.notes)
    joined = _joined(external, manifest)
    rows = _checked(joined, external)
    doubts = [*_left_out(joined, external), *_relabelled(joined, external)]
    taken = _by_fold(model, rows, manifest) if split is None else None
    taken = taken or _by_split(model, rows, manifest, split)
    missing = taken.wanted[~taken.wanted["path"].isin(joined["path"])]
    doubts += taken.doubts
    if len(missing):
        doubts.append(
            f"{len(missing):,} of the {len(taken.wanted):,} test images of the manifest have no "
            "prediction; whoever left them out may have chosen which."
        )
    return without_seen(AuditInput(taken.parts, tuple(doubts), external.notes), split)


class _Taken(NamedTuple):
    """What is taken of a manifest.

    Attributes:
        parts: the test rows, with those that their model was fitted on.
        wanted: the test rows, with those that have no prediction.
        doubts: as sentences.
    """

    parts: tuple[Part, ...]
    wanted: pd.DataFrame
    doubts: list[str]


def _by_fold(model: AuditedModel, rows: pd.DataFrame, manifest: Manifest) -> _Taken | None:
    """Takes each fold with all others; None if there are no folds, or one has no prediction."""
    folds = sorted(manifest.frame["fold"].dropna().unique())
    if not folds or not set(folds) <= set(rows["fold"].dropna()):
        return None
    folded = manifest.frame[manifest.frame["fold"].notna()]
    parts = [
        Part(
            model, folded[folded["fold"] != fold], rows[(rows["fold"] == fold).fillna(value=False)]
        )
        for fold in folds
    ]
    doubts = [
        (
            "The table does not say which model made which prediction. It is assumed that "
            f"{len(folds)} models made them, and that none of them was trained on the fold that "
            "it predicts."
        )
    ]
    if outside := int(rows["fold"].isna().sum()):
        doubts.append(f"{outside:,} predictions are left out: their images are in no fold.")
    return _Taken(tuple(parts), folded, doubts)


def _by_split(
    model: AuditedModel, rows: pd.DataFrame, manifest: Manifest, split: str | None
) -> _Taken:
    """Takes a split, or all but the training and the validation, which the model was fitted on."""
    part = Part(model, fitted_rows(manifest), evaluated_rows(rows, split, "The table"))
    doubt = (
        f"The table does not say what the model was trained on. It is assumed to be the "
        f"{len(part.fit):,} training and validation images of the manifest."
    )
    wanted = evaluated_rows(manifest.frame, split, "The manifest")
    return _Taken((part,), wanted, [] if part.fit.empty else [doubt])


def _checked(table: pd.DataFrame, external: ExternalPredictions) -> pd.DataFrame:
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
            f"{len(lost):,} of the {len(paths):,} predictions match no image of the manifest, "
            f"neither by path nor by a unique file name; the first is of {first}."
            + (_WINDOWS if "\\" in first else ""),
        )
    return np.asarray(places, np.intp)


def _left_out(table: pd.DataFrame, external: ExternalPredictions) -> Iterator[str]:
    """Says which labels are no class."""
    labels = table["label"].astype(str)
    unknown = sorted(label for label in labels.unique() if external.rule.class_of(label) is None)
    if unknown:
        yield (
            f"{int(labels.isin(unknown).sum()):,} images are left out: the predictions have no "
            f"class for their labels ({', '.join(unknown)})."
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
            "the class of the manifest counts."
        )
