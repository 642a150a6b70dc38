"""Each loss against an independent implementation, and what all of them keep."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax
from torch.optim import SGD
from torchvision.ops import sigmoid_focal_loss

from pulmo.core.training import TrainSection
from pulmo.train.loss import class_weights, loss_of, mass_of, mix, shares_of
from pulmo.train.losses import LOSSES
from pulmo.train.losses.focal import Focal

LABELS = ("covid", "viral", "normal")


def mean_loss(
    logits: Tensor, shares: Tensor, weights: Tensor | None, section: TrainSection
) -> Tensor:
    return loss_of(logits, shares, weights, section) / mass_of(shares, weights)


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(7, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.fixture
def truth() -> Tensor:
    return torch.tensor([0, 1, 2, 2, 1, 0, 0])


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_a_finite_number_a_class_and_so_is_its_gradient(name: str) -> None:
    # The second image is as wrong, and the third as right, as float32 can say.
    logits = torch.tensor([[0.5, -1, 2], [0, 0, 200], [200, 0, 0]], requires_grad=True)
    terms = LOSSES[name]().terms(logits, shares_of(torch.tensor([0, 0, 0]), torch.eye(3)))
    assert terms.shape == (3, 3)
    assert (terms >= 0).all()
    (gradient,) = torch.autograd.grad(terms.sum(), logits)
    assert gradient.isfinite().all()
    assert terms[1].sum() > terms[0].sum() > terms[2].sum()


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_teaches_the_classes(name: str) -> None:
    section = TrainSection.model_validate({"loss": name})
    inputs, truth = torch.eye(3).repeat(4, 1), torch.arange(3).repeat(4)
    layer = torch.nn.Linear(3, 3)
    optimiser = SGD(layer.parameters(), lr=1.0)
    losses = []
    for _ in range(50):
        loss = mean_loss(layer(inputs), shares_of(truth, torch.eye(3)), None, section)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3
    assert torch.equal(layer(inputs).argmax(1), truth)


@pytest.mark.parametrize("name", LOSSES)
def test_a_class_counts_as_its_weight(name: str, logits: Tensor, truth: Tensor) -> None:
    section = TrainSection.model_validate({"loss": name})
    alone = [mean_loss(logits[n : n + 1], shares_of(truth[n : n + 1], torch.eye(3)), None, section)
             for n in range(7)]  # fmt: skip
    weights = torch.tensor([3.0, 1.0, 0.5])
    found = mean_loss(logits, shares_of(truth, torch.eye(3)), weights, section)
    expected = sum(a * weights[c] for a, c in zip(alone, truth, strict=True)) / weights[truth].sum()
    assert torch.allclose(found, torch.as_tensor(expected))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(logits: Tensor, truth: Tensor, smoothing: float) -> None:
    section = TrainSection(label_smoothing=smoothing)
    expected = cross_entropy(logits, truth, label_smoothing=smoothing)
    assert torch.allclose(
        mean_loss(logits, shares_of(truth, torch.eye(3)), None, section), expected
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_weights_change_loss_and_gradient_as_torchs(
    logits: Tensor, truth: Tensor, smoothing: float
) -> None:
    weights = torch.tensor([3.0, 1.0, 0.5])
    section = TrainSection(label_smoothing=smoothing)
    loss = mean_loss(logits, shares_of(truth, torch.eye(3)), weights, section)
    expected = cross_entropy(logits, truth, weights, label_smoothing=smoothing)
    assert torch.allclose(loss, expected)
    (mine,) = torch.autograd.grad(loss, logits)
    (its,) = torch.autograd.grad(expected, logits)
    assert torch.allclose(mine, its, atol=1e-7)


def test_shares_are_torchs_class_probabilities(logits: Tensor) -> None:
    shares = torch.softmax(torch.randn(7, 3, generator=torch.Generator().manual_seed(1)), 1)
    assert torch.allclose(
        mean_loss(logits, shares, None, TrainSection()), cross_entropy(logits, shares)
    )


@pytest.mark.parametrize(("alpha", "gamma"), [(1.0, 2.0), (0.25, 0.5), (1.0, 0.0)])
def test_focal_loss_of_two_classes_is_torchvisions(alpha: float, gamma: float) -> None:
    """With logits (0, x) the softmax over two classes is the sigmoid of x."""
    x = torch.randn(9, generator=torch.Generator().manual_seed(2))
    truth = torch.tensor([0, 1, 1, 0, 1, 0, 0, 0, 1])
    section = TrainSection(loss=Focal(alpha=alpha, gamma=gamma))
    mine = mean_loss(
        torch.stack([torch.zeros(9), x], 1), shares_of(truth, torch.eye(2)), None, section
    )
    expected = sigmoid_focal_loss(x, truth.float(), alpha=-1, gamma=gamma, reduction="mean")
    assert torch.allclose(mine, alpha * expected)


def test_focal_loss_of_three_classes_is_its_equation(logits: Tensor, truth: Tensor) -> None:
    section = TrainSection(loss=Focal(alpha=0.5, gamma=1.5))
    log_p = log_softmax(logits, 1)[torch.arange(7), truth]
    expected = (-0.5 * (1 - log_p.exp()) ** 1.5 * log_p).mean()
    assert torch.allclose(
        mean_loss(logits, shares_of(truth, torch.eye(3)), None, section), expected
    )


def test_focal_loss_without_gamma_is_cross_entropy_and_weighs_like_it(
    logits: Tensor, truth: Tensor
) -> None:
    weights = torch.tensor([3.0, 1.0, 0.5])
    section = TrainSection(loss=Focal(gamma=0))
    shares = shares_of(truth, torch.eye(3))
    assert torch.allclose(
        mean_loss(logits, shares, weights, section), cross_entropy(logits, truth, weights)
    )


def test_balanced_weights_make_every_class_count_the_same() -> None:
    counts = np.array([10, 30, 60])
    weights = class_weights(counts, LABELS, TrainSection(class_weights="balanced"))
    assert weights is not None
    assert torch.allclose(weights * torch.from_numpy(counts), torch.full((3,), 100 / 3))
    assert class_weights(counts, LABELS, TrainSection()) is None


def test_given_weights_are_taken_and_one_where_none_is_given() -> None:
    section = TrainSection(class_weights={"covid": 6.0, "normal": 0.5})
    weights = class_weights(np.array([1, 2, 3]), LABELS, section)
    assert weights is not None
    assert weights.tolist() == [6.0, 1.0, 0.5]


def test_mixup_blends_images_and_shares_alike() -> None:
    images = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(3))
    shares = shares_of(torch.tensor([0, 1, 2, 0, 1, 2]), torch.eye(3))
    mixed, mixed_shares = mix(images, shares, 0.4, np.random.default_rng(5))
    generator = np.random.default_rng(5)
    weight, other = generator.beta(0.4, 0.4), generator.permutation(6)
    assert torch.allclose(mixed, weight * images + (1 - weight) * images[other], atol=1e-6)
    assert torch.allclose(mixed_shares.sum(1), torch.ones(6))
    assert torch.allclose(mixed_shares, weight * shares + (1 - weight) * shares[other], atol=1e-6)


def test_no_mixup_draws_and_changes_nothing() -> None:
    images, shares = torch.rand(2, 1, 4, 4), torch.eye(2)
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state
    same, same_shares = mix(images, shares, 0.0, generator)
    assert same is images
    assert same_shares is shares
    assert generator.bit_generator.state == before
