"""pulmo features."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, say, staged
from pulmo.cli.options import Json, Output, takes_options
from pulmo.core.errors import PartialError
from pulmo.workflows.options.evaluation import FeaturesOptions


@takes_options
def features(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    image: Annotated[Path, typer.Argument(metavar="FILE", help="The image to show.")],
    output: Output,
    options: FeaturesOptions,
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST",
            help="Labelled images, to find the channels that separate the classes. Default: none.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the feature maps of a run, trained next to untrained.

    Writes drawings of each layer, values.npz, features.html and features.json; with --data
    channels.parquet too. An access to a test is recorded in the run's test-access.jsonl.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.features import SHOWING
    from pulmo.workflows.features import features as show_features
    from pulmo.workflows.features_images import READING

    manifest = None if data is None else read_manifest(data)
    with staged(SHOWING, READING) as progress:
        report = show_features(
            run, image, data=manifest, output=output, options=options, on_progress=progress
        )
    for sentence in report.warnings:
        say(sentence)
    if as_json:
        print_json(report.features.model_dump(mode="json"))
    else:
        for best in report.features.separation.best if report.features.separation else ():
            typer.echo(
                f"{best.label}: {best.network} network, {best.layer}, channel {best.channel} "
                f"({best.statistic}): AUC {best.auc}"
            )
        typer.echo(str(output / "features.html"))
    if report.failed:
        raise PartialError(
            "some-files-failed", f"{len(report.failed)} images of the manifest could not be read."
        )
