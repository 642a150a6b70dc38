"""Checkpoints: weights, optimiser and progress in one safetensors file, whole or absent."""

from pathlib import Path

import torch
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from pulmo.bundle.card import Epoch
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically

_MODEL, _OPTIMISER, _PROGRESS = "model.", "optimiser.", "progress"


class Progress(BaseModel):
    """How far a run has come; with the weights and the optimiser it decides all that follows.

    Attributes:
        recipe_sha256: the recipe of the run.
        manifest_sha256: the pictures of the run.
        weights: where the initial weights came from.
        epoch: the epoch under way, from 0.
        step: steps done in it.
        loss_sum: sum of the training loss over the pictures seen in it.
        seen: pictures seen in it.
        seconds: time spent in it.
        best_loss: the lowest validation loss so far.
        best_epoch: its epoch, from 1; 0 before the first.
        history: the finished epochs.
    """

    recipe_sha256: str
    manifest_sha256: str
    weights: str
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_epoch: int = 0
    history: list[Epoch] = []


def save_checkpoint(
    path: Path, network: nn.Module, optimiser: Optimizer, progress: Progress
) -> None:
    """Writes a checkpoint; the previous one stays whole if that fails.

    Raises:
        InputError: it cannot be written, for example because the disk is full.
    """
    tensors = {_MODEL + name: value for name, value in state(network).items()}
    for number, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            tensors[f"{_OPTIMISER}{number}.{name}"] = value.detach().cpu().contiguous()
    data = save(tensors, metadata={_PROGRESS: progress.model_dump_json()})
    write_atomically(path, data)


def load_checkpoint(path: Path, network: nn.Module, optimiser: Optimizer) -> Progress:
    """Restores a network and its optimiser, and returns how far the run had come.

    Raises:
        InputError: there is no checkpoint, or it is not of this network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress.model_validate_json((file.metadata() or {})[_PROGRESS])
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        weights = {n.removeprefix(_MODEL): t for n, t in tensors.items() if n.startswith(_MODEL)}
        network.load_state_dict(weights)
        _restore(optimiser, tensors)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; there is nothing to resume.") from None
    except (SafetensorError, LookupError, RuntimeError, ValueError) as error:
        raise InputError(f"{path} is not a checkpoint of this run: {error}.") from error
    return progress


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
