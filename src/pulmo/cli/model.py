"""The model of a verb: `--model BUNDLE`, the first word where that is a bundle, or pulmo's own."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import say
from pulmo.cli.names import STDIN
from pulmo.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Manifest
    from pulmo.workflows.model import Model
    from pulmo.workflows.model_kind import Kind

_VARIABLE: Final = "PULMO_MODEL"

_DEFAULT: Final = (
    f"Default: that of the environment variable {_VARIABLE}, else the model that comes with pulmo."
)

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="BUNDLE",
        help=f"A bundle's folder, or its model.onnx; it may also be the first word. {_DEFAULT}",
    ),
]

OnlyModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="BUNDLE", help=f"A bundle's folder, or its model.onnx. {_DEFAULT}"
    ),
]
"""Of a verb whose first word is no model."""


def split_model(words: Sequence[str], model: Path | None) -> tuple[Path | None, list[str]]:
    """Returns the model that a call names, and the other words, which name images.

    The first word is the model if it is a bundle, a run or an ONNX file, which no image is.

    Raises:
        UsageError: the first word and `--model` both name one, or no other word is there.
        InputError: no option names the model, and the first word does not exist.
    """
    first, *rest = words
    if not _is_model(Path(first)):
        if model is None and _VARIABLE not in os.environ:
            _check_exists(words)
        return model, list(words)
    chosen = one_model(Path(first), model)
    if not rest:
        raise UsageError(
            "images-not-given", "No image was named: add files, folders, or - for names on stdin."
        )
    return chosen, rest


def one_model(word: Path | None, model: Path | None) -> Path:
    """Returns the one model that a call names, by its first word or by `--model`.

    Raises:
        UsageError: both name one, or none is named and none comes with this copy of pulmo.
    """
    if word is not None and model is not None:
        raise UsageError(
            "model-named-twice", f"Two models are named, {model} and {word}; leave one out."
        )
    return named_model(word or model)


def open_model(model: Path | None, threads: int = 0) -> "Model":
    """Opens the bundle that the user named; `threads` are those of its network, 0 all cores.

    Raises:
        UsageError: none is named, and none comes with this copy of pulmo.
        InputError: it is missing or damaged, or is a run.
    """
    from pulmo.workflows.model import load

    return load(named_model(model), threads)


def images_of(data: Path | None, model: Path) -> "Manifest":
    """Reads the manifest of the images that a bundle needs.

    Raises:
        UsageError: none was named.
        InputError: it cannot be read.
    """
    if data is None:
        raise UsageError("manifest-not-given", f"{model} is a bundle, and its images are missing.")
    from pulmo.datasets.manifest import read_manifest

    return read_manifest(data)


def result_folder(given: Path | None, name: str, model: Path) -> Path:
    """Returns the folder for the results of a model.

    Args:
        given: what the user named; may be there already.
        name: what the results are, such as `evaluation`, for the folder where none was named.
        model: the bundle, or the table of predictions.

    Raises:
        UsageError: none was named, and the one that would be taken is there.
    """
    if given is not None:
        return given
    named = model.parent if model.name == "model.onnx" else model
    derived = Path(f"{name}-{named.resolve().name if named.is_dir() else named.stem}")
    if derived.exists():
        raise UsageError("output-exists", f"{derived} exists already; name another folder with -o.")
    return derived


def check_fit(kind: "Kind", flags: "Mapping[Kind, Sequence[str]]") -> None:
    """Refuses flags that are for another kind of model.

    Args:
        kind: of the model.
        flags: kind -> the flags of those that were typed that it takes.

    Raises:
        UsageError: one was typed.
    """
    from pulmo.workflows.model_kind import CALLED

    for other, typed in flags.items():
        if unfit := [name for name in typed if name not in flags[kind]]:
            verb, them = ("is", "it") if len(unfit) == 1 else ("are", "them")
            raise UsageError(
                "option-not-applicable",
                f"{', '.join(unfit)} {verb} for {CALLED[other]}, and the model is {CALLED[kind]}; "
                f"leave {them} out.",
            )


def _is_model(path: Path) -> bool:
    from pulmo.core.folders import BundleFolder, RunFolder

    if path.suffix.lower() == ".onnx":
        return True
    return BundleFolder(path).card.is_file() or RunFolder(path).recipe.is_file()


def default_model() -> Path | None:
    """Returns the model of the environment, else the one that comes with pulmo, if there is one.

    It says so where the second answers.
    """
    if named := os.environ.get(_VARIABLE):
        return Path(named)
    from pulmo.core.shipped import shipped_bundle, shipped_model

    shipped = shipped_bundle()
    if shipped is not None:
        title = shipped_model().title
        say(f"The model that comes with pulmo is used: {title}. For research, not diagnosis.")
    return shipped


def named_model(model: Path | None) -> Path:
    """Returns the model that was named, or the default one.

    Raises:
        UsageError: none was named, and there is no default.
    """
    found = model or default_model()
    if found is None:
        raise UsageError(
            "model-not-given",
            f"No model was named: add --model BUNDLE, or set {_VARIABLE}. `pulmo train` and "
            "`pulmo export` make a bundle.",
        )
    return found


def _check_exists(words: Sequence[str]) -> None:
    """Checks that the first word is there, unless it can only be one of several images.

    A bundle's folder has no suffix: if its name is misspelt, no other model may answer.
    """
    from pulmo.core.shipped import shipped_bundle

    first = Path(words[0])
    is_image = shipped_bundle() is not None and len(words) > 1 and first.suffix
    if words[0] != STDIN and not is_image and not first.exists():
        raise InputError(
            "file-missing", f"{first} does not exist; a bundle or an image was expected."
        )
