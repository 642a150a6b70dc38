"""Weights of an ONNX network in 16 or 8 bits; it computes with them in 32 bits all the same.

ONNX Runtime widens them once, when it opens the network (`pulmo.core.onnx_session`). So the file is
a half or a quarter as large, and a prediction takes the time that it took. No torch is needed.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

LEAST: Final = 4096
"""Tensors of fewer numbers keep 32 bits, and so do those of one dimension: biases, statistics and
the first convolution of a network of grey images, whose rounding costs more than the few bytes are
worth. Of a ResNet-18 with all its weights in 8 bits that convolution made nearly all of the error.
"""

_WIDEST: Final = 127
"""Of 8 bits with a sign, so that zero is stored as zero and both signs reach as far."""

Stored = tuple[list[TensorProto], NodeProto]
"""What takes the place of a tensor: tensors, and the node that computes it from them."""


def store_fp16(network: onnx.ModelProto) -> None:
    """Stores the weights in 16 bits, each with a node `Cast` that widens it."""
    _store(network.graph, _halved)


def store_int8(network: onnx.ModelProto) -> None:
    """Stores the weights in 8 bits, each with a node `DequantizeLinear` that widens it.

    Each slice along the first axis, the channel that a convolution gives, has a scale of its own:
    its largest magnitude is 127 steps (symmetric quantisation by channel, Krishnamoorthi 2018,
    section 3.1). So no weight is off by more than half a step.
    """
    _store(network.graph, _quantised)


def stored_weights(network: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    """Returns the weights of a network as it computes with them, by name, in 32 bits."""
    graph = network.graph
    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    widened = {node.output[0]: _widened(node, tensors) for node in _widening(graph)}
    inside = {name for node in _widening(graph) for name in node.input}
    plain = {
        name: values
        for name, values in tensors.items()
        if values.dtype == np.float32 and name not in inside
    }
    return plain | widened


def widen(network: onnx.ModelProto) -> None:
    """Stores all weights in 32 bits again, as the network computes with them."""
    graph = network.graph
    weights = stored_weights(network)
    stored = {name for node in _widening(graph) for name in node.input}
    wide = [node.output[0] for node in _widening(graph)]
    kept = [tensor for tensor in graph.initializer if tensor.name not in stored]
    made = [numpy_helper.from_array(weights[name], name) for name in wide]
    others = [node for node in graph.node if node.output[0] not in wide]
    _replace(graph, [*kept, *made], others)


def _store(graph: onnx.GraphProto, encode: Callable[[str, NDArray[np.float32]], Stored]) -> None:
    """Stores the large tensors of a graph in another way, and removes notes on its source."""
    tensors, nodes = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1 and values.size >= LEAST:
            parts, node = encode(tensor.name, values)
            tensors += parts
            nodes.append(node)
        else:
            tensors.append(tensor)
    nodes += graph.node
    for node in nodes:
        # Where in the source a node is from is a hundredth of the file, or a tenth of a small one.
        del node.metadata_props[:]
        node.ClearField("doc_string")
    _replace(graph, tensors, nodes)


def _halved(name: str, values: NDArray[np.float32]) -> Stored:
    stored = f"{name}.fp16"
    node = helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT)
    return [numpy_helper.from_array(values.astype(np.float16), stored)], node


def _quantised(name: str, values: NDArray[np.float32]) -> Stored:
    largest = np.abs(values).max(axis=tuple(range(1, values.ndim)))
    # A channel of zeros has no scale; with any it stays zero.
    scale = np.where(largest > 0, largest / _WIDEST, 1).astype(np.float32)
    codes = np.rint(values / _along_first(scale, values.ndim)).clip(-_WIDEST, _WIDEST)
    stored, scales = f"{name}.int8", f"{name}.scale"
    node = helper.make_node("DequantizeLinear", [stored, scales], [name], axis=0)
    parts = (codes.astype(np.int8), stored), (scale, scales)
    return [numpy_helper.from_array(*part) for part in parts], node


def _widening(graph: onnx.GraphProto) -> Iterator[NodeProto]:
    """Yields the nodes that widen a stored tensor."""
    narrow = {
        tensor.name
        for tensor in graph.initializer
        if tensor.data_type in {TensorProto.FLOAT16, TensorProto.INT8}
    }
    for node in graph.node:
        if node.op_type in {"Cast", "DequantizeLinear"} and node.input[0] in narrow:
            yield node


def _widened(node: NodeProto, tensors: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    """Returns what a widening node gives."""
    values, *scales = (tensors[name] for name in node.input)
    wide = values.astype(np.float32)
    return wide * _along_first(scales[0].astype(np.float32), wide.ndim) if scales else wide


def _along_first(scale: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """Returns numbers [n] as [n, 1, ...], which multiply slices along the first axis."""
    return scale.reshape(-1, *[1] * (dimensions - 1))


def _replace(graph: onnx.GraphProto, tensors: list[TensorProto], nodes: list[NodeProto]) -> None:
    """Gives a graph other tensors and nodes; they may be its own."""
    for place, things in ((graph.initializer, tensors), (graph.node, nodes)):
        kept = [type(thing).FromString(thing.SerializeToString()) for thing in things]
        del place[:]
        place.extend(kept)
