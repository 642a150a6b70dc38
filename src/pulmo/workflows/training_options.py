"""Options that all workflows of training share: changes to a recipe, and where and how to train."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pulmo.core.begun import begun_recipe, check_settings, differences, same_name
from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, WrittenRecipe, change_recipe, write_recipe
from pulmo.datasets.manifest import Manifest, read_manifest


@dataclass(frozen=True)
class RecipeOptions:
    """Changes to a recipe.

    Attributes:
        settings: changes such as `train.lr=1e-3`, as `load_recipe` takes them.
        quick: whether to take the recipe's cheaper variant.
        from_scratch: whether to start from random weights, by the recipe's variant for that.
    """

    settings: Sequence[str] = ()
    quick: bool = False
    from_scratch: bool = False

    def recipe(self, named: str | Path | Recipe | None) -> Recipe:
        """Returns a recipe with the changes; the arguments are those of `written_recipe`."""
        return self.written_recipe(named).recipe()

    def written_recipe(self, named: str | Path | Recipe | None) -> WrittenRecipe:
        """Returns a recipe with the changes, as it is written.

        Args:
            named: a shipped recipe's name, a TOML file, or a recipe.

        Raises:
            UsageError: there is no such recipe, none is named, it has no such variant, or it does
                not take a setting.
            InputError: its file cannot be read.
        """
        if named is None:
            raise UsageError("recipe-not-given", "No recipe is named.")
        if not isinstance(named, Recipe):
            return write_recipe(
                str(named), self.settings, quick=self.quick, scratch=self.from_scratch
            )
        if self.quick or self.from_scratch:
            raise UsageError(
                "recipe-without-variants",
                "Only a recipe's name or file has variants; this is a loaded recipe.",
            )
        tree = change_recipe(named, self.settings).model_dump(mode="json", exclude_none=True)
        return WrittenRecipe(tree)


@dataclass(frozen=True)
class TrainOptions(RecipeOptions):
    """How a recipe is trained.

    Attributes:
        resume: whether to continue what the folder holds; the recipe, the settings and the images
            are then those that it was started with, and need not be given again.
        device: auto, cpu or cuda.
        threads: threads of torch; 0 leaves them as they are.
    """

    resume: bool = False
    device: str = "auto"
    threads: int = 0

    def chosen_recipe(
        self, named: str | Path | Recipe | None, folder: Path, on_note: Callable[[str], None]
    ) -> Recipe:
        """Returns the recipe to train: the one that is named or, to resume, that of the folder.

        Args:
            named: the recipe; None is allowed with `resume`.
            folder: the folder of the run or the runs.
            on_note: called with a sentence if the recipe has changed since the run began.

        Raises:
            UsageError: the recipe cannot be used, or the folder holds no run.
            RefusedError: the recipe or a setting contradicts what the run was started with.
            InputError: a file cannot be read.
        """
        begun = begun_recipe(folder) if self.resume else None
        if begun is None:
            if self.resume and named is None:
                raise UsageError("resume-without-run", f"{folder} contains no run to resume.")
            return self.recipe(named)
        self.check_same_recipe(begun, named, folder, on_note)
        return begun

    def check_same_recipe(
        self,
        begun: Recipe,
        named: str | Path | Recipe | None,
        folder: Path,
        on_note: Callable[[str], None],
    ) -> None:
        """Refuses a recipe or settings that contradict those that a folder was started with.

        Args:
            begun: what the folder was started with.
            named: the recipe that is named now; None if none is.
            folder: the folder, for the message.
            on_note: called with a sentence if the named recipe has changed since then.

        Raises:
            RefusedError: it is another recipe, or a setting differs.
            UsageError: the named recipe or a setting cannot be used.
        """
        check_settings(begun, folder, self.settings)
        if named is None:
            return
        now = self.recipe(named)
        if not same_name(begun, now):
            raise RefusedError(
                "run-settings-changed",
                f"{folder} was started with the recipe {begun.name!r}, not with {now.name!r}. It "
                "resumes only with the recipe and settings that it was started with.",
            )
        keys = [key for key, _, _ in differences(begun, now) if key != "train.seed"]
        if keys:
            on_note(f"{folder} continues with its own recipe, which differs in {', '.join(keys)}.")

    def chosen_images(self, given: Manifest | None, folder: Path) -> Manifest:
        """Returns the images to train on: those given or, to resume, those of the folder.

        Raises:
            UsageError: none are given, and there is nothing to resume.
            InputError: the manifest of the folder cannot be read.
        """
        if given is not None:
            return given
        if not self.resume:
            raise UsageError("manifest-not-given", "No manifest is given to train on.")
        return read_manifest(RunFolder(folder).manifest)
