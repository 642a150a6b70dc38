"""Initial weights out of a safetensors file, in timm's or torchvision's parameter names."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from pulmo.core.errors import InputError, RefusedError
from pulmo.core.files import read_bytes, sha256
from pulmo.models.backbone import Backbone
from pulmo.models.torchvision_names import from_torchvision

# Torchvision's classifiers, and the auxiliary one of its Inception; timm names its own.
_CLASSIFIERS = ("classifier", "fc", "AuxLogits")


def load_weights(
    backbone: Backbone, path: Path, *, expected_sha256: str | None = None, partial: bool = False
) -> str:
    """Copies a file's tensors into a backbone.

    A three-channel stem is summed over its channels, as timm does. What the file holds of a
    classifier, or of other modules that the features do not need, is passed over.

    Torchvision's Inception-v3 expects grey values less 0.5, by 0.5; its other networks ImageNet's
    mean and deviation, which are the recipe's defaults.

    Args:
        backbone: the network to change.
        path: a safetensors file in timm's or torchvision's names.
        expected_sha256: SHA-256 that the file must have, if given.
        partial: whether the file may lack some of the network's tensors.

    Returns:
        Where the weights came from: the file's name, SHA-256 and the number of tensors that it
        lacks, if any.

    Raises:
        InputError: the file is missing, damaged or of another network.
        RefusedError: its SHA-256 is not the expected one.
    """
    data = read_bytes(path)
    digest = sha256(data)
    if expected_sha256 not in (None, digest):
        raise RefusedError(
            "weights-hash-differs",
            f"The SHA-256 of {path} is {digest}, but the recipe expects {expected_sha256}.",
        )
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise InputError(
            "safetensors-invalid", f"{path} is not a safetensors file: {error}."
        ) from error
    target = backbone.layers.state_dict()
    found = rename(tensors, target, backbone.ignored)
    unknown = sorted(set(found) - set(target))
    # Older files lack the counters of batches, which evaluation never reads.
    missing = sorted(n for n in set(target) - set(found) if not n.endswith("num_batches_tracked"))
    if unknown or (missing and not partial) or not set(target) & set(found):
        raise InputError(
            "weights-of-other-network",
            f"{path} is not of this network: {len(unknown)} of its tensors are not in it"
            f"{f' ({unknown[0]}, ...)' if unknown else ''}, {len(missing)} of the network's are "
            f"not in the file{f' ({missing[0]}, ...)' if missing else ''}. If a part is wanted, "
            "set model.weights_partial=true.",
        )
    fitted = {name: _fit(tensor, target[name], name, path) for name, tensor in found.items()}
    backbone.layers.load_state_dict(target | fitted)
    lacking = f", {len(missing)} tensors start at random" if missing else ""
    return f"{path.name}, SHA-256 {digest}{lacking}"


def rename(
    tensors: Mapping[str, Tensor], target: Mapping[str, Tensor], ignored: Iterable[str] = ()
) -> dict[str, Tensor]:
    """Returns `tensors` under the names of the network whose state is `target`.

    A name that the network has is taken as it is. What the network has not of the modules
    `ignored`, or of a classifier, is left out.
    """
    passed = tuple(f"{module}." for module in (*_CLASSIFIERS, *ignored))
    renamed = {}
    for name, tensor in from_torchvision(tensors, target).items():
        if name in target:
            renamed[name] = tensor
        elif not name.startswith(passed):
            renamed[name.removeprefix("features.")] = tensor
    return renamed


def _fit(tensor: Tensor, target: Tensor, name: str, path: Path) -> Tensor:
    """Returns `tensor` in the target's shape: a stem's three input channels are summed."""
    if tensor.ndim == target.ndim == 4 and tensor.shape[1] == 3 and target.shape[1] == 1:
        tensor = tensor.sum(dim=1, keepdim=True)
    if tensor.shape != target.shape:
        raise InputError(
            "weights-shape-differs",
            f"{path}: the shape of {name} is {list(tensor.shape)}, but the network expects "
            f"{list(target.shape)}.",
        )
    return tensor.to(target.dtype if target.is_floating_point() else torch.int64)
