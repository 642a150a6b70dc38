"""The contract of every backbone with every head."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pulmo.core.errors import UsageError
from pulmo.core.sections import ModelSection
from pulmo.models.backbone import BACKBONES, make_backbone
from pulmo.models.classifier import Classifier, make_classifier

LABELS = ("covid", "viral", "normal")
TIMM = ("resnet10t", "mobilenetv2_100", "mobilenetv3_small_050")


def make(backbone: str, head: str = "linear") -> Classifier:
    section = ModelSection(backbone=backbone, head=head, hidden=16)  # type: ignore[arg-type] # a test's string
    return make_classifier(section, LABELS, seed=0).classifier.eval()


def films(side: int, count: int = 2) -> Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("head", ["linear", "mlp"])
@pytest.mark.parametrize("backbone", [*BACKBONES, *TIMM])
def test_every_network_gives_logits_and_maps_at_two_sizes(backbone: str, head: str) -> None:
    classifier = make(backbone, head)
    with torch.no_grad():
        for side in (64, 96):
            logits, maps = classifier.explain(films(side))
            assert logits.shape == (2, 3)
            assert maps.shape[:2] == (2, 3)
            assert min(maps.shape[2:]) >= 2
            assert torch.equal(logits, classifier(films(side)))


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_maps_are_grad_cam(head: str) -> None:
    """Against autograd: the gradient of each logit by the feature maps, summed over channels."""
    classifier = make("compact", head)
    maps = classifier.features(films(64)).detach().requires_grad_()
    logits, activation = classifier.head(maps), classifier.head.activation(maps)
    positions = maps.shape[2] * maps.shape[3]
    for number in range(len(LABELS)):
        (gradient,) = torch.autograd.grad(logits[:, number].sum(), maps, retain_graph=True)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        expected = (weights * maps).sum(dim=1) * positions
        assert torch.allclose(activation[:, number], expected, atol=1e-5)


def test_the_mean_of_a_linear_heads_map_is_the_logit_without_its_bias() -> None:
    classifier = make("compact")
    with torch.no_grad():
        logits, maps = classifier.explain(films(64))
    bias = classifier.head.get_parameter("classify.bias")
    assert torch.allclose(maps.mean(dim=(2, 3)) + bias, logits, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_processs_generator() -> None:
    before = torch.random.get_rng_state()
    one, two = make("compact").state_dict(), make("compact").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(before, torch.random.get_rng_state())


def test_dropout_acts_in_training_only() -> None:
    section = ModelSection(backbone="compact", dropout=0.5)
    classifier = make_classifier(section, LABELS, seed=0).classifier
    pooled = torch.ones(1, 128)
    classifier.eval()
    assert torch.equal(classifier.head.logits(pooled), classifier.head.logits(pooled))
    classifier.train()
    assert not torch.equal(classifier.head.logits(pooled), classifier.head.logits(pooled))


def test_the_normalisation_is_inside() -> None:
    section = ModelSection(backbone="compact", mean=0.5, std=0.25)
    shifted = make_classifier(section, LABELS, seed=0).classifier.eval()
    plain = make_classifier(
        section.model_copy(update={"mean": 0.0, "std": 1.0}), LABELS, seed=0
    ).classifier.eval()
    with torch.no_grad():
        assert torch.allclose(shifted(films(64)), plain((films(64) - 0.5) / 0.25), atol=1e-6)


def test_an_unknown_network_is_named_with_its_neighbours() -> None:
    with pytest.raises(UsageError, match=r"no network 'resnet3'.*compact.*Near it: .*resnet"):
        make_backbone("resnet3")
    with pytest.raises(UsageError, match=r"nor in timm|not in timm\.$"):
        make_backbone("zzzzzzzz")


def test_a_network_without_feature_maps_is_refused() -> None:
    with pytest.raises(UsageError, match="not feature maps"):
        make("vit_tiny_patch16_224")


def test_a_network_that_does_not_take_the_size_is_a_sentence() -> None:
    section = ModelSection(backbone="vit_tiny_patch16_224")
    with pytest.raises(UsageError, match="does not take films of 64 px"):
        make_classifier(section, LABELS, seed=0, size=64)


def test_weights_that_cannot_be_had_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_args: object, **_options: object) -> None:
        raise OSError("no route to the hub")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(UsageError, match=r"with its weights: no route.*set model\.weights"):
        make_backbone("resnet18", pretrained=True)
    with pytest.raises(UsageError, match="'compact' is not a timm network"):
        make_backbone("compact", pretrained=True)


def test_timms_weights_are_asked_for_by_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def record(make: Callable[..., object]) -> Callable[..., object]:
        def wrapped(name: str, *, pretrained: bool, **options: object) -> object:
            asked.append(pretrained)
            return make(name, pretrained=False, **options)

        return wrapped

    import timm  # noqa: PLC0415 - patched here only

    monkeypatch.setattr("timm.create_model", record(timm.create_model))
    section = ModelSection(backbone="resnet10t", weights="timm")
    assert make_classifier(section, LABELS, seed=0).weights == "timm"
    make_classifier(section, LABELS, seed=0, initial=False)
    assert asked == [True, False]


def test_a_network_survives_saving(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - used here only

    classifier = make("squeezenet1_1", "mlp")
    save_file(classifier.state_dict(), tmp_path / "w.safetensors")
    section = ModelSection(backbone="squeezenet1_1", head="mlp", hidden=16)
    other = make_classifier(section, LABELS, seed=9).classifier.eval()
    other.load_state_dict(load_file(tmp_path / "w.safetensors"))
    with torch.no_grad():
        assert torch.equal(other(films(64)), classifier(films(64)))
