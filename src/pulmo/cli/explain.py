"""pulmo explain."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import say
from pulmo.cli.model import ModelOption, open_model, split_model
from pulmo.cli.names import names_of
from pulmo.cli.predict import FILES_HELP, plan_maps
from pulmo.cli.tally import Tally
from pulmo.core.errors import UsageError


def explain(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[BUNDLE] FILES", help=f"A bundle, if no option names it. {FILES_HELP}"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the heat maps.")],
    label: Annotated[
        str | None, typer.Option(help="The class to show; the decided one without it.")
    ] = None,
    model: ModelOption = None,
) -> None:
    """Paint on each image what spoke for a class.

    The colours are the class activation map on the scale of the card, the same for every image.
    """
    chosen, words = split_model(files, model)
    predictor = open_model(chosen)
    if label is not None and label not in predictor.card.labels.order:
        raise UsageError(
            "class-unknown",
            f"The model knows no class {label!r}; its classes are "
            f"{', '.join(predictor.card.labels.order)}.",
        )
    from pulmo.workflows.predict import predict

    maps, tally = plan_maps(output, words, label), Tally(predictor.notes)
    for result in predict(names_of(words), predictor, maps=maps, on_left_out=tally.leave_out):
        tally.count(result)
        tally.tell(result)
        if result.heatmap is None:
            say(f"{result.reason}")
        else:
            typer.echo(str(result.heatmap))
    tally.say_counts()
    tally.end("No heat map was drawn")
