"""Overlap: images that the model was trained or chosen on are excluded from its evaluation.

A metric on images that a model has seen shows how well it remembers them. They are recognised by
content, whatever a manifest calls them: a bundle has the digests of its training and validation
images, and the run that it is from has their patients and groups too.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.bundle.seen import SeenImages
from pulmo.datasets.manifest import Manifest, patient_names
from pulmo.predictions.predictions import Failure

_NAMED: Final = 5
"""Excluded images that a sentence names; an evaluation lists all."""

_DIGESTS = {"pixels_sha256": "an image of the same pixels", "sha256": "the same file"}


class Seen(NamedTuple):
    """What a model was trained and chosen on.

    Attributes:
        listed: by their hashes; empty if unknown.
        manifest: the images, as its manifest has them; None if it is unknown.
    """

    listed: SeenImages = SeenImages()
    manifest: Manifest | None = None


class Overlap(NamedTuple):
    """The evaluated images without those that the model has seen.

    Attributes:
        kept: whether the model has not seen an image, [n].
        excluded: the images that it has seen, each with how.
    """

    kept: NDArray[np.bool_]
    excluded: tuple[Failure, ...]


def exclude_seen(rows: pd.DataFrame, seen: Seen) -> Overlap:
    """Returns which images a model has seen.

    Args:
        rows: the images, with the columns of a manifest.
        seen: what the model has seen.
    """
    reasons = pd.Series(pd.NA, rows.index, dtype="string")
    if seen.manifest is not None:
        for name, keys, known in (
            ("group", rows["group"], seen.manifest.groups),
            ("patient", patient_names(rows), seen.manifest.patients),
        ):
            shared = keys.notna() & keys.isin(known.dropna())
            reasons[shared] = f"an image of its {name} is among those that it was trained on"
    for name, words in _DIGESTS.items():
        reasons[seen.listed.among(rows[name])] = f"{words} is among those that it was trained on"
    excluded = reasons.notna()
    failures = (
        Failure(path=str(path), reason=f"{path}: {reason}.")
        for path, reason in zip(rows["path"][excluded], reasons[excluded], strict=True)
    )
    return Overlap((~excluded).to_numpy(np.bool_), tuple(failures))


def excluded_note(excluded: Sequence[Failure]) -> Iterator[str]:
    """Yields a sentence that names images that a model has seen, if there are some."""
    if excluded:
        names = [PurePath(each.path).name for each in excluded]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        what, whom = ("image", "it") if len(names) == 1 else ("images", "them")
        yield (
            f"{len(names):,} {what} took no part, because the model was trained or chosen on "
            f"{whom}: {', '.join(names[:_NAMED])}{more}."
        )
