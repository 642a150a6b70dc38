"""One phantom image: a patient's anatomy, seen in one view, with one class's opacities."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import UsageError
from pulmo.core.labels import check_label
from pulmo.datasets.phantom.acquisition import Exposure, expose, finish
from pulmo.datasets.phantom.anatomy import Anatomy
from pulmo.datasets.phantom.body import draw_body
from pulmo.datasets.phantom.disease import OPACITIES
from pulmo.datasets.phantom.view import View

PHANTOM_LABELS: Final = tuple(OPACITIES)
"""The labels that can be drawn."""

_SMALLEST = 32
_EDGE = 0.03
"""How much of a pixel is lung, once blurred, for the pixel to belong to the mask."""


class Phantom(NamedTuple):
    """A drawn image and what is known of it.

    Attributes:
        pixels: float32 [height, width] in [0, 1], 0 black, lungs dark, bones bright.
        lungs: bool [height, width], the lungs as far as heart and diaphragm leave them free.
        lesion: bool [height, width], where the opacities are; within the lungs.
        label: `covid`, `bacterial`, `viral` or `normal`.
        view: `PA` or `AP`.
        age: of the patient in years.
        sex: of the patient, `F` or `M`.
    """

    pixels: NDArray[np.float32]
    lungs: NDArray[np.bool_]
    lesion: NDArray[np.bool_]
    label: str
    view: str
    age: int
    sex: str


def draw(
    label: str, patient: int, generator: np.random.Generator, size: int | tuple[int, int] = 256
) -> Phantom:
    """Draws a chest X-ray.

    Images of one patient share their anatomy. With the generator in the same state, images of two
    labels differ inside the lungs only: no class shows in the pose, the exposure or the markers.

    Args:
        label: what the image shows, one of `PHANTOM_LABELS`.
        patient: number of the patient, 0 or more.
        generator: where pose, opacities, exposure and markers are drawn from.
        size: side in pixels, or (height, width); at least 32.

    Raises:
        UsageError: the label cannot be drawn, the patient's number is negative, or the image would
            be too small.
    """
    height, width = (size, size) if isinstance(size, int) else size
    _check(label, patient, min(height, width))
    # One seed a matter: what one of them draws moves nothing in the others.
    seeds = generator.integers(2**63, size=3).tolist()
    posing, falling_ill, exposing = (np.random.default_rng(seed) for seed in seeds)
    anatomy, view = Anatomy.of(patient), View.of(posing)
    canvas = view.canvas(height, width)
    exposure = Exposure.of(exposing)
    body = draw_body(anatomy, view, canvas)
    # The mask holds the blurred edge too, so that no trace of an opacity falls outside.
    lungs = canvas.blur(body.lungs, exposure.blur) > _EDGE
    opacity = OPACITIES[label](anatomy, canvas, falling_ill) * body.lungs
    opacity = canvas.blur(opacity, exposure.blur) * lungs
    shown = expose(canvas.blur(body.density, exposure.blur) + opacity, exposure, exposing)
    extent = canvas.blur(opacity, 0.03) * lungs
    return Phantom(
        pixels=finish(shown, exposure, view.name, exposing),
        lungs=lungs,
        lesion=extent > max(0.35 * float(extent.max()), 1e-6),
        label=label,
        view=view.name,
        age=anatomy.age,
        sex=anatomy.sex,
    )


def check_phantom_label(label: str) -> str:
    """Returns `label` if there are phantoms of it.

    Raises:
        UsageError: it is not a label, or not one that can be drawn.
    """
    if check_label(label) not in PHANTOM_LABELS:
        raise UsageError(
            "phantom-label-unknown",
            f"There are no phantoms of {label!r}; choose one of {', '.join(PHANTOM_LABELS)}.",
        )
    return label


def _check(label: str, patient: int, side: int) -> None:
    check_phantom_label(label)
    if patient < 0:
        raise UsageError(
            "patient-number-invalid", f"A patient's number must be at least 0; got {patient}."
        )
    if side < _SMALLEST:
        raise UsageError(
            "phantom-side-too-small",
            f"The side of a phantom must be at least {_SMALLEST} pixels; got {side}.",
        )
