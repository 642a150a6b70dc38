"""pulmo predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.model import ModelOption, open_model, split_model
from pulmo.cli.names import FilesArgument, named_files, names_of
from pulmo.cli.results import form_of, results_to
from pulmo.cli.tally import Tally
from pulmo.core.output import claim_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulmo.bundle.card import Card
    from pulmo.workflows.heat_map_folder import HeatMapFolder
    from pulmo.workflows.model import Model
    from pulmo.workflows.predict import Prediction
    from pulmo.workflows.prediction_output import Form

_MARKS: Final = {"drawings": "trained on drawings", "seen": "seen in training"}
"""What a row says of the notes that change what its result means."""


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
) -> None:
    """Classify images with a bundle. For research, not diagnosis."""
    form = form_of({"json": as_json, "jsonl": as_jsonl, "csv": as_csv}, output)
    chosen, words = split_model(files, model)
    opened = open_model(chosen)
    if output is not None:
        claim_file(output)
    maps = None
    if heatmap is not None:
        from pulmo.workflows.heat_map_folder import HeatMapFolder

        maps = HeatMapFolder.from_names(heatmap, named_files(words))
    tally = Tally(opened.predictor.notes)
    if form is None:
        _print_each(opened, words, maps, tally)
    else:
        _write_each(opened, words, maps, tally, (form, output))
    tally.end("There is no result")


def _write_each(
    model: "Model",
    words: list[str],
    maps: "HeatMapFolder | None",
    tally: Tally,
    to: "tuple[Form, Path | None]",
) -> None:
    """Writes the results for a program: as a form, to a file or to standard output."""
    from pulmo.workflows.predict import predict as predict_all
    from pulmo.workflows.prediction_output import writer

    form, output = to
    results = predict_all(model, names_of(words), maps=maps, on_left_out=tally.leave_out)
    with (
        results_to(output) as stream,
        writer(form, stream, model) as write,
        progress("predicting") as (report,),
    ):
        for done, result in enumerate(results, 1):
            write(result)
            tally.count(result)
            report(done, 0)
    if output is not None:
        say(f"{output}")
    tally.say_counts(all_kinds=True)


def _print_each(
    model: "Model", words: list[str], maps: "HeatMapFolder | None", tally: Tally
) -> None:
    """Prints each result as soon as it is there, and then how to read them."""
    from pulmo.workflows.predict import predict as predict_all

    card, positives = model.card, 0
    show = _rows(card, max(len(word) for word in words))
    for result in predict_all(model, names_of(words), maps=maps, on_left_out=tally.leave_out):
        show(result)
        tally.count(result)
        tally.tell(result)
        if result.heatmap is not None:
            say(f"heat map: {result.heatmap}")
        positives += result.status == "ok"
    if positives:
        decision = card.decision
        say(
            f"positive: probability of {' or '.join(decision.positive)} at least "
            f"{decision.threshold:.3f}, which found {decision.sensitivity} of such validation "
            f"images. {card.notice}"
        )
    # Each row says what is true of the model.
    tally.say_counts(of_model=False)


def _rows(card: "Card", width: int) -> "Callable[[Prediction], None]":
    """Returns what prints a result: the class with its probability, then the positive ones'.

    Args:
        card: the card of the model.
        width: of the column of the files, which grows with longer names.
    """
    longest, named = max(map(len, card.labels.order)), card.decision.positive

    def show(result: "Prediction") -> None:
        nonlocal width
        if result.decision is None or result.probabilities is None:
            say(f"{result.status}: {result.reason}")
            return
        width = max(width, len(result.file))
        marks = [_MARKS[note.kind] for note in result.notes if note.kind in _MARKS]
        typer.echo(
            f"{result.file:{width}}  {result.decision:{longest}} "
            f"{result.probabilities[result.decision]:.3f}  {' or '.join(named)} "
            f"{result.positive_probability:.3f} "
            f"{'positive' if result.positive else 'negative'}"
            + (f"  ({', '.join(marks)})" if marks else "")
        )

    return show
