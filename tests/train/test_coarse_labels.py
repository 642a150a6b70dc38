"""Training images of which only some classes are known, one of which is theirs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fixtures.refuses import refuses
from pulmo.bundle.model_card import model_card
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.core.training import TrainSection
from pulmo.datasets.manifest import Manifest
from pulmo.train.balance import log_prior
from pulmo.train.callbacks import Callbacks
from pulmo.train.loss import inferred, loss_of, members_of, shares_of
from pulmo.train.losses import LOSSES
from pulmo.train.run import Place, train_run
from pulmo.train.training_data import gather

COARSE = "train.coarse_labels={pneumonia=[covid, viral]}"
QUICK = ["image.size=32", "train.batch=8", "train.epochs=1", "train.precision=fp32", COARSE]
ORDER = ("covid", "viral", "normal")
MEMBERS = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], dtype=torch.bool)


@pytest.fixture
def coarse(images: pd.DataFrame) -> Manifest:
    """Phantoms of which every other covid and viral one is called pneumonia."""
    some = images["label"].isin(["covid", "viral"]) & (images.index % 2 == 0)
    return Manifest(images.assign(label=images["label"].mask(some, "pneumonia")))


def recipe() -> Recipe:
    return load_recipe("demo", [f"labels.order={list(ORDER)}".replace("'", '"'), *QUICK])


def test_the_gradient_is_that_of_the_summed_probability() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 3, generator=generator, requires_grad=True)
    truth = torch.tensor([3, 0, 3, 2, 1, 3])
    shares = shares_of(truth, MEMBERS) * torch.tensor([1, 2, 0.5, 1, 3, 1])[:, None]
    loss = loss_of(logits, inferred(shares, logits), None, TrainSection())
    (found,) = torch.autograd.grad(loss, logits)
    belongs = (logits.softmax(1) * MEMBERS[truth]).sum(1)
    wanted = -(belongs.log() * torch.tensor([1, 2, 0.5, 1, 3, 1])).sum()
    (expected,) = torch.autograd.grad(wanted, logits)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", LOSSES)
def test_images_of_some_classes_teach_these_against_the_others(name: str) -> None:
    section = TrainSection.model_validate({"loss": name})
    inputs, truth = torch.eye(2).repeat(8, 1), torch.tensor([3, 2]).repeat(8)
    layer = nn.Linear(2, 3)
    optimiser = torch.optim.SGD(layer.parameters(), lr=1.0)
    for _ in range(60):
        logits = layer(inputs)
        optimiser.zero_grad()
        shares = inferred(shares_of(truth, MEMBERS), logits)
        (loss_of(logits, shares, None, section) / len(truth)).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        optimiser.step()
    probabilities = layer(torch.eye(2)).softmax(1)
    assert probabilities[0, :2].sum() > 0.8
    assert probabilities[1, 2] > 0.8


def test_a_source_with_coarse_labels_has_a_prior_of_classes() -> None:
    counts = np.array([[4, 0, 6, 10]])
    spread = members_of(recipe()) / members_of(recipe()).sum(axis=1, keepdims=True)
    prior = np.exp(log_prior(counts, np.ones((1, 4)), spread))
    np.testing.assert_allclose(prior, [[10 / 23, 6 / 23, 7 / 23]])


def test_they_are_trained_on_and_not_validated_by(coarse: Manifest, tmp_path: Path) -> None:
    table = coarse.frame
    data = gather(recipe(), coarse, tmp_path / "cache")
    train, val = (data.manifest.frame.iloc[rows] for rows in (data.train, data.val))
    sides = table[table["split"].isin(["train", "val"])]
    pneumonia = (sides["label"] == "pneumonia") & (sides["split"] == "train")
    assert pneumonia.sum() > 3
    assert (train["label"] == "pneumonia").sum() == pneumonia.sum()
    assert set(val["label"]) == set(ORDER)
    assert set(data.truth[data.train]) == {0, 1, 2, 3}
    names = np.array([*ORDER, "pneumonia"])[data.truth]
    assert list(names) == list(data.manifest.frame["label"])


@pytest.mark.parametrize("more", [[], ["train.source_prior=1.0", "train.balance=within-source"]])
def test_a_run_keeps_how_many_there_were(coarse: Manifest, tmp_path: Path, more: list[str]) -> None:
    settings = [f"labels.order={list(ORDER)}".replace("'", '"'), *QUICK, *more]
    place = Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu")
    card = train_run(load_recipe("demo", settings), coarse, place, Callbacks())
    train = coarse.split("train").frame["label"]
    assert card.training.coarse == {"pneumonia": int((train == "pneumonia").sum())}
    assert card.training.counts["train"] == {label: int((train == label).sum()) for label in ORDER}
    assert "Trained on images of pneumonia, class not stated" in model_card(card)


def test_without_them_a_recipe_keeps_its_hash() -> None:
    plain = load_recipe("demo")
    assert plain.train.coarse_labels == {}
    assert load_recipe("demo", ["train.coarse_labels={}"]).sha256 == plain.sha256
    assert recipe().sha256 != load_recipe("demo", [*recipe_settings()]).sha256


def recipe_settings() -> list[str]:
    return [f"labels.order={list(ORDER)}".replace("'", '"'), *QUICK[:-1]]


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("coarse-label-invalid", ["train.coarse_labels={pneumonia=[covid]}"]),
        ("coarse-label-invalid", ["train.coarse_labels={pneumonia=[covid, bacterial]}"]),
        ("coarse-label-invalid", ["train.coarse_labels={pneumonia=[covid, viral, normal]}"]),
        ("coarse-label-invalid", ["train.coarse_labels={viral=[covid, normal]}"]),
        ("label-unknown", ["train.coarse_labels={flu=[covid, viral]}"]),
        ("coarse-labels-contradict", [COARSE, "train.mixup=0.2"]),
        ("coarse-labels-contradict", [COARSE, "train.class_weights=balanced"]),
    ],
)
def test_what_makes_no_sense_is_refused(code: str, settings: list[str]) -> None:
    with refuses(code):
        load_recipe("demo", [*recipe_settings(), *settings])
