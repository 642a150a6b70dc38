"""Images that count by their source and class, and losses that know how a source is made up."""

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fixtures.refuses import refuses
from pulmo.bundle.model_card import model_card
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.core.training import Balance, TrainSection
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import make_classifier
from pulmo.train.balance import UNSTATED, SourceCells, cell_factors, log_prior
from pulmo.train.callbacks import Callbacks
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine, Forward, begin_stage
from pulmo.train.loop import make_step
from pulmo.train.loss import loss_of, mass_of, shares_of, weights_of
from pulmo.train.run import Place, train_run
from pulmo.train.training_data import Sampling, epoch_length, epoch_rows, gather

QUICK = ["image.size=32", "train.batch=8", "train.epochs=1", "train.precision=fp32"]
LABELS = ("covid", "viral", "normal")
TABLE = pd.DataFrame(
    [("a", "covid")] * 3 + [("a", "normal")] * 9 + [("b", "viral")] * 7 + [("b", "normal")]
    + [("folder", "covid")] * 2 + [("folder", "viral")] * 6 + [("c", "normal")] * 12,
    columns=["source", "class"],
)  # fmt: skip
BALANCES: tuple[Balance, ...] = ("within-source", "source-and-class")


def cells(table: pd.DataFrame = TABLE) -> SourceCells:
    truth = np.array([LABELS.index(name) for name in table["class"]])
    return SourceCells.of(table.drop(columns="class"), truth, LABELS)


def factors(found: SourceCells, balance: Balance) -> NDArray[np.float64]:
    return cell_factors(found.counts, balance)[found.source, found.truth]


def test_images_lie_in_the_cells_of_their_source_and_class() -> None:
    found = cells()
    assert found.sources == ("a", "b", "c", UNSTATED)
    pairs = Counter(zip(TABLE["source"].replace("folder", UNSTATED), TABLE["class"], strict=True))
    assert found.table == {
        source: {label: pairs[source, label] for label in LABELS if pairs[source, label]}
        for source in found.sources
    }
    assert Counter(found.number.tolist()).total() == len(TABLE)
    assert len(set(found.number.tolist())) == len(pairs)


def test_what_is_assumed_or_hopeless_is_said() -> None:
    unstated, alone = cells().notes
    assert "8 training images state no source" in unstated
    assert "The training images of c are of one class" in alone
    assert cells(TABLE[TABLE["source"] == "a"]).notes == ()


def test_origins_that_share_no_class_are_sources() -> None:
    table = TABLE[TABLE["source"] == "a"].assign(origin=["x"] * 3 + ["y"] * 9)
    assert cells(table).table == {"a (from x)": {"covid": 3}, "a (from y)": {"normal": 9}}


def test_within_a_source_the_classes_count_alike() -> None:
    counted = TABLE.assign(factor=factors(cells(), "within-source"))
    for _, rows in counted.groupby("source"):
        sums = rows.groupby("class")["factor"].sum()
        np.testing.assert_allclose(sums, len(rows) / len(sums))
        assert rows.groupby("class")["factor"].nunique().eq(1).all()


def test_each_source_and_class_counts_alike() -> None:
    counted = TABLE.assign(factor=factors(cells(), "source-and-class"))
    sums = counted.groupby(["source", "class"])["factor"].sum()
    np.testing.assert_allclose(sums, len(TABLE) / len(sums))


@pytest.mark.parametrize("balance", BALANCES)
def test_sampling_shows_as_many_images_as_there_are(balance: Balance) -> None:
    found = cells()
    sampling = Sampling(found.number, cell_factors(found.counts, balance).ravel())
    shown = np.zeros(len(TABLE))
    for seed in range(400):
        rows = epoch_rows(sampling, np.random.default_rng(seed))
        assert abs(len(rows) - len(TABLE)) <= 4  # each cell is rounded to whole images
        assert len(rows) == epoch_length(sampling)
        shown += np.bincount(rows, minlength=len(TABLE))
    cell = found.number
    for number in np.unique(cell):
        mean = shown[cell == number].mean() / 400
        assert mean == pytest.approx(factors(found, balance)[cell == number][0], rel=0.2)
        assert (shown[cell == number] > 0).all()


@pytest.mark.parametrize("balance", ["none", *BALANCES])
def test_the_prior_is_laplaces_rule_for_images_as_they_count(balance: Balance) -> None:
    found = cells()
    given = cell_factors(found.counts, balance) * [3.0, 1.0, 0.5]
    prior = log_prior(found.counts, given)
    counted: dict[tuple[int, int], float] = defaultdict(float)
    for source, label in zip(found.source.tolist(), found.truth.tolist(), strict=True):
        counted[source, label] += given[source, label]
    for source in range(len(found.sources)):
        images = int((found.source == source).sum())
        all_of = sum(counted[source, label] for label in range(3))
        for label in range(3):
            n = images * counted[source, label] / all_of
            assert prior[source, label] == pytest.approx(math.log((n + 1) / (images + 3)))


class Recorded(nn.Module):
    """A network that remembers its logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.logits = network, torch.empty(0)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.network(inputs)
        self.logits = logits.detach().clone()
        return logits


def engine_of(recipe: Recipe, rows: pd.DataFrame, cache: Path) -> Engine:
    data = gather(recipe, Manifest(rows), cache)
    made = make_classifier(recipe.model, recipe.labels.order, 0, size=32)
    return begin_stage(recipe, recipe.train, data, made.classifier)


@pytest.fixture
def sourced(images: pd.DataFrame) -> pd.DataFrame:
    """Images of two stated sources and of none."""
    names = np.array(["kermany", "cohen", "folder"])[np.arange(len(images)) % 7 % 3]
    return images.assign(source=names, origin=None, root=None)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_step_weighs_its_images_and_adds_the_prior(
    sourced: pd.DataFrame, tmp_path: Path, smoothing: float
) -> None:
    chosen = ["train.balance=within-source", "train.source_prior=0.7"]
    classes = "train.class_weights={covid=3.0}"
    recipe = load_recipe("demo", [*QUICK, *chosen, classes, f"train.label_smoothing={smoothing}"])
    engine = engine_of(recipe, sourced, tmp_path)
    rows = engine.data.manifest.frame.iloc[engine.data.train]
    labels = recipe.labels.order
    table = pd.DataFrame({"source": rows["source"].to_numpy(), "label": engine.truth})
    inside = table.groupby("source")["label"].transform("size")
    present = table.groupby("source")["label"].transform("nunique")
    weight = inside / present / table.groupby(["source", "label"])["label"].transform("size")
    covid = labels.index("covid")
    counted = weight * np.where(table["label"] == covid, 3.0, 1.0)
    share = pd.crosstab(table["source"], table["label"], counted, aggfunc="sum").fillna(0)
    share = share.div(share.sum(axis=1), axis=0).mul(table["source"].value_counts(), axis=0) + 1
    prior = np.log(share.div(share.sum(axis=1), axis=0).loc[table["source"]].to_numpy())
    network, positions = Recorded(Forward(engine)), np.array([0, 5, 9, 2, 14])
    progress = Progress(recipe_sha256="", manifest_sha256="", weights="")
    step = make_step(engine, network, positions, progress, weights_of(engine))
    seen = network.logits + 0.7 * torch.from_numpy(prior[positions]).float()
    truth = torch.from_numpy(engine.truth[positions])
    by_class = torch.ones(len(labels))
    by_class[covid] = 3.0
    terms = cross_entropy(seen, truth, by_class, reduction="none", label_smoothing=smoothing)
    own = torch.from_numpy(weight.to_numpy()[positions]).float()
    expected = (terms * own).sum() / torch.from_numpy(counted.to_numpy()[positions]).sum()
    assert step.loss == pytest.approx(float(expected), rel=1e-5)
    assert step.right == (network.logits.argmax(1) == truth).sum()


def test_without_either_nothing_is_added(images: pd.DataFrame, tmp_path: Path) -> None:
    engine = engine_of(load_recipe("demo", QUICK), images, tmp_path)
    assert engine.cells is None
    weights = weights_of(engine)
    assert (weights.classes, weights.images, weights.prior) == (None, None, None)
    assert torch.equal(weights.members, torch.eye(len(engine.recipe.labels.order)).bool())


def test_sampling_leaves_the_loss_as_it_is(sourced: pd.DataFrame, tmp_path: Path) -> None:
    settings = ["train.balance=source-and-class", "train.balance_by=sampling"]
    engine = engine_of(load_recipe("demo", [*QUICK, *settings]), sourced, tmp_path)
    weights = weights_of(engine)
    assert (weights.classes, weights.images, weights.prior) == (None, None, None)
    rows = epoch_rows(engine.sampling, np.random.default_rng(0))
    assert engine.cells is not None
    shown = np.bincount(engine.cells.number[rows])
    assert np.ptp(shown[shown > 0]) == 0
    assert engine.steps == -(-len(rows) // 8)


def test_with_the_prior_a_source_that_gives_the_class_away_is_not_learnt() -> None:
    """The network is linear in what is seen of the lungs and in the source."""
    generator = np.random.default_rng(0)
    source = generator.integers(0, 2, 4000)
    truth = (generator.random(4000) < np.array([0.1, 0.9])[source]).astype(np.int64)
    lungs = truth + generator.normal(0, 1, 4000)
    inputs = torch.from_numpy(np.stack([lungs, source], 1)).float()
    counts = np.zeros((2, 2), np.int64)
    np.add.at(counts, (source, truth), 1)
    prior = torch.from_numpy(log_prior(counts, np.ones((2, 2)))[source]).float()
    learnt = []
    for tau in (0.0, 1.0):
        layer = nn.Linear(2, 2)
        optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=100)
        shares = shares_of(torch.from_numpy(truth), torch.eye(2))

        def closure(layer: nn.Module = layer, tau: float = tau, shares: Tensor = shares) -> Tensor:
            layer.zero_grad()
            logits = layer(inputs) + tau * prior
            loss = loss_of(logits, shares, None, TrainSection()) / mass_of(shares, None)
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            return loss

        optimiser.step(closure)  # type: ignore[no-untyped-call] # torch leaves it untyped
        learnt.append((layer.weight[1] - layer.weight[0]).tolist())
    (lungs_without, source_without), (lungs_with, source_with) = learnt
    assert source_without == pytest.approx(2 * math.log(9), abs=0.3)
    assert abs(source_with) < 0.25
    assert lungs_with == pytest.approx(lungs_without, abs=0.05)
    assert lungs_with == pytest.approx(1.0, abs=0.1)  # the log odds of two normal distributions


def test_a_run_says_and_keeps_by_what_it_weighed(sourced: pd.DataFrame, tmp_path: Path) -> None:
    notes: list[str] = []
    recipe = load_recipe("demo", [*QUICK, "train.source_prior=1.0"])
    place = Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu")
    card = train_run(recipe, Manifest(sourced), place, Callbacks(on_note=notes.append))
    assert any("state no source" in note for note in notes)
    rows = sourced[sourced["split"] == "train"]
    expected = Counter(zip(rows["source"].replace("folder", UNSTATED), rows["label"], strict=True))
    assert card.training.weighed == {
        source: {label: expected[source, label] for label in recipe.labels.order}
        for source in ("cohen", "kermany", UNSTATED)
    }
    assert f"{UNSTATED}: covid {expected[UNSTATED, 'covid']}" in model_card(card)


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("balance-contradicts", ["balance=within-source", "class_weights=balanced"]),
        ("balance-contradicts", ["balance=within-source", "oversample=balanced"]),
        ("balance-contradicts", ["balance=source-and-class", "oversample={covid=2.0}"]),
        ("source-prior-contradicts", ["source_prior=1.0", "mixup=0.2"]),
        ("recipe-invalid", ["balance=source"]),
        ("recipe-invalid", ["source_prior=-1.0"]),
    ],
)
def test_what_contradicts_itself_is_refused(code: str, settings: list[str]) -> None:
    with refuses(code):
        load_recipe("demo", [f"train.{setting}" for setting in settings])
