"""Repeat: a recipe is trained with each fold held out and with several seeds, and summarised."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.core.files import write_atomically
from pulmo.core.folders import RepeatsFolder
from pulmo.core.output import claimed_folder
from pulmo.core.record import write_record
from pulmo.datasets.manifest import Manifest
from pulmo.experiments.executor import refuse_several_processes, run_all
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.chosen_recipe import NamedRecipe, chosen_images, chosen_recipe
from pulmo.workflows.options.training import RepeatOptions

if TYPE_CHECKING:
    from pulmo.experiments.summary import Summary


class Repeats(NamedTuple):
    """A repeated experiment that is done."""

    folder: RepeatsFolder
    summary: "Summary"


def repeat(
    recipe: NamedRecipe,
    data: Manifest | None,
    output: str | Path,
    options: RepeatOptions,
    callbacks: Callbacks | None = None,
    on_done: Callable[[str, int, int], None] = lambda *_: None,
) -> Repeats:
    """Trains, exports and evaluates each run, and writes the summary of all.

    Args:
        recipe: a shipped recipe's name, a TOML file, or a recipe. None: resume the folder's own.
        data: images with their split or folds. None: resume with the folder's own.
        output: the folder of all runs; it must be new, unless its runs are resumed.
        options: how often and how it is trained.
        callbacks: called with the progress of runs in this process; they can stop them.
        on_done: called with the name of each run that is done, how many are done, and of how many.

    Raises:
        UsageError: the recipe cannot be used, the manifest has no usable folds, or the folder is
            not free or holds nothing to resume.
        InputError: no image may be used, or a file cannot be read or written.
        RefusedError: a split leaks, or the folder was started with something else.
        PulmoError: a run failed.
    """
    callbacks = callbacks or Callbacks()
    refuse_several_processes()
    root = Path(output)
    experiment = chosen_recipe(recipe, root, options, callbacks.on_note)
    manifest = chosen_images(data, root, options)
    # torch takes seconds to import, which a refusal need not cost.
    from pulmo.experiments.ray_cluster import open_executor
    from pulmo.experiments.summary import summary_text
    from pulmo.models.classifier import check_weights
    from pulmo.workflows.repeated_runs import Repeat, claim_repeats, plan_repeats, works_of
    from pulmo.workflows.summarise import summarise

    folder = RepeatsFolder(root.absolute())
    threads = options.threads or int(options.ray is not None)
    fold = 0 if options.folds else None
    first = Repeat(folder, experiment, fold, device=options.device, threads=threads)
    with claimed_folder(root):
        runs, images = plan_repeats(first, manifest, options.seeds)
        if not options.resume:
            check_weights(experiment.model)
        claim_repeats(folder, images, resume=options.resume)
    done: list[str] = []

    def count(name: str) -> None:
        done.append(name)
        on_done(name, len(done), len(runs))

    with open_executor(
        options.ray, callbacks, threads=options.threads, device=options.device
    ) as executor:
        run_all(works_of(runs), executor, count)
    summary = summarise(runs)
    write_atomically(folder.text, summary_text(summary).encode())
    write_record(folder.index, summary)
    return Repeats(folder, summary)
