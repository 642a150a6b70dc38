"""Reproduce: a published system is trained again and its values are compared with ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.core.errors import UsageError
from pulmo.core.files import write_atomically
from pulmo.core.output import claimed_folder
from pulmo.reproduce.options import ReproduceOptions
from pulmo.reproduce.reading_progress import ReadingProgress
from pulmo.reproduce.system import SYSTEMS, Experiment, System
from pulmo.train.callbacks import Callbacks

if TYPE_CHECKING:
    from pulmo.reproduce.outcome import Outcome


class Reproduction(NamedTuple):
    """What came of a system.

    Attributes:
        outcomes: of each experiment.
        text: the same as Markdown.
        file: where that was written.
    """

    outcomes: "tuple[Outcome, ...]"
    text: str
    file: Path


def reproduce(
    name: str,
    data: Path,
    output: Path,
    options: ReproduceOptions | None = None,
    callbacks: Callbacks | None = None,
    reading: ReadingProgress | None = None,
) -> Reproduction:
    """Runs the experiments of a system; repeated with the same output it continues.

    Args:
        name: a name in `SYSTEMS`.
        data: the folder that holds the public data sets.
        output: the folder to write.
        options: which experiments are run, and how.
        callbacks: called with the progress; they can stop the run.
        reading: called with the progress of reading the data sets.

    Raises:
        UsageError: there is no such system or experiment, or a recipe does not take a setting.
        WeightsError: initial weights are not available.
        InputError: no data set of an experiment is there, or a file cannot be read or written.
        RefusedError: the folder holds a run with other settings.
    """
    options, callbacks = options or ReproduceOptions(), callbacks or Callbacks()
    system = SYSTEMS[name]
    experiments = _chosen(system, options.only)
    # torch takes seconds to import, which a refusal need not cost.
    import torch

    from pulmo.reproduce.available_data import Sets
    from pulmo.reproduce.outcome_text import outcomes_text
    from pulmo.workflows.reproduced_experiment import run_experiment

    if options.threads:
        torch.set_num_threads(options.threads)
    outcomes: list[Outcome] = []
    text, file = "", output / f"{name}.md"
    with claimed_folder(output):
        sets = Sets(data, output / "data", reading)
        for experiment in experiments:
            callbacks.on_begin(experiment.name)
            outcomes.append(
                run_experiment(system, experiment, sets, output / name, options, callbacks)
            )
            text = outcomes_text(system.title, outcomes)
            write_atomically(file, text.encode())
    return Reproduction(tuple(outcomes), text, file)


def _chosen(system: System, names: Sequence[str]) -> list[Experiment]:
    """Returns the experiments of these names; all without a name."""
    known = {experiment.name: experiment for experiment in system.experiments}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            "reproduction-run-unknown",
            f"There is no run {unknown[0]!r}; there are: {', '.join(known)}.",
        )
    return [known[name] for name in names] or list(known.values())
