"""The names of the files in the folder of a repeated experiment."""

from pathlib import Path
from typing import NamedTuple

from pulmo.study.evaluation_folder import EvaluationFolder


class RepeatsFolder(NamedTuple):
    """The folder of a repeated experiment; below it each run has its own."""

    root: Path

    @property
    def manifest(self) -> Path:
        """The pictures of all runs; those of the test are not among them."""
        return self.root / "manifest.parquet"

    @property
    def summary(self) -> Path:
        """The figures over all runs."""
        return self.root / "summary.json"

    @property
    def text(self) -> Path:
        """The same as tables to read."""
        return self.root / "summary.md"

    def pooled(self, seed: int) -> EvaluationFolder:
        """The evaluation of all folds together, each by the run of this seed that held it out."""
        return EvaluationFolder(self.root / "pooled" / f"seed-{seed}")
