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
        Path | None, typer.Option(help="A manifest with its split; without it images are drawn.")
    ] = None,
    settings: Settings = None,
    quick: Quick = False,
    steps: Annotated[int, typer.Option(help="Steps of a turn.", min=1)] = 8,
    rounds: Annotated[int, typer.Option(help="Rounds in which all take turns.", min=1)] = 5,
    precisions: Annotated[
        bool, typer.Option("--precisions", help="Measure fp32 and bf16, and whether bf16 pays.")
    ] = False,
    bound: Annotated[
        bool, typer.Option("--bound", help="Measure what the machine's multiplications allow.")
    ] = False,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure training steps beside a bare loop.

    The bare loop repeats one batch in memory. With `--bound` both stand below a throughput bound:
    the machine's rate of multiplying float32 matrices over the network's operations. All take turns
    in one run; medians count. A frozen base runs in every step.
    """
    from pulmo.core.recipe import load_recipe
    from pulmo.datasets.manifest import read_manifest

    experiment = load_recipe(recipe, settings or [], quick=quick)
    manifest = None if data is None else read_manifest(data)

    from pulmo.datasets.cache import cache_folder
    from pulmo.train.bench import Amount, measure_training, part_of, phantom_data
    from pulmo.train.run import choose_device
    from pulmo.train.training_data import gather

    chosen = choose_device(device)
    use_threads(threads)
    if manifest is None:
        images = phantom_data(experiment, steps)
    else:
        count, classes = steps * experiment.train.batch, len(experiment.labels.order)
        images = part_of(gather(experiment, manifest, cache_folder()), count, classes)
    amount = Amount(steps, rounds, both_precisions=precisions, bound=bound)
    report = measure_training(experiment, images, chosen, amount)
    if as_json:
        print_json(
            report._asdict()
            | {
                "amount": amount._asdict(),
                "speeds": {name: speed._asdict() for name, speed in report.speeds.items()},
                "bound": None if report.bound is None else report.bound._asdict(),
            }
        )
    else:
        typer.echo(_text(report))


def _text(report: "SpeedReport") -> str:
    """Returns a report for people."""
    learns = {"all": "all layers learn", "head": "the head learns"}
    what = learns.get(str(report.trains), f"{report.trains} layers learn")
    threads = "1 thread" if report.threads == 1 else f"{report.threads} threads"
    what = f"batch {report.batch}, {what}, {report.device}, {threads}"
    lines = [f"{report.recipe}: {report.backbone}, {report.size} px, {what}"]
    title = f"{'':6}{'pulmo':>14}{'bare loop':>14}{'pulmo / bare':>14}"
    if report.bound is not None:
        lines.append(
            f"{report.bound.flops / 1e9:.3g} GFLOP an image, forward and backward; float32 "
            f"matrices {report.bound.matrix_rate / 1e9:,.0f} GFLOP/s: at most about "
            f"{report.bound.speed:,.1f} images/s"
        )
        title += f"{'pulmo / bound':>14}"
    lines.append(title)
    for name, speed in report.speeds.items():
        row = f"{name:6}{speed.pulmo:12,.1f}/s{speed.bare:12,.1f}/s{speed.of_bare:14.2f}"
        lines.append(row if speed.of_bound is None else f"{row}{speed.of_bound:14.2f}")
    if report.gain is not None:
        pays = "pays" if report.gain > 1 else "does not pay"
        lines.append(
            f"bf16 is {report.gain:.2f} times as fast as fp32: it {pays}; "
            f'train.precision = "auto" takes {report.auto} here.'
        )
    lines.append(f"Medians of {report.amount.rounds} rounds of {report.amount.steps} steps.")
    return "\n".join(lines)
