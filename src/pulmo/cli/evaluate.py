"""pulmo evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.output import claim_folder
from pulmo.cli.predict import open_model
from pulmo.core.errors import InputError, PartialError, RefusedError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.bundle.card import Card
    from pulmo.bundle.predictor import Predictor
    from pulmo.evaluate.evaluation import Evaluation
    from pulmo.evaluate.openings import Opening
    from pulmo.report.gallery import Shown

Several = list[str] | None


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle, or its model.onnx.")],
    data: Annotated[Path, typer.Option(help="A manifest.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    split: Annotated[str | None, typer.Option(help="The split to take; without it, all.")] = None,
    view: Annotated[Several, typer.Option(help="Take only this view; may be repeated.")] = None,
    modality: Annotated[Several, typer.Option(help="Take only this modality; likewise.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="The bundle's run, to note an opened test there too.")
    ] = None,
) -> None:
    """Run a bundle on labelled films and report on it.

    Every figure has its interval. Writes predictions.parquet, card.json, evaluation.json and
    report.html. That test pictures were opened is noted in openings.jsonl beside the model.
    """
    import numpy as np

    from pulmo.core.tables import manifest_sha256, read_manifest, write_predictions
    from pulmo.evaluate.evaluate import Provenance
    from pulmo.evaluate.evaluate import evaluate as compute
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.evaluate.openings import opening_of
    from pulmo.evaluate.predictions import predict_manifest

    predictor = open_model(model)
    card = predictor.card
    manifest = read_manifest(data)
    table = _chosen(manifest, data, split, {"view": view or [], "modality": modality or []})
    _check_modality(table, data, card)
    lists = _lists(model, run, predictor)
    claim_folder(output)
    opened = _note(opening_of(predictor, manifest, table, split), lists)
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
            opened,
        ),
        generator=np.random.default_rng(0),
    )
    _write(evaluation, predictor, predicted.table, output)
    _tell(evaluation, output)
    if predicted.failed:
        for failure in predicted.failed:
            say(failure.reason)
        raise PartialError(f"{len(predicted.failed)} of {len(table)} pictures could not be read.")


def _chosen(
    table: "pd.DataFrame", data: Path, split: str | None, wanted: dict[str, list[str]]
) -> "pd.DataFrame":
    """Returns the rows of the manifest `data` that the options name."""
    from pulmo.core.tables import SPLITS
    from pulmo.datasets.modality import rows_of

    if split is not None and split not in SPLITS:
        raise UsageError(f"There is no split {split!r}; choose {', '.join(SPLITS)}.")
    if split is not None:
        table = table[table["split"] == split]
        if table.empty:
            raise InputError(
                f"{data} has no {split} picture; `pulmo data split` makes a split, and without "
                "--split all pictures are taken."
            )
    elif {"test"} < set(table["split"].fillna("")):
        say(f"{data} has a test split; without --split test all of its pictures are taken.")
    if wanted["view"]:
        table = table[table["view"].isin(wanted["view"])]
    if wanted["modality"]:
        table = table[rows_of(table, wanted["modality"])]
    if table.empty:
        raise InputError(f"{data} holds no picture that these options choose.")
    return table


def _check_modality(table: "pd.DataFrame", data: Path, card: "Card") -> None:
    """Refuses pictures of a modality that the model was not trained on, as `predict` does."""
    from pulmo.datasets.modality import count_kinds, stated_kinds

    known, stated = card.training.modalities, stated_kinds(table)
    if known and not set(stated) <= set(known):
        shared = " ".join(f"--modality {name}" for name in known if name in stated)
        way_out = f"Take those that it knows with {shared}" if shared else "It cannot judge these"
        raise RefusedError(
            f"{card.name} was trained on {' and '.join(known)} only, and the chosen pictures of "
            f"{data} are {count_kinds(table)}. {way_out}."
        )


def _lists(model: Path, run: Path | None, predictor: "Predictor") -> list[Path]:
    """Returns the lists of openings: beside the model and, if it is named, in its run.

    Raises:
        UsageError: the model is of another run.
    """
    from pulmo.bundle.card import read_card
    from pulmo.core.run_folder import OPENINGS, RunFolder

    beside = (model if model.is_dir() else model.parent) / OPENINGS
    if run is None:
        return [beside]
    folder = RunFolder(run)
    if read_card(folder.card).network.sha256 != predictor.card.network.sha256:
        raise UsageError(f"{model} was not exported from {run}: their trained tensors differ.")
    return [beside, folder.openings]


def _note(opening: "Opening | None", lists: list[Path]) -> int | None:
    """Writes an opening down and returns how often the test has been opened with the model."""
    from pulmo.evaluate.openings import note_opening

    if opening is None:
        return None
    noted = note_opening(opening, lists)
    for failure in noted.failures:
        say(failure)
    return noted.times


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
