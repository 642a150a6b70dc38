"""pulmo explain."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import say, say_lines
from pulmo.cli.model import ModelOption, open_model, split_model
from pulmo.cli.names import FilesArgument, named_files, names_of


def explain(
    files: FilesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the heat maps.")],
    label: Annotated[
        str | None, typer.Option(help="The class to show. Default: the decided class of each.")
    ] = None,
    model: ModelOption = None,
) -> None:
    """Paint on each image the evidence for a class.

    The colours are the class activation map on the scale of the card, the same for every image.
    """
    chosen, words = split_model(files, model)
    opened = open_model(chosen)
    from pulmo.workflows.heat_map_folder import HeatMapFolder
    from pulmo.workflows.predict import predict
    from pulmo.workflows.tally import Tally

    maps = HeatMapFolder.from_names(output, named_files(words), label)
    tally = Tally(opened.predictor.notes)
    for result in predict(opened, names_of(words), maps=maps, on_left_out=tally.leave_out):
        tally.count(result)
        say_lines(tally.notes_on(result))
        if result.heatmap is None:
            say(f"{result.reason}")
        else:
            typer.echo(str(result.heatmap))
    say_lines(tally.lines())
    tally.end("No heat map was drawn")
