"""What an epoch is chosen by: the loss, the loss on some sources, or the AUC within sources."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax

from fixtures.refuses import refuses
from pulmo.bundle.card import Epoch
from pulmo.bundle.model_card import model_card
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.callbacks import Callbacks
from pulmo.train.criterion import Criterion, criterion_of, is_better
from pulmo.train.run import Place, train_run
from pulmo.train.training_data import TrainingData, gather
from pulmo.workflows.options.training import SearchOptions
from pulmo.workflows.search import search

QUICK = ["image.size=32", "train.batch=8", "train.precision=fp32", "train.lr=0.01"]
AUC = "train.choose_by=within-source-auc"


def recipe(*settings: str) -> Recipe:
    return load_recipe("demo", [*QUICK, *settings])


@pytest.fixture
def sourced(images: pd.DataFrame) -> pd.DataFrame:
    """Validation images of three sources: enough of two or three classes, of one, and unstated."""
    order = load_recipe("demo").labels.order
    val = images.index[images["split"] != "train"][:31]
    cells = [("a", 0, 6), ("a", 1, 5), ("a", 3, 7), ("b", 2, 5), ("b", 0, 4), ("folder", 1, 4)]
    rows = [(source, order[number]) for source, number, count in cells for _ in range(count)]
    images = images.assign(root=None, origin=None, source="a")
    images.loc[images.index[images["split"] != "train"], "split"] = "test"
    images.loc[val, "split"] = "val"
    images.loc[val, ["source", "label"]] = rows
    return images


def shown(sourced: pd.DataFrame, made: Recipe, cache: Path) -> TrainingData:
    return gather(made, Manifest(sourced), cache)


def test_the_score_is_the_mean_over_sources_of_the_mean_over_pairs(
    sourced: pd.DataFrame, tmp_path: Path
) -> None:
    made = recipe(AUC)
    five = sourced.copy()
    fifth = five.index[(five["split"] == "train") & (five["label"] == made.labels.order[0])][0]
    five.loc[fifth, ["source", "split"]] = ["b", "val"]
    for table, expected in ((sourced, {"a": (0, 1, 3)}), (five, {"a": (0, 1, 3), "b": (0, 2)})):
        data = shown(table, made, tmp_path)
        criterion = criterion_of(made, data)
        assert criterion is not None
        truth = data.truth[data.val]
        logits = np.random.default_rng(1).normal(size=(len(truth), 4)).astype(np.float32)
        logits[:3] = logits[3:6]  # ties
        source = data.manifest.frame["source"].to_numpy(str)[data.val]
        means = []
        for name, classes in expected.items():
            aucs = []
            for first, second in combinations(classes, 2):
                p = np.exp(logits.astype(float))
                share = np.round(p[:, first] / (p[:, first] + p[:, second]), 12)
                ours = share[(source == name) & (truth == first)][:, None]
                others = share[(source == name) & (truth == second)][None]
                aucs.append(((ours > others) + 0.5 * (ours == others)).mean())
            means.append(np.mean(aucs))
        assert criterion.score(logits, truth) == pytest.approx(np.mean(means))
        assert ("b (" in criterion.said) is ("b" in expected)
        labels = ", ".join(made.labels.order[number] for number in (0, 1, 3))
        assert criterion.said.startswith(f"mean AUC within a ({labels})")


@pytest.mark.parametrize("sources", [("b",), ("a", "folder")])
def test_the_loss_on_some_sources_is_that_of_their_images(
    sourced: pd.DataFrame, tmp_path: Path, sources: tuple[str, ...]
) -> None:
    made = recipe(f"train.choose_on=[{','.join(sources)}]")
    data = shown(sourced, made, tmp_path)
    criterion = criterion_of(made, data)
    assert criterion is not None
    truth = data.truth[data.val]
    logits = np.random.default_rng(1).normal(size=(len(truth), 4)).astype(np.float32)
    own = data.manifest.frame["source"].isin(sources).to_numpy()[data.val]
    losses = -log_softmax(logits.astype(float), axis=1)[np.arange(len(truth)), truth]
    assert criterion.score(logits, truth) == pytest.approx(losses[own].mean(), rel=1e-6)
    assert criterion.said == f"loss on {', '.join(sources)}"


def test_without_a_wish_the_loss_on_all_images_chooses(
    sourced: pd.DataFrame, tmp_path: Path
) -> None:
    made = recipe()
    assert criterion_of(made, shown(sourced, made, tmp_path)) is None


def test_what_cannot_choose_is_refused_before_a_run_begins(
    sourced: pd.DataFrame, tmp_path: Path
) -> None:
    place = Place(RunFolder(tmp_path / "run"), tmp_path, "cpu")
    for code, settings in (
        ("choice-images-missing", ["train.choose_on=[elsewhere]"]),
        ("choice-images-missing", [AUC, "train.choose_on=[elsewhere]"]),
        ("choice-auc-undefined", [AUC, "train.choose_on=[b]"]),
        ("choice-auc-undefined", [AUC, "train.choose_on=[folder]"]),
    ):
        with refuses(code):
            train_run(recipe(*settings), Manifest(sourced), place, Callbacks())
    assert not place.folder.root.exists()


def epoch(loss: float, score: float | None = None) -> Epoch:
    return Epoch(
        epoch=1, lr=1, train_loss=1, val_loss=loss, val_score=score, val_accuracy=1,
        val_balanced_accuracy=1, seconds=1, images_per_second=1,
    )  # fmt: skip


def test_the_better_epoch_is_kept() -> None:
    everything = np.arange(3)
    auc, loss = Criterion(everything, (), "AUC"), Criterion(everything, None, "loss")
    assert is_better(epoch(0.4), epoch(0.5), None)
    assert not is_better(epoch(0.5), epoch(0.5), None)
    assert is_better(epoch(0.9, 0.8), epoch(0.5, 0.7), auc)
    assert is_better(epoch(0.4, 1.0), epoch(0.5, 1.0), auc)
    assert not is_better(epoch(0.4, 0.6), epoch(0.5, 0.7), auc)
    assert is_better(epoch(0.9, 0.6), epoch(0.5, 0.7), loss)
    assert not is_better(epoch(0.4, 0.8), epoch(0.5, 0.7), loss)


def test_a_run_keeps_the_epoch_with_the_highest_auc(sourced: pd.DataFrame, tmp_path: Path) -> None:
    notes: list[str] = []
    place = Place(RunFolder(tmp_path / "run"), tmp_path, "cpu")
    made = recipe(AUC, "train.epochs=4")
    card = train_run(made, Manifest(sourced), place, Callbacks(on_note=notes.append))
    history = card.training.history
    scores = [epoch.val_score or 0.0 for epoch in history]
    assert card.training.best_epoch == max(
        range(1, 5), key=lambda n: (scores[n - 1], -history[n - 1].val_loss)
    )
    assert card.training.chosen_by.startswith("mean AUC within a (")
    assert any("chosen by the mean AUC within a (" in note for note in notes)
    said = f"by which the epoch was chosen | {max(scores):.3f}"
    assert said in model_card(card)


def test_a_search_goes_by_the_loss(sourced: pd.DataFrame, tmp_path: Path) -> None:
    options = SearchOptions(space=Path("none.toml"))
    with refuses("search-not-by-loss", "train.choose_by"):
        search(recipe(AUC), Manifest(sourced), tmp_path / "search", options)
