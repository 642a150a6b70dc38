"""pulmo explain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say, say_lines
from pulmo.cli.method import MethodOption, SettingsOption, chosen_method
from pulmo.cli.model import ModelOption, one_model, split_model
from pulmo.cli.names import FilesArgument, named_files, names_of
from pulmo.cli.results import form_of, results_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulmo.bundle.image_predictor import ImagePredictor
    from pulmo.workflows.predict import Prediction
    from pulmo.workflows.prediction_output import Form
    from pulmo.workflows.tally import Tally


def explain(
    files: FilesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the heat maps.")],
    label: Annotated[
        str | None, typer.Option(help="The class to show. Default: the decided class of each.")
    ] = None,
    method: MethodOption = "hirescam",
    layer: Annotated[
        str | None, typer.Option(help="The layer of the network that the maps are made from.")
    ] = None,
    settings: SettingsOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list. Default: the files of the maps.")
    ] = False,
    as_jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print a JSON object a line, each as soon as it is known."),
    ] = False,
    model: ModelOption = None,
) -> None:
    """Paint on each image the evidence for a class.

    hirescam paints the map of the bundle's own graph on the scale of the card, the same for every
    image. The caption of each map says what its colours mean; its values are in the NPZ file
    next to it. The model may be a run's folder in place of a bundle.
    """
    form = form_of({"json": as_json, "jsonl": as_jsonl}, None)
    chosen, words = split_model(files, model)
    named = one_model(None, chosen)
    way = chosen_method(method, layer, settings or [])
    from pulmo.workflows.explain import open_predictor
    from pulmo.workflows.heat_map_folder import HeatMapFolder, Shown
    from pulmo.workflows.predict import predict_images
    from pulmo.workflows.tally import Tally

    predictor = open_predictor(named)
    with progress("asking the network") as (report,):
        shown = Shown(way, label, values=True, on_progress=report)
        maps = HeatMapFolder.from_names(output, named_files(words), shown)
        tally = Tally(predictor.notes)
        results = predict_images(predictor, names_of(words), maps, tally.leave_out)
        if form is None:
            _print_each(results, tally)
        else:
            _write_each(results, predictor, form, tally)
    say_lines(tally.lines(all_kinds=form is not None))
    tally.end("No heat map was drawn")


def _print_each(results: "Iterator[Prediction]", tally: "Tally") -> None:
    """Prints the file of each map, or why there is none."""
    for result in results:
        tally.count(result)
        say_lines(tally.notes_on(result))
        if result.heatmap is None:
            say(f"{result.reason}")
        else:
            typer.echo(str(result.heatmap))


def _write_each(
    results: "Iterator[Prediction]", model: "ImagePredictor", form: "Form", tally: "Tally"
) -> None:
    """Writes what became of each image to standard output, for a program."""
    from pulmo.workflows.prediction_output import writer

    with results_to(None) as stream, writer(form, stream, model, explained=True) as write:
        for result in results:
            write(result)
            tally.count(result)
