"""What a split gave: a manifest with its sides or folds, and what a user must know of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.datasets.manifest import Manifest
from pulmo.workflows.manifest_output import counts_of


class SplitResult(NamedTuple):
    """A manifest with its split, and what a user must know of it.

    Attributes:
        manifest: the images.
        left_out: reason -> how many images take no part.
        warnings: what may be wrong with the split, as sentences.
        strata: how many images of each label the match kept; None without a match.
    """

    manifest: Manifest
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]
    strata: pd.DataFrame | None = None

    def text(self) -> str:
        """Returns what is on each side or in each fold, and what a user must know, as lines."""
        return "\n".join((*self._matched(), *self.counts(), *self.doubts()))

    def counts(self) -> Iterator[str]:
        """Yields what is on each side or in each fold, and how many images take no part."""
        for name, rows in _sides(self.manifest):
            yield f"{name}: {counts_of(rows) if len(rows) else 'none'}"
        for why, n in self.left_out.items():
            yield f"left out: {n} ({why})"

    def doubts(self) -> Iterator[str]:
        """Yields the warnings, and the hash by which the manifest is known."""
        for sentence in self.warnings:
            yield f"warning: {sentence}"
        yield f"manifest_sha256: {self.manifest.sha256}"

    def _matched(self) -> Iterator[str]:
        """Yields how many images of each label are kept, and of how many, in each stratum."""
        if self.strata is None:
            return
        kept = self.strata["kept"] > 0
        yield f"matched: {self.strata['kept'].sum()} of each label, in {kept.sum()} strata"
        table = self.strata[kept].rename(columns={"kept": "kept of each"}).astype("string")
        yield table.to_string(index=False)


class AppliedSplit(NamedTuple):
    """A manifest with the split of a file.

    Attributes:
        result: the manifest with its split.
        absent: how many images of the split the manifest lacks.
        images: how many images the split has.
        made_of: the SHA-256 of the manifest that the split was made of.
        same: whether the manifest has the same images, labels and groups.
        file: the file.
    """

    result: SplitResult
    absent: int
    images: int
    made_of: str
    same: bool
    file: Path

    def text(self) -> str:
        """Returns what is on each side, and how the manifest fits the file, as lines."""
        lines = [*self.result.counts()]
        if self.absent:
            lines.append(f"absent: {self.absent} of the {self.images} images of {self.file}")
        lines += self.result.doubts()
        lines.append(
            f"the images, their labels and groups are those that {self.file} was made of"
            if self.same
            else f"warning: {self.file} was made of another manifest, whose hash is {self.made_of}"
        )
        return "\n".join(lines)


def _sides(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Yields each side or, where there are folds, the test and each fold; with its name."""
    numbers = sorted(manifest.frame["fold"].dropna().unique())
    folds = [manifest.filter(fold=int(number)) for number in numbers]
    for side in ("test",) if folds else ("train", "val", "test"):
        yield side, manifest.split(side)
    sources = [rows.frame["source"].unique() for rows in folds]
    apart = sum(map(len, sources)) == len(folds) == len(set().union(*sources))
    for rows in folds:
        first = rows.frame.iloc[0]
        named = f"{first['source']}, {first['split']}" if apart else first["split"]
        yield f"fold {first['fold']} ({named})", rows
