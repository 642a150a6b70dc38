"""pulmo data inspect."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import print_json, progress, say, say_notes
from pulmo.cli.data.options import Folder, ManifestFile, Seed
from pulmo.cli.output import claim_folder
from pulmo.core.errors import PartialError

if TYPE_CHECKING:
    from pulmo.datasets.inspect.inspection import Inspection


def inspect(
    manifest: ManifestFile,
    output: Folder,
    facts: Annotated[
        Path | None,
        typer.Option(help="A CSV table of the published files' width, height and bytes."),
    ] = None,
    samples: Annotated[
        int, typer.Option(help="Images to show of each class and source.", min=0)
    ] = 6,
    seed: Seed = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what a manifest holds and what gives its classes away without a look at a pixel.

    Writes inspection.json and inspection.html. A set that is flagged is no error.
    """
    import numpy as np

    from pulmo.core.folders import InspectionFolder
    from pulmo.core.record import write_record
    from pulmo.datasets.inspect.facts import read_facts
    from pulmo.datasets.inspect.inspect import inspect_manifest
    from pulmo.datasets.inspect.samples import draw_samples, read_samples
    from pulmo.datasets.manifest import read_manifest
    from pulmo.report.inspection_page import InspectionContent, write_inspection

    images = read_manifest(manifest)
    published = read_facts(facts) if facts else None
    claim_folder(output)
    inspection = inspect_manifest(images, manifest.name, seed, published)
    chosen = draw_samples(images, samples, np.random.default_rng(seed))
    with progress("reading samples") as (report,):
        drawn = read_samples(chosen, report)
    inspection = inspection.model_copy(update={"failed": tuple(drawn.failed)})
    folder = InspectionFolder(output)
    write_inspection(folder.page, InspectionContent(inspection, drawn.shown, samples))
    write_record(folder.index, inspection)
    if json_:
        print_json(inspection.model_dump(mode="json"))
    else:
        _tell(inspection, folder.page)
    say_notes({kind: one.n for kind, one in inspection.notes.items()}, len(images))
    for failure in drawn.failed:
        say(failure.reason)
    if drawn.failed:
        n = len(drawn.failed)
        raise PartialError(f"{n} of the drawn samples could not be shown; the rest is done.")


def _tell(inspection: "Inspection", page: Path) -> None:
    totals = inspection.totals
    counts = ", ".join(f"{n} {label}" for label, n in inspection.labels.items())
    typer.echo(f"{totals.images} images in {totals.groups} groups ({counts})")
    typer.echo(f"verdict: {inspection.verdict}")
    for warning in inspection.warnings:
        typer.echo(f"warning: {warning}")
    typer.echo(str(page))
