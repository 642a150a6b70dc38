"""Overlap: judged images that the model was trained or chosen on are voided, by name.

A figure of images that a model has seen says how well it remembers. What it has seen is known by
content, whatever a manifest calls it: a bundle carries the digests of its training and validation
images, and the run that it is from tells patients and groups too.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.datasets.manifest import Manifest, patient_names
from pulmo.predictions.predictions import Failure

_NAMED: Final = 5
"""Voided images that a sentence names; an evaluation lists all."""

_DIGESTS = {"pixels_sha256": "an image of the same pixels", "sha256": "the same file"}


class Seen(NamedTuple):
    """What a model was trained and chosen on.

    Attributes:
        digests: SHA-256 of the files and of their pixels; empty if unknown.
        manifest: the images, as its manifest has them; None if it is not at hand.
    """

    digests: frozenset[str] = frozenset()
    manifest: Manifest | None = None


class Overlap(NamedTuple):
    """What is left of the judged images.

    Attributes:
        kept: whether the model has not seen an image, [n].
        voided: the images that it has seen, each with how.
    """

    kept: NDArray[np.bool_]
    voided: tuple[Failure, ...]


def void_seen(rows: pd.DataFrame, seen: Seen) -> Overlap:
    """Tells which images a model has seen.

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
        reasons[rows[name].isin(seen.digests)] = f"{words} is among those that it was trained on"
    voided = reasons.notna()
    failures = (
        Failure(path=str(path), reason=f"{path}: {reason}.")
        for path, reason in zip(rows["path"][voided], reasons[voided], strict=True)
    )
    return Overlap((~voided).to_numpy(np.bool_), tuple(failures))


def say_voided(voided: Sequence[Failure]) -> Iterator[str]:
    """Yields a sentence that names images that a model has seen, if there are some."""
    if voided:
        names = [PurePath(each.path).name for each in voided]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        what, whom = ("image", "it") if len(names) == 1 else ("images", "them")
        yield (
            f"{len(names):,} {what} took no part, because the model was trained or chosen on "
            f"{whom}: {', '.join(names[:_NAMED])}{more}."
        )
