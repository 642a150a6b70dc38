"""pulmo data deidentify."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.data.deidentified import Row, conclude, print_object, print_table, write_map
from pulmo.cli.data.options import Folder
from pulmo.cli.output import claim_file, claim_folder
from pulmo.core.errors import InputError, PulmoError, UsageError
from pulmo.core.files import read_bytes, write_atomically

if TYPE_CHECKING:
    from pulmo.deidentify import Deidentified, Pseudonyms


class Keep(StrEnum):
    """The options of the profile that can be added."""

    CHARACTERISTICS = "characteristics"


def deidentify(
    files: Annotated[list[Path], typer.Argument(help="DICOM files, and folders of them.")],
    output: Folder,
    keep: Annotated[
        Keep | None, typer.Option(help="Keep age, sex, size, weight and the like.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="A secret file: with it, later runs give the same pseudonyms."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Also write which file became which (CSV)."),
    ] = None,
    withhold: Annotated[
        bool, typer.Option("--withhold-flagged", help="Write no file that should be looked at.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy DICOM images without what identifies the patient (PS3.15 basic profile)."""
    from pulmo.deidentify import Pseudonyms, read_key

    _check_apart(output, key, "--key")
    _check_apart(output, trace, "--map")
    if trace is not None and trace.exists():
        raise UsageError(f"{trace} is there already; name another file for --map.")
    _warn_of_copies(output, key)
    pseudonyms = Pseudonyms.unrepeatable() if key is None else Pseudonyms(read_key(key))
    found = list(_files_of(files, output))
    claim_folder(output)
    if trace is not None:
        claim_file(trace)
    work = _Work(pseudonyms, keep is not None, output, withhold)
    rows = _process(work, found)
    if trace is not None:
        write_map(trace, rows)
    print_object(rows) if as_json else print_table(rows)
    conclude(rows)


class _Work(NamedTuple):
    """What is done with every file."""

    pseudonyms: "Pseudonyms"
    characteristics: bool
    folder: Path
    withhold: bool


def _check_apart(output: Path, file: Path | None, option: str) -> None:
    """Refuses a secret among the files that are to be given away."""
    if file is not None and file.resolve().is_relative_to(output.resolve()):
        raise UsageError(
            f"{file} would lie in {output}, and identify its patients to whoever gets it; name a "
            f"place elsewhere for {option}."
        )


def _warn_of_copies(output: Path, key: Path | None) -> None:
    """Says that a folder holds copies, whose pseudonyms a run without a key cannot give again."""
    earlier = sum(1 for _ in output.glob("*.dcm")) if output.is_dir() else 0
    if earlier and key is None:
        say(
            f"warning: {output} holds {earlier} DICOM files already. Without --key this run gives "
            "other pseudonyms: a file of both runs is there twice, and its patient is two. Name "
            "another folder, or give all runs the same --key."
        )


def _files_of(given: Iterable[Path], output: Path) -> Iterator[Path]:
    """Yields the files that were named or lie in folders that were, without those of the output.

    A link in a folder is said to be one and left out.
    """
    from pulmo.datasets.source import Problem, images_below

    seen = set()
    for path in given:
        if not path.exists():
            raise InputError(f"{path} does not exist.")
        for file in images_below(path) if path.is_dir() else [path]:
            if isinstance(file, Problem):
                say(f"{file.path}: {file.reason}")
                continue
            place = file.resolve()
            if place not in seen and not place.is_relative_to(output.resolve()):
                seen.add(place)
                yield file
    if not seen:
        raise InputError(f"There is no file in {', '.join(map(str, given))}.")


def _process(work: _Work, files: Sequence[Path]) -> list[Row]:
    from pulmo.core.parallel import in_threads

    rows: list[Row] = []
    written: set[Path] = set()

    def read(file: Path) -> "Deidentified | PulmoError":
        from pulmo.deidentify import deidentify as without_identity

        try:
            return without_identity(
                read_bytes(file),
                str(file),
                work.pseudonyms,
                characteristics=work.characteristics,
            )
        except PulmoError as error:
            return error

    with progress("de-identifying") as (report,), closing(in_threads(read, files)) as results:
        for file, result in zip(files, results, strict=True):
            rows.append(_row(work, file, result, written))
            report(len(rows), len(files))
    return rows


def _row(work: _Work, file: Path, result: "Deidentified | PulmoError", written: set[Path]) -> Row:
    """Writes a file, unless something is against it, and returns what became of it."""
    if isinstance(result, PulmoError):
        return Row(file, "failed", (str(result),))
    if result.reasons and work.withhold:
        return Row(file, "withheld", result.reasons)
    path = work.folder / f"{result.uid}.dcm"
    if path in written:
        return Row(file, "failed", (f"{file} has the SOP Instance UID of another of the files.",))
    if path.exists():
        return Row(file, "failed", (f"{file} has its copy in {work.folder} already.",))
    write_atomically(path, result.data)
    written.add(path)
    status = "check" if result.reasons else "ok"
    return Row(file, status, result.reasons, path, result.patient)
