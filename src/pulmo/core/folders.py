"""The names of the files in the folders of results."""

from pathlib import Path
from typing import NamedTuple


class EvaluationFolder(NamedTuple):
    """The names of the files in an evaluation's folder."""

    root: Path

    @property
    def predictions(self) -> Path:
        """One row a picture."""
        return self.root / "predictions.parquet"

    @property
    def card(self) -> Path:
        """The card of the model; folders of several models have none."""
        return self.root / "card.json"

    @property
    def evaluation(self) -> Path:
        """The figures; written last, so its presence means that the evaluation is complete."""
        return self.root / "evaluation.json"


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
