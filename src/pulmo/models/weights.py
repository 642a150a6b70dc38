"""Initial weights out of a safetensors file, or of the model that comes with pulmo."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Annotated, Final

import torch
from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.shipped import ShippedModel, shipped_bundle, shipped_model
from pulmo.models.backbone import Backbone, Grey
from pulmo.models.torchvision_names import from_torchvision

_NUMBERS: Final[TypeAdapter[list[float] | float]] = TypeAdapter(
    Annotated[list[FiniteFloat], Field(min_length=1)] | FiniteFloat
)
"""A number, or one a channel."""

# Torchvision's classifiers, and the auxiliary one of its Inception; timm names its own.
_CLASSIFIERS = ("classifier", "fc", "AuxLogits")

_BACKBONE: Final = "classifier.backbone.layers."
"""How the names of a backbone's tensors begin in the ONNX file of a bundle."""


def load_weights(
    backbone: Backbone, path: Path, *, expected_sha256: str | None = None, partial: bool = False
) -> str:
    """Copies a file's tensors into a backbone.

    A three-channel stem is summed over its channels, as timm does. What the file holds of a
    classifier, or of other modules that the features do not need, is passed over.

    Args:
        backbone: the network to change. Its `grey` becomes the normalisation that the file states
            in its metadata, as `mean` and `std` in JSON, one number or one a channel; else it stays
            that of the published weights of the network, if there are any.
        path: a safetensors file in timm's or torchvision's names.
        expected_sha256: SHA-256 that the file must have, if given.
        partial: whether the file may lack some of the network's tensors.

    Returns:
        Where the weights came from: the file's name, SHA-256 and the number of tensors that it
        lacks, if any.

    Raises:
        InputError: the file is missing, damaged or of another network.
        RefusedError: its SHA-256 is not the expected one, or it states a normalisation that cannot
            be read.
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
    missing = _take(backbone, tensors, path, partial=partial)
    backbone.grey = _stated_grey(data, path) or backbone.grey
    lacking = f", {missing} tensors start at random" if missing else ""
    return f"{path.name}, SHA-256 {digest}{lacking}"


def check_shipped(name: str) -> ShippedModel:
    """Returns the model that comes with pulmo, if a network of some name can start from it.

    Raises:
        UsageError: none comes with this copy of pulmo, or its network is another one.
    """
    if shipped_bundle() is None:
        raise UsageError(
            "shipped-weights-missing",
            "The weights of the shipped model are wanted, and no model comes with this copy.",
        )
    model = shipped_model()
    if model.backbone != name:
        raise UsageError(
            "shipped-weights-of-other-network",
            f"The network of the shipped model is {model.backbone!r}, so its weights do not fit "
            f"the network {name!r}.",
        )
    return model


def load_shipped(backbone: Backbone, name: str) -> str:
    """Copies the backbone of the model that comes with pulmo, as its ONNX file has it.

    Args:
        backbone: the network to change. Its `grey` becomes the normalisation of that model.
        name: of the network.

    Returns:
        Where the weights came from: the model's title and the SHA-256 of its trained tensors.

    Raises:
        UsageError: none comes with this copy of pulmo, or its network is another one.
        InputError: its file was changed, or lacks a tensor.
    """
    # The package that reads ONNX files, for which no other start waits.
    import onnx  # noqa: PLC0415 - see above

    from pulmo.models.stored_weights import stored_weights  # noqa: PLC0415 - see above

    model = check_shipped(name)
    path = model.folder.model
    data = read_bytes(path)
    if sha256(data) != model.model_sha256:
        raise InputError("bundle-file-changed", f"{path} was changed after the export.")
    stored = stored_weights(onnx.load_from_string(data))
    tensors = {
        tensor.removeprefix(_BACKBONE): torch.tensor(values)
        for tensor, values in stored.items()
        if tensor.startswith(_BACKBONE)
    }
    _take(backbone, tensors, path, partial=False)
    backbone.grey = Grey(*(float(stored[f"classifier.{part}"]) for part in ("mean", "std")))
    return f"pulmo, {model.title}, SHA-256 {model.sha256}"


def _take(backbone: Backbone, tensors: Mapping[str, Tensor], path: Path, *, partial: bool) -> int:
    """Copies tensors into a backbone, and returns how many of its own are not among them."""
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
    return len(missing)


def _stated_grey(data: bytes, path: Path) -> Grey | None:
    """Returns the normalisation that a file states in its metadata, over grey; None if none."""
    # A safetensors file begins with the length of its header, which is JSON.
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    stated = [header.get("__metadata__", {}).get(name) for name in ("mean", "std")]
    if stated == [None, None]:
        return None
    mean, std = (_mean(text) for text in stated)
    if not (math.isfinite(mean) and std > 0):
        raise RefusedError(
            "weights-normalisation-invalid",
            f"The metadata of {path} state mean {stated[0]} and std {stated[1]}, which are no "
            "normalisation of grey values. A number each was expected, or one a channel.",
        )
    return Grey(mean, std)


def _mean(text: str | None) -> float:
    """Returns the mean over the channels of JSON; NaN if it is neither a number nor some."""
    try:
        found = _NUMBERS.validate_json(text or "")
    except ValidationError:
        return math.nan
    return fmean(found if isinstance(found, list) else [found])


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
