"""The trained network of the lungs as one ONNX file, with its card inside."""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pulmo.bundle.export import OPSET, drawn_images
from pulmo.core.errors import RefusedError
from pulmo.lungs.card import LUNGS_KEY, LungCard
from pulmo.lungs.finder import LungFinder
from pulmo.models.stored_weights import store_fp16

TOLERANCE: Final = 0.02
"""Greatest difference of a probability that the rounding of the weights may make."""


class _FromBytes(nn.Module):
    """A network of the lungs from bytes to probabilities.

    The mean with the mirrored image would double the time, for a Dice coefficient that is higher by
    .0006 on the validation images of the shipped network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, radiograph: Tensor) -> Tensor:
        """Returns the probability of lung, float [n, size, size], of uint8 [n, 1, size, size]."""
        logits: Tensor = self.network(radiograph.float() / 255)
        return logits[:, 0].sigmoid()


def to_onnx(network: nn.Module, card: LungCard) -> bytes:
    """Returns the ONNX file of a network of the lungs.

    Its input `radiograph` is uint8 [n, 1, size, size], its output `probability` float32
    [n, size, size]; n is free. Normalisation is part of the convolutions, and weights are stored in
    16 bits, which halves the file.

    Args:
        network: in evaluation mode; its modules are changed.
        card: what it is.

    Raises:
        RefusedError: the file's results differ from the network's.
    """
    wrapped = _FromBytes(_fused(network)).eval()
    example = torch.zeros(2, 1, card.size, card.size, dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.onnx")
        torch.onnx.export(
            wrapped,
            (example,),
            file,
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=["radiograph"],
            output_names=["probability"],
            dynamic_shapes={"radiograph": {0: torch.export.Dim("n")}},
            verbose=False,
        )
        model = onnx.load(file)
    store_fp16(model)
    data = with_card(model.SerializeToString(), card)
    _check_parity(wrapped, LungFinder(data, "The exported network"))
    return data


def with_card(model: bytes, card: LungCard) -> bytes:
    """Returns an ONNX file of the lungs with another card."""
    network = onnx.load_from_string(model)
    helper.set_model_props(network, {LUNGS_KEY: card.model_dump_json()})
    onnx.checker.check_model(network)
    data: bytes = network.SerializeToString()
    return data


def _fused(module: nn.Module) -> nn.Module:
    """Puts each normalisation into the convolution before it, and returns the module."""
    for name, child in module.named_children():
        match list(child.children()):
            case [nn.Conv2d() as convolution, nn.BatchNorm2d() as norm]:
                setattr(module, name, fuse_conv_bn_eval(convolution, norm))
            case _:
                _fused(child)
    return module


def _check_parity(network: nn.Module, finder: LungFinder) -> None:
    """Compares the file with the network on drawn images.

    Raises:
        RefusedError: a probability differs by more than the tolerance.
    """
    images = drawn_images(4, finder.card.size)
    with torch.no_grad():
        expected = network(torch.from_numpy(images[:, None])).numpy()
    worst = float(np.abs(expected - finder.probabilities(images)).max())
    if not worst <= TOLERANCE:
        raise RefusedError(
            "export-result-differs",
            "The probabilities of the exported network differ from those of the trained network by "
            f"{worst:.2g}; at most {TOLERANCE:g} is allowed. No file was made.",
        )
