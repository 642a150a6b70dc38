"""pulmo explain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say, say_lines
from pulmo.cli.model import ModelOption, one_model, split_model
from pulmo.cli.names import FilesArgument, named_files, names_of

if TYPE_CHECKING:
    from pulmo.explain.methods import Method


def explain(
    files: FilesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the heat maps.")],
    label: Annotated[
        str | None, typer.Option(help="The class to show. Default: the decided class of each.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="How the maps are made; an unknown name lists all. hirescam, lime, occlusion and "
            "rise work on a bundle, the others on the folder of a run."
        ),
    ] = "hirescam",
    layer: Annotated[
        str | None, typer.Option(help="The layer of the network that the maps are made from.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the method; repeatable."),
    ] = None,
    model: ModelOption = None,
) -> None:
    """Paint on each image the evidence for a class.

    hirescam paints the map of the bundle's own graph on the scale of the card, the same for every
    image. The caption of each map says what its colours mean; its values are in the NPZ file
    next to it. The model may be a run's folder in place of a bundle.
    """
    chosen, words = split_model(files, model)
    named = one_model(None, chosen)
    way = _chosen_method(method, layer, settings or [])
    from pulmo.workflows.explain import open_predictor
    from pulmo.workflows.heat_map_folder import HeatMapFolder, Shown
    from pulmo.workflows.predict import predict_images
    from pulmo.workflows.tally import Tally

    predictor = open_predictor(named)
    with progress("asking the network") as (report,):
        shown = Shown(way, label, values=True, on_progress=report)
        maps = HeatMapFolder.from_names(output, named_files(words), shown)
        tally = Tally(predictor.notes)
        for result in predict_images(predictor, names_of(words), maps, tally.leave_out):
            tally.count(result)
            say_lines(tally.notes_on(result))
            if result.heatmap is None:
                say(f"{result.reason}")
            else:
                typer.echo(str(result.heatmap))
    say_lines(tally.lines())
    tally.end("No heat map was drawn")


def _chosen_method(name: str, layer: str | None, settings: list[str]) -> "Method":
    from pulmo.core.settings import apply_setting
    from pulmo.explain.methods import read_method

    table: dict[str, object] = {}
    for setting in settings:
        apply_setting(table, setting)
    if layer is not None:
        table["layer"] = layer
    return read_method({**table, "name": name})
