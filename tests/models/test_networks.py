"""The contract of every network: pulmo's own, and those of timm that the recipes name."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pulmo.bundle.card import Card, read_card
from pulmo.bundle.export import ExportWrapper, to_onnx
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import RunFolder
from pulmo.core.sections import ModelSection
from pulmo.models.backbone import BACKBONES
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.models.layers import layer_groups, unfreeze

LABELS = ("covid", "bacterial", "viral", "normal")
TIMM = (
    "resnet18",
    "resnet34",
    "resnet50",
    "vgg16",
    "densenet121",
    "legacy_xception",
    "nasnetalarge",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenetv2_100",
    "mobilenetv3_large_100",
    "efficientnet_b0",
    "convnext_tiny",
    # Divided into layer groups by its children, for timm does not divide it.
    "poolformer_s12",
    # Refuses timm's switch for having no pooling.
    "inception_next_atto",
)
OWN_HEADS: dict[str, Any] = {
    "capstone-baseline": "flatten",
    "mini-vggnet": {"name": "flatten-mlp", "hidden": 32},
}
SIZES = {"inception_v3": (80, 112), "inception_resnet_v2": (80, 112)}

# An export takes seconds for each ten layers. So these alone are exported, which have the operators
# of all others,
EXPORTED = (
    "capstone-baseline",
    "compact",
    "mini-vggnet",
    "squeezenet1_0",
    "resnet18",
    "nasnetalarge",
    "inception_v3",
    "mobilenetv2_100",
    "mobilenetv3_large_100",
    "efficientnet_b0",
    "convnext_tiny",
)
# without layers that repeat others of theirs.
REPEATED = {
    "nasnetalarge": r"cell_([1-57-9]|1[014-7])|cell_(6|12|13)\.comb_iter_\d_\w+",
    "inception_v3": r"Mixed_(5d|6[cde]|7c)",
    "mobilenetv2_100": r"blocks\.\d\.[1-9]",
    "mobilenetv3_large_100": r"blocks\.\d\.[1-9]",
    "efficientnet_b0": r"blocks\.\d\.[1-9]",
    "convnext_tiny": r"stages\.\d\.blocks\.[1-9]",
}
# Named by no recipe.
RARE = {"poolformer_s12", "inception_next_atto"}
# Of the largest, all layers with fewer maps.
NARROW: dict[str, dict[str, Any]] = {
    "nasnetalarge": {"num_features": 192, "stem_size": 8},
}


class Case(NamedTuple):
    name: str
    section: ModelSection
    sizes: tuple[int, int]
    network: Classifier


def make_section(name: str) -> ModelSection:
    head = OWN_HEADS.get(name, "linear")
    return ModelSection.model_validate({"backbone": name, "head": head})


def make(section: ModelSection, size: int, seed: int = 0) -> Classifier:
    return make_classifier(section, LABELS, seed, size=size).classifier.eval()


create = timm.create_model


def narrow(name: str, **options: Any) -> nn.Module:  # noqa: ANN401 - timm's
    """Makes a network of timm, the largest with fewer maps."""
    network: nn.Module = create(name, **options, **NARROW.get(name, {}))
    return network


@pytest.fixture(scope="module", autouse=True)
def _narrow() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("timm.create_model", narrow)
        yield


@pytest.fixture(
    scope="module",
    # One worker makes a network, for all tests of it.
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in [*BACKBONES, *TIMM]
    ],
)
def case(request: pytest.FixtureRequest) -> Case:
    name = request.param
    section = make_section(name)
    sizes = SIZES.get(name, (64, 96))
    return Case(name, section, sizes, make(section, sizes[0]))


def images(side: int, count: int = 2) -> Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))


def assert_near(found: Tensor, expected: Tensor, within: float = 1e-4) -> None:
    """An untrained network's values may all be tiny, so they are measured by the largest."""
    top = float(expected.detach().abs().max())
    assert top > 0
    assert float((found - expected).detach().abs().max()) <= within * top


def test_it_gives_logits_and_maps_at_two_sizes(case: Case) -> None:
    small, large = case.sizes
    flat = case.section.head.name.startswith("flatten")
    for side, network in (
        (small, case.network),
        (large, make(case.section, large) if flat else case.network),
    ):
        with torch.no_grad():
            maps = network.features(images(side))
            logits, activation = network.explain(images(side))
            assert torch.equal(logits, network(images(side)))
        assert logits.shape == (2, len(LABELS))
        assert logits.isfinite().all()
        assert not torch.equal(logits[0], logits[1])
        assert activation.shape == (2, len(LABELS), *maps.shape[2:])


def test_it_survives_saving(case: Case) -> None:
    other = make(case.section, case.sizes[0], seed=9)
    other.load_state_dict(load(save(case.network.state_dict())))
    with torch.no_grad():
        assert torch.equal(other(images(case.sizes[0])), case.network(images(case.sizes[0])))


def test_its_maps_are_gradient_times_map(case: Case) -> None:
    """Against autograd; and a map's mean is what the features add to the logit."""
    network = case.network
    maps = network.features(images(case.sizes[0])).detach().requires_grad_()
    logits, activation = network.head(maps), network.head.activation(maps)
    positions = maps.shape[2] * maps.shape[3]
    for number in range(len(LABELS)):
        (gradient,) = torch.autograd.grad(logits[:, number].sum(), maps, retain_graph=True)
        if not case.section.head.name.startswith("flatten"):
            gradient = gradient.mean(dim=(2, 3), keepdim=True)
        expected = (gradient * maps).sum(dim=1) * positions
        assert_near(activation[:, number], expected)
    if case.section.head.name != "flatten-mlp":
        weight = network.head.get_parameter("classify.weight")
        assert_near(activation.mean(dim=(2, 3)), network.head.pool(maps) @ weight.T)


def test_its_layer_groups_are_its_parameters_from_stem_to_head(case: Case) -> None:
    groups = layer_groups(case.network)
    names = [name for group in groups for name in group]
    assert sorted(names) == sorted(name for name, _ in case.network.named_parameters())
    assert all(groups)
    assert len(groups) >= 3
    owner = {
        name.rpartition(".")[0]: number for number, group in enumerate(groups) for name in group
    }
    used: list[int] = []
    hooks = [
        case.network.get_submodule(module).register_forward_hook(
            lambda *_, number=number: used.append(number)
        )
        for module, number in owner.items()
    ]
    with torch.no_grad():
        case.network(images(case.sizes[0]))
    for hook in hooks:
        hook.remove()
    assert used == sorted(used)
    assert set(used) == set(range(len(groups)))


@pytest.mark.parametrize("share", [0.5, 1.0], ids=["half", "all"])
def test_what_is_frozen_stays_and_what_learns_moves(case: Case, share: float) -> None:
    network, groups = case.network, layer_groups(case.network)
    begin = round((1 - share) * len(groups))
    learns = {name for group in groups[begin:] for name in group}
    unfreeze(network, learns)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    step(network, case.sizes[0])
    frozen_modules = {name.rpartition(".")[0] for g in groups[:begin] for name in g}
    for name, value in network.state_dict().items():
        same = torch.equal(value, before[name])
        if name in learns:
            # Weights decay as well; a bias that begins at zero may have no gradient.
            assert value.ndim == 1 or not same, name
        elif name.rpartition(".")[0] in frozen_modules:
            assert same, name
        else:
            assert not same, name  # the statistics of a normalisation that learns
    network.load_state_dict(before)
    network.eval()


def step(network: Classifier, size: int) -> None:
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(learning, lr=0.1, weight_decay=0.1)
    loss = nn.functional.cross_entropy(network(images(size)), torch.tensor([0, 1]))
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    assert all(parameter.grad is not None for parameter in learning)
    optimiser.step()
    network.zero_grad()


class First(nn.Module):
    """Gives the first of its inputs."""

    def forward(self, maps: Tensor, *_others: Tensor) -> Tensor:
        return maps


@pytest.fixture(scope="module")
def card(run: RunFolder) -> Card:
    return read_card(run.card).model_copy(update={"files": {}})


@pytest.mark.parametrize("name", EXPORTED)
def test_its_export_equals_torch(name: str, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timm.create_model", shallow)
    size = SIZES.get(name, (64, 96))[0]
    network = make(make_section(name), size)
    card = card.model_copy(update={"input": card.input.model_copy(update={"size": size})})
    in_place = [layer for layer in network.modules() if getattr(layer, "inplace", False)]
    predictor = Predictor(to_onnx(network, card), name, threads=1)
    assert all(layer.inplace for layer in in_place)  # it is left as it was
    inputs = np.random.default_rng(1).integers(0, 256, (3, size, size), dtype=np.uint8)
    with torch.no_grad():
        logits, activation = network.explain(torch.from_numpy(inputs[:, None]).float() / 255)
    outputs = predictor.run(inputs)
    assert_near(torch.from_numpy(outputs.logits), logits)
    assert_near(torch.from_numpy(outputs.activation), activation)


def test_the_operators_of_all_networks_are_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    used = {name: operators(name) for name in {*BACKBONES, *TIMM} - RARE}
    monkeypatch.setattr("timm.create_model", shallow)
    less = {name: operators(name) for name in REPEATED}
    exported = set().union(*({**used, **less}[name] for name in EXPORTED))
    assert {name: missing for name in used if (missing := used[name] - exported)} == {}


def shallow(name: str, **options: Any) -> nn.Module:  # noqa: ANN401 - timm's
    """Makes a network of timm without the layers that repeat others."""
    network = narrow(name, **options)
    for module, _ in list(network.named_modules()):
        if re.fullmatch(REPEATED.get(name, "-"), module):
            network.set_submodule(module, First())
    return network


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it untyped
    """Writes down which operators are used, and the kind of each of their values."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.found: set[tuple[str, ...]] = set()

    def __torch_dispatch__(
        self,
        operator: Any,  # noqa: ANN401 - an OpOverload
        types: Any,  # noqa: ANN401 - torch passes them
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - what the operator gives
        shaped = not re.search("conv|pool|norm|pad", str(operator))
        values = [value for value in args if isinstance(value, bool) or not shaped]
        self.found.add((str(operator), *map(kind, values)))
        return operator(*args, **(kwargs or {}))


def kind(value: Any) -> str:  # noqa: ANN401 - of an operator
    """Returns a value of an operator in so far as its export depends on it."""
    match value:
        case bool() | None:
            return str(value)
        case [int(), *_]:
            same = "even" if len(set(value)) == 1 else "uneven"
            return f"{same} {np.sign(min(value))}{'' if max(value) > 1 else max(value)}"
        case int():
            return "one" if value == 1 else "many"
        case _:
            return type(value).__name__


def operators(name: str) -> set[tuple[str, ...]]:
    """Returns the operators of a network, which is without values, for these take long to draw."""
    size = SIZES.get(name, (64, 96))[0]
    with torch.device("meta"), torch.no_grad():
        network = ExportWrapper(make(make_section(name), size))
        with Operators() as used:
            network(torch.zeros(2, 1, size, size, dtype=torch.uint8))
    found: set[tuple[str, ...]] = used.found
    return found
