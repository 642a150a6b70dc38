"""What --resume goes on with: the run's own recipe, whatever of it is said again."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.cli.console import say
from pulmo.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pulmo.core.recipe import Recipe


class Asked(NamedTuple):
    """The recipe that a command line asks for.

    Attributes:
        name: a shipped recipe or a file; None if none is named.
        settings: changes to it.
        quick: whether to take its cheaper variant.
        scratch: whether to start from random weights.
    """

    name: str | None
    settings: tuple[str, ...] = ()
    quick: bool = False
    scratch: bool = False

    def recipe(self) -> "Recipe":
        """Returns it.

        Raises:
            UsageError: there is no such recipe, it is not named, or it does not take a setting.
            InputError: its file cannot be read.
        """
        from pulmo.core.recipe import load_recipe

        if self.name is None:
            raise UsageError(
                "recipe-not-given", "Name a recipe of `pulmo recipes`, or a .toml file."
            )
        return load_recipe(self.name, self.settings, quick=self.quick, scratch=self.scratch)


def chosen_recipe(output: Path, asked: Asked, *, resume: bool) -> "Recipe":
    """Returns the recipe to train: with `resume` that of the run in the folder.

    Raises:
        UsageError: the recipe cannot be used, or the folder holds no run.
        RefusedError: what is asked for contradicts what the run was begun with.
        InputError: a file cannot be read.
    """
    from pulmo.core.begun import begun_recipe, check_settings

    begun = begun_recipe(output) if resume else None
    if begun is None:
        if resume and asked.name is None:
            raise UsageError("resume-without-run", f"{output} contains no run to resume.")
        return asked.recipe()
    check_settings(begun, output, asked.settings)
    if asked.name is not None:
        _compare(begun, asked, output)
    return begun


def _compare(begun: "Recipe", asked: Asked, output: Path) -> None:
    """Refuses another recipe, and says where the one that is named differs from the run's own."""
    from pulmo.core.begun import differences, same_name

    named = asked.recipe()
    if not same_name(begun, named):
        raise RefusedError(
            "run-settings-changed",
            f"{output} holds a run of the recipe {begun.name!r}, not of {named.name!r}; a run "
            "resumes only with the recipe and settings that it began with.",
        )
    keys = [key for key, _, _ in differences(begun, named) if key != "train.seed"]
    if keys:
        say(f"{output} goes on with its own recipe, which differs in {', '.join(keys)}.")
