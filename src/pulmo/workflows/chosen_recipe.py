"""The recipe and the images of a training: those that are named or, to resume, the folder's."""

from collections.abc import Callable
from pathlib import Path

from pulmo.core.begun import begun_recipe, check_settings, differences, same_name
from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, WrittenRecipe, change_recipe, write_recipe
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.workflows.options.training import RecipeOptions, TrainOptions

NamedRecipe = str | Path | Recipe | None
"""A shipped recipe's name, a TOML file, or a recipe; None if none is named."""


def recipe_of(named: NamedRecipe, options: RecipeOptions) -> Recipe:
    """Returns a recipe with the changes; see `written_recipe`."""
    return written_recipe(named, options).recipe()


def written_recipe(named: NamedRecipe, options: RecipeOptions) -> WrittenRecipe:
    """Returns a recipe with the changes, as it is written.

    Raises:
        UsageError: there is no such recipe, none is named, it has no such variant, or it does not
            take a setting.
        InputError: its file cannot be read.
    """
    if named is None:
        raise UsageError("recipe-not-given", "No recipe is named.")
    if not isinstance(named, Recipe):
        return write_recipe(
            str(named), options.settings, quick=options.quick, scratch=options.from_scratch
        )
    if options.quick or options.from_scratch:
        raise UsageError(
            "recipe-without-variants",
            "Only a recipe's name or file has variants; this is a loaded recipe.",
        )
    tree = change_recipe(named, options.settings).model_dump(mode="json", exclude_none=True)
    return WrittenRecipe(tree)


def chosen_recipe(
    named: NamedRecipe, folder: Path, options: TrainOptions, on_note: Callable[[str], None]
) -> Recipe:
    """Returns the recipe to train: the one that is named or, to resume, that of the folder.

    Args:
        named: the recipe; None is allowed to resume.
        folder: the folder of the run or the runs.
        options: changes to the recipe, and whether to resume.
        on_note: called with a sentence if the recipe has changed since the run began.

    Raises:
        UsageError: the recipe cannot be used, or the folder holds no run.
        RefusedError: the recipe or a setting contradicts what the run was started with.
        InputError: a file cannot be read.
    """
    begun = begun_recipe(folder) if options.resume else None
    if begun is None:
        if options.resume and named is None:
            raise UsageError("resume-without-run", f"{folder} contains no run to resume.")
        return recipe_of(named, options)
    check_same_recipe(begun, named, folder, options, on_note)
    return begun


def check_same_recipe(
    begun: Recipe,
    named: NamedRecipe,
    folder: Path,
    options: RecipeOptions,
    on_note: Callable[[str], None],
) -> None:
    """Refuses a recipe or settings that contradict those that a folder was started with.

    Args:
        begun: what the folder was started with.
        named: the recipe that is named now; None if none is.
        folder: the folder, for the message.
        options: the settings that are given now.
        on_note: called with a sentence if the named recipe has changed since then.

    Raises:
        RefusedError: it is another recipe, or a setting differs.
        UsageError: the named recipe or a setting cannot be used.
    """
    check_settings(begun, folder, options.settings)
    if named is None:
        return
    now = recipe_of(named, options)
    if not same_name(begun, now):
        raise RefusedError(
            "run-settings-changed",
            f"{folder} was started with the recipe {begun.name!r}, not with {now.name!r}. It "
            "resumes only with the recipe and settings that it was started with.",
        )
    keys = [key for key, _, _ in differences(begun, now) if key != "train.seed"]
    if keys:
        on_note(f"{folder} continues with its own recipe, which differs in {', '.join(keys)}.")


def chosen_images(given: Manifest | None, folder: Path, options: TrainOptions) -> Manifest:
    """Returns the images to train on: those given or, to resume, those of the folder.

    Raises:
        UsageError: none are given, and there is nothing to resume.
        InputError: the manifest of the folder cannot be read.
    """
    if given is not None:
        return given
    if not options.resume:
        raise UsageError("manifest-not-given", "No manifest is given to train on.")
    return read_manifest(RunFolder(folder).manifest)
