"""Options that several verbs of `pulmo data` share, and how they say what a manifest holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Manifest

ManifestFile = Annotated[Path, typer.Argument(help="The manifest.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")]
OneSet = Annotated[
    list[str] | None,
    typer.Option(
        "--one-set",
        metavar="NAME",
        help="A data set that lies in several folders, its patients numbered together. Repeatable.",
    ),
]
DerivedOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The manifest to write. Default: named after the input."),
]
Folder = Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")]
Seed = Annotated[int, typer.Option(help="Seed of the random draw.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def counts(manifest: "Manifest") -> str:
    """Returns how many images, groups and labels a manifest holds, in words."""
    labels = manifest.frame["label"].value_counts().sort_index()
    named = ", ".join(f"{n} {label}" for label, n in labels.items())
    return f"{len(manifest)} images in {manifest.groups.nunique()} groups ({named})"
