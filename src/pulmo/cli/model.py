"""The model of a verb: `--model BUNDLE`, or the first word where that is a bundle."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Predictor

_VARIABLE: Final = "PULMO_MODEL"

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="BUNDLE",
        help=f"A bundle's folder, or its model.onnx; without it, ${_VARIABLE}. It may also be the "
        "first word.",
    ),
]


def split_model(words: Sequence[str], model: Path | None) -> tuple[Path | None, list[str]]:
    """Returns the model that a call names, and the words beside it, which name images.

    The first word is the model if it is a bundle, a run or an ONNX file, which no image is.

    Raises:
        UsageError: the first word and `--model` both name one, or no other word is there.
    """
    first, *rest = words
    if not _is_model(Path(first)):
        return model, list(words)
    if model is not None:
        raise UsageError(
            f"Two models are named, {model} and {first}; leave one out. Images are what comes "
            "after the options."
        )
    if not rest:
        raise UsageError("No image was named: add files, folders, or - for names on stdin.")
    return Path(first), rest


def one_model(word: Path | None, model: Path | None) -> Path:
    """Returns the one model that a call names, by its first word or by `--model`.

    Raises:
        UsageError: both name one, or neither does.
    """
    if word is not None and model is not None:
        raise UsageError(f"Two models are named, {model} and {word}; leave one out.")
    return word or model or _named_model()


def _is_model(path: Path) -> bool:
    from pulmo.core.folders import BundleFolder, RunFolder

    if path.suffix.lower() == ".onnx":
        return True
    return BundleFolder(path).card.is_file() or RunFolder(path).recipe.is_file()


def _named_model() -> Path:
    named = os.environ.get(_VARIABLE)
    if not named:
        raise UsageError(
            f"No model was named: add --model BUNDLE, or set {_VARIABLE}. `pulmo train` and "
            "`pulmo export` make a bundle."
        )
    return Path(named)


def open_model(model: Path | None, threads: int = 0) -> "Predictor":
    """Opens the bundle that the user named; `threads` are those of its network, 0 all cores.

    Raises:
        UsageError: none was named, here or in the environment.
        InputError: it is missing or damaged, or is a run.
    """
    model = model or _named_model()
    from pulmo.bundle.predictor import Predictor
    from pulmo.core.folders import BundleFolder, RunFolder

    bundle = BundleFolder(model)
    if RunFolder(model).recipe.exists() and not bundle.model.exists():
        raise InputError(
            f"{model} is a training run, not a bundle; export it first: "
            f"pulmo export {model} -o BUNDLE"
        )
    if model.is_dir() and not bundle.card.exists():
        raise InputError(
            f"{model} is not a bundle: it has no {bundle.card.name}. `pulmo export` makes a bundle "
            "of a run."
        )
    return Predictor.open(model, threads)
