import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW

from pulmo.core.sections import ModelSection
from pulmo.core.training import StageSection, TrainSection
from pulmo.models.backbone import make_backbone
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.train.optimise import make_optimiser, set_rate, use_bfloat16
from pulmo.train.optimisers import OPTIMISERS
from pulmo.train.optimisers.sgd import SgdChoice


@pytest.fixture(scope="module")
def network() -> Classifier:
    return make_classifier(ModelSection(backbone="compact"), ("covid", "normal"), 0).classifier


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", AdamW), ("adam", Adam), ("amsgrad", Adam), ("sgd", SGD)]
)
def test_the_recipe_names_the_optimiser(name: str, kind: type, network: Classifier) -> None:
    section = TrainSection.model_validate({"optimiser": name, "weight_decay": 0.1})
    optimiser = make_optimiser(network, section, section)
    assert type(optimiser) is kind
    decayed, free = optimiser.param_groups
    assert all(p.ndim > 1 for p in decayed["params"])
    assert all(p.ndim == 1 for p in free["params"])
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert decayed.get("amsgrad", False) is (name == "amsgrad")


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_lowers_a_quadratic(name: str) -> None:
    place = nn.Parameter(torch.tensor([3.0, -2.0]))
    groups = [{"params": [place], "weight_decay": 0.0, "lr": 0.05}]
    optimiser = OPTIMISERS[name]().make(groups, 0.05)
    for _ in range(300):
        loss = (place * torch.tensor([1.0, 3.0])).square().sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        optimiser.step()
    assert place.detach().abs().max() < 0.05


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.9, True), (0.0, False)])
def test_momentum_is_nesterovs(momentum: float, nesterov: object, network: Classifier) -> None:
    section = TrainSection(optimiser=SgdChoice(momentum=momentum))
    (first, *_) = make_optimiser(network, section, section).param_groups
    assert (first["momentum"], first["nesterov"]) == (momentum, nesterov)


def test_groups_learn_at_their_own_rates(network: Classifier) -> None:
    stage = StageSection(lr=1e-2, lr_divisors=(10, 5, 5, 2, 1))
    optimiser = make_optimiser(network, TrainSection(), stage)
    set_rate(optimiser, 1e-3)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    rates = {
        names[id(parameter)]: group["lr"]
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    assert rates["backbone.layers.0.0.weight"] == pytest.approx(1e-4)
    assert rates["backbone.layers.1.body.0.weight"] == pytest.approx(2e-4)
    assert rates["head.classify.bias"] == pytest.approx(1e-3)
    assert len(rates) == len(names)


def test_what_never_learns_is_not_in_the_optimiser(network: Classifier) -> None:
    stage = StageSection(trains="head")
    optimiser = make_optimiser(network, TrainSection(), stage)
    held = [p for group in optimiser.param_groups for p in group["params"]]
    assert {id(p) for p in held} == {id(p) for p in network.head.parameters()}


def test_bfloat16_is_for_gpus_and_for_networks_that_gain_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, depthwise = make_backbone("compact"), make_backbone("mobilenetv2_100")
    cpu, auto = torch.device("cpu"), TrainSection()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)  # noqa: ARG005 - torch's name
    assert use_bfloat16(plain, auto, cpu)
    assert not use_bfloat16(depthwise, auto, cpu)
    assert use_bfloat16(depthwise, auto, torch.device("cuda"))
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert not use_bfloat16(plain, auto, cpu)
    assert use_bfloat16(plain, TrainSection(precision="bf16"), cpu)
    assert not use_bfloat16(plain, TrainSection(precision="fp32"), torch.device("cuda"))
