"""pulmo evaluate: which pictures of a manifest are taken."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.cli.console import progress, say
from pulmo.core.errors import InputError, RefusedError

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.bundle.card import Card
    from pulmo.bundle.manifest_predictions import Failure
    from pulmo.bundle.predictor import Predictor
    from pulmo.decide.thresholds import Aim
    from pulmo.predictions.operating_point import OperatingPoint


class Choice(NamedTuple):
    """The rows of a manifest that the options name.

    Attributes:
        data: the manifest.
        split: the split to take; None for all.
        wanted: column -> values to take; all, where there are none.
    """

    data: Path
    split: str | None
    wanted: dict[str, list[str]]


def chosen_rows(table: "pd.DataFrame", choice: Choice) -> "pd.DataFrame":
    """Returns the rows of the manifest that the options name.

    Raises:
        UsageError: there is no such split.
        InputError: there is no such row.
    """
    from pulmo.core.tables import check_split_name
    from pulmo.datasets.modality import rows_of

    data, split, wanted = choice
    check_split_name(split)
    if split is not None:
        table = table[table["split"] == split]
        if table.empty:
            raise InputError(
                f"{data} has no {split} picture; `pulmo data split` makes a split. Without --split "
                "and --threshold-for all pictures are taken."
            )
    elif {"test"} < set(table["split"].fillna("")):
        say(f"{data} has a test split; without --split test all of its pictures are taken.")
    if wanted["view"]:
        table = table[table["view"].isin(wanted["view"])]
    if wanted["modality"]:
        table = table[rows_of(table, wanted["modality"])]
    if table.empty:
        raise InputError(f"{data} holds no picture that these options choose.")
    return table


def check_modality(table: "pd.DataFrame", data: Path, card: "Card") -> None:
    """Refuses pictures of a modality that the model was not trained on, as `predict` does.

    Raises:
        RefusedError: some are.
    """
    from pulmo.datasets.modality import count_kinds, stated_kinds

    known, stated = card.training.modalities, stated_kinds(table)
    if known and not set(stated) <= set(known):
        shared = " ".join(f"--modality {name}" for name in known if name in stated)
        way_out = f"Take those that it knows with {shared}" if shared else "It cannot judge these"
        raise RefusedError(
            f"{card.name} was trained on {' and '.join(known)} only, and the chosen pictures of "
            f"{data} are {count_kinds(table)}. {way_out}."
        )


def unseen_rows(
    table: "pd.DataFrame", choice: Choice, predictor: "Predictor", run: Path | None
) -> "tuple[pd.DataFrame, tuple[Failure, ...]]":
    """Takes out what the model has seen; who asks for its training or validation gets it.

    Raises:
        InputError: nothing is left.
    """
    from pulmo.core.run_folder import RunFolder
    from pulmo.core.tables import read_manifest
    from pulmo.evaluate.overlap import Seen, void_seen

    if choice.split in {"train", "val"}:
        return table, ()
    rows = None
    if run is not None:
        rows = read_manifest(RunFolder(run).manifest)
        rows = rows[rows["split"].isin(["train", "val"])]
    left, voided = void_seen(table, Seen(predictor.seen, rows))
    if left.empty:
        raise InputError(
            f"The model was trained or chosen on every one of the {len(table)} chosen pictures of "
            f"{choice.data}; there is nothing to judge it by."
        )
    return left, voided


def fit_on_val(
    aim: "Aim", predictor: "Predictor", manifest: "pd.DataFrame", choice: Choice
) -> "OperatingPoint":
    """Returns the threshold for an aim, fitted on the val pictures of the views chosen."""
    from pulmo.decide.validation import threshold_for

    validation = chosen_rows(manifest, choice._replace(split="val"))
    check_modality(validation, choice.data, predictor.card)
    with progress("predicting val") as (report,):
        return threshold_for(aim, predictor, validation, report)
