"""The space of a search: keys of a recipe and the values that they may take."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

from pydantic import Field, ValidationError, model_validator

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes
from pulmo.core.recipe import Recipe, WrittenRecipe
from pulmo.core.record import Record
from pulmo.core.training import StageSection

if TYPE_CHECKING:
    from optuna import Trial

Scalar = (
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | str
)
Number = (
    Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)


class Dimension(Record):
    """The values that one key may take: from `low` to `high`, or one of `choices`."""

    low: Number | None = None
    high: Number | None = None
    """Two whole numbers give whole numbers."""
    log: bool = False
    """Whether to draw evenly in the logarithm."""
    choices: tuple[Scalar, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        low, high = self.low, self.high
        if self.choices:
            if low is not None or high is not None or self.log:
                raise ValueError("give choices, or low and high")
            # True and 1 are different choices.
            if len({(type(choice), choice) for choice in self.choices}) < max(2, len(self.choices)):
                raise ValueError("give two or more different choices")
        elif low is None or high is None:
            raise ValueError("give low and high, or choices")
        elif not low < high or (self.log and not low > 0):
            raise ValueError("low must be below high, and above 0 with log")
        return self

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The values that a recipe must accept."""
        ends = (self.low, self.high)
        return self.choices or tuple(end for end in ends if end is not None)

    def suggest(self, trial: "Trial", key: str) -> Scalar:
        """Returns the value that a trial takes, drawn at the first call."""
        if self.choices:
            return cast("Scalar", trial.suggest_categorical(key, self.choices))
        low, high = self.ends
        if isinstance(low, int) and isinstance(high, int):
            return trial.suggest_int(key, low, high, log=self.log)
        return trial.suggest_float(key, float(low), float(high), log=self.log)


Space = Mapping[str, Dimension]
"""Dotted key of a recipe -> its values."""


def with_values(base: WrittenRecipe, values: Mapping[str, Scalar]) -> Recipe:
    """Returns a recipe with the values of a trial, which its description then states.

    Raises:
        UsageError: the recipe does not take them.
    """
    # JSON's strings, numbers and truths are TOML's.
    settings = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    recipe = base.recipe(settings)
    description = f"{recipe.description} Values of a search: {', '.join(settings)}."
    return recipe.model_copy(update={"description": description})


def read_space(path: Path, base: WrittenRecipe) -> dict[str, Dimension]:
    """Reads a space: a TOML table of `"section.key" = {low, high, log}` or `{choices}`.

    Args:
        path: the file.
        base: the recipe whose keys they are; it must take both ends, and every choice.

    Raises:
        UsageError: it is not a space, the recipe does not take a value, or a value has no effect.
        InputError: the file cannot be read.
    """
    try:
        tree = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("toml-invalid", f"{path} is not valid TOML: {error}.") from error
    space: dict[str, Dimension] = {}
    for key, values in _leaves(tree, ""):
        try:
            space[key] = Dimension.model_validate(values)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UsageError(
                "search-values-invalid", f"{path}: {key}: {reason}; got {values!r}."
            ) from None
        _check_key(path, key, space[key], base)
    if not space:
        raise UsageError(
            "search-space-empty",
            f'{path} names no key. Write, for example, "train.lr" = {{low = 1e-4, high = 1e-2}}.',
        )
    return space


def _leaves(tree: Any, above: str) -> list[tuple[str, Any]]:  # noqa: ANN401 - whatever TOML can hold
    """Returns the dotted keys and what they hold; TOML nests `train.lr` without quotes."""
    named = isinstance(tree, dict) and tree.keys() & Dimension.model_fields.keys()
    if not isinstance(tree, dict) or (above and (named or not tree)):
        return [(above, tree)]
    return [
        leaf
        for key, value in tree.items()
        for leaf in _leaves(value, f"{above}.{key}" if above else key)
    ]


def _check_key(path: Path, key: str, dimension: Dimension, base: WrittenRecipe) -> None:
    """Checks that the recipe takes the values of a key, and that they change the training."""
    section, _, name = key.rpartition(".")
    if not section:
        raise UsageError("search-key-unknown", f"{path}: {key!r} is no section.key of a recipe.")
    changed = [with_values(base, {key: value}) for value in dimension.ends]
    plans = {each.train.stages for each in changed}
    of_stages = section == "train" and name in StageSection.model_fields
    if of_stages and len(plans) == 1 and plans != {()}:
        raise UsageError(
            "search-key-without-effect",
            f"{path}: {key} has no effect, because every stage of the recipe sets its own "
            f"{name}. Search train.stages.0.{name} and so on.",
        )
