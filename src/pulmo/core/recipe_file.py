"""Recipe files: TOML that may extend another recipe, and has tables of variants."""

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from pulmo.core.choices import NAME
from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes
from pulmo.core.settings import set_value

Tree = dict[str, Any]

EXTENDS: Final = "extends"
"""The key that names the recipe of which a file says what differs."""

QUICK: Final = "quick"
SCRATCH: Final = "scratch"
SCRATCH_QUICK: Final = f"{SCRATCH}.{QUICK}"
"""The tables of a recipe's variants, which are no sections of it."""

_OWN: Final = ("name", "description")
"""The keys that each recipe says of itself."""


class RecipeFile(NamedTuple):
    """What a file says, with what it extends.

    Attributes:
        tree: the recipe's sections.
        variants: the settings of its variants, by the names of their tables.
        origin: what messages call it.
    """

    tree: Tree
    variants: dict[str, Tree]
    origin: str

    def take(self, names: Sequence[str]) -> None:
        """Applies variants to the tree, one after the other.

        Raises:
            UsageError: there is no such variant.
        """
        for name in names:
            if name not in self.variants:
                raise UsageError(
                    "recipe-variant-missing",
                    f"{self.origin} has no {name} variant, which is a table {name} of settings.",
                )
            for key, value in self.variants[name].items():
                set_value(self.tree, key, value, f"{name}.{key}")
            self.tree["name"] = f"{self.tree.get('name')}-{name.rpartition('.')[2]}"


def shipped_recipes() -> dict[str, Path]:
    """Returns the recipes that come with pulmo: name -> file."""
    folder = Path(str(files("pulmo") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_recipe_file(name: str) -> RecipeFile:
    """Reads a recipe's file and those that it extends.

    A file states what differs: its tables are merged into those of the recipe that it extends, key
    by key; a list, a value and a name with its parameters take the place of what was there. So does
    a table of a variant as a whole, and an empty one takes the variant away. The name and the
    description are never those of another.

    Args:
        name: a shipped recipe's name, or the path of a TOML file.

    Raises:
        UsageError: there is no such recipe, it is not TOML, or it extends itself.
        InputError: a file cannot be read.
    """
    return _read(_find(name, Path()), ())


def _read(path: Path, below: tuple[Path, ...]) -> RecipeFile:
    """Reads a file; `below` are those that extend it, the nearest last."""
    if path.resolve() in [seen.resolve() for seen in below]:
        chain = " extends ".join(str(file) for file in (*below, path))
        raise UsageError("recipe-cycle", f"A recipe cannot extend itself: {chain}.")
    try:
        tree = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("toml-invalid", f"{path} is not valid TOML: {error}.") from error
    extended = tree.pop(EXTENDS, None)
    variants = _variants(tree, str(path), may_be_empty=extended is not None)
    if extended is None:
        return RecipeFile(tree, variants, str(path))
    if not isinstance(extended, str):
        raise UsageError(
            "recipe-base-invalid",
            f"{path}: {EXTENDS} must name a recipe or the file of one; got {extended!r}.",
        )
    base = _read(_find(extended, path.parent), (*below, path))
    inherited = {key: value for key, value in base.tree.items() if key not in _OWN}
    known = base.variants | variants
    if not variants.get(SCRATCH, True):
        known.pop(SCRATCH_QUICK, None)
    return RecipeFile(
        merged(inherited, tree),
        {key: settings for key, settings in known.items() if settings},
        f"{path}, which extends {extended},",
    )


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """Returns a tree with the changes of another, table by table.

    A table that names another thing than the base does, such as another loss, takes its place, for
    the parameters of the one are not those of the other.
    """
    tree = dict(base)
    for key, value in changes.items():
        before = tree.get(key)
        if isinstance(before, str) and isinstance(value, Mapping):
            before = {NAME: before}
        if (
            isinstance(before, Mapping)
            and isinstance(value, Mapping)
            and value.get(NAME, before.get(NAME)) == before.get(NAME)
        ):
            tree[key] = merged(before, value)
        else:
            tree[key] = value
    return tree


def _find(name: str, folder: Path) -> Path:
    """Returns the file of a shipped recipe, or the file that is named as seen from a folder."""
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    if name.endswith(".toml") or (folder / name).exists():
        return folder / name
    near = get_close_matches(name, shipped, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        "recipe-unknown",
        f"There is no recipe {name!r}; choose one of {', '.join(shipped)}, or a .toml file.{hint}",
    )


def _variants(tree: Tree, origin: str, *, may_be_empty: bool) -> dict[str, Tree]:
    """Takes the tables of variants out of a recipe, and returns those that it has by name."""
    found: dict[str, Any] = {name: tree.pop(name) for name in (QUICK, SCRATCH) if name in tree}
    if isinstance(found.get(SCRATCH), dict) and QUICK in found[SCRATCH]:
        found[SCRATCH_QUICK] = found[SCRATCH].pop(QUICK)
        if may_be_empty and not found[SCRATCH]:
            # Only its cheaper variant differs.
            del found[SCRATCH]
    for name, settings in found.items():
        if not isinstance(settings, dict) or not (settings or may_be_empty):
            raise UsageError(
                "recipe-table-expected", f"{origin}: {name} must be a table of settings."
            )
    return found
