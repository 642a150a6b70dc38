"""Weights in 16 and 8 bits, against ONNX's own reference implementation of its operators."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from pulmo.core.onnx_session import open_session
from pulmo.models.stored_weights import LEAST, store_fp16, store_int8, stored_weights, widen

Store = Callable[[onnx.ModelProto], None]


def drawn() -> dict[str, NDArray[np.float32]]:
    """Tensors of a network; the magnitudes of the channels differ by a thousand."""
    generator = np.random.default_rng(4)
    kernel = generator.normal(size=(8, 64, 3, 3)) * np.logspace(-3, 0, 8)[:, None, None, None]
    kernel[5] = 0
    return {
        "kernel": kernel.astype(np.float32),
        "bias": generator.normal(size=LEAST).astype(np.float32)[:8],
        "small": generator.normal(size=(8, 4)).astype(np.float32),
    }


def network(tensors: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """A convolution, pooled, and a product of matrices."""
    nodes = [
        helper.make_node("Conv", ["x", "kernel", "bias"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "small"], ["y"]),
    ]
    shown = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64, 10, 10])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])
    stored = [numpy_helper.from_array(values, name) for name, values in tensors.items()]
    graph = helper.make_graph(nodes, "network", [shown], [given], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


def answer(model: onnx.ModelProto, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    onnx.checker.check_model(model, full_check=True)
    (found,) = open_session(model.SerializeToString(), "it", 1).run(["y"], {"x": inputs})
    return np.asarray(found, np.float32)


@pytest.mark.parametrize("store", [store_fp16, store_int8])
def test_the_network_computes_with_the_weights_that_are_read(store: Store) -> None:
    inputs = np.random.default_rng(0).normal(size=(3, 64, 10, 10)).astype(np.float32)
    model = network(drawn())
    store(model)
    answers = ReferenceEvaluator(model).run(["y"], {"x": inputs})
    by_reference = np.asarray(answers[0] if isinstance(answers, list) else None, np.float32)
    with_read = answer(network(stored_weights(model)), inputs)
    found = answer(model, inputs)
    np.testing.assert_allclose(found, by_reference, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found, with_read, rtol=1e-5, atol=1e-7)
    widen(model)
    assert {each.data_type for each in model.graph.initializer} == {TensorProto.FLOAT}
    assert model.graph.node[0].op_type == "Conv"
    np.testing.assert_array_equal(answer(model, inputs), with_read)


def test_eight_bits_are_off_by_half_a_step_of_their_channel_at_most() -> None:
    tensors = drawn()
    model = network(tensors)
    store_int8(model)
    found, kernel = stored_weights(model), tensors["kernel"]
    assert found.keys() == tensors.keys()
    step = np.abs(kernel).max(axis=(1, 2, 3)) / 127
    off = np.abs(found["kernel"] - kernel).max(axis=(1, 2, 3))
    assert (off <= step * 0.5001).all()
    assert (found["kernel"][5] == 0).all()
    # The largest weight of a channel is a whole number of steps.
    largest = np.abs(found["kernel"]).max(axis=(1, 2, 3))
    np.testing.assert_allclose(largest, np.abs(kernel).max(axis=(1, 2, 3)), rtol=1e-6)


def test_sixteen_bits_are_those_of_numpy() -> None:
    tensors = drawn()
    model = network(tensors)
    store_fp16(model)
    found = stored_weights(model)
    np.testing.assert_array_equal(found["kernel"], tensors["kernel"].astype("f2").astype("f4"))


@pytest.mark.parametrize(("store", "bytes_each"), [(store_fp16, 2), (store_int8, 1)])
def test_only_large_tensors_are_stored_so(store: Store, bytes_each: int) -> None:
    model = network(drawn())
    store(model)
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    small = {name for name, values in stored.items() if values.dtype == np.float32}
    assert {"bias", "small"} <= small
    assert "kernel" not in stored
    (coded,) = [values for name, values in stored.items() if name not in small]
    assert coded.nbytes == bytes_each * drawn()["kernel"].size
