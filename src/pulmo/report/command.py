"""The command that trains a model again, from what its card says of its training."""

import json
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulmo.bundle.card import Training
from pulmo.core.errors import UsageError
from pulmo.core.recipe import Recipe, load_recipe, parse_recipe
from pulmo.core.recipe_file import shipped_recipes

_VARIANTS: Final = {
    "": (),
    "-quick": ("--quick",),
    "-scratch": ("--from-scratch",),
    "-scratch-quick": ("--from-scratch", "--quick"),
}
"""What a variant adds to a recipe's name -> the options that take it."""


def training_command(training: Training) -> str | None:
    """Returns the command that trains with the very settings of a card's recipe.

    It starts from the shipped recipe of that name and gives each other setting with `--set`.

    Returns:
        None where no shipped recipe with settings becomes the recipe of the card: it is then to be
        saved as a file.
    """
    if not training.recipe_toml:
        return None
    recipe = parse_recipe(tomllib.loads(training.recipe_toml), "the card's recipe")
    for ending, options in _VARIANTS.items():
        base = recipe.name.removesuffix(ending) if ending else recipe.name
        if f"{base}{ending}" != recipe.name or base not in shipped_recipes():
            continue
        settings = _settings_for(recipe, base, options)
        if settings is not None:
            changes = (f"--set {shlex.quote(setting)}" for setting in settings)
            return " ".join(("pulmo train", base, *options, *changes, "--data manifest.parquet"))
    return None


def _settings_for(recipe: Recipe, base: str, options: tuple[str, ...]) -> list[str] | None:
    """Returns the settings that make a recipe of a shipped one; None if none do."""
    quick, scratch = "--quick" in options, "--from-scratch" in options
    try:
        start = load_recipe(base, quick=quick, scratch=scratch).without_folders()
        settings = list(_differences(_tree(start), _tree(recipe)))
        again = load_recipe(base, settings, quick=quick, scratch=scratch)
    except UsageError:
        return None
    # A changed recipe describes itself anew, and what it says of itself changes no training.
    same = again.model_copy(update={"description": recipe.description}) == recipe
    return settings if same else None


def _tree(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude_none=True, exclude={"description"})


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], above: str = ""
) -> Iterator[str]:
    """Yields each value of a recipe that is another, as `section.key=value`."""
    for key, value in after.items():
        old = before.get(key)
        if value == old:
            continue
        if isinstance(value, dict) and isinstance(old, dict) and old.keys() <= value.keys():
            yield from _differences(old, value, f"{above}{key}.")
        else:
            yield f"{above}{key}={_toml(value)}"


def _toml(value: Any) -> str:  # noqa: ANN401 - whatever a recipe can hold
    """Writes a value as TOML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
