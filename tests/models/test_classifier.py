"""Making classifiers: names, sizes, weights, normalisation; test_networks.py has the contract."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fixtures.refuses import refuses
from pulmo.core.sections import ModelSection
from pulmo.models import published
from pulmo.models.backbone import make_backbone
from pulmo.models.classifier import Classifier, make_classifier

LABELS = ("covid", "viral", "normal")


def make(backbone: str, head: str = "linear") -> Classifier:
    section = ModelSection.model_validate({"backbone": backbone, "head": head})
    return make_classifier(section, LABELS, seed=0).classifier.eval()


def images(side: int, count: int = 2) -> Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))


def test_the_same_seed_gives_the_same_weights_and_leaves_the_processs_generator() -> None:
    before = torch.random.get_rng_state()
    one, two = make("compact").state_dict(), make("compact").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_normalisation_is_inside() -> None:
    section = ModelSection(backbone="compact", mean=0.5, std=0.25)
    shifted = make_classifier(section, LABELS, seed=0).classifier.eval()
    plain = make_classifier(
        section.model_copy(update={"mean": 0.0, "std": 1.0}), LABELS, seed=0
    ).classifier.eval()
    with torch.no_grad():
        assert torch.allclose(shifted(images(64)), plain((images(64) - 0.5) / 0.25), atol=1e-6)


def test_an_unknown_network_is_named_with_its_neighbours() -> None:
    with refuses("backbone-unknown", "'resnet3'", "compact", "Near it", "resnet3"):
        make_backbone("resnet3")
    with refuses("backbone-unknown"):
        make_backbone("zzzzzzzz")


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("ResNet-34", "resnet34"),
        ("mobilenet_v2", "mobilenetv2_100"),
        ("inceptionresnetv2", "inception_resnet_v2"),
        ("NASNetLarge", "nasnetalarge"),
        ("MiniVGGNet", "mini-vggnet"),
        ("Xception", "legacy_xception"),
    ],
)
def test_other_spellings_lead_to_the_name(typed: str, near: str) -> None:
    with refuses("backbone-unknown", near):
        make_backbone(typed)


def test_a_name_that_timm_has_changed_is_given_anew() -> None:
    with refuses("backbone-renamed", "'xception'", "'legacy_xception'"):
        make_backbone("xception")


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "efficientvim_m1"])
def test_a_network_without_feature_maps_is_refused(name: str) -> None:
    with refuses("backbone-without-feature-maps", name):
        make(name)


def test_a_network_that_does_not_take_the_size_is_a_sentence() -> None:
    section = ModelSection(backbone="vit_tiny_patch16_224")
    with refuses("image-size-unsuitable", "64"):
        make_classifier(section, LABELS, seed=0, size=64)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("maxvit_pico_rw_256", "must be divisible by window (8)"),
        ("halonet_h1", "not say why"),
    ],
)
def test_a_network_may_not_say_why(name: str, reason: str) -> None:
    with refuses("image-size-unsuitable", reason):
        make(name)


def test_weights_that_cannot_be_had_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_args: object, **_options: object) -> None:
        raise OSError("no route to the hub")

    monkeypatch.setattr(published, "_unreachable", lambda _: "")
    monkeypatch.setattr("timm.create_model", offline)
    with refuses("weights-unavailable", "no route to the hub"):
        make_backbone("resnet18", pretrained=True)
    with refuses("published-weights-unknown", "'compact'"):
        make_backbone("compact", pretrained=True)


def test_timms_weights_are_asked_for_by_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def record(make: Callable[..., object]) -> Callable[..., object]:
        def wrapped(name: str, *, pretrained: bool, **options: object) -> object:
            asked.append(pretrained)
            return make(name, pretrained=False, **options)

        return wrapped

    import timm  # noqa: PLC0415 - patched here only

    monkeypatch.setattr(published, "_unreachable", lambda _: "")
    monkeypatch.setattr("timm.create_model", record(timm.create_model))
    section = ModelSection(backbone="resnet10t", weights="timm")
    assert make_classifier(section, LABELS, seed=0).weights == "timm"
    make_classifier(section, LABELS, seed=0, initial=False)
    assert asked == [True, False]
    # Trained by Google on values less 0.5, by 0.5.
    other = ModelSection(backbone="legacy_xception", weights="timm")
    with refuses("normalisation-differs", "0.5"):
        make_classifier(other, LABELS, seed=0)
    for wanted in ({"mean": 0.5, "std": 0.5}, {"mean": 0.0, "std": 1.0}):
        said = other.model_copy(update=wanted)
        assert make_classifier(said, LABELS, seed=0).weights == "timm"
