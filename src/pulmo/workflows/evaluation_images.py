"""Which images of a manifest a bundle is evaluated on, and which of them it must not be."""

from typing import Final, NamedTuple

from pulmo.bundle.manifest_predictions import Failure
from pulmo.bundle.origin import check_origin
from pulmo.core.errors import InputError, RefusedError
from pulmo.core.folders import RunFolder
from pulmo.datasets.manifest import Manifest, check_split_name, read_manifest
from pulmo.datasets.modality import count_kinds, stated_kinds
from pulmo.evaluate.overlap import Seen, exclude_seen
from pulmo.workflows.model import Model
from pulmo.workflows.options.evaluation import EvaluateOptions

_FITTED: Final = ("train", "val")


class ChosenImages(NamedTuple):
    """The images of an evaluation.

    Attributes:
        chosen: those that are predicted.
        split: the split that all of them are of; None if they are of several, or of none.
        excluded: those that were chosen and that the model has seen.
        notices: what a user must know of the choice, as sentences.
    """

    chosen: Manifest
    split: str | None
    excluded: tuple[Failure, ...] = ()
    notices: tuple[str, ...] = ()


def choose_images(
    model: Model, data: Manifest, split: str | None, options: EvaluateOptions
) -> ChosenImages:
    """Returns the images that are chosen and that the model may be evaluated on.

    Args:
        model: the bundle.
        data: the manifest.
        split: the split that is taken; all if None. What the model has seen is excluded, unless
            this names the training or the validation.
        options: which images, and which run the bundle is of.

    Raises:
        UsageError: there is no such split, or the run is of another model.
        InputError: no image is chosen, or the model has seen all of them.
        RefusedError: some are of a modality that the model was not trained on.
    """
    chosen = rows_of(data, split, options)
    check_modality(chosen, model)
    fitted = None
    if options.run is not None:
        run = RunFolder(options.run)
        check_origin(model.card, run, str(model.path))
        fitted = read_manifest(run.manifest).split(*_FITTED)
    splits = chosen.frame["split"].drop_duplicates().tolist()
    notices = (
        ("The manifest has a test split, and no split was named: all images are taken.",)
        if split is None and "test" in splits and len(splits) > 1
        else ()
    )
    if split in _FITTED:
        return ChosenImages(chosen, split)
    of = splits[0] if len(splits) == 1 and isinstance(splits[0], str) else None
    left, excluded = exclude_seen(chosen.frame, Seen(model.predictor.seen, fitted))
    if not left.any():
        raise InputError(
            "images-all-of-training",
            f"The model was trained or chosen on every one of the {len(chosen)} chosen images. "
            "Name the split train or val to evaluate it on these on purpose.",
        )
    return ChosenImages(chosen.select(left), of, excluded, notices)


def rows_of(data: Manifest, split: str | None, options: EvaluateOptions) -> Manifest:
    """Returns the images of a split, of the views and modalities that the options name.

    Raises:
        UsageError: there is no such split.
        InputError: there is no such image.
    """
    check_split_name(split)
    if split is not None:
        data = data.split(split)
        if not len(data):
            raise InputError(
                "split-images-missing", f"The manifest has no {split} image; make a split first."
            )
    chosen = data.filter(view=options.views or None, modality=options.modalities or None)
    if not len(chosen):
        raise InputError("images-missing", "The manifest has no image that these options choose.")
    return chosen


def check_modality(images: Manifest, model: Model) -> None:
    """Refuses images of a modality that the model was not trained on, as a prediction does.

    Raises:
        RefusedError: some are.
    """
    known, stated = model.card.training.modalities, stated_kinds(images)
    if known and not set(stated) <= set(known):
        shared = [name for name in known if name in stated]
        way_out = (
            f"Choose the modality {' and '.join(shared)}."
            if shared
            else "The model cannot be used for these."
        )
        raise RefusedError(
            "modality-out-of-scope",
            f"{model.card.name} was trained on {' and '.join(known)} only, and the chosen images "
            f"are {count_kinds(images)}. {way_out}",
        )
