"""What is audited: a bundle and its images, or the bundles of folds and what each held out."""

from typing import Final, NamedTuple

import pandas as pd

from pulmo.audit.parts import AuditedModel, Part
from pulmo.bundle.origin import check_origin
from pulmo.bundle.predictor import Predictor
from pulmo.bundle.seen import SeenImages
from pulmo.core.errors import InputError, UsageError
from pulmo.core.folders import RepeatsFolder, RunFolder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.overlap import Seen, exclude_seen, excluded_note
from pulmo.experiments.summary import read_summary

_FITTED: Final = ("train", "val")


class AuditInput(NamedTuple):
    """What is audited.

    Attributes:
        parts: the models with their images.
        doubts: what is in doubt about them, as sentences.
        notes: how a table of predictions was read, as sentences.
    """

    parts: tuple[Part, ...]
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def bundle_input(
    predictor: Predictor, manifest: Manifest, split: str | None, run: RunFolder | None
) -> AuditInput:
    """Returns a bundle with its images.

    Args:
        predictor: the opened bundle.
        manifest: the images.
        split: those that it is asked about; all but the training and the validation if None. What
            the model has seen is taken out, unless it is asked for.
        run: the run that it was exported from, whose manifest tells what it was trained on. Without
            it that is the training and the validation of `manifest`, unless the bundle, which
            carries their hashes, knows none of them.

    Raises:
        InputError: no image is chosen, or the run is unfinished.
        UsageError: the bundle is of another run.
    """
    test = evaluated_rows(manifest.frame, split, "The manifest")
    doubts: tuple[str, ...] = ()
    if run is None:
        fit, doubts = _presumed_fit(predictor, manifest)
    else:
        check_origin(predictor.card, run)
        fit = fitted_images(read_manifest(run.manifest))
    part = Part(AuditedModel.from_predictor(predictor), fit, test)
    return without_seen(AuditInput((part,), doubts), split)


def _presumed_fit(
    predictor: Predictor, manifest: Manifest
) -> tuple[Manifest | None, tuple[str, ...]]:
    """Returns the images that a model was fitted on, by the manifest, and what is in doubt.

    None of them, where the bundle, which carries the hashes of its own, knows none of them.
    """
    own, known = fitted_images(manifest), predictor.card.training.counts
    if own is None:
        return None, ()
    if predictor.seen and not exclude_seen(own.frame, Seen(predictor.seen)).excluded:
        doubt = (
            f"The model was trained on none of the {len(own):,} training and validation images of "
            "the manifest. The run of the model has the images that it was trained on."
        )
        return None, (doubt,)
    counts = {side: len(own.split(side)) for side in _FITTED}
    trained = {side: sum(known.get(side, {}).values()) for side in _FITTED}
    if counts == trained:
        return own, ()
    doubt = (
        f"The manifest has {counts['train']} training and {counts['val']} validation images, the "
        f"card of the model states {trained['train']} and {trained['val']}: they may be other "
        "images. The run of the model has the images that it was trained on."
    )
    return own, (doubt,)


def without_seen(audited: AuditInput, split: str | None) -> AuditInput:
    """Takes out the images that a model has seen, and says which; leaks are looked for in them.

    Who asks for the training or the validation gets it.

    Args:
        audited: the parts.
        split: the split that was asked for.

    Raises:
        InputError: nothing is left.
    """
    if split in _FITTED:
        return audited
    parts: list[Part] = []
    said: list[str] = []
    for part in audited.parts:
        listed = SeenImages() if part.model.predictor is None else part.model.predictor.seen
        left, seen = exclude_seen(part.test, Seen(listed, part.fit))
        if not left.any():
            raise InputError(
                "images-all-of-training",
                f"The model was trained or chosen on all {len(part.test)} images; no image is "
                "left to audit it on.",
            )
        test, excluded = part.test[left], part.test[~left]
        parts.append(part._replace(test=test, excluded=excluded) if seen else part)
        said += excluded_note(seen)
    return audited._replace(parts=tuple(parts), doubts=(*audited.doubts, *said))


def evaluated_rows(table: pd.DataFrame, split: str | None, origin: str) -> pd.DataFrame:
    """Returns the rows of a split; without one all but those of the training and the validation.

    Args:
        table: images with their split.
        split: the split.
        origin: what a message calls the table.

    Raises:
        InputError: there are none.
    """
    split_of = table["split"].fillna("")
    rows = table[split_of == split] if split else table[~split_of.isin(_FITTED)]
    if rows.empty:
        raise InputError(
            "split-images-missing",
            f"{origin} has no {split} image."
            if split
            else f"{origin} has only training and validation images; name a split to audit the "
            "model on these on purpose, or make a split with a test.",
        )
    return rows


def fitted_images(manifest: Manifest) -> Manifest | None:
    """Returns the images of the training and of the validation; None if there are none."""
    return manifest.split(*_FITTED) or None


def folds_input(folder: RepeatsFolder, seed: int | None, threads: int) -> AuditInput:
    """Returns the bundles of all folds, each with the images that it held out.

    Args:
        folder: of a finished cross-validation.
        seed: which of its seeds; the first if None.
        threads: threads of a network; 0 takes all cores.

    Raises:
        InputError: it is unfinished, damaged, or no cross-validation.
        UsageError: it has no such seed.
    """
    summary = read_summary(folder.index)
    if not summary.folds:
        raise InputError(
            "repeats-share-a-split",
            f"{folder.root} contains repeats of one split; name the bundle of one of its runs.",
        )
    wanted = summary.seeds[0] if seed is None else seed
    runs = [run for run in summary.runs if run.seed == wanted]
    if not runs:
        seeds = ", ".join(map(str, summary.seeds))
        raise UsageError("seed-unknown", f"{folder.root} has no seed {wanted}; it has {seeds}.")
    manifest = read_manifest(folder.manifest)
    parts = (
        fold_part(Predictor.open(folder.repeat(run.name).bundle.root, threads), manifest, run.fold)
        for run in runs
    )
    return without_seen(AuditInput(tuple(parts)), None)


def fold_part(predictor: Predictor, manifest: Manifest, fold: int | None) -> Part:
    """Returns the bundle of a run with what it was trained on and the fold that it held out."""
    folds = manifest.frame["fold"]
    held_out = manifest.select(folds == fold).frame
    return Part(AuditedModel.from_predictor(predictor), manifest.select(folds != fold), held_out)
