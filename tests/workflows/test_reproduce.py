"""A system of our own, on drawn images, reproduced from its data to its table."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from fixtures.refuses import refuses
from pulmo.cli.app import app
from pulmo.core.folders import EvaluationFolder, ReproductionFolder
from pulmo.core.recipe import load_recipe
from pulmo.core.sections import DataSection
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.split import Plan
from pulmo.evaluate.test_access import read_accesses
from pulmo.explain.features.record import read_features
from pulmo.models import published
from pulmo.reproduce.available_data import Sets, gather_data, take_some
from pulmo.reproduce.initial_weights import as_written, from_folder, initial_weights
from pulmo.reproduce.options import ReproduceOptions
from pulmo.reproduce.outcome import Outcome
from pulmo.reproduce.system import SYSTEMS, Data, DataSet, Experiment, Published, System
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.reproduced_experiment import run_experiment

# One worker makes the run that several tests read.
pytestmark = pytest.mark.xdist_group("reproduce")

QUICK = ("image.size=32", "train.epochs=1", "train.batch=8", "train.precision=fp32")
HERE = DataSet("folder", "images", {}, "drawn")
GONE = DataSet("kermany", "chest_xray")
ONE = Experiment(
    "demo",
    Data((HERE, GONE), Plan(val=0.25, test=0.25)),
    (
        Published("recall", "covid", 0.8, 10),
        Published("specificity", "covid", 0.9, 30),
        Published("f1", "covid", 0.7, 40),
    ),
    features=True,
)
CROSSED = Experiment("demo", Data((HERE,), Plan(test=0.0, folds=3)), variant="cv", folds=True)
SYSTEM = System("Drawn images", (ONE, CROSSED), ("Nothing is as it was.",))


def copy_images(images: pd.DataFrame, data: Path) -> Path:
    """Makes a folder of data sets, of which one is present."""
    for row in images.itertuples():
        target = data / "images" / str(row.label) / Path(str(row.path)).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(row.path), target)
    return data


@pytest.fixture
def root(images: pd.DataFrame, tmp_path: Path) -> Path:
    """A folder of data sets, which the test may change."""
    return copy_images(images, tmp_path / "data")


@pytest.fixture(scope="module")
def reproduced(_images: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and, in `out`, a run of the system."""
    place = tmp_path_factory.mktemp("reproduced")
    run(ONE, copy_images(_images, place / "data"), place / "out")
    return place


def run(experiment: Experiment, root: Path, out: Path) -> Outcome:
    options = ReproduceOptions(settings=QUICK, device="cpu")
    outcome = run_experiment(
        SYSTEM, experiment, Sets(root, out / "data"), out, options, Callbacks()
    )
    assert json.loads((out / experiment.name / "outcome.json").read_text())["n"] == outcome.n
    return outcome


@pytest.mark.rendered
def test_a_run_sets_published_next_to_ours_and_is_not_run_twice(
    reproduced: Path, tmp_path: Path
) -> None:
    root, out = reproduced / "data", shutil.copytree(reproduced / "out", tmp_path / "out")
    outcome = Outcome.model_validate_json((out / "demo" / "outcome.json").read_text())
    names = [value.name for value in outcome.metrics]
    assert names == [
        "recall of covid",
        "specificity of covid",
        "auc of covid",
        "accuracy",
        "f1 of covid",
        "mean of recall and specificity of covid",
    ]
    published = [value.published for value in outcome.metrics]
    assert [part is None for part in published] == [False, False, True, True, False, False]
    assert published[5] is not None
    assert published[5].value == pytest.approx(0.85)
    assert "chest_xray is not available." in outcome.notes
    assert any("the AUC of the best channel is" in note for note in outcome.notes)
    shown = read_features(ReproductionFolder(out / "demo").features.index)
    assert shown.separation is not None
    assert shown.separation.reported_on == "split test"
    reasons = {
        baseline.reason for value in outcome.metrics for baseline in value.baselines.values()
    }
    assert any("fewer than two classes have 10 " in str(reason) for reason in reasons)
    # Without its outcome it is put together again from what is there.
    (out / "demo" / "outcome.json").unlink()
    assert run(ONE, root, out) == outcome
    shutil.rmtree(out / "demo" / "run")
    assert run(ONE, root, out) == outcome
    (out / "demo" / "outcome.json").write_text("{}")
    with refuses("record-invalid", "outcome.json", "an outcome"):
        run(ONE, root, out)


def test_its_evaluation_is_that_of_the_bundle_alone(reproduced: Path, tmp_path: Path) -> None:
    place = ReproductionFolder(reproduced / "out" / ONE.name)
    clean = shutil.ignore_patterns("test-access.jsonl")
    copy = shutil.copytree(place.bundle.root, tmp_path / "bundle", ignore=clean)
    evaluate(copy, read_manifest(place.manifest), split="test", output=tmp_path / "e")
    again = EvaluationFolder(tmp_path / "e")
    assert again.index.read_bytes() == place.evaluation.index.read_bytes()
    assert len(read_accesses(place.bundle.test_access)) == 1


def test_folds_are_evaluated_together(root: Path, tmp_path: Path) -> None:
    outcome = run(CROSSED, root, tmp_path / "out")
    assert outcome.n == 64
    for value in outcome.metrics:
        assert list(value.baselines) == ["facts", "thumbnail", "lungs"]
        assert value.baselines["thumbnail"].value is not None
        assert value.baselines["lungs"].value is not None
    assert outcome.epochs == 3
    assert (tmp_path / "out" / "demo-cv" / "folds" / "fold-2-seed-0" / "card.json").exists()


def test_a_system_without_data_says_what_it_takes(tmp_path: Path) -> None:
    with refuses("dataset-missing", "images"):
        gather_data(ONE.data, Sets(tmp_path, tmp_path), DataSection())


def test_copies_are_curated_once_and_what_goes_is_counted(root: Path, tmp_path: Path) -> None:
    first, *_, second = sorted((root / "images" / "covid").iterdir())
    more = DataSet("folder", "more", {}, "more")
    # Two drawn images of one patient are close to copies.
    shutil.rmtree(root / "images" / "viral")
    for name, image in (("normal", first), ("covid", second)):
        (root / "more" / name).mkdir(parents=True)
        with Image.open(image) as opened:
            opened.resize((90, 90)).save(root / "more" / name / "copy.png")
    data = Data((HERE, more), Plan(), once=True)
    found = gather_data(data, Sets(root, tmp_path), DataSection())
    assert found.notes == (
        "Pairs of copies of one image: 2; each pair is on one side of the split.",
        "Left out because their label contradicts that of a copy: 2.",
        "Left out because a larger copy is there: 1.",
    )
    assert len(found.manifest) == 47
    reasons = pd.read_csv(tmp_path / "drawn+more+once.curation.csv")["reason"].value_counts()
    assert reasons["contradiction"] == 2
    shutil.rmtree(root / "more" / "normal")
    again = gather_data(data, Sets(root, tmp_path), DataSection())
    assert again.notes == found.notes
    pd.testing.assert_frame_equal(again.manifest.frame, found.manifest.frame)
    both = gather_data(Data((HERE, more), Plan()), Sets(root, tmp_path / "both"), DataSection())
    assert both.notes == (
        "Pairs of copies of one image: 1; each pair is on one side of the split.",
    )
    assert both.manifest.frame["group"].nunique() == len(both.manifest) - 1 == 48


def test_only_what_the_recipe_takes_is_split(root: Path, tmp_path: Path) -> None:
    section = DataSection(modalities=("X-ray",))
    found = gather_data(ONE.data, Sets(root, tmp_path), section)
    assert set(found.manifest.frame["modality"]) == {"X-ray"}
    assert 0 < len(found.manifest) < 64


def test_some_of_a_label_are_whole_groups_at_most_so_many(images: pd.DataFrame) -> None:
    table = images.assign(group=["pair" + str(n // 2) for n in range(len(images))], label="covid")
    some = take_some(Manifest(table), {"covid": 7, "viral": 3}, np.random.default_rng(0))
    assert len(some) == 6
    assert set(some.frame.groupby("group").size()) == {2}
    again = take_some(
        Manifest(table.sample(frac=1, random_state=1)), {"covid": 7}, np.random.default_rng(0)
    )
    assert set(again.frame["path"]) == set(some.frame["path"])
    assert take_some(Manifest(table), {}, np.random.default_rng(0)) == Manifest(table)


class TestWeights:
    """Where a network's initial weights come from."""

    @pytest.mark.parametrize(
        ("backbone", "name", "note"),
        [
            ("resnet18", "resnet18.imagenet.to_layer3.safetensors", " of its first layers"),
            ("resnet50", "resnet50.safetensors", ""),
        ],
    )
    def test_a_file_of_the_folder(
        self, tmp_path: Path, backbone: str, name: str, note: str
    ) -> None:
        (tmp_path / name).touch()
        recipe = load_recipe("starter", [f"model.backbone={backbone}"])
        start = from_folder(recipe, tmp_path)
        assert start is not None
        assert start.recipe.model.weights == str(tmp_path / name)
        assert start.recipe.model.weights_partial == bool(note)
        assert start.note == f"from ImageNet weights{note} ({name})"
        assert from_folder(load_recipe("starter"), tmp_path) is None

    def test_random_where_the_recipe_says_so(self) -> None:
        recipe = load_recipe("demo")
        assert as_written(recipe) == (recipe, "from random weights, as the recipe says")

    def test_published_ones_where_they_can_be_had(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(published, "_unreachable", lambda _: "")
        recipe = load_recipe("starter")
        assert as_written(recipe) == (recipe, "from timm's ImageNet weights")

    def test_chance_only_where_it_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(published, "_unreachable", lambda _: "no network")
        experiment = Experiment("fabiani-vgg16", ONE.data)
        with refuses("weights-unavailable", "no network"):
            initial_weights(experiment.recipe, ReproduceOptions(quick=True))
        options = ReproduceOptions(quick=True, from_scratch=True)
        scratch = initial_weights(experiment.recipe, options)
        assert scratch.recipe.name == "fabiani-vgg16-scratch-quick"
        assert scratch.note.endswith("what the recipe changes for that is in its table scratch")
        frozen = initial_weights("capstone-resnet34-freeze", options)
        assert frozen.recipe.name == "capstone-resnet34-freeze-quick"
        assert frozen.recipe.model.weights == "none"

    def test_a_file_goes_before_chance(self, tmp_path: Path) -> None:
        (tmp_path / "vgg16.safetensors").touch()
        start = initial_weights("vgg16-cli", ReproduceOptions(weights=tmp_path, from_scratch=True))
        assert start.recipe.name == "vgg16-cli"
        assert start.recipe.model.weights == str(tmp_path / "vgg16.safetensors")


class TestCommand:
    """pulmo reproduce."""

    def call(self, *words: str) -> str:
        result = CliRunner().invoke(app, ["reproduce", *words], catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    def test_a_table_and_json(
        self, reproduced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(reproduced / "out", tmp_path / "out" / "drawn")
        len(SYSTEMS)  # the registry is filled before it is changed
        monkeypatch.setitem(SYSTEMS._things, "drawn", SYSTEM)
        settings = [word for setting in QUICK for word in ("--set", setting)]
        words = [
            "drawn",
            "--data",
            str(reproduced / "data"),
            "-o",
            str(tmp_path / "out"),
            *settings,
        ]
        text = self.call(*words, "--only", "demo")
        assert "## Drawn images" in text
        assert (tmp_path / "out" / "drawn.md").read_text() in text
        parsed = json.loads(self.call(*words, "--only", "demo", "--json"))
        assert [part["experiment"] for part in parsed] == ["demo"]

    def test_an_unknown_run_lists_those_that_are(self, tmp_path: Path) -> None:
        words = ("minivgg", "--data", "none", "-o", str(tmp_path), "--only", "minivgg")
        with refuses("reproduction-run-unknown", "'minivgg'", "minivgg-official, minivgg"):
            self.call(*words)
