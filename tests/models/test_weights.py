"""Torchvision's names against torchvision's own networks, and files that do not fit."""

import re
from functools import partial
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fixtures.refuses import refuses
from pulmo.core.files import sha256
from pulmo.core.sections import ModelSection
from pulmo.models.backbone import make_backbone
from pulmo.models.classifier import make_classifier
from pulmo.models.weights import load_weights

LABELS = ("covid", "normal")
REAL = Path(__file__).parents[3] / "shared" / "weights"
NETWORKS = {
    "mobilenetv2_100": torchvision.models.mobilenet_v2,
    "mobilenetv3_small_100": torchvision.models.mobilenet_v3_small,
    "mobilenetv3_large_100": torchvision.models.mobilenet_v3_large,
    "efficientnet_b0": torchvision.models.efficientnet_b0,
    "squeezenet1_0": torchvision.models.squeezenet1_0,
    "squeezenet1_1": torchvision.models.squeezenet1_1,
    "resnet18": torchvision.models.resnet18,
    "resnet34": torchvision.models.resnet34,
    "resnet50": torchvision.models.resnet50,
    "vgg16": torchvision.models.vgg16,
    "densenet121": torchvision.models.densenet121,
    "convnext_tiny": torchvision.models.convnext_tiny,
    "inception_v3": partial(
        torchvision.models.inception_v3, init_weights=False, transform_input=False
    ),
}


def torchvision_features(network: nn.Module, images: Tensor) -> Tensor:
    """What a torchvision network gives before its pooling."""
    given: list[Tensor] = []
    pooling = next(
        module
        for name, module in network.named_children()
        if name in ("avgpool", "features") or isinstance(module, nn.AdaptiveAvgPool2d)
    )
    if isinstance(pooling, nn.AdaptiveAvgPool2d):
        pooling.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        network(images)
    else:
        given.append(pooling(images))
    # DenseNet's last ReLU is not among its features.
    return given[0].relu() if "DenseNet" in type(network).__name__ else given[0]


def disturbed(network: nn.Module) -> nn.Module:
    """A network whose statistics and scales are not the trivial ones of a new network."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        drawn = torch.rand(tensor.shape, generator=generator)
        if name.endswith("running_mean"):
            tensor.copy_(drawn * 0.2 - 0.1)
        elif name.endswith(("running_var", "layer_scale")):
            tensor.copy_(drawn + 0.5)
    return network.eval()


def without_bulk(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state whose classifier has the names and little else: VGG's would fill half a gigabyte."""
    return {
        name: torch.zeros(1) if name.startswith(("classifier.", "pre_logits.")) else tensor
        for name, tensor in state.items()
    }


def assert_same(backbone: nn.Module, network: nn.Module) -> None:
    image = torch.randn(2, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = backbone.eval()(image)
        theirs = torchvision_features(network, image.repeat(1, 3, 1, 1))
    assert float(theirs.std()) > 0
    assert float((ours - theirs).abs().max()) <= 1e-5 * float(theirs.abs().max())


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvisions_weights_give_torchvisions_features(name: str, tmp_path: Path) -> None:
    network = disturbed(NETWORKS[name](weights=None))
    save_file(without_bulk(network.state_dict()), tmp_path / "w.safetensors")
    backbone = make_backbone(name)
    origin = load_weights(backbone, tmp_path / "w.safetensors")
    assert origin == f"w.safetensors, SHA-256 {sha256((tmp_path / 'w.safetensors').read_bytes())}"
    assert_same(backbone, network)


def test_the_densenet_file_of_2017_has_other_names(tmp_path: Path) -> None:
    network = disturbed(torchvision.models.densenet121(weights=None))
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", name): tensor
        for name, tensor in network.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    save_file(old, tmp_path / "w.safetensors")
    backbone = make_backbone("densenet121")
    load_weights(backbone, tmp_path / "w.safetensors")
    assert_same(backbone, network)


@pytest.mark.parametrize("part", ["features.5.", "features.16."])
def test_a_partial_file_in_torchvisions_names_lands_where_it_belongs(
    part: str, tmp_path: Path
) -> None:
    network = disturbed(torchvision.models.mobilenet_v3_large(weights=None))
    state = network.state_dict()
    kept = {k: v for k, v in state.items() if k.startswith(part)}
    save_file(kept, tmp_path / "part.safetensors")
    save_file(state, tmp_path / "whole.safetensors")
    some, whole = make_backbone("mobilenetv3_large_100"), make_backbone("mobilenetv3_large_100")
    load_weights(some, tmp_path / "part.safetensors", partial=True)
    load_weights(whole, tmp_path / "whole.safetensors")
    expected, random = whole.state_dict(), make_backbone("mobilenetv3_large_100").state_dict()
    agree = [
        name
        for name, value in some.state_dict().items()
        if torch.equal(value, expected[name]) and not torch.equal(value, random[name])
    ]
    prefix = {"features.5.": "layers.blocks.2.1.", "features.16.": "layers.blocks.6.0."}[part]
    assert agree
    assert all(name.startswith(prefix) for name in agree)


@pytest.mark.parametrize(
    ("network", "name"),
    [("efficientnet_b5", "efficientnet_b5"), ("efficientnet_v2_s", "tf_efficientnetv2_s")],
)
def test_networks_that_normalise_otherwise_are_not_mistaken(
    network: str, name: str, tmp_path: Path
) -> None:
    with torch.device("meta"):
        names = getattr(torchvision.models, network)(weights=None).state_dict()
    empty = {k: torch.zeros(v.shape, dtype=v.dtype) for k, v in names.items()}
    save_file(empty, tmp_path / "w.safetensors")
    with refuses("weights-of-other-network"):
        load_weights(make_backbone(name), tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("vgg11", "pre_logits.fc1.weight"),
        ("lcnet_050", "conv_head.weight"),
        ("convnext_atto", "head.norm.weight"),
    ],
)
def test_timms_files_may_hold_what_the_features_do_not_need(
    name: str, part: str, tmp_path: Path
) -> None:
    state = timm.create_model(name, in_chans=3).state_dict()
    assert part in state
    save_file(without_bulk(state), tmp_path / "w.safetensors")
    assert "random" not in load_weights(make_backbone(name), tmp_path / "w.safetensors")


@pytest.mark.parametrize("name", ["ghostnet_050", "mixnet_s", "mobilenetv4_conv_small_035"])
def test_other_networks_with_a_stem_of_that_name_load_their_own(name: str, tmp_path: Path) -> None:
    backbone = make_backbone(name)
    save_file(backbone.layers.state_dict(), tmp_path / "w.safetensors")
    assert "random" not in load_weights(make_backbone(name), tmp_path / "w.safetensors")


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real weights are not next to the project")
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mobilenetv2_100", "mobilenet_v2.imagenet.features"),
        ("squeezenet1_0", "squeezenet1_0.imagenet"),
        ("squeezenet1_1", "squeezenet1_1.imagenet"),
    ],
)
def test_the_real_files_give_torchvisions_features(name: str, file: str) -> None:
    path = REAL / f"{file}.safetensors"
    network = NETWORKS[name](weights=None)
    network.load_state_dict(load_file(path), strict=False)
    backbone = make_backbone(name)
    load_weights(backbone, path)
    assert_same(backbone, network.eval())


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real weights are not next to the project")
@pytest.mark.parametrize(
    ("name", "file", "needs", "without"),
    [
        ("mobilenetv2_100", "mobilenet_v2.imagenet.features", {}, ""),
        ("squeezenet1_0", "squeezenet1_0.imagenet", {}, ""),
        ("squeezenet1_1", "squeezenet1_1.imagenet", {}, ""),
        (
            "resnet18",
            "resnet18.imagenet.to_layer3",
            {"weights_partial": True},
            "weights-of-other-network",
        ),
        (
            "tf_efficientnet_lite0",
            "tf_efficientnet_lite0.imagenet",
            {"mean": 0.5, "std": 0.5},
            "normalisation-differs",
        ),
    ],
)
def test_a_recipe_starts_from_each_real_file(
    name: str, file: str, needs: dict[str, float], without: str
) -> None:
    section = ModelSection(backbone=name, weights=str(REAL / f"{file}.safetensors"))
    if needs:
        with refuses(without):
            make_classifier(section, LABELS, seed=0)
    made = make_classifier(section.model_copy(update=needs), LABELS, seed=0)
    assert made.weights.startswith(file)
    assert "not stated" not in made.weights
    assert ("random" in made.weights) is ("weights_partial" in needs)


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real weights are not next to the project")
def test_the_real_file_of_timm_gives_timms_features() -> None:
    name, path = "tf_efficientnet_lite0", REAL / "tf_efficientnet_lite0.imagenet.safetensors"
    network = timm.create_model(name, num_classes=0)
    network.load_state_dict(load_file(path), strict=False)
    backbone = make_backbone(name)
    load_weights(backbone, path)
    image = torch.randn(2, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected: Tensor = network.eval().forward_features(image.repeat(1, 3, 1, 1))  # type: ignore[operator] # mypy takes a method for a tensor
        found = backbone.eval()(image)
    assert float(expected.std()) > 0
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


def test_timms_own_names_are_taken_as_they_are(tmp_path: Path) -> None:
    backbone = make_backbone("resnet10t")
    save_file(backbone.layers.state_dict(), tmp_path / "w.safetensors")
    other = make_backbone("resnet10t")
    load_weights(other, tmp_path / "w.safetensors")
    expected = backbone.layers.state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in other.layers.state_dict().items())


@pytest.mark.parametrize("name", ["densenet121", "convnext_atto", "convnextv2_atto"])
def test_names_that_look_like_others_parts_are_the_networks_own(name: str, tmp_path: Path) -> None:
    backbone = make_backbone(name)
    save_file(backbone.layers.state_dict(), tmp_path / "w.safetensors")
    other = make_backbone(name)
    load_weights(other, tmp_path / "w.safetensors")
    expected = backbone.layers.state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in other.layers.state_dict().items())


def test_an_older_file_without_counters_is_whole(tmp_path: Path) -> None:
    state = NETWORKS["resnet18"](weights=None).state_dict()
    kept = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    save_file(kept, tmp_path / "w.safetensors")
    assert "random" not in load_weights(make_backbone("resnet18"), tmp_path / "w.safetensors")


def test_a_partial_file_must_be_wanted(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state = NETWORKS["resnet18"](weights=None).state_dict()
    save_file({k: v for k, v in state.items() if not k.startswith("layer4")}, path)
    with refuses("weights-of-other-network", "25", "(layer4"):
        load_weights(make_backbone("resnet18"), path)
    origin = load_weights(make_backbone("resnet18"), path, partial=True)
    assert origin.endswith(", 25 tensors start at random")


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(NETWORKS["squeezenet1_1"](weights=None).state_dict(), path)
    for part in (False, True):
        with refuses("weights-of-other-network", "50"):
            load_weights(make_backbone("mobilenetv2_100"), path, partial=part)
    with refuses("weights-shape-differs", "[8, 16, 3, 3]"):
        load_weights(make_backbone("squeezenet1_0"), _wide(path))


def _wide(path: Path) -> Path:
    """A file with squeezenet1_0's names and one tensor of another size."""
    state = NETWORKS["squeezenet1_0"](weights=None).state_dict()
    name = "features.3.expand3x3.weight"
    save_file(state | {name: torch.zeros(8, *state[name].shape[1:])}, path)
    return path


def test_unknown_mobilenet_names_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state = NETWORKS["mobilenetv2_100"](weights=None).state_dict()
    extra = {
        "features.5.conv.9.weight": torch.zeros(1),
        "features.30.conv.2.weight": torch.zeros(1),
    }
    save_file(state | extra, path)
    with refuses("weights-of-other-network", "2"):
        load_weights(make_backbone("mobilenetv2_100"), path)


def test_a_recipe_names_file_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(NETWORKS["squeezenet1_1"](weights=None).state_dict(), path)
    section = ModelSection(backbone="squeezenet1_1", weights=str(path), weights_sha256="0" * 64)
    with refuses(
        "weights-hash-differs", "0000000000000000000000000000000000000000000000000000000000000000"
    ):
        make_classifier(section, ("covid", "normal"), seed=0)
    right = section.model_copy(update={"weights_sha256": sha256(path.read_bytes())})
    assert make_classifier(right, ("covid", "normal"), seed=0).weights.startswith("w.safetensors")


@pytest.mark.parametrize("stated", ["0.5", "[0.5, 0.5, 0.5]", "[0.4, 0.6]"])
def test_a_file_brings_its_normalisation(stated: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    for name in ("resnet10t", "compact"):
        state = make_backbone(name).layers.state_dict()
        save_file(state, path, {"mean": stated, "std": stated})
        section = ModelSection(backbone=name, weights=str(path))
        with refuses("normalisation-differs", "model.mean=0.5", "model.std=0.5"):
            make_classifier(section, LABELS, seed=0)
        # As a recipe that was written with all its defaults and read again.
        again = ModelSection.model_validate(section.model_dump())
        with refuses("normalisation-differs"):
            make_classifier(again, LABELS, seed=0)
        right = section.model_copy(update={"mean": 0.5, "std": 0.5})
        assert make_classifier(right, LABELS, seed=0).classifier.mean == 0.5
        make_classifier(section, LABELS, seed=0, initial=False)


def test_a_file_that_states_nothing_is_as_the_published_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state = timm.create_model("tf_efficientnet_lite0", in_chans=3).state_dict()
    save_file(state, path)
    section = ModelSection(backbone="tf_efficientnet_lite0", weights=str(path))
    with refuses("normalisation-differs", "model.mean=0.5", "model.std=0.5"):
        make_classifier(section, LABELS, seed=0)
    save_file(state, path, {"mean": "[0.485, 0.456, 0.406]", "std": "[0.229, 0.224, 0.225]"})
    assert "not stated" not in make_classifier(section, LABELS, seed=0).weights
    save_file(make_backbone("compact").layers.state_dict(), path)
    unknown = ModelSection(backbone="compact", weights=str(path))
    assert make_classifier(unknown, LABELS, seed=0).weights.endswith(
        "the normalisation that it expects is not stated"
    )


@pytest.mark.parametrize(
    "stated",
    [
        {"mean": "0.5"},
        {"mean": "half", "std": "1"},
        {"mean": "0.5", "std": "0"},
        {"mean": "NaN", "std": "1"},
        {"mean": "{}", "std": "1"},
        {"mean": "[]", "std": "1"},
    ],
)
def test_a_normalisation_that_is_none_is_refused(stated: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(make_backbone("compact").layers.state_dict(), path, stated)
    with refuses("weights-normalisation-invalid", path):
        load_weights(make_backbone("compact"), path)


def test_a_missing_or_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    with refuses("file-missing"):
        load_weights(make_backbone("compact"), tmp_path / "none")
    (tmp_path / "w").write_text("text")
    with refuses("safetensors-invalid"):
        load_weights(make_backbone("compact"), tmp_path / "w")
