"""pulmo audit."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import say, say_lines, say_notes, staged
from pulmo.cli.model import ModelOption, check_fit, images_of, one_model, open_model, result_folder
from pulmo.cli.options import Json, flags_given, flags_used, takes_options
from pulmo.core.errors import RefusedError
from pulmo.predictions.reading.options import Options
from pulmo.workflows.options.evaluation import AuditOptions

if TYPE_CHECKING:
    from pulmo.workflows.audit_report import AuditReport


@takes_options
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
            help="The images of a bundle, or of a table's predictions. Default for a table: only "
            "the columns of the table.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="The split to audit the model on. Default: all but train and val."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Which seed to audit in a cross-validation folder. Default: the first."),
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads; 0 takes all cores.", min=0)] = 0,
    *,
    options: AuditOptions,
    table: Annotated[Options, "For a table:"],
    as_json: Json = False,
    named: ModelOption = None,
) -> None:
    """Check what a model has been shown to do, and what it has not.

    Looks for leaks, shortcuts, gaps between groups and more. Of a table of predictions only some
    checks can run. Writes audit.json and audit.html. The exit status is 5 if a check fails that
    --accept does not name. Otherwise the audit passes if leakage, shortcuts, sources and external
    ran; else it is incomplete, as the first line says, with exit status 0.
    """
    from pulmo.workflows.model_kind import kind_of

    model = one_model(model, named)
    kind, images = kind_of(model), flags_given({"--data": data, "--split": split})
    run, said = flags_given({"--run": options.run}), flags_used(table)
    check_fit(
        kind,
        {
            "bundle": [*images, *run],
            "table": [*images, *said],
            "folds": flags_given({"--seed": seed}),
        },
    )
    folder = result_folder(output, "audit", model)
    manifest = None if kind in {"table", "folds"} else images_of(data, model)
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.audit import CHECKING, DECODING, audit_folds, audit_predictions
    from pulmo.workflows.audit import audit as audit_bundle

    with staged(DECODING, CHECKING) as progress:
        if manifest is not None:
            report = audit_bundle(
                open_model(model, threads),
                manifest,
                split=split,
                output=folder,
                options=options,
                on_progress=progress,
            )
        elif kind == "table":
            report = audit_predictions(
                model,
                None if data is None else read_manifest(data),
                split=split,
                output=folder,
                options=replace(options, reading=table),
                on_progress=progress,
            )
        else:
            report = audit_folds(
                model,
                seed=seed,
                threads=threads,
                output=folder,
                options=options,
                on_progress=progress,
            )
    _print(report, folder, as_json=as_json)
    if report.failed:
        raise RefusedError(
            "gate-failed", f"The audit failed. Failed checks: {', '.join(report.failed)}."
        )


def _print(report: "AuditReport", folder: Path, *, as_json: bool) -> None:
    from pulmo.core.folders import AuditFolder

    say_lines(report.notices)
    say_lines(report.warnings, "warning")
    page = AuditFolder(folder).page
    if as_json:
        typer.echo(report.audit.model_dump_json(indent=2))
        say(str(page))
    else:
        typer.echo(f"{report.text()}\n\n{page}")
    say_lines(report.notes, "note")
    say_notes(report.audit.data.image_notes or {}, report.audit.data.n)
