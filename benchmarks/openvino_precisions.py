"""How far OpenVINO in fp32, bf16 and int8 moves the probabilities of a bundle, and how fast it is.

It needs the packages openvino and nncf, which pulmo does not: see docs/results/speed.md. Images of
Kermany's training and of COVID-19 Radiography calibrate int8; the AUC is that of normal against
pneumonia on images of Kermany's test.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import openvino
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pulmo.bundle.outcome import probabilities
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import PulmoError
from pulmo.radiograph import read_radiograph

CALIBRATION = ("chest_xray/train/*/*", "COVID-19_Radiography_Dataset/*/images/*")
NORMAL, ILL, OTHERS = (
    "chest_xray/test/NORMAL/*",
    "chest_xray/test/PNEUMONIA/*",
    "covid-chestxray-dataset/images/*",
)

Inputs = NDArray[np.uint8]


def inputs_of(predictor: Predictor, data: Path, pattern: str, count: int) -> Inputs:
    """Returns inputs of images drawn of those of a pattern, uint8 [n, 1, side, side]."""
    files = sorted(data.glob(pattern))
    found = []
    for number in np.random.default_rng(0).permutation(len(files))[:count]:
        try:
            found.append(predictor.to_input(read_radiograph(files[number])))
        except PulmoError:
            continue
    return np.stack(found)[:, None]


def openvino_run(model: Any, precision: str) -> Callable[[Inputs], NDArray[np.float32]]:  # noqa: ANN401
    """Returns what gives the logits of one input."""
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    return lambda each: np.array(compiled([each])[0])


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=150)
    arguments = parser.parse_args()
    predictor = Predictor.open(arguments.bundle, threads=1)

    def drawn(pattern: str) -> Inputs:
        return inputs_of(predictor, arguments.data, pattern, arguments.images)

    normal, ill = drawn(NORMAL), drawn(ILL)
    images = np.concatenate([normal, ill, drawn(OTHERS)])
    truth = np.repeat([0, 1], [len(normal), len(ill)])
    calibration = np.concatenate([drawn(pattern) for pattern in CALIBRATION])

    def network() -> Any:  # noqa: ANN401 - a model of OpenVINO, which quantising may change
        return openvino.Core().read_model(predictor.model)

    def quantised(preset: str) -> Any:  # noqa: ANN401 - likewise
        data = nncf.Dataset(list(calibration), lambda each: each[None])
        chosen = nncf.QuantizationPreset(preset)
        return nncf.quantize(network(), data, preset=chosen, subset_size=len(calibration))

    runs: dict[str, Callable[[Inputs], NDArray[np.float32]]] = {
        "ONNX Runtime fp32": lambda each: predictor.run(each[:, 0]).logits,
        "OpenVINO fp32": openvino_run(network(), "f32"),
        "OpenVINO bf16": openvino_run(network(), "bf16"),
        "OpenVINO int8, performance": openvino_run(quantised("performance"), "f32"),
        "OpenVINO int8, mixed": openvino_run(quantised("mixed"), "f32"),
    }
    table(runs, images, truth, predictor)


def table(
    runs: dict[str, Callable[[Inputs], NDArray[np.float32]]],
    images: Inputs,
    truth: NDArray[np.intp],
    predictor: Predictor,
) -> None:
    """Prints a row for each way; all see an image before the next one is taken."""
    card = predictor.card
    logits: dict[str, list[NDArray[np.float32]]] = {name: [] for name in runs}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(len(images)):
        for name, run in runs.items():
            begun = time.process_time()
            logits[name].append(run(images[number : number + 1]))
            seconds[name].append(time.process_time() - begun)
    found = {
        name: probabilities(np.concatenate(each), card.temperature) for name, each in logits.items()
    }
    first = next(iter(found.values()))
    column = card.labels.order.index("normal")
    print("| engine | ms | largest change | 95 % | decisions changed | AUC |")
    print("|---|---|---|---|---|---|")
    for name, each in found.items():
        moved = np.abs(each - first).max(axis=1)
        changed = np.mean(each.argmax(axis=1) != first.argmax(axis=1))
        auc = roc_auc_score(truth, 1 - each[: len(truth), column])
        values: Sequence[str] = (
            f"{1000 * np.median(seconds[name]):.1f}",
            f"{moved.max():.1g}",
            f"{np.quantile(moved, 0.95):.1g}",
            f"{changed:.1%}",
            f"{auc:.4f}",
        )
        print("|", " | ".join((name, *values)), "|")


if __name__ == "__main__":
    main()
