"""The end of a training of the lungs: threshold and rule by the validation, and the card."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import nn

import pulmo
from pulmo.core.files import write_atomically
from pulmo.core.folders import LungRunFolder
from pulmo.core.record import write_record
from pulmo.lungs.card import LungCard
from pulmo.lungs.finder import LungFinder
from pulmo.lungs.parts import Shape, measure, parts_of
from pulmo.lungs.rule import LungRule
from pulmo.stats.overlap import dice
from pulmo.train.lungs.data import LungImages, gather_lungs, lung_rows
from pulmo.train.lungs.export import to_onnx, with_card
from pulmo.train.lungs.run import LungData
from pulmo.train.lungs.settings import LungSettings

THRESHOLDS: Final = tuple(round(0.3 + 0.02 * step, 2) for step in range(21))

_ANYTHING: Final = LungRule(area=0, certainty=0, sharpness=0, balance=0, level=0, whole=0)


def finish_lungs(
    network: nn.Module, settings: LungSettings, data: LungData, folder: LungRunFolder
) -> LungCard:
    """Writes the network as it ships, and its card, which comes last.

    The threshold has the highest mean Dice coefficient on the validation images with a mask. The
    rule's limits follow from the same images.

    Args:
        network: trained, in evaluation mode; its modules are changed.
        settings: of the training.
        data: its images and masks.
        folder: of the training.

    Raises:
        RefusedError: the exported network differs from the trained one.
    """
    train, val = gather_lungs(data.manifest, data.masks, settings, data.cache)
    draft = LungCard(
        size=settings.size,
        threshold=0.5,
        rule=_ANYTHING,
        images=_counts(data),
        without=int((~train.has_lungs).sum()),
        validation=(int(val.has_lungs.sum()), int((~val.has_lungs).sum())),
        val_dice=0,
        val_refused=0,
        val_invented=0,
        licences=licences_of(data),
        settings_sha256=settings.sha256,
        manifest_sha256=data.manifest.sha256,
        pulmo=pulmo.__version__,
    )
    model = to_onnx(network, draft)
    found = LungFinder(model, folder.network.name).probabilities(val.images)
    card = fitted(draft, found, val)
    write_atomically(folder.network, with_card(model, card))
    write_record(folder.card, card)
    return card


def fitted(draft: LungCard, found: NDArray[np.float32], val: LungImages) -> LungCard:
    """Returns a card with the threshold and the rule that the validation gives.

    Args:
        draft: the card without them.
        found: the probability of lung of the validation images, [n, size, size].
        val: these images.
    """
    known = val.has_lungs
    values = [float(dice(found[known] >= t, val.masks[known]).mean()) for t in THRESHOLDS]
    threshold = THRESHOLDS[int(np.argmax(values))]
    shapes = [shape_of(each, threshold) for each in found]
    rule = LungRule.fit([shape for shape, lungs in zip(shapes, known, strict=True) if lungs])
    refused = np.array([bool(rule.lacks(shape)) for shape in shapes])
    return draft.model_copy(
        update={
            "threshold": threshold,
            "rule": rule,
            "val_dice": max(values),
            "val_refused": int(refused[known].sum()),
            "val_invented": int((~refused[~known]).sum()),
        }
    )


def shape_of(probability: NDArray[np.float32], threshold: float) -> Shape:
    """Returns what is measured of the lungs on an image, by their probability [size, size]."""
    return measure(probability, parts_of(probability >= threshold))


def licences_of(data: LungData) -> tuple[str, ...]:
    """Returns the licences that the sources of the training images state, sorted, each once."""
    rows = lung_rows(data.manifest.split("train"), data.masks)
    stated = [part.frame["licence"].fillna("none stated") for part in rows]
    return tuple(sorted({licence for part in stated for licence in part}))


def _counts(data: LungData) -> dict[str, int]:
    rows = lung_rows(data.manifest.split("train"), data.masks).masked.frame
    return {str(source): int(n) for source, n in rows["source"].value_counts().items()}
