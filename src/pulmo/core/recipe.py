"""Recipe: one experiment as a frozen, typed value, read from TOML."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from pulmo.core.choices import CHOICE_ERROR
from pulmo.core.errors import UsageError
from pulmo.core.files import sha256
from pulmo.core.keys import keys_at, near_key
from pulmo.core.labels import LabelScheme, check_label
from pulmo.core.recipe_file import QUICK, SCRATCH, SCRATCH_QUICK, read_recipe_file
from pulmo.core.sections import (
    DataSection,
    DecisionSection,
    ImageSection,
    ModelSection,
    Section,
)
from pulmo.core.settings import apply_setting, changes_between, key_of
from pulmo.core.training import Augmentations, TrainSection


class Recipe(Section):
    """One experiment: everything that decides a training run except the data and the machine."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """What a run and its model are called; small letters, digits and hyphens."""
    description: str
    """What it is, in a sentence."""
    labels: LabelScheme
    model: ModelSection
    decision: DecisionSection
    data: DataSection = DataSection()
    image: ImageSection = Field(default_factory=ImageSection)
    augment: Augmentations = Field(default_factory=dict, validate_default=True)
    """Random changes of training images, drawn uniformly; 0 turns one off."""
    train: TrainSection = Field(default_factory=TrainSection)

    @model_validator(mode="after")
    def _positive_classes_are_classes(self) -> Self:
        wanted, labels = self.decision.positive, set(self.labels.order)
        if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) < labels:
            raise UsageError(
                "positive-classes-invalid",
                "The setting decision.positive must name some but not all of "
                f"{', '.join(self.labels.order)}, each once; got {list(wanted)}.",
            )
        return self

    @model_validator(mode="after")
    def _classes_of_the_training_are_classes(self) -> Self:
        for key in ("class_weights", "oversample"):
            given = getattr(self.train, key)
            unknown = [] if isinstance(given, str) else sorted(set(given) - set(self.labels.order))
            if unknown:
                raise UsageError(
                    "recipe-class-unknown",
                    f"The setting train.{key} names {', '.join(unknown)}, but the classes are "
                    f"{', '.join(self.labels.order)}.",
                )
        return self

    @model_validator(mode="after")
    def _coarse_labels_stand_for_classes(self) -> Self:
        order = self.labels.order
        for label, classes in self.train.coarse_labels.items():
            check_label(label)
            known = label in order or label in self.labels.merge
            if known or len(set(classes)) < 2 or not set(classes) < set(order):
                raise UsageError(
                    "coarse-label-invalid",
                    f"The setting train.coarse_labels.{label} must name two or more, but not all, "
                    f"of {', '.join(order)}, and {label} must be neither a class nor merged into "
                    f"one; got {list(classes)}.",
                )
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The classes and behind them the coarse labels, of which a training image has one."""
        return (*self.labels.order, *self.train.coarse_labels)

    def to_toml(self) -> str:
        """Returns the recipe with every default written out, as TOML that `load_recipe` reads."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    def without_folders(self) -> Self:
        """Returns the recipe with the bare name of the file that its weights are from, if any.

        Where a file lies says nothing to others, and may say too much.
        """
        named = self.model.model_copy(update={"weights": Path(self.model.weights).name})
        return self.model_copy(update={"model": named})

    @property
    def sha256(self) -> str:
        """The SHA-256 of the recipe's content, whatever its TOML looks like.

        A recipe keeps it when a later version of pulmo knows more fields (`later_fields`).
        """
        sections = {name: getattr(self, name) for name in type(self).model_fields}
        unused = {
            name: section.unused_fields
            for name, section in sections.items()
            if isinstance(section, Section)
        }
        return sha256(self.model_dump_json(exclude=unused).encode())


@dataclass(frozen=True)
class WrittenRecipe:
    """A recipe as it is written, without defaults.

    A setting reaches all that follows from it, such as the stages for which `train.epochs` is the
    default; those of a `Recipe` are values already.

    Attributes:
        tree: the TOML.
        origin: what errors call it.
    """

    tree: Mapping[str, Any]
    origin: str = field(default="The recipe", compare=False)

    def recipe(self, settings: Sequence[str] = ()) -> Recipe:
        """Returns the recipe with some values changed, by settings as `load_recipe` takes them.

        Raises:
            UsageError: a setting has an unknown key or a bad value.
        """
        return _with_settings(deepcopy(dict(self.tree)), settings, self.origin)

    def to_toml(self) -> str:
        """Returns TOML that `write_recipe` reads as the same."""
        return tomli_w.dumps(self.tree)


def load_recipe(
    name: str, settings: Sequence[str] = (), *, quick: bool = False, scratch: bool = False
) -> Recipe:
    """Reads a recipe.

    Args:
        name: a shipped recipe's name, or the path of a TOML file.
        settings: changes to it, each `section.key=value` with the value in TOML; a value that is
            not TOML is taken as a string, the words of a list need no quotes, and a number among
            the keys counts the entries of a list.
        quick: take the recipe's own cheaper variant, the settings of its table `quick`.
        scratch: start from random weights, with its variant for that if it has one, the settings
            of its table `scratch`; its cheaper variant is the table `scratch.quick`.

    Raises:
        UsageError: there is no such recipe, or it or a setting has an unknown key or a bad value.
        InputError: the file cannot be read.
    """
    return write_recipe(name, settings, quick=quick, scratch=scratch).recipe()


def write_recipe(
    name: str, settings: Sequence[str] = (), *, quick: bool = False, scratch: bool = False
) -> WrittenRecipe:
    """Reads a recipe as it is written; the arguments and errors are those of `load_recipe`."""
    file = read_recipe_file(name)
    written = deepcopy(file.tree)
    if scratch and SCRATCH in file.variants:
        file.take([SCRATCH, SCRATCH_QUICK] if quick else [SCRATCH])
    elif quick:
        file.take([QUICK])
    if scratch:
        _start_at_random(file.tree)
    recipe = _with_settings(file.tree, settings, file.origin)
    if scratch and recipe.model.weights != "none":
        raise UsageError(
            "weights-contradict",
            f"A random start and model.weights={recipe.model.weights} contradict each other. "
            "Choose one of them.",
        )
    changes = changes_between(written, recipe.model_dump(mode="json"))
    if changes and recipe.description == written.get("description"):
        # What the file says of itself is not true of what it became.
        said = f"The recipe {written['name']} with changes: {'; '.join(changes)}."
        file.tree["description"] = said
    return WrittenRecipe(file.tree, file.origin)


def change_recipe(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Returns a recipe with some values changed, by settings as `load_recipe` takes them.

    Raises:
        UsageError: a setting has an unknown key or a bad value.
    """
    tree = recipe.model_dump(mode="json", exclude_none=True)
    return _with_settings(tree, settings, f"The recipe {recipe.name!r}")


def parse_recipe(tree: dict[str, Any], origin: str) -> Recipe:
    """Makes a recipe of parsed TOML; `origin` names it in errors.

    Raises:
        UsageError: an unknown key, a missing one, or a bad value.
    """
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        raise UsageError(
            "recipe-invalid", f"{origin} is not a valid recipe: {_problems(error)}"
        ) from None


def _with_settings(tree: dict[str, Any], settings: Sequence[str], origin: str) -> Recipe:
    """Makes a recipe of parsed TOML and settings; an error blames the one that is wrong."""
    before = deepcopy(tree)
    for setting in settings:
        apply_setting(tree, setting)
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        if settings:
            parse_recipe(before, origin)
        wrong = [setting for setting in settings if _concerns(setting, error)] or settings
        if not wrong:
            raise UsageError(
                "recipe-invalid", f"{origin} is not a usable recipe: {_problems(error)}"
            ) from None
        named = f"setting{'s' * (len(wrong) > 1)} {', '.join(map(repr, wrong))}"
        raise UsageError(
            "recipe-invalid", f"The {named} cannot be used: {_problems(error)}"
        ) from None


def _concerns(setting: str, error: ValidationError) -> bool:
    """Tells whether one of the problems is at the key of a setting, above it or below it."""
    key = f"{key_of(setting)}."
    places = [".".join(map(str, problem["loc"])) + "." for problem in error.errors()]
    return any(key.startswith(place) or place.startswith(key) for place in places)


def _problems(error: ValidationError) -> str:
    """Returns what is wrong as the end of a sentence."""
    problems = "; ".join(_explain(problem) for problem in error.errors())
    return problems if problems.endswith(("?", ".")) else f"{problems}."


def _start_at_random(tree: dict[str, Any]) -> None:
    """Takes the initial weights out of a recipe."""
    section = tree.get("model")
    if isinstance(section, dict):
        kept = {key: value for key, value in section.items() if not key.startswith("weights")}
        tree["model"] = kept


def _explain(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """Turns one of pydantic's errors into words, with the nearest key for an unknown one."""
    where = ".".join(str(part) for part in problem["loc"]) or "the recipe"
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        near = near_key(Recipe, problem["loc"])
        known = ", ".join(keys_at(Recipe, problem["loc"][:-1]))
        hint = f", did you mean {near!r}?" if near else f"; known are {known}"
        return f"{where} is not known{hint}"
    if problem["type"] == "missing":
        return f"{where} is missing"
    if problem["type"] == CHOICE_ERROR:
        return f"{where}: {problem['msg']}"
    return f"{where}: {problem['msg']}, got {problem['input']!r}"
