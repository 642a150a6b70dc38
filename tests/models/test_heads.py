import pytest
import torch
from torch import Tensor, nn

from fixtures.refuses import refuses
from pulmo.core.sections import ModelSection
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.models.head import Head, make_head
from pulmo.models.heads import HEADS

LABELS = ("covid", "viral", "normal")
LIKE = {
    "linear": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 3)),
    "mlp": nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 16), nn.ReLU(), nn.Linear(16, 3)
    ),
    "flatten": nn.Sequential(nn.Flatten(), nn.Linear(128 * 64, 3)),
    "flatten-mlp": nn.Sequential(
        nn.Flatten(), nn.Linear(128 * 64, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 3)
    ),
}


def make(head: str, dropout: float = 0.0) -> Classifier:
    table: dict[str, object] = {"name": head, "dropout": dropout}
    if "hidden" in HEADS[head].model_fields:
        table["hidden"] = 16
    section = ModelSection.model_validate({"backbone": "compact", "head": table})
    return make_classifier(section, LABELS, seed=0, size=64).classifier.eval()


def trained(head: str) -> Classifier:
    """A classifier whose normalisation has seen images."""
    classifier = make(head).train()
    for seed in range(3):
        classifier(images(8, seed))
    return classifier.eval()


def images(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, 64, 64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", LIKE)
def test_a_head_is_its_layers_in_their_order(kind: str) -> None:
    """Against the same layers of torch in a row, with the weights of the head."""
    classifier = trained(kind)
    like = LIKE[kind].eval()
    like.load_state_dict(
        dict(zip(like.state_dict(), classifier.head.state_dict().values(), strict=True))
    )
    with torch.no_grad():
        maps = classifier.features(images(2))
        assert torch.allclose(classifier.head(maps), like(maps), atol=1e-5)


@pytest.mark.parametrize("kind", HEADS)
def test_activation_maps_are_hirescam(kind: str) -> None:
    """Against autograd: gradient times map, summed over channels, times the positions."""
    head = trained(kind).head
    maps = trained(kind).features(images(2)).detach().requires_grad_()
    logits, activation = head(maps), head.activation(maps)
    for number in range(len(LABELS)):
        (gradient,) = torch.autograd.grad(logits[:, number].sum(), maps, retain_graph=True)
        expected = (gradient * maps).sum(dim=1) * 64
        assert torch.allclose(activation[:, number], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", HEADS)
def test_what_a_bundles_graph_computes_is_the_same(kind: str) -> None:
    head = trained(kind).head
    with torch.no_grad():
        maps = trained(kind).features(images(3))
        logits, activation = head.explained(maps)
        torch.testing.assert_close(logits, head(maps), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(activation, head.activation(maps), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["linear", "flatten"])
def test_the_mean_of_a_linear_layers_map_is_the_logit_without_its_bias(kind: str) -> None:
    classifier = trained(kind)
    with torch.no_grad():
        logits, maps = classifier.explain(images(2))
    bias = classifier.head.get_parameter("classify.bias")
    assert torch.allclose(maps.mean(dim=(2, 3)) + bias, logits, atol=1e-5)


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_can_be_fed_with_what_it_read_before(kind: str) -> None:
    classifier = trained(kind)
    with torch.no_grad():
        maps = classifier.features(images(2))
        read = classifier.head.pool(maps)
        assert read.ndim == 2
        assert torch.equal(classifier.head.logits(read), classifier(images(2)))


@pytest.mark.parametrize("kind", HEADS)
def test_dropout_acts_in_training_only(kind: str) -> None:
    head = make(kind, dropout=0.5).head
    assert isinstance(head, Head)
    read = torch.rand(4, 128 * 64 if head.flat else 128)
    assert torch.equal(head.logits(read), head.logits(read))
    head.train()
    assert not torch.equal(head.logits(read), head.logits(read))


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_gives_logits_and_every_weight_of_it_learns(kind: str) -> None:
    head = HEADS[kind]().make((4, 3, 3), 5)
    maps = torch.rand(6, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    logits = head(maps)
    assert logits.shape == (6, 5)
    logits.square().sum().backward()
    for name, weight in head.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_a_hierarchical_head_multiplies_two_decisions() -> None:
    head = trained("hierarchical").head
    read = torch.randn(5, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        scores = head.get_submodule("classify")(read)
        found = head.logits(read).softmax(dim=1)
    abnormal = 1 - scores[:, 2].sigmoid()
    which = scores[:, :2].softmax(dim=1)
    torch.testing.assert_close(found[:, 2], 1 - abnormal)
    torch.testing.assert_close(found[:, :2], abnormal[:, None] * which)


def test_a_layer_whose_derivative_is_not_known_is_refused() -> None:
    layers = {"odd": nn.Sigmoid(), "classify": nn.Linear(4, 2)}
    with pytest.raises(TypeError, match="The derivative of a Sigmoid is not known"):
        Head(layers, flat=False).activation(torch.rand(1, 4, 2, 2))


def test_a_head_that_no_bundle_can_hold_is_refused_before_it_is_made() -> None:
    named = {"backbone": "mini-vggnet", "head": "flatten-mlp"}
    section = ModelSection.model_validate(named)
    with refuses("head-too-large", "[64, 256, 256]", "2,147,486,723"):
        make_head(section, (64, 256, 256), 3)
    flat = ModelSection.model_validate(named | {"head": "flatten"})
    assert make_head(flat, (64, 16, 16), 3).get_parameter("classify.weight").shape == (3, 16384)
