"""pulmo predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.model import ModelOption, open_model, split_model
from pulmo.cli.names import STDIN, names_of
from pulmo.cli.output import claim_file, claim_folder
from pulmo.cli.results import Form, form_of, results_to, writer
from pulmo.cli.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulmo.bundle.card import Card
    from pulmo.bundle.predictor import Predictor
    from pulmo.workflows.heatmaps import HeatMaps
    from pulmo.workflows.predict import Prediction

FILES_HELP: Final = (
    "Images: PNG, JPEG, TIFF, DICOM and others; folders, which are searched for them; - for names "
    "on standard input, one a line."
)

_MARKS: Final = {"drawings": "trained on drawings", "seen": "seen in training"}
"""What a row says of the notes that change what its result means."""


def predict(
    files: Annotated[list[str], typer.Argument(metavar="FILES", help=FILES_HELP)],
    model: ModelOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print a JSON object a line, each when it is there.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a CSV table.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the results to this .json, .jsonl or .csv.",
        ),
    ] = None,
    heatmap: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write a heat map of each image.")
    ] = None,
) -> None:
    """Classify images with a bundle. For research, not diagnosis."""
    form = form_of({"json": as_json, "jsonl": as_jsonl, "csv": as_csv}, output)
    chosen, words = split_model(files, model)
    predictor = open_model(chosen)
    if output is not None:
        claim_file(output)
    maps = None if heatmap is None else plan_maps(heatmap, words)
    tally = Tally(predictor.notes)
    if form is None:
        _print_each(predictor, words, maps, tally)
    else:
        _write_each(predictor, words, maps, tally, (form, output))
    tally.end("There is no result")


def plan_maps(folder: Path, words: list[str], label: str | None = None) -> "HeatMaps":
    """Plans the heat maps of the files that are named, and makes their folder.

    Raises:
        UsageError: the folder is one of those that are searched for images.
        InputError: the folder cannot be made or written to.
    """
    from pulmo.workflows.heatmaps import HeatMaps

    maps = HeatMaps.of(folder, [Path(word) for word in words if word != STDIN], label)
    claim_folder(folder)
    return maps


def _write_each(
    predictor: "Predictor",
    words: list[str],
    maps: "HeatMaps | None",
    tally: Tally,
    to: tuple[Form, Path | None],
) -> None:
    """Writes the results for a program: as a form, to a file or to standard output."""
    from pulmo.workflows.predict import predict as predict_all

    form, output = to
    with (
        results_to(output) as stream,
        writer(form, stream, predictor) as write,
        progress("predicting") as (report,),
    ):
        results = predict_all(names_of(words), predictor, maps=maps, on_left_out=tally.leave_out)
        for done, result in enumerate(results, 1):
            write(result)
            tally.count(result)
            report(done, 0)
    if output is not None:
        say(f"{output}")
    tally.say_counts(all_kinds=True)


def _print_each(
    predictor: "Predictor", words: list[str], maps: "HeatMaps | None", tally: Tally
) -> None:
    """Prints each result as soon as it is there, and then how to read them."""
    from pulmo.workflows.predict import predict as predict_all

    card, positives = predictor.card, 0
    show = _rows(card, max(len(word) for word in words))
    for result in predict_all(names_of(words), predictor, maps=maps, on_left_out=tally.leave_out):
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
    tally.say_counts()


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
