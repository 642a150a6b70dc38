"""pulmo data import."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import Report, progress, say
from pulmo.cli.data.options import DerivedOutput, counts
from pulmo.cli.data.problems import report_problems
from pulmo.cli.output import PARQUET, chosen_output, claim_file
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Imported


def import_(
    source: Annotated[str, typer.Argument(help="A source of `pulmo data sources`.")],
    root: Annotated[Path, typer.Argument(help="The data set's folder, or the CSV file.")],
    output: DerivedOutput = None,
    called: Annotated[
        str | None, typer.Option("--name", help="What to call the source in the manifest.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=LABEL", help="What a folder or class name means."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", help="Of a folder: all its pictures are of this class."),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option("--root", help="Of a table: its paths are relative to this folder."),
    ] = None,
    headers_only: Annotated[
        bool, typer.Option("--headers-only", help="Hash files and read headers; decode nothing.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Read files again that have not changed.")
    ] = False,
) -> None:
    """Read every picture of a data set once and write its manifest.

    Repeated with the same output, it reads what has changed. Stopped, it goes on from there.
    """
    from pulmo.core.tables import write_manifest
    from pulmo.datasets.class_names import HERE
    from pulmo.datasets.journal import Journal
    from pulmo.datasets.manifest import NothingImportedError, Reading, import_source

    if called is not None and not called.strip():
        raise UsageError("--name is blank; say what to call the source, or leave it out.")
    labels = _label_map(mapping or [])
    if label is not None:
        if source != "folder":
            raise UsageError("--label is for the source folder; of a table it is a column.")
        labels[HERE] = label
    name = root.resolve().name if root.is_dir() else root.stem
    output = chosen_output(output, Path(f"{name}.parquet"))
    claim_file(output, PARQUET)
    journal = Journal(output.with_name(f"{output.name}.journal"))
    if fresh:
        journal.remove()
    reading = Reading(not headers_only, None if fresh else output, journal, files)
    try:
        with progress("finding pictures", "reading pictures", lines=True) as (find, read):
            show = _in_turn(find, read)
            imported = import_source(
                source, root, labels, called=called, on_progress=show, reading=reading
            )
    except NothingImportedError as error:
        journal.remove()
        report_problems(error.problems, output)
        raise
    write_manifest(imported.manifest, output)
    journal.remove()
    _tell(imported, output)
    failed = report_problems(imported.problems, output)
    if failed:
        raise PartialError(f"{failed} failed; the rest is in the manifest.")


def _tell(imported: "Imported", output: Path) -> None:
    """Tells what is in the manifest, and how its files were read."""
    from pulmo.core.tables import SPLITS

    typer.echo(f"{output}: {counts(imported.manifest)}")
    if imported.kept:
        say(f"{imported.kept} files have not changed since they were read; --fresh reads them.")
    splits = imported.manifest["split"].value_counts()
    if len(splits):
        told = ", ".join(f"{splits[name]} {name}" for name in SPLITS if name in splits)
        say(
            f"The data set has a split of its own: {told}. To keep it: pulmo data split "
            f"{shlex.quote(str(output))} --keep-official -o M"
        )
    undecoded = int(imported.manifest["pixels_sha256"].isna().sum())
    if undecoded:
        say(
            f"{undecoded} pictures were not decoded: damage within them, and copies of another "
            "format, are not seen. Import without --headers-only for that."
        )


def _label_map(pairs: list[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for pair in pairs:
        name, sign, label = pair.rpartition("=")
        if not sign:
            raise UsageError(f"--map {pair!r} is not NAME=LABEL.")
        if labels.setdefault(name, label) != label:
            raise UsageError(f"--map says that {name!r} is {labels[name]} and that it is {label}.")
    return labels


def _in_turn(find: Report, read: Report) -> Report:
    """Returns what shows the pictures found while their number is unknown, then those read."""

    def show(done: int, total: int) -> None:
        if total == 0:
            find(done, 0)
            return
        if done == 1:
            find(total, total)
        read(done, total)

    return show
