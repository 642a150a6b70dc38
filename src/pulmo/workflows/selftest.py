"""Selftest: whether pulmo reads images and answers here as it did where its model was made."""

import math
import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal, NamedTuple

import onnxruntime

import pulmo
from pulmo.bundle.golden import Golden, differences
from pulmo.core.errors import PulmoError
from pulmo.core.folders import ShippedFolder
from pulmo.core.record import read_record
from pulmo.radiograph.encoded import Encoded, Grey, drawing, encoded, largest_error
from pulmo.workflows.model import Model, load

Status = Literal["ok", "failed", "not made"]

PACKAGES: Final = (
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pydicom",
    "imagecodecs",
)
"""The packages that a result depends on."""


class SelfCheck(NamedTuple):
    """One check of an installation.

    Attributes:
        name: what is checked.
        status: `not made` where there is nothing to compare with, which is no pass.
        text: what was found.
    """

    name: str
    status: Status
    text: str


def selftest(model: Path | None) -> Iterator[SelfCheck]:
    """Yields the checks of this installation, each as soon as it is made.

    Args:
        model: the bundle that is asked; None if there is none.
    """
    yield _versions()
    yield _providers()
    yield from _decoders()
    if model is None:
        yield SelfCheck("model", "not made", "no model was named, and none comes with this copy")
        return
    try:
        opened = load(model)
    except PulmoError as error:
        yield SelfCheck("model", "failed", str(error))
        return
    card = opened.card
    yield SelfCheck("model", "ok", f"{card.name} of {card.created[:10]}. {card.notice}")
    yield from _golden(opened)


def package_versions() -> dict[str, str]:
    """Returns the versions of the packages that a result depends on.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    return {name: version(name) for name in PACKAGES}


def _versions() -> SelfCheck:
    try:
        found = {"Python": platform.python_version()} | package_versions()
    except PackageNotFoundError as error:
        return SelfCheck("versions", "failed", f"{error.name} is not installed")
    listed = ", ".join(f"{name} {number}" for name, number in found.items())
    return SelfCheck("versions", "ok", f"pulmo {pulmo.__version__}, {listed}")


def _providers() -> SelfCheck:
    found = onnxruntime.get_available_providers()
    status: Status = "ok" if "CPUExecutionProvider" in found else "failed"
    return SelfCheck("providers of ONNX Runtime", status, ", ".join(found))


def _decoders() -> Iterator[SelfCheck]:
    grey = drawing()
    for file in encoded(grey):
        yield _made(f"decoder: {file.name}", partial(_decoded, file, grey))


def _decoded(file: Encoded, grey: Grey) -> tuple[Status, str]:
    off = largest_error(file, grey)
    status: Status = "ok" if off <= file.off else "failed"
    return status, f"off by {off:g} of 255; at most {file.off} is allowed"


def _golden(model: Model) -> Iterator[SelfCheck]:
    folder = ShippedFolder(model.path)
    if not folder.golden.is_file():
        yield SelfCheck("golden outputs", "not made", "the bundle has none")
        return
    yield _made("golden outputs", partial(_compared, folder, model))


def _compared(folder: ShippedFolder, model: Model) -> tuple[Status, str]:
    golden = read_record(folder.golden, Golden, "golden outputs")
    if golden.model_sha256 != model.predictor.sha256:
        return "failed", f"{folder.golden} is of another {folder.model.name}"
    found = dict(differences(golden, model.predictor, folder.images))
    worst = max(found.values(), default=math.inf)
    status: Status = "ok" if worst <= golden.tolerance else "failed"
    return status, (
        f"{len(found)} drawings, a probability is off by {worst:.1g} at most; "
        f"{golden.tolerance:g} is allowed"
    )


def _made(name: str, work: Callable[[], tuple[Status, str]]) -> SelfCheck:
    """Returns a check; one that raises has failed, whatever a broken library raises."""
    try:
        return SelfCheck(name, *work())
    except Exception as error:  # noqa: BLE001 - see above
        return SelfCheck(name, "failed", f"{type(error).__name__}: {error}")
