import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import SGD, AdamW
from torch.optim.swa_utils import AveragedModel

from fixtures.refuses import refuses
from pulmo.bundle.card import Epoch
from pulmo.train.checkpoint import (
    Learner,
    Progress,
    load_checkpoint,
    load_weights_of,
    read_progress,
    save_checkpoint,
    save_tensors,
    state,
)

FILL = """
import resource, sys
from pathlib import Path
from torch import nn
from torch.optim import AdamW
from pulmo.train.checkpoint import Learner, Progress, save_checkpoint
network = nn.Linear(100, 100)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
progress = Progress(recipe_sha256="a", manifest_sha256="b", weights="none")
save_checkpoint(Path(sys.argv[1]), Learner(network, AdamW(network.parameters())), progress)
"""


def learner(kind: type[AdamW | SGD], steps: int) -> Learner:
    """A network of channels-last convolutions, and the mean of its weights, after some steps."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network.to(memory_format=torch.channels_last)
    weights = network.parameters()
    optimiser = SGD(weights, lr=0.1, momentum=0.9) if kind is SGD else AdamW(weights, lr=0.1)
    made = Learner(network, optimiser, AveragedModel(network, use_buffers=True))
    step(made, range(steps))
    return made


def step(made: Learner, seeds: range) -> None:
    assert made.average is not None
    for seed in seeds:
        images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
        made.optimiser.zero_grad()
        made.network(images).square().sum().backward()
        made.optimiser.step()
        made.average.update_parameters(made.network)


def progress() -> Progress:
    epoch = Epoch(
        epoch=1,
        lr=0.1,
        train_loss=1 / 3,
        val_loss=0.1,
        val_accuracy=0.5,
        val_balanced_accuracy=0.5,
        seconds=1.0,
        images_per_second=3.0,
    )
    return Progress(
        recipe_sha256="a",
        manifest_sha256="b",
        weights="none",
        epoch=1,
        step=3,
        loss_sum=2 / 3,
        seen=24,
        best_epoch=1,
        history=[epoch],
    )


@pytest.mark.parametrize("kind", [AdamW, SGD])
def test_a_restored_run_steps_on_bit_by_bit(kind: type[AdamW | SGD], tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    made = learner(kind, 3)
    save_checkpoint(path, made, progress())
    step(made, range(3, 9))
    other = learner(kind, 0)
    load_checkpoint(path, other)
    assert read_progress(path, Progress) == progress()
    step(other, range(3, 9))
    for mine, its in ((made.network, other.network), (made.average, other.average)):
        assert mine is not None
        assert its is not None
        expected = mine.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in its.state_dict().items())


def test_weights_alone_come_back(tmp_path: Path) -> None:
    network = learner(AdamW, 2).network
    save_tensors(tmp_path / "best.safetensors", state(network))
    other = learner(AdamW, 0).network
    load_weights_of(tmp_path / "best.safetensors", other)
    expected = network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in other.state_dict().items())
    with refuses("checkpoint-invalid"):
        load_weights_of(tmp_path / "best.safetensors", nn.Linear(2, 2))


def test_a_full_disk_keeps_the_previous_checkpoint(
    tmp_path: Path, unmeasured: dict[str, str]
) -> None:
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, learner(AdamW, 1), progress())
    before = path.read_bytes()
    result = subprocess.run(
        [sys.executable, "-c", FILL, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=unmeasured,
    )
    assert "could not be written" in result.stderr
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_what_is_no_checkpoint_of_the_network_is_refused(tmp_path: Path) -> None:
    made = learner(AdamW, 1)
    with refuses("checkpoint-missing"):
        load_checkpoint(tmp_path / "none", made)
    (tmp_path / "text").write_text("text")
    with refuses("checkpoint-invalid"):
        read_progress(tmp_path / "text", Progress)
    save_file({"model.x": torch.zeros(1)}, tmp_path / "other")
    with refuses("checkpoint-invalid"):
        read_progress(tmp_path / "other", Progress)
    with refuses("checkpoint-invalid"):
        load_checkpoint(tmp_path / "other", made)
    save_checkpoint(tmp_path / "mine", made, progress())
    linear = nn.Linear(2, 2)
    with refuses("checkpoint-invalid"):
        load_checkpoint(tmp_path / "mine", Learner(linear, AdamW(linear.parameters())))
