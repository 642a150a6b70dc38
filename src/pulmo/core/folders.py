"""The names of all files that pulmo writes, by the folder that they are in.

Of each folder one file is the index. It is written last, so that its presence means that the folder
is complete: it is `index`, or the `card` of a run or a bundle.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ManifestFiles:
    """A manifest with the files next to it; the manifest is written last."""

    manifest: Path

    @property
    def problems(self) -> Path:
        """CSV: the files that are not in the manifest, and why; absent if there are none."""
        return self.manifest.with_name(f"{self.manifest.stem}.problems.csv")

    @property
    def curation(self) -> Path:
        """CSV: what curation merged and removed."""
        return self.manifest.with_name(f"{self.manifest.stem}.curation.csv")

    @property
    def journal(self) -> Path:
        """What an import has read so far; removed once the manifest is there."""
        return self.manifest.with_name(f"{self.manifest.name}.journal")


@dataclass(frozen=True)
class InspectionFolder:
    """The folder of an inspection of a manifest."""

    root: Path

    @property
    def page(self) -> Path:
        """The same for people, with samples."""
        return self.root / "inspection.html"

    @property
    def index(self) -> Path:
        """Counts, copies and what gives the classes away."""
        return self.root / "inspection.json"


@dataclass(frozen=True)
class RunFolder:
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
        """The images of the run with their split."""
        return self.root / "manifest.parquet"

    @property
    def history(self) -> Path:
        """One JSON object a line, one line an epoch."""
        return self.root / "history.jsonl"

    @property
    def curves(self) -> Path:
        """The learning curves, drawn from the card."""
        return self.root / "curves.svg"

    @property
    def model(self) -> Path:
        """The weights with the lowest validation loss."""
        return self.root / "model.safetensors"

    @property
    def test_access(self) -> Path:
        """One JSON object a line, one line each time a test set was evaluated with the model."""
        return self.root / "test-access.jsonl"

    @property
    def last_checkpoint(self) -> Path:
        """Weights, optimiser and progress at the last checkpoint."""
        return self.root / "checkpoints" / "last.safetensors"

    @property
    def best_checkpoint(self) -> Path:
        """The weights with the lowest validation loss so far."""
        return self.root / "checkpoints" / "best.safetensors"

    def features(self, stage: int) -> Path:
        """What the frozen base of a stage, counted from 0, gives for each image."""
        return self.root / "checkpoints" / f"features-{stage}.npy"

    @property
    def card(self) -> Path:
        """What the model is."""
        return self.root / "card.json"


@dataclass(frozen=True)
class LungRunFolder(RunFolder):
    """The folder of a training of the network that finds the lungs; its card comes last."""

    @property
    def settings(self) -> Path:
        """How it is trained."""
        return self.root / "settings.json"

    @property
    def network(self) -> Path:
        """The network as it ships, with its card inside."""
        return self.root / "lungs.onnx"


@dataclass(frozen=True)
class SweepFolder:
    """The folder of a search for a learning rate."""

    root: Path

    @property
    def curve(self) -> Path:
        """The loss over the rate."""
        return self.root / "lr-find.svg"

    @property
    def index(self) -> Path:
        """Rates, losses and what they suggest."""
        return self.root / "lr-find.json"


@dataclass(frozen=True)
class BundleFolder:
    """A bundle: what ships. It is made at once and never overwritten."""

    root: Path

    @property
    def model(self) -> Path:
        """The network, with the card in its metadata."""
        return self.root / "model.onnx"

    @property
    def text(self) -> Path:
        """The model card for people."""
        return self.root / "MODEL_CARD.md"

    @property
    def seen(self) -> Path:
        """SHA-256 of the images that the model was trained and chosen on; bundles may lack it."""
        return self.root / "training.sha256"

    @property
    def test(self) -> Path:
        """SHA-256 of the images of the model's test; bundles may lack it."""
        return self.root / "test.sha256"

    @property
    def test_access(self) -> Path:
        """One JSON object a line, one line each time a test set was evaluated with the model."""
        return self.root / "test-access.jsonl"

    @property
    def card(self) -> Path:
        """What the model is, and the SHA-256 of the other files."""
        return self.root / "card.json"


@dataclass(frozen=True)
class EvaluationFolder:
    """The folder of an evaluation."""

    root: Path

    @property
    def predictions(self) -> Path:
        """One row an image."""
        return self.root / "predictions.parquet"

    @property
    def card(self) -> Path:
        """The card of the model; folders of several models, or of a table, have none."""
        return self.root / "card.json"

    @property
    def page(self) -> Path:
        """The values for people; the runs of repeats have none."""
        return self.root / "report.html"

    @property
    def index(self) -> Path:
        """The values."""
        return self.root / "evaluation.json"


@dataclass(frozen=True)
class AuditFolder:
    """The folder of an audit."""

    root: Path

    @property
    def page(self) -> Path:
        """The answers for people."""
        return self.root / "audit.html"

    @property
    def index(self) -> Path:
        """The answers."""
        return self.root / "audit.json"


@dataclass(frozen=True)
class ComparisonFolder:
    """The folder of a comparison of models."""

    root: Path

    @property
    def page(self) -> Path:
        """The comparison for people."""
        return self.root / "compare.html"

    @property
    def index(self) -> Path:
        """The comparison."""
        return self.root / "compare.json"


@dataclass(frozen=True)
class RepeatFolder:
    """The folder of one run of a repeated experiment, or of a published system."""

    root: Path

    @property
    def run(self) -> RunFolder:
        """The training: in the same folder."""
        return RunFolder(self.root)

    @property
    def bundle(self) -> BundleFolder:
        """What it was exported to."""
        return BundleFolder(self.root / "bundle")

    @property
    def evaluation(self) -> EvaluationFolder:
        """How it was evaluated."""
        return EvaluationFolder(self.root / "evaluation")


@dataclass(frozen=True)
class RepeatsFolder:
    """The folder of a repeated experiment; below it each run has its own."""

    root: Path

    @property
    def manifest(self) -> Path:
        """The images of all runs; those of the test are not among them."""
        return self.root / "manifest.parquet"

    @property
    def text(self) -> Path:
        """The index as tables to read."""
        return self.root / "summary.md"

    @property
    def index(self) -> Path:
        """The values over all runs."""
        return self.root / "summary.json"

    def repeat(self, name: str) -> RepeatFolder:
        """One run, such as `fold-0-seed-0`."""
        return RepeatFolder(self.root / name)

    def pooled(self, seed: int) -> EvaluationFolder:
        """The evaluation of all folds together, each by the run of this seed that held it out."""
        return EvaluationFolder(self.root / "pooled" / f"seed-{seed}")


@dataclass(frozen=True)
class SearchFolder:
    """The folder of a search for a recipe's values. It may always go on, so it has no index."""

    root: Path

    @property
    def database(self) -> Path:
        """Optuna's, SQLite."""
        return self.root / "study.db"

    @property
    def plan(self) -> Path:
        """What the search was started with; written once the recipe and the manifest are there."""
        return self.root / "search.json"

    @property
    def recipe(self) -> Path:
        """The recipe that the search starts from."""
        return self.root / "recipe.toml"

    @property
    def manifest(self) -> Path:
        """The training and validation images."""
        return self.root / "manifest.parquet"

    @property
    def best(self) -> Path:
        """The best trial's recipe."""
        return self.root / "best.toml"

    @property
    def table(self) -> Path:
        """One row a trial."""
        return self.root / "trials.csv"

    def trial(self, number: int) -> RunFolder:
        """The run of a trial; of the best one it is whole, else without weights."""
        return RunFolder(self.root / "trials" / f"trial-{number:03d}")


@dataclass(frozen=True)
class ReproductionFolder:
    """The folder of one experiment of a published system."""

    root: Path

    @property
    def manifest(self) -> Path:
        """The images, as the run began with them."""
        return self.root / "manifest.parquet"

    @property
    def run(self) -> RunFolder:
        """The training on a split."""
        return RunFolder(self.root / "run")

    @property
    def bundle(self) -> BundleFolder:
        """What that was exported to."""
        return BundleFolder(self.root / "bundle")

    @property
    def evaluation(self) -> EvaluationFolder:
        """How that was evaluated."""
        return EvaluationFolder(self.root / "evaluation")

    @property
    def folds(self) -> RepeatsFolder:
        """The runs instead, where each fold is held out."""
        return RepeatsFolder(self.root / "folds")

    @property
    def index(self) -> Path:
        """What came of it."""
        return self.root / "outcome.json"
