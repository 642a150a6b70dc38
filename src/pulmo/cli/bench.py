"""pulmo bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import print_json
from pulmo.cli.train import Device, Name, Quick, Settings, Threads, use_threads

if TYPE_CHECKING:
    from pulmo.train.bench import SpeedReport

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Measure speed on this machine."""


@app.command("train")
def bench_train(
    recipe: Name,
    data: Annotated[
        Path | None, typer.Option(help="A manifest with its split; without it films are drawn.")
    ] = None,
    settings: Settings = None,
    quick: Quick = False,
    steps: Annotated[int, typer.Option(help="Steps of a turn.", min=1)] = 8,
    rounds: Annotated[int, typer.Option(help="Rounds in which all take turns.", min=1)] = 5,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure training steps, in fp32 and bf16.

    Beside them stand a bare loop, which repeats one batch in memory, and a roof: the machine's rate
    of multiplying float32 matrices over the network's operations. All take turns in one run;
    medians count. A frozen base runs in every step.
    """
    from pulmo.core.recipe import load_recipe
    from pulmo.datasets.manifest import read_manifest

    experiment = load_recipe(recipe, settings or [], quick=quick)
    manifest = None if data is None else read_manifest(data)

    from pulmo.datasets.cache import cache_folder
    from pulmo.train.bench import Amount, drawn_material, measure_training, part_of
    from pulmo.train.material import gather
    from pulmo.train.run import choose_device

    chosen = choose_device(device)
    use_threads(threads)
    if manifest is None:
        material = drawn_material(experiment, steps)
    else:
        count, classes = steps * experiment.train.batch, len(experiment.labels.order)
        material = part_of(gather(experiment, manifest, cache_folder()), count, classes)
    report = measure_training(experiment, material, chosen, Amount(steps, rounds))
    if as_json:
        speeds = {name: speed._asdict() for name, speed in report.speeds.items()}
        print_json(report._asdict() | {"amount": report.amount._asdict(), "speeds": speeds})
    else:
        typer.echo(_text(report))


def _text(report: "SpeedReport") -> str:
    """Returns a report for people."""
    learns = {"all": "all layers learn", "head": "the head learns"}
    what = learns.get(str(report.trains), f"{report.trains} layers learn")
    threads = "1 thread" if report.threads == 1 else f"{report.threads} threads"
    pays = "pays" if report.gain > 1 else "does not pay"
    rows = "".join(
        f"{name:6}{speed.pulmo:12,.1f}/s{speed.bare:12,.1f}/s"
        f"{speed.of_bare:14.2f}{speed.of_roof:14.2f}\n"
        for name, speed in report.speeds.items()
    )
    return (
        f"{report.recipe}: {report.backbone}, {report.size} px, batch {report.batch}, {what}, "
        f"{report.device}, {threads}\n"
        f"{report.flops / 1e9:.3g} GFLOP a picture, forward and backward; float32 matrices "
        f"{report.matrix_rate / 1e9:,.0f} GFLOP/s: a roof of {report.roof:,.1f} pictures/s\n"
        f"{'':6}{'pulmo':>14}{'bare loop':>14}{'pulmo / bare':>14}{'pulmo / roof':>14}\n"
        f"{rows}"
        f"bf16 is {report.gain:.2f} times as fast as fp32: it {pays}; "
        f'train.precision = "auto" takes {report.auto} here.\n'
        f"Medians of {report.amount.rounds} rounds of {report.amount.steps} steps."
    )
