"""pulmo reproduce."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import print_json, progress, say
from pulmo.cli.train import Device, Settings, Threads, use_threads
from pulmo.core.errors import UsageError
from pulmo.core.output import claimed_folder

if TYPE_CHECKING:
    from pulmo.reproduce.system import Experiment, System


def reproduce(
    name: Annotated[str, typer.Argument(help="A system, such as capstone.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    data: Annotated[Path, typer.Option(help="The folder that holds the public sets.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="RUN", help="One run of the system.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Take each recipe's own cheaper variant.")
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(help="A folder of ImageNet weights: NETWORK.safetensors.")
    ] = None,
    scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Start what has no file there from random weights, by the recipe's variant.",
        ),
    ] = False,
    settings: Settings = None,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a published system again and set its figures beside ours.

    Repeated with the same output, it goes on where it stopped.
    """
    from pulmo.reproduce.system import SYSTEMS

    # Before torch is imported, which takes seconds.
    system = SYSTEMS[name]
    experiments = _chosen(system, only or [])

    from pulmo.cli.train import listening
    from pulmo.core.files import write_atomically
    from pulmo.datasets.curate import Watch
    from pulmo.reproduce.available_data import Gathering, Sets
    from pulmo.reproduce.outcome_text import outcomes_text
    from pulmo.workflows.reproduce import Options, reproduce

    use_threads(threads)
    options = Options(quick, weights, tuple(settings or ()), device, scratch)
    outcomes = []
    stages = ("importing", "reading images", "comparing pairs")
    with claimed_folder(output), progress(*stages) as (imported, *curation):
        sets = Sets(data, output / "data", Gathering(imported, Watch(*curation)))
        for experiment in experiments:
            say(f"{experiment.name}:")
            with listening(options.start(experiment).recipe) as listener:
                done = reproduce(system, experiment, sets, output / name, options, listener)
            outcomes.append(done)
            text = outcomes_text(system.title, outcomes)
            write_atomically(output / f"{name}.md", text.encode())
    if as_json:
        print_json([outcome.model_dump(mode="json") for outcome in outcomes])
    else:
        typer.echo(f"{text}\n{output / name}.md")


def _chosen(system: "System", names: list[str]) -> "list[Experiment]":
    """Returns the experiments of these names; all without a name."""
    known = {experiment.name: experiment for experiment in system.experiments}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            "reproduction-run-unknown",
            f"There is no run {unknown[0]!r}; there are: {', '.join(known)}.",
        )
    return [known[name] for name in names] or list(known.values())
