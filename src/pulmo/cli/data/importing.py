"""pulmo data import."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import Report, progress, say
from pulmo.cli.data.options import Output, counts
from pulmo.cli.data.problems import report_problems
from pulmo.cli.output import PARQUET, claim_file
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Imported

_TABLE: Final = "csv"
"""The source whose root is a table of a user's own."""


def import_(
    source: Annotated[str, typer.Argument(help="A source of `pulmo data sources`.")],
    root: Annotated[Path, typer.Argument(help="The data set's folder, or the CSV file.")],
    output: Output,
    called: Annotated[
        str | None, typer.Option("--name", help="What to call the source in the manifest.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=LABEL", help="What a folder or class name means."),
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
    from pulmo.datasets.journal import Journal
    from pulmo.datasets.manifest import NothingImportedError, Reading, import_source

    if called is not None and not called.strip():
        raise UsageError("--name is blank; say what to call the source, or leave it out.")
    labels = _label_map(mapping or [])
    claim_file(output, PARQUET)
    journal = Journal(output.with_name(f"{output.name}.journal"))
    if fresh:
        journal.remove()
    reading = Reading(not headers_only, None if fresh else output, journal)
    try:
        with progress("finding pictures", "reading pictures") as (find, read):
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
    if source == _TABLE:
        _tell_dialect(root)
    _tell(imported, output)
    failed = report_problems(imported.problems, output)
    if failed:
        raise PartialError(f"{failed} failed; the rest is in the manifest.")


def _tell_dialect(table: Path) -> None:
    """Says how a table was read that is not in UTF-8 with commas."""
    from pulmo.datasets.rows import dialect_of

    departure = dialect_of(table, ("path", "label")).departure()
    if departure:
        say(f"{table} was read as {departure}.")


def _tell(imported: "Imported", output: Path) -> None:
    """Tells what is in the manifest, and how its files were read."""
    typer.echo(f"{output}: {counts(imported.manifest)}")
    if imported.kept:
        say(f"{imported.kept} files have not changed since they were read; --fresh reads them.")
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
