"""pulmo card."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.output import claim_folder
from pulmo.core.errors import UsageError


def card(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    data: Annotated[
        Path | None, typer.Option(help="The manifest that the model was trained on.")
    ] = None,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="An evaluation of the bundle; may be repeated."),
    ] = None,
    audit: Annotated[Path | None, typer.Option(help="The folder of the bundle's audit.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="The run that the bundle was exported from.")
    ] = None,
) -> None:
    """Fill in a datasheet, CLAIM and TRIPOD+AI from what is on file.

    What the files do not state is marked as a gap, with what to write. Writes DATASHEET.md,
    CLAIM.md and TRIPOD-AI.md; the bundle has a MODEL_CARD.md of its own.
    """
    from pulmo.checklists.markdown import write_checklists
    from pulmo.checklists.reading import Places, read_artefacts

    if bundle.is_file():
        raise UsageError(
            "bundle-folder-expected",
            f"{bundle} is a file, and the checklists are of a bundle: name its folder, which "
            "`pulmo export` wrote. A table of predictions has no card; `pulmo evaluate` and `pulmo "
            "audit` judge it.",
        )
    artefacts = read_artefacts(Places(bundle, data, run, evaluation or (), audit))
    claim_folder(output)
    for written in write_checklists(artefacts, output):
        typer.echo(f"{written.path}: {written.tally}")
