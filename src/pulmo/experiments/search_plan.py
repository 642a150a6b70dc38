"""What a search was started with, kept in its folder so that it continues with nothing else."""

from typing import Literal, NamedTuple

from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.files import write_atomically
from pulmo.core.folders import SearchFolder
from pulmo.core.recipe import WrittenRecipe, write_recipe
from pulmo.core.record import Record, read_record, write_record
from pulmo.datasets.manifest import Manifest
from pulmo.experiments.search_space import Dimension, Space

Pruner = Literal["median", "hyperband", "none"]


class SearchPlan(NamedTuple):
    """What a search does.

    Attributes:
        folder: where it works.
        base: the recipe that it starts from.
        space: the keys that it changes.
        seed: of TPE; with the trials before it decides what a trial tries.
        pruner: what ends trials early.
        device: auto, cpu or cuda.
    """

    folder: SearchFolder
    base: WrittenRecipe
    space: Space
    seed: int = 0
    pruner: Pruner = "median"
    device: str = "auto"


class BegunSearch(Record):
    """The content of `search.json`: what a search was started with, apart from its recipe."""

    format: Literal[2] = 2
    recipe_sha256: str
    manifest_sha256: str
    space: dict[str, Dimension]
    seed: int
    pruner: Pruner


def begin_search(plan: SearchPlan, manifest: Manifest) -> None:
    """Checks that a folder is free for a search and writes what it is started with.

    Raises:
        UsageError: the folder is not free.
        InputError: it cannot be written to.
    """
    folder = plan.folder
    if folder.plan.exists():
        raise UsageError("search-exists", f"{folder.root} contains a search already.")
    if any(folder.root.glob("[!.]*")):
        raise UsageError("folder-not-empty", f"{folder.root} is not empty and contains no search.")
    manifest.save(folder.manifest)
    write_atomically(folder.recipe, plan.base.to_toml().encode())
    write_record(folder.plan, _begun(plan, manifest))


def read_search(folder: SearchFolder, device: str = "auto") -> SearchPlan:
    """Returns the plan of the search in a folder.

    Raises:
        UsageError: the folder holds no search.
        InputError: a file of it is damaged.
    """
    if not folder.plan.exists():
        raise UsageError("resume-without-run", f"{folder.root} contains no search to resume.")
    begun = read_record(folder.plan, BegunSearch, "what a search was started with")
    base = write_recipe(str(folder.recipe))
    return SearchPlan(folder, base, begun.space, begun.seed, begun.pruner, device)


def check_same_search(plan: SearchPlan, manifest: Manifest) -> None:
    """Checks that a plan and images are those that the search in the folder was started with.

    Raises:
        RefusedError: something differs.
        InputError: a file of the folder is missing or damaged.
    """
    begun = read_record(plan.folder.plan, BegunSearch, "what a search was started with")
    now = _begun(plan, manifest)
    names = sorted(BegunSearch.model_fields)
    changed = [name for name in names if getattr(begun, name) != getattr(now, name)]
    if changed:
        raise RefusedError(
            "search-settings-changed",
            f"{plan.folder.root} was started with another {', '.join(changed)}. A search resumes "
            "only with what it was started with.",
        )


def _begun(plan: SearchPlan, manifest: Manifest) -> BegunSearch:
    return BegunSearch(
        recipe_sha256=plan.base.recipe().sha256,
        manifest_sha256=manifest.sha256,
        space=dict(plan.space),
        seed=plan.seed,
        pruner=plan.pruner,
    )
