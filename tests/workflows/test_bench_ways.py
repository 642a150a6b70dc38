import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import nn

from pulmo.bundle.predictor import Predictor
from pulmo.workflows.bench_engines import network_flops
from pulmo.workflows.bench_ways import (
    PlainImages,
    plain_torch,
    torchxrayvision_example,
    ways,
)


def card(network: str) -> Any:  # noqa: ANN401 - what the script reads of a card
    return SimpleNamespace(
        labels=SimpleNamespace(order=("a", "b", "c")),
        network=SimpleNamespace(backbone=network),
        input=SimpleNamespace(size=32),
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = []
    for number in range(3):
        grey = np.random.default_rng(number).integers(0, 256, (40, 50), np.uint8)
        found.append(tmp_path / f"{number}.png")
        Image.fromarray(grey).save(found[-1])
    return found


@pytest.mark.parametrize("network", ["resnet10t", "compact"])
@pytest.mark.parametrize("maps", [False, True])
def test_the_script_runs_a_network_on_all_files(
    files: list[Path], *, network: str, maps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    softmax = torch.Tensor.softmax

    def noted(logits: torch.Tensor, dim: int) -> torch.Tensor:
        seen.append(logits)
        return softmax(logits, dim)

    monkeypatch.setattr(torch.Tensor, "softmax", noted)
    run = plain_torch(card(network), 1, maps=maps)
    run(files)
    run(files)
    assert [tuple(each.shape) for each in seen] == [(3, 3), (3, 3)]
    assert torch.allclose(seen[0], seen[1])
    assert not torch.allclose(seen[0][0], seen[0][1])


def test_what_the_other_ways_cannot_read_is_not_measured(files: list[Path], bundle: Path) -> None:
    predictor = Predictor.open(bundle, 1)
    assert ways(predictor, 1, files)["torch"].run is not None
    files[1].write_bytes(b"no image of Pillow")
    absent = ways(predictor, 1, files)
    assert absent["torch"].absent == absent["torch-maps"].absent == "it does not read 1.png"
    assert absent["pulmo"].run is not None


def test_plain_images_are_standardised_squares(files: list[Path]) -> None:
    images = PlainImages(files, 25)
    assert len(images) == 3
    with Image.open(files[1]) as image:
        small = np.asarray(image.resize((25, 25), Image.Resampling.BILINEAR), np.float64)
    np.testing.assert_allclose(images[1], (small[None] / 255 - 0.449) / 0.226, atol=1e-5)


@pytest.mark.parametrize("maps", [False, True])
def test_the_example_of_torchxrayvision_reads_each_file(
    files: list[Path], *, maps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def load_image(name: str) -> NDArray[np.float32]:
        read.append(name)
        with Image.open(name) as image:
            return np.asarray(np.asarray(image)[None] / 128 - 1, np.float32)

    class DenseNet(nn.Module):
        def __init__(self, num_classes: int) -> None:
            super().__init__()
            self.features = nn.Conv2d(1, 4, 3)
            self.classifier = nn.Linear(4, num_classes)

    package = SimpleNamespace(
        models=SimpleNamespace(DenseNet=DenseNet),
        utils=SimpleNamespace(load_image=load_image),
        datasets=SimpleNamespace(
            XRayCenterCrop=lambda: lambda image: image[:, :40, :40],
            XRayResizer=lambda size: lambda image: np.resize(image, (1, size, size)),
        ),
    )
    monkeypatch.setitem(sys.modules, "torchxrayvision", package)
    torchxrayvision_example(1, maps=maps)(files)
    assert read == [str(path) for path in files]


def test_the_operations_of_convolutions_are_counted() -> None:
    weight = numpy_helper.from_array(np.zeros((4, 2, 3, 3), np.float32), "w")
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 8, 6]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 8, 6]),
    ]
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "one", ends[:1], ends[1:], [weight])
    model: onnx.ModelProto = helper.make_model(graph)
    assert network_flops(model.SerializeToString()) == 2 * 4 * 2 * 9 * 8 * 6
