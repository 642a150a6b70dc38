"""Recipe: one experiment as a frozen, typed value, read from TOML."""

import dataclasses
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.labels import LabelScheme
from pulmo.core.sections import (
    DataSection,
    DecisionSection,
    ImageSection,
    ModelSection,
    Section,
)
from pulmo.core.training import AugmentSection, TrainSection


class Recipe(Section):
    """One experiment: everything that decides a training run except the data and the machine."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    description: str
    labels: LabelScheme
    model: ModelSection
    decision: DecisionSection
    data: DataSection = DataSection()
    image: ImageSection = ImageSection()
    augment: AugmentSection = AugmentSection()
    train: TrainSection = TrainSection()

    @model_validator(mode="after")
    def _positive_classes_are_classes(self) -> Self:
        wanted, labels = self.decision.positive, set(self.labels.order)
        if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) < labels:
            raise UsageError(
                f"decision.positive must name some but not all of {', '.join(self.labels.order)}, "
                f"each once; got {list(wanted)}."
            )
        return self

    @model_validator(mode="after")
    def _classes_of_the_training_are_classes(self) -> Self:
        for key in ("class_weights", "oversample"):
            given = getattr(self.train, key)
            unknown = [] if isinstance(given, str) else sorted(set(given) - set(self.labels.order))
            if unknown:
                raise UsageError(
                    f"train.{key} speaks of {', '.join(unknown)}; the classes are "
                    f"{', '.join(self.labels.order)}."
                )
        return self

    def to_toml(self) -> str:
        """Returns the recipe with every default written out, as TOML that `load_recipe` reads."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @property
    def sha256(self) -> str:
        """The SHA-256 of the recipe's content, whatever its TOML looks like."""
        return sha256(self.model_dump_json().encode())


QUICK: Final = "quick"
SCRATCH: Final = "scratch"
SCRATCH_QUICK: Final = f"{SCRATCH}.{QUICK}"
"""The tables of a recipe's variants, which are no sections of it."""


def shipped_recipes() -> dict[str, Path]:
    """Returns the recipes that come with pulmo: name -> file."""
    folder = Path(str(files("pulmo") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_recipe(
    name: str, settings: Sequence[str] = (), *, quick: bool = False, scratch: bool = False
) -> Recipe:
    """Reads a recipe.

    Args:
        name: a shipped recipe's name, or the path of a TOML file.
        settings: changes to it, each `section.key=value` with the value in TOML; a value that is
            not TOML is taken as a string, and a number among the keys counts the entries of a list.
        quick: take the recipe's own cheaper variant, the settings of its table `quick`.
        scratch: take its variant for a network without initial weights, the settings of its table
            `scratch`, if it has one; its cheaper variant is the table `scratch.quick`.

    Raises:
        UsageError: there is no such recipe, or it or a setting has an unknown key or a bad value.
        InputError: the file cannot be read.
    """
    path = _find(name)
    try:
        tree = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    variants = _variants(tree, str(path))
    if scratch and SCRATCH in variants:
        _take(tree, variants, [SCRATCH, SCRATCH_QUICK] if quick else [SCRATCH], str(path))
    elif quick:
        _take(tree, variants, [QUICK], str(path))
    for setting in settings:
        _apply(tree, setting)
    return parse_recipe(tree, str(path))


def parse_recipe(tree: dict[str, Any], origin: str) -> Recipe:
    """Makes a recipe of parsed TOML; `origin` names it in errors.

    Raises:
        UsageError: an unknown key, a missing one, or a bad value.
    """
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        problems = "; ".join(_explain(problem) for problem in error.errors())
        end = "" if problems.endswith("?") else "."
        raise UsageError(f"{origin} is not a usable recipe: {problems}{end}") from None


def _find(name: str) -> Path:
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    if name.endswith(".toml") or Path(name).exists():
        return Path(name)
    near = get_close_matches(name, shipped, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        f"There is no recipe {name!r}; shipped are {', '.join(shipped)}; or a .toml file.{hint}"
    )


def _variants(tree: dict[str, Any], origin: str) -> dict[str, dict[str, Any]]:
    """Takes the tables of variants out of a recipe, and returns those that it has by name."""
    found: dict[str, Any] = {name: tree.pop(name) for name in (QUICK, SCRATCH) if name in tree}
    if isinstance(found.get(SCRATCH), dict) and QUICK in found[SCRATCH]:
        found[SCRATCH_QUICK] = found[SCRATCH].pop(QUICK)
    for name, settings in found.items():
        if not isinstance(settings, dict) or not settings:
            raise UsageError(f"{origin}: {name} must be a table of settings.")
    return found


def _take(
    tree: dict[str, Any], variants: dict[str, dict[str, Any]], names: Sequence[str], origin: str
) -> None:
    """Applies variants one after the other."""
    for name in names:
        if name not in variants:
            raise UsageError(f"{origin} has no {name} variant: a table {name} of settings.")
        for key, value in variants[name].items():
            _set(tree, key, value, f"{name}.{key}")
        tree["name"] = f"{tree.get('name')}-{name.rpartition('.')[2]}"


def _apply(tree: dict[str, Any], setting: str) -> None:
    """Changes `tree` by one `a.b=value`."""
    dotted, separator, text = setting.partition("=")
    if not separator or not all(dotted.split(".")):
        raise UsageError(f"{setting!r} is not a setting; write section.key=value.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    _set(tree, dotted, value, setting)


def _set(tree: dict[str, Any], dotted: str, value: Any, setting: str) -> None:  # noqa: ANN401 - whatever TOML can hold
    """Sets one value of `tree`; `setting` is what messages call it."""
    *sections, key = dotted.split(".")
    node: Any = tree
    for section in sections:
        if isinstance(node, list):
            node = _entry(node, section, setting)
        else:
            node = node.setdefault(section, {})
        if not isinstance(node, dict | list):
            raise UsageError(f"{setting!r}: {section!r} is a value, not a section.")
    if isinstance(node, list):
        raise UsageError(f"{setting!r}: say which key of the entry {key!r} of the list is meant.")
    node[key] = value


def _entry(entries: list[Any], number: str, setting: str) -> Any:  # noqa: ANN401 - whatever TOML can hold
    """Returns one entry of a list, counted from 0."""
    if not (number.isdecimal() and int(number) < len(entries)):
        raise UsageError(
            f"{setting!r}: {number!r} is no entry of the list; it has 0 to {len(entries) - 1}."
        )
    return entries[int(number)]


def _explain(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """Turns one of pydantic's errors into words, with the nearest key for an unknown one."""
    where = ".".join(str(part) for part in problem["loc"]) or "the recipe"
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _keys_at(problem["loc"][:-1])
        near = get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.4)
        hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        return f"{where} is not known{hint}"
    if problem["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {problem['msg']}, got {problem['input']!r}"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Returns the keys that the section at `location` knows."""
    section: Any = Recipe
    for part in location:
        if isinstance(part, int):
            section = section.__args__[0]
        else:
            section = section.model_fields[part].annotation
    if dataclasses.is_dataclass(section):
        return [field.name for field in dataclasses.fields(section)]
    return list(section.model_fields)
