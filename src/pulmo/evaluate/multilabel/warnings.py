"""Warnings: why metrics over several findings may not mean what they seem to mean."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pulmo.core.message import Message, listed
from pulmo.evaluate.evaluation import Evaluation
from pulmo.evaluate.warnings import unstated_source
from pulmo.stats.multilabel.labelled import LabelledImages


def list_labels_warnings(
    sample: LabelledImages,
    images: int,
    unlabelled: Sequence[str],
    unstated: int,
    evaluations: Mapping[str, Evaluation],
) -> tuple[Message, ...]:
    """Returns the warnings on an evaluation of several findings.

    Args:
        sample: the images that are labelled for some finding.
        images: how many the table has.
        unlabelled: findings that no image is labelled for.
        unstated: how many of these images are from a source that is not stated.
        evaluations: finding -> its evaluation; a warning of all of them is given once.
    """
    source = [unstated_source(unstated)] if unstated else []
    return (
        *_unlabelled(unlabelled),
        *_one_sided(sample),
        *_partly(sample),
        *_nowhere(images - len(sample)),
        *source,
        *(warning for warning in _shared(evaluations) if warning not in source),
    )


def _unlabelled(names: Sequence[str]) -> Iterator[Message]:
    if names:
        yield Message(
            "unlabelled", f"Left out: {listed(names, 'and')}. No image is labelled for it."
        )


def _one_sided(sample: LabelledImages) -> Iterator[Message]:
    """Warns of findings that are left out of the means over findings."""
    some = np.asarray(sample.truth.any(axis=0))
    for chosen, what in (
        (~some, "No image has"),
        (some & ~sample.two_sided, "Every labelled image has"),
    ):
        names = [label for label, so in zip(sample.labels, chosen, strict=True) if so]
        if names:
            yield Message("one-sided", f"{what} {listed(names, 'or')}: left out of macro metrics.")


def _partly(sample: LabelledImages) -> Iterator[Message]:
    """Warns of missing labels."""
    whole = int(sample.whole.sum())
    if whole < len(sample):
        counts = sample.known.sum(axis=0)
        fewest = int(np.argmin(counts))
        yield Message(
            "partly-labelled",
            f"{whole:,} of {len(sample):,} images are labelled for every finding, "
            f"{counts[fewest]:,} for {sample.labels[fewest]}. Each metric is computed from the "
            "images labelled for it; images without the label may differ.",
        )


def _nowhere(n: int) -> Iterator[Message]:
    """Warns of images without any label."""
    if n:
        images = "image is" if n == 1 else "images are"
        yield Message("no-label", f"{n:,} {images} labelled for no finding: left out.")


def _shared(evaluations: Mapping[str, Evaluation]) -> Iterator[Message]:
    """Yields the warnings that all findings have in their own evaluations."""
    first, *others = evaluations.values()
    for warning in first.warnings:
        if all(warning in other.warnings for other in others):
            yield warning
