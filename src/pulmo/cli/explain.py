"""pulmo explain."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import say
from pulmo.cli.heatmaps import MapFolder
from pulmo.cli.predict import open_model
from pulmo.core.errors import InputError, PartialError, PulmoError, UsageError


def explain(
    model: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle, or its model.onnx.")],
    files: Annotated[list[Path], typer.Argument(help="PNG, JPEG, TIFF or DICOM films.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the heat maps.")],
    label: Annotated[
        str | None, typer.Option(help="The class to show; the decided one without it.")
    ] = None,
) -> None:
    """Paint on each film what spoke for a class.

    The colours are the class activation map on the scale of the card, the same for every film.
    """
    from pulmo.radiograph import read_radiograph

    predictor = open_model(model)
    if label is not None and label not in predictor.card.labels.order:
        raise UsageError(
            f"The model knows no class {label!r}; its classes are "
            f"{', '.join(predictor.card.labels.order)}."
        )
    maps = MapFolder.of(output, files)
    failed = 0
    for file in files:
        try:
            radiograph = read_radiograph(file)
            outcome = predictor.predict(radiograph, str(file))
            path = maps.write(file, predictor, radiograph, outcome, label or outcome.decision)
        except PulmoError as error:
            say(str(error))
            failed += 1
        else:
            typer.echo(str(path))
    if failed == len(files):
        raise InputError("No heat map was drawn: none of the files could be used.")
    if failed:
        raise PartialError(f"{failed} of {len(files)} files could not be used.")
