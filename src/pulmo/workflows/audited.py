"""What an audit asks: a bundle and its images, or the bundles of folds and what each held out."""

from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from pulmo.audit.parts import AuditedModel, Part
from pulmo.bundle.origin import check_origin
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, UsageError
from pulmo.core.folders import RepeatsFolder, RunFolder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.overlap import Seen, say_voided, void_seen
from pulmo.experiments.summary import read_summary

_FITTED: Final = ("train", "val")


class Audited(NamedTuple):
    """The parts of an audit, and about them, as sentences, doubts and how a table was read."""

    parts: tuple[Part, ...]
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def audited_bundle(
    predictor: Predictor, manifest: Manifest, split: str | None, run: RunFolder | None
) -> Audited:
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
    judged = judged_rows(manifest.frame, split, "The manifest")
    card, model = predictor.card, AuditedModel.from_predictor(predictor)
    if run is None:
        own = fitted_rows(manifest)
        if len(own) and predictor.seen and not void_seen(own, Seen(predictor.seen)).voided:
            doubt = (
                f"The model was trained on none of the {len(own):,} training and validation "
                "images of the manifest. What it was trained on is known from its card alone. "
                "Name the run with --run."
            )
            return without_seen(Audited((Part(model, own.iloc[:0], judged),), (doubt,)), split)
        counts = {side: int((own["split"] == side).sum()) for side in _FITTED}
        trained = {side: sum(card.training.counts.get(side, {}).values()) for side in _FITTED}
        if own.empty or counts == trained:
            return without_seen(Audited((Part(model, own, judged),)), split)
        doubt = (
            f"The manifest has {counts['train']} training and {counts['val']} validation images, "
            f"the card of the model says {trained['train']} and {trained['val']}: these may be "
            "others. Name the run with --run."
        )
        return without_seen(Audited((Part(model, own, judged),), (doubt,)), split)
    check_origin(card, run)
    fitted = fitted_rows(read_manifest(run.manifest))
    return without_seen(Audited((Part(model, fitted, judged),)), split)


def without_seen(audited: Audited, split: str | None) -> Audited:
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
        digests = frozenset() if part.model.predictor is None else part.model.predictor.seen
        fitted = None if part.fit.empty else Manifest.from_rows(part.fit)
        left, seen = void_seen(part.judged, Seen(digests, fitted))
        if not left.any():
            raise InputError(
                f"The model was trained or chosen on every one of the {len(part.judged)} images; "
                "there is nothing to judge it by."
            )
        judged, voided = part.judged[left], part.judged[~left]
        parts.append(part._replace(judged=judged, voided=voided) if seen else part)
        said += say_voided(seen)
    return audited._replace(parts=tuple(parts), doubts=(*audited.doubts, *said))


def judged_rows(table: pd.DataFrame, split: str | None, origin: str) -> pd.DataFrame:
    """Returns the rows of a split; without one all but those of the training and the validation.

    Args:
        table: images with their split.
        split: the split.
        origin: what a message calls the table.

    Raises:
        InputError: there are none.
    """
    split_of = table["split"].fillna("")
    judged = table[split_of == split] if split else table[~split_of.isin(_FITTED)]
    if judged.empty:
        raise InputError(
            f"{origin} has no {split or 'other'} image than those of the training; name "
            "images with --split, or make a split with: pulmo data split."
        )
    return judged


def fitted_rows(manifest: Manifest) -> pd.DataFrame:
    """Returns the rows of the training and of the validation."""
    return manifest.split(*_FITTED).frame


def audited_folds(folder: RepeatsFolder, seed: int | None, threads: int) -> Audited:
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
            f"{folder.root} holds repeats of one split; name the bundle of one of its runs."
        )
    wanted = summary.seeds[0] if seed is None else seed
    runs = [run for run in summary.runs if run.seed == wanted]
    if not runs:
        seeds = ", ".join(map(str, summary.seeds))
        raise UsageError(f"{folder.root} has no seed {wanted}; it has {seeds}.")
    manifest = read_manifest(folder.manifest)
    parts = (
        fold_part(Predictor.open(folder.repeat(run.name).bundle.root, threads), manifest, run.fold)
        for run in runs
    )
    return without_seen(Audited(tuple(parts)), None)


def fold_part(predictor: Predictor, manifest: Manifest, fold: int | None) -> Part:
    """Returns the bundle of a run with what it was trained on and the fold that it held out."""
    table = manifest.frame
    held_out = table["fold"] == fold
    return Part(AuditedModel.from_predictor(predictor), table[~held_out], table[held_out])


def is_folds(path: Path) -> bool:
    """Tells whether a folder is that of a repeated experiment."""
    return RepeatsFolder(path).index.is_file()
