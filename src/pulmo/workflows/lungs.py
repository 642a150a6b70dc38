"""Lungs: train the network that finds them, and write the masks of images."""

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pulmo.core.errors import (
    ImageStatus,
    InputError,
    PulmoError,
    UsageError,
    status_of,
)
from pulmo.core.files import read_bytes
from pulmo.core.folders import LungRunFolder
from pulmo.core.output import claim_folder, claimed_folder
from pulmo.core.parallel import Pause, in_threads
from pulmo.core.record import read_record
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.source import Problem
from pulmo.lungs.card import LungCard
from pulmo.lungs.finder import LungFinder, shipped_finder
from pulmo.lungs.mask_files import find_masks, write_mask
from pulmo.lungs.opacity import Opacity, opacity
from pulmo.radiograph import Note, read_radiograph
from pulmo.workflows.found import Found, Name, images_of, is_image
from pulmo.workflows.options.lungs import LungTrainOptions

if TYPE_CHECKING:
    from pulmo.train.lungs.run import LungCallbacks
    from pulmo.train.lungs.settings import LungSettings


@dataclass(frozen=True)
class LungRun:
    """A finished training of the lungs.

    Attributes:
        folder: its folder.
        card: what the network is.
    """

    folder: LungRunFolder
    card: LungCard

    def __str__(self) -> str:
        card = self.card
        return (
            f"{self.folder.network}: validation Dice {card.val_dice:.4f} at a probability of "
            f"{card.threshold:g}; no lungs found in {card.val_refused} of {card.validation[0]} "
            f"images with lungs, and some in {card.val_invented} of {card.validation[1]} without."
        )


@dataclass(frozen=True)
class MaskResult:
    """What became of one file; None of whatever there is none of.

    Attributes:
        file: its name, as it was given or found.
        status: `ok`; `refused` if it was read and is not one grey image; else `error`.
        found: whether lungs were found.
        reason: why there is no mask, as a sentence.
        code: that reason, for programs.
        mask: the file of the mask.
        area: share of the image that is lung.
        opacity: how light the lungs are; None too where the image does not show it.
        notes: what the reader assumed about the image or did to it, and what was assumed of sides.
    """

    file: str
    status: ImageStatus
    found: bool = False
    reason: str | None = None
    code: str | None = None
    mask: Path | None = None
    area: float | None = None
    opacity: Opacity | None = None
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Returns it as JSON has it."""
        return {
            "file": self.file,
            "status": self.status,
            "found": self.found,
            "reason": self.reason,
            "code": self.code,
            "mask": None if self.mask is None else str(self.mask),
            "area": self.area,
            "opacity": None if self.opacity is None else self.opacity._asdict(),
            "notes": [note.text for note in self.notes],
            "note_kinds": [note.kind for note in self.notes],
        }


def train_lungs(
    data: Manifest | None,
    masks: Path,
    output: Path,
    options: LungTrainOptions | None = None,
    callbacks: "LungCallbacks | None" = None,
) -> LungRun:
    """Trains a network of the lungs; a refused call leaves no folder.

    Args:
        data: images with their split, of which some have a mask. None: resume with the folder's.
        masks: the folder of the masks, see `pulmo.lungs.mask_files.find_masks`.
        output: the training's folder.
        options: how it is trained.
        callbacks: called with the progress; they can stop the training.

    Raises:
        UsageError: the folder is not free or holds nothing to resume, or the images are missing.
        InputError: a split has no image with a mask, or a file cannot be read or written.
        RefusedError: the split leaks, or the folder was begun with something else.
        DivergedError: the loss is not a finite number.
        InterruptedRunError: the callbacks stopped the training; it can be resumed.
    """
    folder, options = LungRunFolder(output), options or LungTrainOptions()
    if options.resume and folder.card.exists():
        return LungRun(folder, read_record(folder.card, LungCard, "a card of a lung network"))
    found = find_masks(masks)
    if data is None and not options.resume:
        raise UsageError("manifest-not-given", "No manifest is given to train on.")
    images = read_manifest(folder.manifest) if data is None else data
    with claimed_folder(folder.root):
        import torch

        from pulmo.train.lungs.finish import finish_lungs
        from pulmo.train.lungs.run import LungCallbacks, LungData, train_network

        if options.threads:
            torch.set_num_threads(options.threads)
        settings = _settings(options, folder)
        given = LungData(images, found, cache_folder())
        network = train_network(
            settings, given, folder, callbacks or LungCallbacks(), resume=options.resume
        )
        return LungRun(folder, finish_lungs(network, settings, given, folder))


def _settings(options: LungTrainOptions, folder: LungRunFolder) -> "LungSettings":
    """Returns the settings of a training: those given, the folder's, or the usual ones."""
    from pulmo.train.lungs.settings import LungSettings

    settings = options.settings or LungSettings()
    if options.settings is None and options.resume and folder.settings.exists():
        settings = read_record(folder.settings, LungSettings, "settings of a training")
    named = {"epochs": options.epochs, "seed": options.seed}
    return settings.model_copy(update={key: n for key, n in named.items() if n is not None})


def mask_files(
    images: Iterable[Name | Pause],
    output: Path,
    *,
    network: Path | None = None,
    on_left_out: Callable[[Problem], None] = lambda _: None,
) -> Generator[MaskResult, None, None]:
    """Writes the lung mask of each image and yields what became of it, in order.

    A mask is a PNG of one bit a pixel, named like its image, in a folder named like that of its
    image, so that an audit finds it. An image in which no lungs are found gets none. A file that
    cannot be used gets a result that says so, and the rest is done.

    Args:
        images: files, and folders, which are searched for images.
        output: the folder for the masks; it is made if need be.
        network: the file of a network of the lungs; that which comes with pulmo if None.
        on_left_out: called with each file in a folder that is left out, and why.

    Raises:
        InputError: the network cannot be used, or the folder cannot be written to.
    """
    finder = shipped_finder() if network is None else LungFinder(read_bytes(network), str(network))
    claim_folder(output)
    return _each(images, output, finder, on_left_out)


def _each(
    images: Iterable[Name | Pause],
    output: Path,
    finder: LungFinder,
    on_left_out: Callable[[Problem], None],
) -> Generator[MaskResult, None, None]:
    written: Counter[Path] = Counter()
    work = partial(_masked, output=output, finder=finder, written=written)
    with closing(in_threads(work, images_of(images, output))) as results:
        for result in results:
            if isinstance(result, Problem):
                on_left_out(result)
            else:
                yield result


def _masked(
    found: Found, output: Path, finder: LungFinder, written: Counter[Path]
) -> MaskResult | Problem:
    path = found.path
    if found.problem is not None:
        return found.problem
    try:
        if found.inside and not is_image(path):
            return Problem(str(path), "it is no image that pulmo reads", failed=False)
        radiograph = read_radiograph(path)
        lungs = finder.find(radiograph)
        notes = (*radiograph.facts.notes, *lungs.notes)
        if not lungs.found:
            first = lungs.reasons[0]
            return MaskResult(str(path), "done", reason=first.text, code=first.kind, notes=notes)
        mask = output / path.absolute().parent.name / f"{path.stem}.png"
        written[mask] += 1
        if written[mask] > 1 or os.path.realpath(mask) == os.path.realpath(path):
            raise InputError(
                "mask-name-taken",
                f"The mask of {path} would overwrite {mask}. Two images that are called alike, in "
                "folders that are called alike, need two folders of masks.",
            )
        write_mask(mask, lungs.mask)
    except PulmoError as error:
        return MaskResult(str(path), status_of(error), reason=str(error), code=error.code)
    return MaskResult(
        str(path),
        "done",
        found=True,
        mask=mask,
        area=lungs.area,
        opacity=opacity(radiograph.pixels, lungs),
        notes=notes,
    )
