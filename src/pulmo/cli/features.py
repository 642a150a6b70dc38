"""pulmo features."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, say, staged
from pulmo.cli.training import Device
from pulmo.core.errors import PartialError


def features(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    image: Annotated[Path, typer.Argument(metavar="FILE", help="The image to show.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            metavar="NAME",
            help="A layer to show, such as backbone.layers.layer1.0.conv1; may be repeated. "
            "Default: convolutions spread over the depth.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST",
            help="Labelled images, of which each channel is asked how well it separates the "
            "classes. Default: this is not asked.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Select and report channels on this split of them. Default: select on val and "
            "report on test."
        ),
    ] = None,
    depths: Annotated[int, typer.Option(help="Layers to show without --layer.")] = 4,
    channels: Annotated[int, typer.Option(help="Channels to show of each layer.")] = 16,
    steps: Annotated[
        int, typer.Option(help="Steps of fitting an input to a channel; 0 for no such inputs.")
    ] = 24,
    seed: Annotated[int, typer.Option(help="The seed of the fitted inputs.")] = 0,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the feature maps of a run, trained beside untrained.

    Writes drawings of each layer, values.npz, features.html and features.json; with --data
    channels.parquet too. An access to a test is recorded in the run's test-access.jsonl.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.features import SHOWING, FeaturesOptions
    from pulmo.workflows.features import features as show_features
    from pulmo.workflows.features_images import READING

    options = FeaturesOptions(
        layers=tuple(layer or ()),
        depths=depths,
        channels=channels,
        steps=steps,
        seed=seed,
        split=split,
        device=device,
    )
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
                f"{best.label}: {best.network} network, {best.layer}, channel "
                f"{best.channel} ({best.statistic}): AUC {best.auc}"
            )
        typer.echo(str(output / "features.html"))
    if report.failed:
        raise PartialError(
            "some-files-failed", f"{len(report.failed)} images of the manifest could not be read."
        )
