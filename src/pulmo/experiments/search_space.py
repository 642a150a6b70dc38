"""The space of a search: keys of a recipe and the values that they may take."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, cast

from optuna import Trial
from pydantic import Field, ValidationError, model_validator

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.core.record import Record
from pulmo.core.training import StageSection

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

    def suggest(self, trial: Trial, key: str) -> Scalar:
        """Returns the value that a trial takes, drawn at the first call."""
        if self.choices:
            return cast("Scalar", trial.suggest_categorical(key, self.choices))
        low, high = self.ends
        if isinstance(low, int) and isinstance(high, int):
            return trial.suggest_int(key, low, high, log=self.log)
        return trial.suggest_float(key, float(low), float(high), log=self.log)


Space = Mapping[str, Dimension]
"""Dotted key of a recipe -> its values."""


class Base(NamedTuple):
    """The recipe that a search starts from.

    Attributes:
        name: a shipped recipe, or a file.
        settings: changes to it, as `load_recipe` takes them.
        quick: whether to take its cheaper variant.
        scratch: whether to start from random weights.
    """

    name: str
    settings: tuple[str, ...] = ()
    quick: bool = False
    scratch: bool = False

    def recipe(self, values: Mapping[str, Scalar] | None = None) -> Recipe:
        """Returns the recipe with some values changed.

        Raises:
            UsageError: it does not take them.
        """
        # JSON's strings, numbers and truths are TOML's.
        changed = [
            f"{key}={json.dumps(value, ensure_ascii=False)}"
            for key, value in (values or {}).items()
        ]
        settings = [*self.settings, *changed]
        return load_recipe(self.name, settings, quick=self.quick, scratch=self.scratch)


def read_space(path: Path, base: Base) -> dict[str, Dimension]:
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


def _check_key(path: Path, key: str, dimension: Dimension, base: Base) -> None:
    """Checks that the recipe takes the values of a key, and that they change the training."""
    section, _, name = key.rpartition(".")
    if not section:
        raise UsageError("search-key-unknown", f"{path}: {key!r} is not a section.key of a recipe.")
    recipes = [base.recipe({key: value}) for value in dimension.ends]
    plans = {recipe.train.stages for recipe in recipes}
    of_stages = section == "train" and name in StageSection.model_fields
    if of_stages and len(plans) == 1 and plans != {()}:
        raise UsageError(
            "search-key-without-effect",
            f"{path}: {key} has no effect, because every stage of the recipe sets its own "
            f"{name}. Search train.stages.0.{name} and so on.",
        )
