"""Which images of a manifest show how well channels separate the classes, and how they are read."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card, read_card
from pulmo.bundle.held_out import HeldOut, list_of_test
from pulmo.bundle.scope import check_scope
from pulmo.bundle.seen import seen_by
from pulmo.core.begun import check_finished
from pulmo.core.errors import InputError, PulmoError
from pulmo.core.folders import RunFolder
from pulmo.core.labels import class_numbers
from pulmo.core.message import Message
from pulmo.core.parallel import in_threads
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.schema import check_split_name
from pulmo.datasets.split import check_split
from pulmo.evaluate.overlap import Seen, exclude_seen
from pulmo.lungs import LungFinder
from pulmo.lungs.framing import FramedInput, framed_input, open_finder
from pulmo.predictions.predictions import Failure
from pulmo.radiograph import Radiograph, read_radiograph
from pulmo.workflows.evaluation_images import check_modality
from pulmo.workflows.progress import OnProgress

READING: Final = "running the networks on the images"
_FITTED: Final = ("train", "val")
_BATCH: Final = 16
_SAME: Final = (
    "The best channels are selected and reported on the same images, so their areas are too high. "
    "With a manifest that has the splits val and test they are selected on val and reported on "
    "test."
)


class FinishedRun(NamedTuple):
    """A training run, without its network.

    Attributes:
        folder: its folder.
        card: what its model is.
        seen: the images that it was trained and chosen on.
        held_out: the images of its test.
        finder: the network that finds the lungs; None if the model sees whole images.
    """

    folder: RunFolder
    card: Card
    seen: Seen
    held_out: HeldOut
    finder: LungFinder | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the trained tensors."""
        return self.card.network.sha256

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens a finished run.

        Raises:
            InputError: it is a bundle, or an unfinished or damaged run.
        """
        folder = RunFolder(path)
        if folder.card.exists() and not folder.recipe.exists():
            raise InputError(
                "run-expected",
                f"{path} is a bundle. The training run that it was exported from was expected: "
                "only that has the network before the training.",
            )
        check_finished(folder)
        manifest = read_manifest(folder.manifest)
        seen = Seen(seen_by(folder), manifest.split(*_FITTED))
        held_out = HeldOut.parse(list_of_test(manifest))
        card = read_card(folder.card)
        finder = open_finder(card.input.image, folder.finder, card.input.lungs)
        return cls(folder, card, seen, held_out, finder)


class ChosenImages(NamedTuple):
    """The images that channels are selected on, and those that their areas are reported on.

    Attributes:
        selection: the first; None if they are the same.
        reported: the second.
        split: the split that the second are of; None if they are of several, or of none.
        excluded: images that take no part, because the model has seen them.
        skipped: label that the model does not know -> images left out.
        notes: what a user must know of the choice.
    """

    selection: Manifest | None
    reported: Manifest
    split: str | None
    excluded: tuple[Failure, ...]
    skipped: dict[str, int]
    notes: tuple[Message, ...]

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called."""
        reported = f"split {self.split}" if self.split else "all images of the manifest"
        return ("split val" if self.selection is not None else reported, reported)


def choose_images(run: FinishedRun, data: Manifest, split: str | None) -> ChosenImages:
    """Returns the images of a manifest that channels are selected and reported on.

    Without a split they are those of val and of test, if there are both, else all that the model
    has not seen.

    Args:
        run: the run.
        data: the manifest.
        split: a split for both.

    Raises:
        UsageError: there is no such split.
        InputError: no image is left.
        RefusedError: images are of a modality that the model was not trained on, or the splits
            leak.
    """
    check_split_name(split)
    both = split is None and all(len(data.split(name)) for name in ("val", "test"))
    selection = _known(run.card, data.split("val"))[0] if both else None
    taken = "test" if both else split
    reported, skipped = _known(run.card, data.split(taken) if taken else data)
    if not len(reported) or (selection is not None and not len(selection)):
        raise InputError(
            "images-missing", "The manifest has no image of the model's classes in these splits."
        )
    check_modality(reported, run.card)
    if selection is not None:
        check_split(data)
    notes = () if both else (Message("same-images", _SAME),)
    excluded: tuple[Failure, ...] = ()
    if taken in _FITTED:
        text = f"The model was trained or chosen on the images of the split {taken}."
        notes = (*notes, Message("seen-images", text))
    else:
        left, excluded = exclude_seen(reported.frame, run.seen)
        if not left.any():
            raise InputError(
                "images-all-of-training",
                f"The model was trained or chosen on every one of the {len(reported)} images. Name "
                "the split train or val to use these on purpose.",
            )
        reported = reported.select(left)
    return ChosenImages(selection, reported, taken, excluded, skipped, notes)


def _known(card: Card, data: Manifest) -> tuple[Manifest, dict[str, int]]:
    """Returns the images whose label counts as a class, and how many others there are by label."""
    known = truth_of(card, data) >= 0
    others = data.frame["label"][~known].value_counts()
    return data.select(known), {str(label): int(count) for label, count in others.items()}


def truth_of(card: Card, data: Manifest) -> NDArray[np.intp]:
    """Returns the number of the class that each image's label counts as, [n]; -1 for none."""
    return class_numbers(data.frame["label"], card.labels.order, card.labels.merge)


def input_of(run: FinishedRun, radiograph: Radiograph, name: str) -> FramedInput:
    """Returns a radiograph as the model's network takes it.

    Raises:
        RefusedError: the header says that the model was not meant for it.
    """
    check_scope(run.card, radiograph.facts, name)
    return framed_input(radiograph, run.card.input.image, run.finder)


class Batch(NamedTuple):
    """Some images of a manifest.

    Attributes:
        rows: their rows, [n].
        inputs: uint8 [n, size, size].
        failed: the other images that cannot be used, each with the reason.
        without_lungs: how many of them were to show the lungs and show the whole image.
    """

    rows: NDArray[np.intp]
    inputs: NDArray[np.uint8]
    failed: tuple[Failure, ...]
    without_lungs: int


def batches(run: FinishedRun, data: Manifest, on_progress: OnProgress) -> Iterator[Batch]:
    """Yields the images of a manifest as the network takes them, in order.

    Args:
        run: the run.
        data: the images.
        on_progress: called with `READING`, the images done and the images in all.
    """

    def read(image: tuple[str, str]) -> FramedInput | Failure:
        path, expected = image
        try:
            radiograph = read_radiograph(Path(path))
            found = input_of(run, radiograph, path)
        except PulmoError as error:
            return Failure(path=path, reason=str(error))
        if radiograph.sha256 != expected:
            return Failure(path=path, reason=f"{path} has changed since it was imported.")
        return found

    images = zip(data.frame["path"], data.frame["sha256"], strict=True)
    with closing(in_threads(read, images)) as results:
        for start in range(0, len(data), _BATCH):
            part = dict(enumerate(islice(results, _BATCH), start))
            good = {row: one for row, one in part.items() if not isinstance(one, Failure)}
            failed = tuple(one for one in part.values() if isinstance(one, Failure))
            size = run.card.input.size
            shown = [one.pixels for one in good.values()]
            inputs = np.stack(shown) if shown else np.empty((0, size, size), np.uint8)
            whole = sum(bool(one.notes) for one in good.values())
            yield Batch(np.array([*good], np.intp), inputs, failed, whole)
            on_progress(READING, start + len(part), len(data))
