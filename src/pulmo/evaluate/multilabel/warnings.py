"""Warnings: what the figures over several findings do not show, as sentences."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pulmo.evaluate.evaluation import Evaluation
from pulmo.evaluate.warnings import unstated_sentence
from pulmo.stats.multilabel.labelled import LabelledImages


def list_labels_warnings(
    sample: LabelledImages,
    images: int,
    unlabelled: Sequence[str],
    unstated: int,
    evaluations: Mapping[str, Evaluation],
) -> tuple[str, ...]:
    """Returns the warnings that these data deserve.

    Args:
        sample: the images that are labelled for some finding.
        images: how many the table has.
        unlabelled: findings that no image is labelled for.
        unstated: how many of these images are from a source that is not stated.
        evaluations: finding -> its evaluation; what all of them warn of is said once.
    """
    said = [unstated_sentence(unstated)] if unstated else []
    return (
        *_unlabelled(unlabelled),
        *_one_sided(sample),
        *_partly(sample),
        *_nowhere(images - len(sample)),
        *said,
        *(sentence for sentence in _shared(evaluations) if sentence not in said),
    )


def _unlabelled(names: Sequence[str]) -> Iterator[str]:
    if names:
        verb = "was" if len(names) == 1 else "were"
        yield f"No image is labelled for {_listed(names, 'or')}, which {verb} left out."


def _one_sided(sample: LabelledImages) -> Iterator[str]:
    """Names the findings that have no part in the means over findings."""
    some = np.asarray(sample.truth.any(axis=0))
    for chosen, what in (
        (~some, "No image here has"),
        (some & ~sample.two_sided, "Every image labelled for it here has"),
    ):
        names = [label for label, so in zip(sample.labels, chosen, strict=True) if so]
        if names:
            verb = "it has" if len(names) == 1 else "they have"
            yield f"{what} {_listed(names, 'or')}: {verb} no part in the macro figures."


def _partly(sample: LabelledImages) -> Iterator[str]:
    """Says how many labels there are where some are missing."""
    whole = int(sample.whole.sum())
    if whole < len(sample):
        counts = sample.known.sum(axis=0)
        fewest = int(np.argmin(counts))
        yield (
            f"{whole:,} of {len(sample):,} images are labelled for every finding, "
            f"{sample.labels[fewest]} for {counts[fewest]:,}: each value is of the images labelled "
            "for it, and images that nobody labelled for it may differ from them."
        )


def _nowhere(n: int) -> Iterator[str]:
    """Says how many images are labelled for nothing."""
    if n:
        verb = "image is" if n == 1 else "images are"
        yield f"{n:,} {verb} labelled for no finding and took no part."


def _shared(evaluations: Mapping[str, Evaluation]) -> Iterator[str]:
    """Gives what is warned of in each finding's own evaluation."""
    first, *others = evaluations.values()
    for sentence in first.warnings:
        if all(sentence in other.warnings for other in others):
            yield sentence


def _listed(names: Sequence[str], word: str) -> str:
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last
