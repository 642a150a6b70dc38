"""pulmo data import."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import Report, chosen_output, progress, say, say_notes
from pulmo.cli.data.options import DerivedOutput, counts
from pulmo.cli.data.problems import report_problems
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Manifest


def import_(
    source: Annotated[str, typer.Argument(help="A name that `pulmo data sources` lists.")],
    root: Annotated[Path, typer.Argument(help="The data set's folder, or the table.")],
    output: DerivedOutput = None,
    name: Annotated[
        str | None,
        typer.Option(help="The data set's name in the manifest. Default: the source's name."),
    ] = None,
    stated: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="[CLASS=]NAME",
            help="The hospital or public set that your images, or those of one class, are from. "
            "Repeatable. Default: not known.",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="NAME=LABEL", help="The label of a class folder or name. Repeatable."
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="The label of all images in a folder without class folders.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            "--root", help="The folder that a table's paths are relative to. Default: its own."
        ),
    ] = None,
    patients: Annotated[
        Path | None,
        typer.Option(
            "--patients-from-dicom",
            metavar="KEYFILE",
            help="Take patients from the Patient ID of DICOM files, hashed with the secret in this "
            "file, as `pulmo data deidentify --key` does.",
        ),
    ] = None,
    headers_only: Annotated[
        bool, typer.Option("--headers-only", help="Hash files and read headers; decode no image.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Also read files again that have not changed.")
    ] = False,
) -> None:
    """Read every image of a data set once and write its manifest.

    Repeated with the same output, it reads only files that have changed. An interrupted import
    continues where it stopped.
    """
    from pulmo.datasets.importing import NothingImportedError
    from pulmo.workflows.import_images import ImportOptions, import_images

    options = ImportOptions(
        name=name,
        label_map=_pairs("--map", mapping or []),
        label=label,
        stated=_pairs("--source", stated or [], all_classes=True),
        files=files,
        patient_key=patients,
        decode=not headers_only,
        fresh=fresh,
    )
    called = root.resolve().name if root.is_dir() else root.stem
    output = chosen_output(output, Path(f"{called}.parquet"))
    try:
        with progress("finding images", "reading images", lines=True) as (find, read):
            done = import_images(source, root, output, options, _in_turn(find, read))
    except NothingImportedError as error:
        report_problems(error.problems, output)
        raise
    if done.patients_stated is not None:
        people = done.manifest.patients.nunique()
        noun = "patient is" if people == 1 else "patients are"
        say(f"{done.patients_stated} DICOM files state their patient. {people} {noun} known.")
    for note in done.notes:
        say(note)
    typer.echo(f"{output}: {counts(done.manifest)}")
    _say_unknown_sources(done.manifest)
    if done.kept:
        say(f"{done.kept} files have not changed since they were read; --fresh reads them again.")
    _say_what_was_read(done.manifest, output)
    failed = report_problems(done.problems, output)
    if failed:
        raise PartialError("some-files-failed", f"{failed} failed; the rest is in the manifest.")


def _say_unknown_sources(manifest: "Manifest") -> None:
    from pulmo.core.sources import are_stated, source_names

    unknown = int((~are_stated(source_names(manifest.frame))).sum())
    if unknown:
        say(
            f"It is not stated which hospital {unknown} of the images are from, so no comparison "
            "within one hospital is made with them. State it with --source NAME, with --source "
            "CLASS=NAME for each class, or in a column source of the table."
        )


def _say_what_was_read(manifest: "Manifest", output: Path) -> None:
    """Says which split, notes and undecoded images the manifest has."""
    from pulmo.core.noted import UNKNOWN, count_kinds
    from pulmo.datasets.schema import SPLITS

    splits = manifest.frame["split"].value_counts()
    if len(splits):
        listed = ", ".join(f"{splits[name]} {name}" for name in SPLITS if name in splits)
        say(
            f"The data set has a split of its own: {listed}. To keep it: pulmo data split "
            f"{shlex.quote(str(output))} --keep-official -o M"
        )
    noted = count_kinds(manifest.frame["notes"])
    noted.pop(UNKNOWN, None)
    say_notes(noted, len(manifest))
    undecoded = int(manifest.frame["pixels_sha256"].isna().sum())
    if undecoded:
        say(
            f"{undecoded} images were not decoded: damage and copies in another format were not "
            "found, and the notes on the images are not known. To find them, import without "
            "--headers-only."
        )


def _pairs(option: str, texts: list[str], *, all_classes: bool = False) -> dict[str, str]:
    """Returns name -> value of words such as NAME=VALUE.

    Args:
        option: what the command calls it.
        texts: the words.
        all_classes: whether a word may be a VALUE alone, which is for the empty name.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.rpartition("="))
        if not value or (not name if sign else not all_classes):
            form = "neither NAME nor CLASS=NAME" if all_classes else "not NAME=LABEL"
            raise UsageError("option-pair-invalid", f"{option} {text!r} is {form}.")
        if pairs.setdefault(name, value) != value:
            said = repr(name) if name else "all images"
            raise UsageError(
                "option-pairs-contradict",
                f"{option} gives {said} two values, {pairs[name]} and {value}.",
            )
    return pairs


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
