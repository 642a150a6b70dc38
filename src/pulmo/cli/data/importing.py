"""pulmo data import."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import Report, progress, say, say_notes
from pulmo.cli.data.options import DerivedOutput, counts
from pulmo.cli.data.problems import tell_problems, write_problems
from pulmo.cli.output import PARQUET, chosen_output, claim_file
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.importing import Imported

_TABLE: Final = "csv"
"""The source whose root is a table of a user's own."""


def import_(
    source: Annotated[str, typer.Argument(help="A source of `pulmo data sources`.")],
    root: Annotated[Path, typer.Argument(help="The data set's folder, or the CSV file.")],
    output: DerivedOutput = None,
    called: Annotated[
        str | None,
        typer.Option(
            "--name", help="What to call the data set in the manifest; its patients go by it."
        ),
    ] = None,
    stated: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="[CLASS=]NAME",
            help="Of your own images: the hospital, or the public set, that all of them or those "
            "of a class are from; may be repeated.",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=LABEL", help="What a folder or class name means."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", help="Of a folder: all its images are of this class."),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option("--root", help="Of a table: its paths are relative to this folder."),
    ] = None,
    patients: Annotated[
        Path | None,
        typer.Option(
            "--patients-from-dicom",
            metavar="KEYFILE",
            help="Take the patient of DICOM files from their Patient ID, as a hash with the secret "
            "in this file, that of `pulmo data deidentify --key`.",
        ),
    ] = None,
    headers_only: Annotated[
        bool, typer.Option("--headers-only", help="Hash files and read headers; decode nothing.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Read files again that have not changed.")
    ] = False,
) -> None:
    """Read every image of a data set once and write its manifest.

    Repeated with the same output, it reads what has changed. Stopped, it goes on from there.
    """
    from pulmo.core.folders import ManifestFiles
    from pulmo.datasets.class_names import HERE
    from pulmo.datasets.importing import NothingImportedError, Reading, import_source
    from pulmo.datasets.journal import Journal
    from pulmo.datasets.patients import name_patients
    from pulmo.datasets.stating import state_sources
    from pulmo.deidentify import read_key

    if called is not None and not called.strip():
        raise UsageError("--name is blank; say what to call the source, or leave it out.")
    labels, origins = _label_map(mapping or []), _origins(stated or [], source)
    if label is not None:
        if source != "folder":
            raise UsageError("--label is for the source folder; of a table it is a column.")
        labels[HERE] = label
    key = None if patients is None else read_key(patients)
    name = root.resolve().name if root.is_dir() else root.stem
    output = chosen_output(output, Path(f"{name}.parquet"))
    claim_file(output, PARQUET)
    journal = Journal(ManifestFiles(output).journal)
    if fresh:
        journal.remove()
    reading = Reading(not headers_only, None if fresh else output, journal, files)
    try:
        with progress("finding images", "reading images", lines=True) as (find, read):
            show = _in_turn(find, read)
            imported = import_source(
                source, root, labels, called=called, on_progress=show, reading=reading
            )
    except NothingImportedError as error:
        journal.remove()
        write_problems(error.problems, output)
        tell_problems(error.problems, output)
        raise
    manifest = state_sources(imported.manifest, origins)
    if key is not None:
        before = int(manifest.patients.notna().sum())
        manifest = name_patients(manifest, key)
        found = int(manifest.patients.notna().sum()) - before
        people = manifest.patients.nunique()
        noun = "patient is" if people == 1 else "patients are"
        say(f"{found} DICOM files state their patient. {people} {noun} known.")
    imported = imported._replace(manifest=manifest)
    write_problems(imported.problems, output)
    manifest.save(output)
    journal.remove()
    if source == _TABLE:
        _tell_dialect(root)
    _tell(imported, output)
    failed = tell_problems(imported.problems, output)
    if failed:
        raise PartialError(f"{failed} failed; the rest is in the manifest.")


def _tell_dialect(table: Path) -> None:
    """Says how a table was read that is not in UTF-8 with commas, or which sheet of several."""
    from pulmo.datasets.dialect import dialect_of
    from pulmo.datasets.workbook import SUFFIX, first_sheet

    if table.suffix.lower() == SUFFIX:
        for note in first_sheet(table).notes:
            say(note)
        return
    departure = dialect_of(table, ("path", "label")).departure()
    if departure:
        say(f"{table} was read as {departure}.")


def _tell(imported: "Imported", output: Path) -> None:
    """Tells what is in the manifest, and how its files were read."""
    from pulmo.core.noted import UNKNOWN, count_kinds
    from pulmo.core.sources import are_stated, source_names
    from pulmo.datasets.manifest import SPLITS

    frame = imported.manifest.frame
    typer.echo(f"{output}: {counts(imported.manifest)}")
    unknown = int((~are_stated(source_names(frame))).sum())
    if unknown:
        say(
            f"It is not stated which hospital {unknown} of the images are from, so that no "
            "comparison within one hospital is made with them. State it with --source NAME, with "
            "--source CLASS=NAME for each class, or in a column source of the table."
        )
    if imported.kept:
        say(f"{imported.kept} files have not changed since they were read; --fresh reads them.")
    splits = frame["split"].value_counts()
    if len(splits):
        told = ", ".join(f"{splits[name]} {name}" for name in SPLITS if name in splits)
        say(
            f"The data set has a split of its own: {told}. To keep it: pulmo data split "
            f"{shlex.quote(str(output))} --keep-official -o M"
        )
    noted = count_kinds(frame["notes"])
    noted.pop(UNKNOWN, None)
    say_notes(noted, len(imported.manifest))
    undecoded = int(frame["pixels_sha256"].isna().sum())
    if undecoded:
        say(
            f"{undecoded} images were not decoded: damage within them, and copies of another "
            "format, are not seen, and what the reader would note of them is not known. Import "
            "without --headers-only for that."
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


def _origins(texts: list[str], reader: str) -> dict[str, str]:
    """Returns class -> where its images are from; an empty class stands for all others."""
    from pulmo.core.sources import OWN

    if texts and reader not in OWN:
        raise UsageError(
            f"--source is for the sources {' and '.join(OWN)}; {reader} knows where its images "
            "are from. Leave --source out."
        )
    origins: dict[str, str] = {}
    for text in texts:
        name, sign, origin = (part.strip() for part in text.rpartition("="))
        if not origin or (sign and not name):
            raise UsageError(f"--source {text!r} is neither NAME nor CLASS=NAME.")
        if origins.setdefault(name, origin) != origin:
            said = f"{name!r} is" if name else "all images are"
            raise UsageError(f"--source says that {said} from {origins[name]} and from {origin}.")
    return origins


def _in_turn(find: Report, read: Report) -> Report:
    """Returns what shows the images found while their number is unknown, then those read."""

    def show(done: int, total: int) -> None:
        if total == 0:
            find(done, 0)
            return
        if done == 1:
            find(total, total)
        read(done, total)

    return show
