"""pulmo gallery."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, say_lines, staged
from pulmo.cli.method import MethodOption, SettingsOption, chosen_method
from pulmo.cli.model import ModelOption, images_of, one_model, open_model, result_folder
from pulmo.cli.options import Json, takes_options
from pulmo.core.errors import PartialError
from pulmo.workflows.options.evaluation import GalleryOptions


@takes_options
def gallery(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="BUNDLE", help="A bundle's folder, or its model.onnx."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The folder for the page. Default: gallery-NAME, if free."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="MANIFEST", help="The labelled images.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Take only this split of them. Default: all images.")
    ] = None,
    *,
    method: MethodOption = "hirescam",
    settings: SettingsOption = None,
    options: GalleryOptions,
    as_json: Json = False,
    named: ModelOption = None,
) -> None:
    """Show heat maps of true and false results of a bundle.

    Of each kind of result the most and the least confident are shown. Writes gallery.html and
    gallery.json. Images of the training take no part. Each access to a test is recorded in
    test-access.jsonl next to the bundle.
    """
    path = one_model(model, named)
    folder = result_folder(output, "gallery", path)
    way = chosen_method(method, None, settings or [])
    manifest, opened = images_of(data, path), open_model(path)
    from pulmo.workflows.gallery import DRAWING, PREDICTING
    from pulmo.workflows.gallery import gallery as make_gallery

    with staged(PREDICTING, DRAWING) as progress:
        report = make_gallery(
            opened,
            manifest,
            split=split,
            output=folder,
            options=replace(options, method={**way.table(), "name": way.name}),
            on_progress=progress,
        )
    say_lines((*report.notices, *report.warnings))
    if as_json:
        print_json(report.gallery.model_dump(mode="json"))
    else:
        for line in report.lines():
            typer.echo(line)
        typer.echo(str(folder / "gallery.html"))
    if report.failed:
        raise PartialError(
            "some-files-failed",
            f"{len(report.failed)} of {report.gallery.data.n + len(report.failed)} images could "
            "not be read.",
        )
