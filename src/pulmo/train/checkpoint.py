"""Checkpoints: weights, optimiser and progress in one safetensors file, and when one is written."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import torch
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from pulmo.bundle.card import Epoch
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically
from pulmo.core.folders import RunFolder

_SECONDS_APART: Final = 10.0
"""Seconds between two checkpoints at the ends of epochs.

On the features of a frozen base an epoch takes a fraction of the time that its files take.
"""

_MODEL, _AVERAGE, _OPTIMISER, _PROGRESS = "model.", "average.", "optimiser.", "progress"


class Progress(BaseModel):
    """How far a run has come; with the weights and the optimiser it decides all that follows.

    Attributes:
        recipe_sha256: the recipe of the run.
        manifest_sha256: the images of the run.
        weights: where the initial weights came from.
        stage: the stage under way, from 0.
        stage_epoch: the epoch of that stage under way, from 0.
        epoch: the epoch of the run under way, from 0.
        step: steps done in it.
        loss_sum: sum of the training loss over the images seen in it.
        seen: images seen in it.
        right: images of those that were classified correctly when they were seen.
        seconds: time spent in it.
        best_epoch: the best epoch so far (`pulmo.train.criterion`), from 1; 0 before the first.
        history: the finished epochs.
    """

    recipe_sha256: str
    manifest_sha256: str
    weights: str
    stage: int = 0
    stage_epoch: int = 0
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    right: float = 0.0
    seconds: float = 0.0
    best_epoch: int = 0
    history: list[Epoch] = []


AnyProgress = TypeVar("AnyProgress", bound=BaseModel)


class Learner(NamedTuple):
    """What a step changes: a network, its optimiser, and the average of its weights, if any."""

    network: nn.Module
    optimiser: Optimizer
    average: AveragedModel | None = None

    @property
    def validated(self) -> nn.Module:
        """The network that is validated and kept: the average once it has begun, else its own."""
        average = self.average
        if average is None or not average.n_averaged:
            return self.network
        return average.module


def save_checkpoint(path: Path, learner: Learner, progress: BaseModel) -> None:
    """Writes a checkpoint; the previous one stays whole if that fails.

    Raises:
        InputError: it cannot be written, for example because the disk is full.
    """
    tensors = {_MODEL + name: value for name, value in state(learner.network).items()}
    if learner.average is not None:
        tensors |= {_AVERAGE + name: value for name, value in state(learner.average).items()}
    for number, values in learner.optimiser.state_dict()["state"].items():
        for name, value in values.items():
            tensors[f"{_OPTIMISER}{number}.{name}"] = value.detach().cpu().contiguous()
    data = save(tensors, metadata={_PROGRESS: progress.model_dump_json()})
    write_atomically(path, data)


def read_progress(path: Path, kind: type[AnyProgress]) -> AnyProgress:
    """Returns how far a run had come, in the type that its training keeps.

    Raises:
        InputError: there is no checkpoint, or it is not one.
    """
    with _opened(path) as file:
        return kind.model_validate_json((file.metadata() or {})[_PROGRESS])


def load_checkpoint(path: Path, learner: Learner) -> None:
    """Restores a network, its average and its optimiser.

    Raises:
        InputError: there is no checkpoint, or it is not of this network.
    """
    with _opened(path) as file:
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        learner.network.load_state_dict(_below(tensors, _MODEL))
        if learner.average is not None:
            learner.average.load_state_dict(_below(tensors, _AVERAGE))
        _restore(learner.optimiser, tensors)


def load_weights_of(path: Path, network: nn.Module) -> None:
    """Restores a network's weights alone, out of `save_tensors`' file of its `state`.

    Raises:
        InputError: there is no such file, or it is not of this network.
    """
    with _opened(path) as file:
        network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - not a mapping


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Writes tensors alone, such as a network's `state`.

    Raises:
        InputError: they cannot be written, for example because the disk is full.
    """
    write_atomically(path, save(tensors))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Opens a safetensors file, and names it in whatever goes wrong with its content."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise InputError(
            "checkpoint-missing", f"There is no checkpoint {path} to resume from."
        ) from None
    except (SafetensorError, LookupError, RuntimeError, ValueError) as error:
        raise InputError(
            "checkpoint-invalid", f"{path} is not a checkpoint of this run: {error}."
        ) from error


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Returns the tensors whose names begin with a prefix, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _restore(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Puts the optimiser's tensors back, each laid out as its weight is.

    In another layout a resumed step could take another code path and round differently.
    """
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(_OPTIMISER):
            number, _, key = name.removeprefix(_OPTIMISER).partition(".")
            weight = weights[int(number)]
            like = weight if tensor.shape == weight.shape else tensor
            moments.setdefault(int(number), {})[key] = torch.empty_like(like).copy_(tensor)
    optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})


def state(network: nn.Module) -> dict[str, Tensor]:
    """Returns a network's tensors on the processor, laid out for safetensors."""
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


class CheckpointWriter:
    """Writes the best weights and the last state of a run; in a team its first process alone does.

    What a run has done since its last checkpoint follows from that one, so nothing but time is lost
    with a run that dies. The best weights wait in memory until the state that knows of them is
    written, and go before it: a run that dies between the two files writes the same ones again.
    """

    def __init__(self, folder: RunFolder, *, writes: bool = True) -> None:
        """Keeps checkpoints in `folder`, if this process `writes` at all."""
        self._folder = folder
        self._writes = writes
        self._best: dict[str, Tensor] | None = None
        self._written = -math.inf
        self._behind = False

    def note_epoch(self, learner: Learner, progress: BaseModel, *, improved: bool) -> None:
        """Takes note of the end of an epoch, and writes a checkpoint if one is due.

        Args:
            learner: what the epoch has changed.
            progress: at the start of the next epoch.
            improved: whether the epoch is the best one so far.
        """
        if improved and self._writes:
            self._best = {name: value.clone() for name, value in state(learner.validated).items()}
        self._behind = True
        if time.monotonic() - self._written >= _SECONDS_APART:
            self.write(learner, progress)

    def finish_stage(self, learner: Learner, progress: BaseModel) -> None:
        """Writes what is not written yet: the next stage starts from the best weights' file."""
        if self._behind:
            self.write(learner, progress)

    def write(self, learner: Learner, progress: BaseModel) -> None:
        """Writes a checkpoint.

        Raises:
            InputError: it cannot be written, for example because the disk is full.
        """
        if self._writes:
            if self._best is not None:
                save_tensors(self._folder.best_checkpoint, self._best)
                self._best = None
            save_checkpoint(self._folder.last_checkpoint, learner, progress)
        self._written, self._behind = time.monotonic(), False
