"""pulmo evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.output import claim_folder
from pulmo.cli.predict import open_model
from pulmo.core.errors import InputError, PartialError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.bundle.predictor import Predictor
    from pulmo.evaluate.evaluation import Evaluation
    from pulmo.report.gallery import Shown

Several = list[str] | None


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle, or its model.onnx.")],
    data: Annotated[Path, typer.Option(help="A manifest.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    split: Annotated[str | None, typer.Option(help="The split to take; without it, all.")] = None,
    view: Annotated[Several, typer.Option(help="Take only this view; may be repeated.")] = None,
    modality: Annotated[Several, typer.Option(help="Take only this modality; likewise.")] = None,
) -> None:
    """Run a bundle on labelled films and report on it.

    Every figure has its interval. Writes predictions.parquet, card.json, evaluation.json and
    report.html.
    """
    import numpy as np

    from pulmo.core.tables import manifest_sha256, write_predictions
    from pulmo.evaluate.evaluate import Provenance
    from pulmo.evaluate.evaluate import evaluate as compute
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.evaluate.predictions import predict_manifest

    predictor = open_model(model)
    card = predictor.card
    table = _chosen(data, split, {"view": view or [], "modality": modality or []})
    claim_folder(output)
    with progress("predicting") as (report,):
        predicted = predict_manifest(predictor, table, report)
    write_predictions(predicted.table, output / "predictions.parquet")
    evaluation = compute(
        predicted.table,
        card,
        Provenance(
            ModelName(name=card.name, version=card.created, sha256=predictor.sha256),
            manifest_sha256(table),
            split,
            predicted.failed,
        ),
        generator=np.random.default_rng(0),
    )
    _write(evaluation, predictor, predicted.table, output)
    _tell(evaluation, output)
    if predicted.failed:
        for failure in predicted.failed:
            say(failure.reason)
        raise PartialError(f"{len(predicted.failed)} of {len(table)} pictures could not be read.")


def _chosen(data: Path, split: str | None, wanted: dict[str, list[str]]) -> "pd.DataFrame":
    """Returns the rows of the manifest that the options name."""
    from pulmo.core.tables import SPLITS, read_manifest

    if split is not None and split not in SPLITS:
        raise UsageError(f"There is no split {split!r}; choose {', '.join(SPLITS)}.")
    table = read_manifest(data)
    if split is not None:
        table = table[table["split"] == split]
        if table.empty:
            raise InputError(
                f"{data} has no {split} picture; `pulmo data split` makes a split, and without "
                "--split all pictures are taken."
            )
    elif {"test"} < set(table["split"].fillna("")):
        say(f"{data} has a test split; without --split test all of its pictures are taken.")
    for column, values in wanted.items():
        if values:
            table = table[table[column].isin(values)]
    if table.empty:
        raise InputError(f"{data} holds no picture that these options choose.")
    return table


def _write(
    evaluation: "Evaluation", predictor: "Predictor", table: "pd.DataFrame", output: Path
) -> None:
    """Writes the figures as JSON and, with a gallery of the predictions `table`, as a page."""
    from pulmo.core.files import write_atomically
    from pulmo.report.page import ReportContent, write_report

    figures = evaluation.model_dump_json(indent=2).encode() + b"\n"
    write_atomically(output / "card.json", predictor.card.to_json().encode())
    write_atomically(output / "evaluation.json", figures)
    content = ReportContent(evaluation, predictor.card, _gallery(predictor, table))
    write_report(output / "report.html", content)


def _gallery(predictor: "Predictor", table: "pd.DataFrame") -> "list[Shown]":
    from pulmo.explain.overlay import draw_pair
    from pulmo.radiograph import read_radiograph
    from pulmo.report.gallery import Shown, select_gallery

    shown = []
    for _, row in select_gallery(table, predictor.card).iterrows():
        radiograph = read_radiograph(Path(str(row["path"])))
        outcome = predictor.predict(radiograph)
        card = predictor.card
        picture = draw_pair(
            radiograph.pixels,
            outcome.activation[card.labels.order.index(outcome.decision)],
            aspect=card.input.aspect,
            scale=card.activation.scale,
        )
        shown.append(Shown.of(row, card, picture))
    return shown


def _tell(evaluation: "Evaluation", output: Path) -> None:
    from pulmo.report.words import metric_title

    data = evaluation.data
    typer.echo(f"{data.n} pictures in {data.groups} groups")
    for name, estimate in evaluation.overall.items():
        typer.echo(f"  {metric_title(name):20} {estimate}")
    widest = max(len(str(metrics["recall"])) for metrics in evaluation.classes.values())
    for label, metrics in evaluation.classes.items():
        recall = str(metrics["recall"])
        typer.echo(f"  Recall of {label:10} {recall:{widest}}  AUC {metrics['auc']}")
    for sentence in evaluation.warnings:
        typer.echo(f"warning: {sentence}")
    typer.echo(f"{output / 'report.html'}")
