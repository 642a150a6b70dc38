"""The names of all files that pulmo writes, by the folder that they are in.

Of each folder one file is the index. It is written last, so that its presence means that the folder
is complete: it is `index`, or the `card` of a run or a bundle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar


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


Made = TypeVar("Made")


@dataclass(frozen=True)
class _Folder:
    """A folder, and what its files are called.

    Attributes:
        root: the folder.
    """

    root: Path


class Below(Generic[Made]):
    """What a folder has below it under a fixed name: a folder of a kind, or a file."""

    def __init__(self, kind: Callable[[Path], Made], *parts: str) -> None:
        """Takes what is made of the path, and the names that lead there; none: the same path."""
        self._kind, self._parts = kind, parts

    def __get__(self, folder: _Folder, _: type[_Folder]) -> Made:
        return self._kind(folder.root.joinpath(*self._parts))


class InspectionFolder(_Folder):
    """The folder of an inspection of a manifest."""

    page = Below(Path, "inspection.html")
    """The same for people, with samples."""
    index = Below(Path, "inspection.json")
    """Counts, copies and what gives the classes away."""


class RunFolder(_Folder):
    """A training run's folder. It is never overwritten; only the run itself resumes in it."""

    recipe = Below(Path, "recipe.toml")
    """The recipe as it was run."""
    environment = Below(Path, "env.json")
    """Versions, processor, threads and precision of the run."""
    manifest = Below(Path, "manifest.parquet")
    """The images of the run with their split."""
    history = Below(Path, "history.jsonl")
    """One JSON object a line, one line an epoch."""
    curves = Below(Path, "curves.svg")
    """The learning curves, drawn from the card."""
    model = Below(Path, "model.safetensors")
    """The weights of the best epoch."""
    finder = Below(Path, "lung-finder.onnx")
    """The network that finds the lungs, if the model sees those."""
    start_seen = Below(Path, "start.sha256")
    """As `BundleFolder.seen`, of the model that comes with pulmo, if the run began with its
    weights."""
    test_access = Below(Path, "test-access.jsonl")
    """One JSON object a line, one line each time a test set was evaluated with the model."""
    last_checkpoint = Below(Path, "checkpoints", "last.safetensors")
    """Weights, optimiser and progress at the last checkpoint."""
    best_checkpoint = Below(Path, "checkpoints", "best.safetensors")
    """The weights of the best epoch so far."""
    card = Below(Path, "card.json")
    """What the model is."""

    def features(self, stage: int) -> Path:
        """What the frozen base of a stage, counted from 0, gives for each image."""
        return self.root / "checkpoints" / f"features-{stage}.npy"


class LungRunFolder(RunFolder):
    """The folder of a training of the network that finds the lungs; its card comes last."""

    settings = Below(Path, "settings.json")
    """How it is trained."""
    network = Below(Path, "lungs.onnx")
    """The network as it ships, with its card inside."""


class SweepFolder(_Folder):
    """The folder of a search for a learning rate."""

    curve = Below(Path, "lr-find.svg")
    """The loss over the rate."""
    index = Below(Path, "lr-find.json")
    """Rates, losses and what they suggest."""


class BundleFolder(_Folder):
    """A bundle: what ships. It is made at once and never overwritten."""

    model = Below(Path, "model.onnx")
    """The network, with the card in its metadata."""
    text = Below(Path, "MODEL_CARD.md")
    """The model card for people."""
    seen = Below(Path, "training.sha256")
    """The first digits of the SHA-256 of the images that the model was trained and chosen on;
    bundles may lack it."""
    test = Below(Path, "test.sha256")
    """SHA-256 of the images of the model's test; bundles may lack it."""
    test_access = Below(Path, "test-access.jsonl")
    """One JSON object a line, one line each time a test set was evaluated with the model."""
    card = Below(Path, "card.json")
    """What the model is, and the SHA-256 of the other files."""


class ShippedFolder(BundleFolder):
    """The bundle that comes with pulmo."""

    licence = Below(Path, "LICENSE")
    """The licence of the weights, and what they are not for."""
    datasheet = Below(Path, "DATASHEET.md")
    """The datasheet of the images that it was trained on."""
    images = Below(Path, "images")
    """A few drawings, which `pulmo selftest` classifies."""
    golden = Below(Path, "golden.json")
    """What the model gave for them where the bundle was made."""


class EvaluationFolder(_Folder):
    """The folder of an evaluation."""

    predictions = Below(Path, "predictions.parquet")
    """One row an image."""
    card = Below(Path, "card.json")
    """The card of the model; folders of several models, or of a table, have none."""
    page = Below(Path, "report.html")
    """The values for people; the runs of repeats have none."""
    index = Below(Path, "evaluation.json")
    """The values."""


class GalleryFolder(_Folder):
    """The folder of a model's true and false results with their heat maps."""

    page = Below(Path, "gallery.html")
    """The heat maps for people."""
    index = Below(Path, "gallery.json")
    """Counts, and what is shown."""


class AuditFolder(_Folder):
    """The folder of an audit."""

    page = Below(Path, "audit.html")
    """The answers for people."""
    index = Below(Path, "audit.json")
    """The answers."""


class ScreeningFolder(_Folder):
    """The folder of the results of very many images. A screening that was stopped resumes in it."""

    plan = Below(Path, "plan.json")
    """The model and the number of files; written once the list is there."""
    files = Below(Path, "files.jsonl")
    """The files, one JSON list a line; removed at the end."""
    parts = Below(Path, "parts")
    """The results so far, a table for each part of the list; removed at the end."""
    results = Below(Path, "results.parquet")
    """One row a file, in the order of the list."""
    csv = Below(Path, "results.csv")
    """The same as CSV, if asked for."""
    jsonl = Below(Path, "results.jsonl")
    """The same as one JSON object a line, if asked for."""
    index = Below(Path, "screening.json")
    """The model and the counts."""

    def part(self, number: int) -> Path:
        """The results of a part of the list, counted from 0."""
        return self.parts / f"{number:08d}.parquet"


class FeaturesFolder(_Folder):
    """The folder of what the channels of a network respond to."""

    arrays = Below(Path, "values.npz")
    """The image, the maps of all channels of the layers, and the inputs that were fitted."""
    channels = Below(Path, "channels.parquet")
    """How well each channel separates the classes; absent without a manifest."""
    page = Below(Path, "features.html")
    """All of it for people."""
    index = Below(Path, "features.json")
    """What is shown, in numbers, and the names of the drawings."""

    def drawing(self, number: int, kind: str) -> Path:
        """A drawing of a layer, counted from 1, such as its maps."""
        return self.root / f"layer-{number:02d}-{kind}.png"


class ComparisonFolder(_Folder):
    """The folder of a comparison of models."""

    page = Below(Path, "compare.html")
    """The comparison for people."""
    index = Below(Path, "compare.json")
    """The comparison."""


class RepeatFolder(_Folder):
    """The folder of one run of a repeated experiment, or of a published system."""

    run = Below(RunFolder)
    """The training: in the same folder."""
    bundle = Below(BundleFolder, "bundle")
    """What it was exported to."""
    evaluation = Below(EvaluationFolder, "evaluation")
    """How it was evaluated."""


class RepeatsFolder(_Folder):
    """The folder of a repeated experiment; below it each run has its own."""

    manifest = Below(Path, "manifest.parquet")
    """The images of all runs; those of the test are not among them."""
    text = Below(Path, "summary.md")
    """The index as tables to read."""
    index = Below(Path, "summary.json")
    """The values over all runs."""

    def repeat(self, name: str) -> RepeatFolder:
        """One run, such as `fold-0-seed-0`."""
        return RepeatFolder(self.root / name)

    def pooled(self, seed: int) -> EvaluationFolder:
        """The evaluation of all folds together, each by the run of this seed that held it out."""
        return EvaluationFolder(self.root / "pooled" / f"seed-{seed}")


class SearchFolder(_Folder):
    """The folder of a search for a recipe's values. It may always go on, so it has no index."""

    database = Below(Path, "study.db")
    """Optuna's, SQLite."""
    plan = Below(Path, "search.json")
    """What the search was started with; written once the recipe and the manifest are there."""
    recipe = Below(Path, "recipe.toml")
    """The recipe that the search starts from."""
    manifest = Below(Path, "manifest.parquet")
    """The training and validation images."""
    best = Below(Path, "best.toml")
    """The best trial's recipe."""
    table = Below(Path, "trials.csv")
    """One row a trial."""

    def trial(self, number: int) -> RunFolder:
        """The run of a trial; of the best one it is whole, else without weights."""
        return RunFolder(self.root / "trials" / f"trial-{number:03d}")


class ReproductionFolder(_Folder):
    """The folder of one experiment of a published system."""

    manifest = Below(Path, "manifest.parquet")
    """The images, as the run began with them."""
    run = Below(RunFolder, "run")
    """The training on a split."""
    bundle = Below(BundleFolder, "bundle")
    """What that was exported to."""
    evaluation = Below(EvaluationFolder, "evaluation")
    """How that was evaluated."""
    features = Below(FeaturesFolder, "features")
    """What the channels of the network respond to, where the system showed that."""
    folds = Below(RepeatsFolder, "folds")
    """The runs instead, where each fold is held out."""
    index = Below(Path, "outcome.json")
    """What came of it."""
