"""What the run in a folder was started with, so that it goes on with nothing else."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.files import read_bytes
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, change_recipe, load_recipe
from pulmo.core.recipe_file import QUICK, SCRATCH

_SEED: Final = re.compile(r"(?:fold-\d+-)?seed-(\d+)")
_VARIANTS: Final = (f"-{QUICK}", f"-{SCRATCH}", f"-{SCRATCH}-{QUICK}")
_TITLES: Final = frozenset({"name", "description"})


def begun_recipe(root: Path) -> Recipe | None:
    """Returns the recipe that a run was started with; None if no run was.

    Args:
        root: the folder of a run, or of its folds and seeds; of these the lowest seed counts.

    Raises:
        UsageError: the file there is no recipe.
    """
    if RunFolder(root).recipe.exists():
        return load_recipe(str(RunFolder(root).recipe))
    runs = [
        (int(found[1]), RunFolder(path).recipe)
        for path in sorted(root.glob("*"))
        if (found := _SEED.fullmatch(path.name)) and RunFolder(path).recipe.exists()
    ]
    return load_recipe(str(min(runs)[1])) if runs else None


def check_settings(begun: Recipe, root: Path, settings: Sequence[str]) -> None:
    """Refuses settings that contradict those that a run was started with.

    Args:
        begun: the run's own recipe.
        root: the run's folder, for the message.
        settings: changes, as `load_recipe` takes them.

    Raises:
        RefusedError: a value differs.
        UsageError: a setting has an unknown key or a bad value.
    """
    now = change_recipe(begun, settings)
    if found := list(differences(begun, now)):
        listed = "; ".join(f"{key} is {then!r} there and {new!r} now" for key, then, new in found)
        raise RefusedError(
            "run-settings-changed",
            f"{root} was started with other settings: {listed}. A run can only be resumed with the "
            "recipe and settings that it began with.",
        )


def same_name(begun: Recipe, named: Recipe) -> bool:
    """Tells whether a run is of a recipe, or of one of its variants."""
    return begun.name in (named.name, *(f"{named.name}{end}" for end in _VARIANTS))


def differences(one: Recipe, other: Recipe) -> Iterator[tuple[str, Any, Any]]:
    """Yields each dotted key whose value differs, with both values; names and titles aside."""
    first, second = (
        dict(_leaves(recipe.model_dump(mode="json", exclude=set(_TITLES))))
        for recipe in (one, other)
    )
    for key in dict.fromkeys([*first, *second]):
        if first.get(key) != second.get(key):
            yield key, first.get(key), second.get(key)


def check_folder(recipe: Recipe, folder: RunFolder, *, resume: bool) -> None:
    """Checks that a folder is free, or holds this very run if it is to be resumed.

    Raises:
        InputError: it is a file.
        UsageError: it holds another run, or none to resume.
        RefusedError: its run was started with another recipe or other settings.
    """
    if folder.root.exists() and not folder.root.is_dir():
        raise InputError("folder-is-file", f"{folder.root} is a file. A folder was expected.")
    if not folder.recipe.exists():
        if resume:
            raise UsageError("resume-without-run", f"{folder.root} contains no run to resume.")
        if folder.root.exists() and any(folder.root.iterdir()):
            raise UsageError(
                "folder-not-empty",
                f"{folder.root} is not empty and contains no run.",
            )
    elif not resume:
        raise UsageError(
            "run-exists",
            f"{folder.root} contains a run already.",
        )
    elif load_recipe(str(folder.recipe)).sha256 != recipe.sha256:
        raise RefusedError(
            "run-settings-changed",
            f"{folder.recipe} differs from the current recipe {recipe.name!r}. A run can only be "
            "resumed with the recipe and settings that it began with.",
        )


def check_finished(folder: RunFolder) -> None:
    """Checks that the training in a run's folder has come to its end.

    Raises:
        InputError: there is no run, or it is not finished; the message tells how far it is.
    """
    if folder.card.exists():
        return
    if not folder.recipe.exists():
        raise InputError("run-missing", f"{folder.root} contains no training run.")
    planned = sum(stage.epochs for stage in load_recipe(str(folder.recipe)).train.plan)
    done = len(read_bytes(folder.history).splitlines()) if folder.history.exists() else 0
    raise InputError(
        "run-unfinished",
        f"The training in {folder.root} is not finished: {done} of {planned} epochs are done.",
    )


def _leaves(tree: Any, above: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - what JSON can hold
    """Yields the dotted keys of a tree and their values; entries of a list of tables count."""
    if isinstance(tree, list) and tree and all(isinstance(entry, dict) for entry in tree):
        tree = {str(number): entry for number, entry in enumerate(tree)}
    if not isinstance(tree, dict) or not tree:
        yield above, tree
        return
    for key, value in tree.items():
        yield from _leaves(value, f"{above}.{key}" if above else key)
