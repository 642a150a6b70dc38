"""Golden outputs: what a model gave for a few drawings where its bundle was made.

Where pulmo is installed they show that decoders, geometry, the network of the lungs and the network
give the same there.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.errors import InputError
from pulmo.core.record import Record
from pulmo.radiograph import Radiograph, read_radiograph

TOLERANCE: Final = 0.01
"""By how much a probability may differ. Other processors and versions of ONNX Runtime and OpenCV
round otherwise, which may change a byte of the input; another order of channels, another value
range or another frame of the lungs changes far more."""


class GoldenImage(Record):
    """What a model gave for a drawing."""

    sha256: str
    """Of the file."""
    probabilities: Mapping[str, float]
    """Class -> calibrated probability."""


class Golden(Record):
    """The golden outputs of a bundle."""

    model_sha256: str
    """Of its `model.onnx`."""
    tolerance: float = TOLERANCE
    """By how much a probability may differ."""
    versions: Mapping[str, str]
    """Package -> version, where the bundle was made."""
    images: Mapping[str, GoldenImage]
    """Name of the file -> what the model gave for it."""


def golden_images(predictor: ImagePredictor, files: Iterable[Path]) -> dict[str, GoldenImage]:
    """Returns what a model gives for drawings.

    Raises:
        InputError: a file cannot be read.
        RefusedError: the model was not meant for it.
    """
    found = {}
    for path in files:
        radiograph = read_radiograph(path)
        probabilities = predictor.predict(radiograph, path.name).probabilities
        rounded = {label: round(share, 6) for label, share in probabilities.items()}
        found[path.name] = GoldenImage(sha256=radiograph.sha256, probabilities=rounded)
    return found


def differences(
    golden: Golden, predictor: ImagePredictor, images: Path
) -> Iterator[tuple[str, float]]:
    """Yields the name of each drawing, and by how much a probability differs at most.

    Args:
        golden: the golden outputs.
        predictor: the model.
        images: the folder of the drawings.

    Raises:
        InputError: a drawing is missing, or is not the one that the golden outputs are of.
        RefusedError: the model refuses it.
    """
    for name, expected in golden.images.items():
        radiograph = read_radiograph(images / name)
        _check_same(radiograph, expected, images / name)
        found = predictor.predict(radiograph, name).probabilities
        labels = found.keys() | expected.probabilities.keys()
        yield (
            name,
            max(
                abs(found.get(label, 0.0) - expected.probabilities.get(label, 0.0))
                for label in labels
            ),
        )


def _check_same(radiograph: Radiograph, expected: GoldenImage, path: Path) -> None:
    if radiograph.sha256 != expected.sha256:
        raise InputError(
            "golden-image-changed", f"{path} is not the drawing that the golden outputs are of."
        )
