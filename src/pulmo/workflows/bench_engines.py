"""How fast engines run the networks of a bundle, and how fast the processor multiplies.

Only networks are timed here, on inputs that lie in memory.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.predictor import Predictor
from pulmo.core.onnx_session import open_session

if TYPE_CHECKING:
    import onnx
    import onnxruntime

_SIDE: Final = 512
_PRODUCTS: Final = 8

Bytes = NDArray[np.uint8]


class Engine(NamedTuple):
    """One engine on one network.

    Attributes:
        name: what the table calls it.
        run: runs the network once.
        images: of one run.
        flops: floating-point operations an image, of products; None if onnx is not installed.
    """

    name: str
    run: Callable[[], object]
    images: int
    flops: float | None


def engines(predictor: Predictor, threads: int) -> list[Engine]:
    """Returns the engines that are installed, on the bundle's network and on that of the lungs."""
    networks = {"classifier": (predictor.model, predictor.card.input.size)}
    if predictor.finder is not None:
        networks["lungs"] = (predictor.finder.model, predictor.finder.card.size)
    found = []
    for what, (model, size) in networks.items():
        flops = network_flops(model) if find_spec("onnx") else None
        for images in (1, 8):
            inputs = np.random.default_rng(0).integers(0, 256, (images, 1, size, size), np.uint8)
            for name, run in _runs(model, inputs, threads).items():
                found.append(Engine(f"{what}, {name}, batch {images}", run, images, flops))
    return found


def _runs(model: bytes, inputs: Bytes, threads: int) -> dict[str, Callable[[], object]]:
    session = open_session(model, "the network", threads)
    found: dict[str, Callable[[], object]] = {
        "ONNX Runtime fp32": lambda: session.run(None, {"radiograph": inputs})
    }
    if find_spec("openvino"):
        found["OpenVINO fp32"] = _openvino(model, inputs, threads, "f32")
        found["OpenVINO bf16"] = _openvino(model, inputs, threads, "bf16")
    return found


def _openvino(model: bytes, inputs: Bytes, threads: int, precision: str) -> Callable[[], object]:
    import openvino

    core = openvino.Core()
    network = core.read_model(model)
    network.reshape(list(inputs.shape))
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(network, "CPU", settings).create_infer_request()
    return lambda: request.infer([inputs])


def network_flops(model: bytes) -> float:
    """Returns the operations of the convolutions of an ONNX network for one image.

    A multiplication and an addition count each.
    """
    import onnx

    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(model)).graph
    shapes = {each.name: _shape(each) for each in (*graph.value_info, *graph.output)}
    shapes |= {each.name: list(each.dims) for each in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            rows, columns = shapes[node.output[0]][2:]
            total += 2 * int(np.prod(shapes[node.input[1]])) * rows * columns
    return float(total)


def _shape(value: "onnx.ValueInfoProto") -> list[int]:
    return [part.dim_value for part in value.type.tensor_type.shape.dim]


def matrix_rate(threads: int) -> Callable[[], float]:
    """Returns what measures the operations of float32 matrices in a second of the processor.

    ONNX Runtime multiplies, for it does so faster on some processors than numpy and torch. The
    fastest of a few products counts, since other work only slows one down.
    """
    from onnx import TensorProto, helper, numpy_helper

    square = np.random.default_rng(0).random((_SIDE, _SIDE), np.float32)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [_SIDE, _SIDE]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        ends[:1],
        ends[1:],
        [numpy_helper.from_array(square, "w")],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    session = open_session(model.SerializeToString(), "the product", threads)

    def measure() -> float:
        return max(_product_rate(session) for _ in range(_PRODUCTS))

    return measure


def _product_rate(session: "onnxruntime.InferenceSession") -> float:
    square = np.ones((_SIDE, _SIDE), np.float32)
    begun = time.process_time()
    session.run(None, {"x": square})
    return 2.0 * _SIDE**3 / (time.process_time() - begun)
