"""Arguments that several verbs of `pulmo data` share."""

from pathlib import Path
from typing import Annotated

import typer

ManifestFile = Annotated[Path, typer.Argument(help="The manifest.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")]
DerivedOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The manifest to write. Default: named after the input."),
]
