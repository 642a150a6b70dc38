"""The names of the files in a training run's folder."""

from pathlib import Path
from typing import Final, NamedTuple

TEST_ACCESS: Final = "test-access.jsonl"
"""The name of the list of accesses to the test, in a run's folder and in a bundle's."""


class RunFolder(NamedTuple):
    """A training run's folder. It is never overwritten; only the run itself resumes in it."""

    root: Path

    @property
    def recipe(self) -> Path:
        """The recipe as it was run."""
        return self.root / "recipe.toml"

    @property
    def environment(self) -> Path:
        """Versions, processor, threads and precision of the run."""
        return self.root / "env.json"

    @property
    def manifest(self) -> Path:
        """The pictures of the run with their split."""
        return self.root / "manifest.parquet"

    @property
    def history(self) -> Path:
        """One JSON object a line, one line an epoch."""
        return self.root / "history.jsonl"

    @property
    def curves(self) -> Path:
        """The learning curves."""
        return self.root / "curves.svg"

    @property
    def model(self) -> Path:
        """The weights with the lowest validation loss."""
        return self.root / "model.safetensors"

    @property
    def card(self) -> Path:
        """What the model is; written last, so its presence means that the run is complete."""
        return self.root / "card.json"

    @property
    def test_access(self) -> Path:
        """One JSON object a line, one line each time a test set was evaluated with the model."""
        return self.root / TEST_ACCESS

    @property
    def last_checkpoint(self) -> Path:
        """Weights, optimiser and progress at the last checkpoint."""
        return self.root / "checkpoints" / "last.safetensors"

    def features(self, stage: int) -> Path:
        """What the frozen base of a stage, counted from 0, gives for each picture."""
        return self.root / "checkpoints" / f"features-{stage}.npy"

    @property
    def best_checkpoint(self) -> Path:
        """The weights with the lowest validation loss so far."""
        return self.root / "checkpoints" / "best.safetensors"
