"""Bench: how fast a recipe trains on this machine, compared with a bare loop."""

from typing import TYPE_CHECKING, Any

from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest
from pulmo.workflows.chosen_recipe import NamedRecipe, recipe_of
from pulmo.workflows.options.training import BenchOptions

if TYPE_CHECKING:
    from pulmo.train.bench import SpeedReport


def bench(
    recipe: NamedRecipe, data: Manifest | None, options: BenchOptions | None = None
) -> "SpeedReport":
    """Measures the speed of training steps, see `pulmo.train.bench`.

    Args:
        recipe: a shipped recipe's name, a TOML file, or a recipe.
        data: images with their split. None: images are drawn.
        options: what is measured.

    Raises:
        UsageError: the recipe cannot be used, or there is no such device.
        InputError: the images cannot be used.
    """
    options = options or BenchOptions()
    experiment = recipe_of(recipe, options)
    # torch takes seconds to import, which a refusal need not cost.
    import torch

    from pulmo.train.bench import Amount, measure_training, part_of, phantom_data
    from pulmo.train.device import choose_device
    from pulmo.train.training_data import gather

    device = choose_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    if data is None:
        images = phantom_data(experiment, options.steps)
    else:
        count = options.steps * experiment.train.batch
        images = part_of(gather(experiment, data, cache_folder()), count)
    amount = Amount(
        options.steps, options.rounds, both_precisions=options.precisions, bound=options.bound
    )
    return measure_training(experiment, images, device, amount)


def speed_record(report: "SpeedReport") -> dict[str, Any]:
    """Returns a report for a machine, as JSON can hold it."""
    return report._asdict() | {
        "amount": report.amount._asdict(),
        "speeds": {name: speed._asdict() for name, speed in report.speeds.items()},
        "bound": None if report.bound is None else report.bound._asdict(),
    }


def speed_text(report: "SpeedReport") -> str:
    """Returns a report for people, as lines."""
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
