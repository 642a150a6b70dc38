"""pulmo audit."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import say, say_notes, staged
from pulmo.cli.model import ModelOption, check_exists, one_model, open_model, refuse, result_folder
from pulmo.cli.table_options import (
    TABLES,
    Columns,
    Decision,
    Groups,
    Merge,
    Positive,
    Score,
    Threshold,
    Truth,
    merges,
    reading_of,
    say_reading,
)
from pulmo.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pulmo.workflows.audit_report import AuditReport

Names = list[str] | None


def audit(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="BUNDLE|FOLDS|PREDICTIONS",
            help="A bundle's folder, its model.onnx, a folder of cross-validation, or a table of "
            "any model's predictions (.csv, .tsv, .txt, .xlsx, .parquet).",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The folder for the results. Default: audit-NAME, if free."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST",
            help="The images, for a bundle; for a table the images of its predictions. Default "
            "for a table: what it says itself.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="The split to audit the model on. Default: all but train and val."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The training run of the bundle. It says what the bundle was trained on, and "
            "records each access to a test too. Default: what bundle and manifest say."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Which seed to audit in a cross-validation folder. Default: the first."),
    ] = None,
    lungs: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of lung masks, PNG files named like the images. Default: the network "
            "of `pulmo lungs` finds the lungs.",
        ),
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="A table of the width, height and bytes of the published files. Default: the "
            "manifest's.",
        ),
    ] = None,
    published: Annotated[
        float | None,
        typer.Option(help="An accuracy published for these images. Default: none."),
    ] = None,
    only: Annotated[
        Names,
        typer.Option(metavar="CHECK", help="Run this check; may be repeated. Default: all."),
    ] = None,
    accept: Annotated[
        Names,
        typer.Option(
            metavar="CHECK",
            help="Pass the audit although this check fails; may be repeated. Default: none.",
        ),
    ] = None,
    images: Annotated[
        int, typer.Option(help="The most images for a check that changes images.", min=20)
    ] = 500,
    threads: Annotated[int, typer.Option(help="Threads; 0 takes all cores.", min=0)] = 0,
    positive: Positive = None,
    threshold: Threshold = None,
    merge: Merge = None,
    truth: Truth = None,
    score: Score = None,
    decision: Decision = None,
    groups: Groups = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object. Default: lines for people.")
    ] = False,
    named: ModelOption = None,
) -> None:
    """Check what a model has been shown to do, and what it has not.

    Looks for leaks, shortcuts, gaps between groups and more. Of a table of predictions only some
    checks can run. Writes audit.json and audit.html. The exit status is 5 if a check fails that
    --accept does not name. Otherwise the audit passes if leakage, shortcuts, sources and external
    ran; else it is incomplete, as the first line says, with exit status 0.
    """
    model = one_model(model, named)
    check_exists(model, "a bundle, a folder of cross-validation or a table of predictions")
    of_table: dict[str, object] = {
        "--positive": positive, "--threshold": threshold, "--merge": merge, "--truth": truth,
        "--score": score, "--decision": decision, "--groups": groups,
    }  # fmt: skip
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.audit import (
        CHECKING,
        DECODING,
        AuditOptions,
        audit_folds,
        audit_predictions,
    )
    from pulmo.workflows.audit import audit as audit_bundle
    from pulmo.workflows.audit_inputs import is_folds

    options = AuditOptions(
        tuple(only or ()), tuple(accept or ()), lungs, facts, published, images, run
    )
    folder = result_folder(output, "audit", model)
    with staged(DECODING, CHECKING) as progress:
        if model.suffix.lower() in TABLES:
            refuse({"--run": run, "--seed": seed}, "a table of predictions", "a bundle or folds")
            columns = Columns(truth, decision, score, groups)
            reading = reading_of(positive, threshold, merges(merge or ()), columns)
            report = audit_predictions(
                model,
                None if data is None else read_manifest(data),
                split=split,
                output=folder,
                options=replace(options, reading=reading),
                on_progress=progress,
            )
        elif is_folds(model):
            of_bundle: dict[str, object] = {"--data": data, "--split": split, "--run": run}
            refuse(of_bundle | of_table, "a folder of cross-validation", "another kind of model")
            report = audit_folds(
                model,
                seed=seed,
                threads=threads,
                output=folder,
                options=options,
                on_progress=progress,
            )
        else:
            refuse({"--seed": seed} | of_table, "a bundle", "another kind of model")
            if data is None:
                raise UsageError(
                    "manifest-not-given",
                    f"{model} is a bundle, and its images are missing: add --data MANIFEST.",
                )
            report = audit_bundle(
                open_model(model, threads),
                read_manifest(data),
                split=split,
                output=folder,
                options=options,
                on_progress=progress,
            )
    for sentence in report.notices:
        say(sentence)
    for sentence in report.warnings:
        say(f"warning: {sentence}")
    if as_json:
        typer.echo(report.audit.model_dump_json(indent=2))
    else:
        _print(report, folder)
    say_reading(report.notes)
    say_notes(report.audit.data.image_notes or {}, report.audit.data.n)
    if report.failed:
        raise RefusedError(
            "gate-failed", f"The audit failed. Failed checks: {', '.join(report.failed)}."
        )


def _print(report: "AuditReport", output: Path) -> None:
    from pulmo.audit.audit import VERDICT_WORDS
    from pulmo.core.folders import AuditFolder

    found = report.audit
    typer.echo(f"{found.summary}\n")
    for result in found.checks:
        typer.echo(f"{VERDICT_WORDS[result.verdict]:13} {result.check}: {result.conclusion}")
    for title, sentences in (
        ("Shown on these images:", found.shown),
        ("Not shown:", found.not_shown),
    ):
        typer.echo(f"\n{title}")
        for sentence in sentences or ("Nothing.",):
            typer.echo(f"- {sentence}")
    typer.echo(f"\n{AuditFolder(output).page}")
