"""pulmo predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say, say_lines
from pulmo.cli.model import ModelOption, open_model, split_model
from pulmo.cli.names import FilesArgument, named_files, names_of
from pulmo.cli.results import form_of, results_to
from pulmo.core.output import claim_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulmo.workflows.model import Model
    from pulmo.workflows.predict import Prediction
    from pulmo.workflows.prediction_output import Form
    from pulmo.workflows.tally import Tally


def predict(
    files: FilesArgument,
    model: ModelOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list. Default: lines for people.")
    ] = False,
    as_jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print a JSON object a line, each as soon as it is known."),
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a CSV table.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the results to this .json, .jsonl or .csv file. Default: standard output.",
        ),
    ] = None,
    heatmap: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write a heat map of each image to this folder. Default: none."
        ),
    ] = None,
    dicom_results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write DICOM objects of each result to this folder: a structured report, the heat "
            "map, and a presentation state. All images must be DICOM. Default: none.",
        ),
    ] = None,
) -> None:
    """Classify images with a bundle. For research, not diagnosis."""
    form = form_of({"json": as_json, "jsonl": as_jsonl, "csv": as_csv}, output)
    chosen, words = split_model(files, model)
    opened = open_model(chosen)
    if output is not None:
        claim_file(output)
    from pulmo.workflows.predict import predict as predict_all
    from pulmo.workflows.tally import Tally

    maps = None
    if heatmap is not None:
        from pulmo.workflows.heat_map_folder import HeatMapFolder

        maps = HeatMapFolder.from_names(heatmap, named_files(words))
    objects = None
    if dicom_results is not None:
        from pulmo.workflows.dicom_folder import DicomFolder

        objects = DicomFolder.from_names(dicom_results, named_files(words))
    tally = Tally(opened.predictor.notes)
    results = predict_all(
        opened, names_of(words), maps=maps, objects=objects, on_left_out=tally.leave_out
    )
    if form is None:
        _print_each(results, opened, max(map(len, words)), tally)
    else:
        _write_each(results, opened, form, output, tally)
    tally.end("There is no result")


def _write_each(
    results: "Iterator[Prediction]",
    model: "Model",
    form: "Form",
    output: Path | None,
    tally: "Tally",
) -> None:
    """Writes the results for a program: as a form, to a file or to standard output."""
    from pulmo.workflows.prediction_output import writer

    with (
        results_to(output) as stream,
        writer(form, stream, model.predictor) as write,
        progress("predicting") as (report,),
    ):
        for done, result in enumerate(results, 1):
            write(result)
            tally.count(result)
            report(done, 0)
    if output is not None:
        say(f"{output}")
    say_lines(tally.lines(all_kinds=True))


def _print_each(
    results: "Iterator[Prediction]", model: "Model", width: int, tally: "Tally"
) -> None:
    """Prints each result as soon as it is there, and then how to read them.

    Args:
        results: of the files.
        model: the model.
        width: of the column of the files, which grows with longer names.
        tally: counts the results.
    """
    from pulmo.workflows.prediction_output import positive_sentence, prediction_line

    card, classified = model.card, 0
    for result in results:
        if result.status == "done":
            width, classified = max(width, len(result.file)), classified + 1
            typer.echo(prediction_line(result, card, width))
        else:
            say(f"{result.status}: {result.reason}")
        tally.count(result)
        say_lines(tally.notes_on(result))
        if result.heatmap is not None:
            say(f"heat map: {result.heatmap}")
        for path in result.objects or ():
            say(f"DICOM result: {path}")
    if classified:
        say(f"{positive_sentence(card)} {card.notice}")
    # Each line says what is true of the model.
    say_lines(tally.lines(of_model=False))
