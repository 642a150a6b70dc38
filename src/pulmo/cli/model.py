"""The model of a verb: `--model BUNDLE`, or the first word where that is a bundle."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import chosen_output
from pulmo.cli.names import STDIN
from pulmo.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from pulmo.workflows.model import Model

_VARIABLE: Final = "PULMO_MODEL"

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="BUNDLE",
        help="A bundle's folder, or its model.onnx; it may also be the first word. Default: the "
        f"environment variable {_VARIABLE}.",
    ),
]


def split_model(words: Sequence[str], model: Path | None) -> tuple[Path | None, list[str]]:
    """Returns the model that a call names, and the other words, which name images.

    The first word is the model if it is a bundle, a run or an ONNX file, which no image is.

    Raises:
        UsageError: the first word and `--model` both name one, or no other word is there.
        InputError: no option names the model, and the first word does not exist.
    """
    first, *rest = words
    if not _is_model(Path(first)):
        if model is None and _VARIABLE not in os.environ and first != STDIN:
            check_exists(Path(first), "a bundle")
        return model, list(words)
    if model is not None:
        raise UsageError(
            "model-named-twice",
            f"Two models are named, {model} and {first}; leave one out. Images are what comes "
            "after the options.",
        )
    if not rest:
        raise UsageError(
            "images-not-given", "No image was named: add files, folders, or - for names on stdin."
        )
    return Path(first), rest


def one_model(word: Path | None, model: Path | None) -> Path:
    """Returns the one model that a call names, by its first word or by `--model`.

    Raises:
        UsageError: both name one, or neither does.
    """
    if word is not None and model is not None:
        raise UsageError(
            "model-named-twice", f"Two models are named, {model} and {word}; leave one out."
        )
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
            "model-not-given",
            f"No model was named: add --model BUNDLE, or set {_VARIABLE}. `pulmo train` and "
            "`pulmo export` make a bundle.",
        )
    return Path(named)


def check_exists(path: Path, what: str) -> None:
    """Refuses a path at which there is nothing.

    Args:
        path: the path.
        what: what was expected there.

    Raises:
        InputError: there is nothing.
    """
    if not path.exists():
        raise InputError("file-missing", f"{path} does not exist; {what} was expected.")


def open_model(model: Path | None, threads: int = 0) -> "Model":
    """Opens the bundle that the user named; `threads` are those of its network, 0 all cores.

    Raises:
        UsageError: none was named, here or in the environment.
        InputError: it is missing or damaged, or is a run.
    """
    from pulmo.core.folders import RunFolder
    from pulmo.workflows.model import load

    path = model or _named_model()
    try:
        return load(path, threads)
    except InputError as error:
        if RunFolder(path).recipe.is_file():
            raise InputError(
                "run-not-exported", f"{error} Type: pulmo export {path} -o BUNDLE."
            ) from None
        raise


def result_folder(given: Path | None, kind: str, model: Path) -> Path:
    """Returns the folder for the results of a model.

    Args:
        given: what the user named; may be there already.
        kind: what goes there, such as `evaluation`, for the folder's name where none was named.
        model: the bundle, or the table of predictions.

    Raises:
        UsageError: none was named, and the one that would be taken is there.
    """
    named = model.parent if model.name == "model.onnx" else model
    name = named.resolve().name if named.is_dir() else named.stem
    derived = Path(f"{kind}-{name}")
    if given is None and derived.exists():
        raise UsageError("output-exists", f"{derived} exists already; name another folder with -o.")
    return chosen_output(given, derived)


def refuse(options: Mapping[str, object], given: str, wanted: str) -> None:
    """Refuses options that are for another kind of model.

    Args:
        options: option -> its value; None or empty if it was not used.
        given: what was given.
        wanted: what the options are for.

    Raises:
        UsageError: one was used.
    """
    used = [name for name, value in options.items() if value not in (None, [])]
    if used:
        raise UsageError(
            "option-not-applicable",
            f"{', '.join(used)} {'is' if len(used) == 1 else 'are'} for {wanted}, and the model is "
            f"{given}; leave {'it' if len(used) == 1 else 'them'} out.",
        )
