"""pulmo evaluate: which images of a manifest are taken."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.cli.console import progress, say
from pulmo.core.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pulmo.bundle.card import Card
    from pulmo.bundle.manifest_predictions import Failure
    from pulmo.bundle.predictor import Predictor
    from pulmo.datasets.manifest import Manifest
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


def chosen_rows(manifest: "Manifest", choice: Choice) -> "Manifest":
    """Returns the rows of the manifest that the options name.

    Raises:
        UsageError: there is no such split.
        InputError: there is no such row.
    """
    from pulmo.datasets.manifest import check_split_name

    data, split, wanted = choice
    check_split_name(split)
    if split is not None:
        manifest = manifest.split(split)
        if not len(manifest):
            raise InputError(
                f"{data} has no {split} image; `pulmo data split` makes a split. Without --split "
                "and --threshold-for all images are taken."
            )
    elif {"test"} < set(manifest.frame["split"].fillna("")):
        say(f"{data} has a test split; without --split test all of its images are taken.")
    chosen = manifest.filter(**{column: values or None for column, values in wanted.items()})
    if not len(chosen):
        raise InputError(f"{data} holds no image that these options choose.")
    return chosen


def check_modality(manifest: "Manifest", data: Path, card: "Card") -> None:
    """Refuses images of a modality that the model was not trained on, as `predict` does.

    Raises:
        RefusedError: some are.
    """
    from pulmo.datasets.modality import count_kinds, stated_kinds

    known, stated = card.training.modalities, stated_kinds(manifest)
    if known and not set(stated) <= set(known):
        shared = " ".join(f"--modality {name}" for name in known if name in stated)
        way_out = f"Take those that it knows with {shared}" if shared else "It cannot judge these"
        raise RefusedError(
            f"{card.name} was trained on {' and '.join(known)} only, and the chosen images of "
            f"{data} are {count_kinds(manifest)}. {way_out}."
        )


def unseen_rows(
    manifest: "Manifest", choice: Choice, predictor: "Predictor", run: Path | None
) -> "tuple[Manifest, tuple[Failure, ...]]":
    """Takes out what the model has seen; who asks for its training or validation gets it.

    Raises:
        InputError: nothing is left.
    """
    from pulmo.core.folders import RunFolder
    from pulmo.datasets.manifest import read_manifest
    from pulmo.evaluate.overlap import Seen, void_seen

    if choice.split in {"train", "val"}:
        return manifest, ()
    fitted = None
    if run is not None:
        fitted = read_manifest(RunFolder(run).manifest).split("train", "val")
    left, voided = void_seen(manifest.frame, Seen(predictor.seen, fitted))
    if not left.any():
        raise InputError(
            f"The model was trained or chosen on every one of the {len(manifest)} chosen images "
            f"of {choice.data}; there is nothing to judge it by."
        )
    return manifest.select(left), voided


def fit_on_val(
    aim: "Aim", predictor: "Predictor", manifest: "Manifest", choice: Choice
) -> "OperatingPoint":
    """Returns the threshold for an aim, fitted on the val images of the views chosen."""
    from pulmo.decide.validation import threshold_for

    validation = chosen_rows(manifest, choice._replace(split="val"))
    check_modality(validation, choice.data, predictor.card)
    with progress("predicting val") as (report,):
        return threshold_for(aim, predictor, validation, report)
