import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import OneCycleLR

from pulmo.core.sections import TrainSection
from pulmo.models.backbone import make_backbone
from pulmo.train.optimise import class_weights, learning_rate, make_optimiser, use_bfloat16


@pytest.mark.parametrize(("total", "warmup"), [(100, 0.25), (37, 0.3), (500, 0.1)])
def test_one_cycle_is_torchs(total: int, warmup: float) -> None:
    section = TrainSection(lr=0.01, warmup=warmup)
    optimiser = SGD(nn.Linear(1, 1).parameters(), lr=0.01)
    scheduler = OneCycleLR(optimiser, 0.01, total_steps=total, pct_start=warmup)
    for step in range(total):
        assert learning_rate(section, step, total) == pytest.approx(scheduler.get_last_lr()[0])
        optimiser.step()
        if step < total - 1:
            scheduler.step()


@pytest.mark.parametrize("total", [1, 2, 3, 4])
def test_one_cycle_of_few_steps_is_a_rate(total: int) -> None:
    for step in range(total):
        assert 0 < learning_rate(TrainSection(lr=0.01), step, total) <= 0.01


def test_a_constant_rate_is_constant() -> None:
    section = TrainSection(lr=0.01, schedule="constant")
    assert {learning_rate(section, step, 9) for step in range(9)} == {0.01}


@pytest.mark.parametrize(("name", "kind"), [("adamw", AdamW), ("adam", Adam), ("sgd", SGD)])
def test_the_recipe_names_the_optimiser(name: str, kind: type) -> None:
    section = TrainSection.model_validate({"optimiser": name, "weight_decay": 0.1})
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    optimiser = make_optimiser(network, section)
    assert type(optimiser) is kind
    decayed, free = optimiser.param_groups
    assert [p.ndim for p in decayed["params"]] == [4]
    assert [p.ndim for p in free["params"]] == [1, 1, 1]
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_balanced_weights_make_every_class_count_the_same() -> None:
    counts = np.array([10, 30, 60])
    weights = class_weights(counts, TrainSection(class_weights="balanced"))
    assert weights is not None
    assert torch.allclose(weights * torch.from_numpy(counts), torch.full((3,), 100 / 3))
    assert class_weights(counts, TrainSection()) is None


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
