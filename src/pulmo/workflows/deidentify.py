"""Deidentify: DICOM files are copied without what identifies their patients."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

from pulmo.core.errors import InputError, PulmoError, UsageError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.output import claim_file, claim_folder
from pulmo.core.parallel import in_threads
from pulmo.datasets.source import Problem, images_below
from pulmo.deidentify import Deidentified, Pseudonyms, read_key
from pulmo.deidentify import deidentify as without_identity
from pulmo.workflows.deidentified_files import Copies, Copy
from pulmo.workflows.options.data import DeidentifyOptions


def deidentify(
    files: Iterable[Path],
    output: Path,
    options: DeidentifyOptions | None = None,
    on_progress: Callable[[int, int], None] = lambda *_: None,
    on_warning: Callable[[str], None] = lambda _: None,
) -> Copies:
    """Copies DICOM files into a folder, without what identifies their patients.

    A file that cannot be used is a copy with the status failed; the others are written.

    Args:
        files: DICOM files, and folders, which are walked.
        output: the folder for the copies; files in it are not read.
        options: how they are de-identified.
        on_progress: called with the files done and the files in all.
        on_warning: called with each sentence that a person should read.

    Returns:
        What became of each file.

    Raises:
        UsageError: the key or the trace lies in the output folder, or the trace exists.
        InputError: a file does not exist, there is none, or a file cannot be written.
    """
    options = options or DeidentifyOptions()
    _check_apart(output, options)
    _warn_of_earlier_copies(output, options, on_warning)
    secret = None if options.key is None else read_key(options.key)
    pseudonyms = Pseudonyms.unrepeatable() if secret is None else Pseudonyms(secret)
    found = list(_files_of(files, output, on_warning))
    claim_folder(output)
    if options.trace is not None:
        claim_file(options.trace)
    read = partial(_read, pseudonyms=pseudonyms, options=options)
    copies: list[Copy] = []
    with closing(in_threads(read, found)) as results:
        written: set[Path] = set()
        for file, result in zip(found, results, strict=True):
            copies.append(_write(file, result, output, options, written))
            on_progress(len(copies), len(found))
    if options.trace is not None:
        _write_trace(options.trace, copies)
    return Copies(copies)


def _check_apart(output: Path, options: DeidentifyOptions) -> None:
    """Refuses a secret among the files that are to be given away."""
    for file in (options.key, options.trace):
        if file is not None and file.resolve().is_relative_to(output.resolve()):
            raise UsageError(
                "secret-in-output",
                f"{file} would lie in {output}, and whoever gets that folder could identify the "
                "patients. Name a file outside of it.",
            )
    if options.trace is not None and options.trace.exists():
        raise UsageError("trace-exists", f"{options.trace} exists already and is not overwritten.")


def _warn_of_earlier_copies(
    output: Path, options: DeidentifyOptions, on_warning: Callable[[str], None]
) -> None:
    """Warns of copies whose pseudonyms a run without a key cannot give again."""
    earlier = sum(1 for _ in output.glob("*.dcm")) if output.is_dir() else 0
    if earlier and options.key is None:
        on_warning(
            f"{output} contains {earlier} DICOM files already. Without the same key for all runs, "
            "this run gives other pseudonyms: a file of both runs is there twice, with two "
            "patients."
        )


def _files_of(
    given: Iterable[Path], output: Path, on_warning: Callable[[str], None]
) -> Iterator[Path]:
    """Yields each file once that was named or lies in a folder that was, without the output's."""
    named = list(given)
    seen = set()
    for path in named:
        if not path.exists():
            raise InputError("file-missing", f"{path} does not exist.")
        for file in images_below(path) if path.is_dir() else [path]:
            if isinstance(file, Problem):
                on_warning(f"{file.path}: {file.reason}")
                continue
            place = file.resolve()
            if place not in seen and not place.is_relative_to(output.resolve()):
                seen.add(place)
                yield file
    if not seen:
        raise InputError("files-missing", f"There is no file in {', '.join(map(str, named))}.")


def _read(
    file: Path, *, pseudonyms: Pseudonyms, options: DeidentifyOptions
) -> Deidentified | PulmoError:
    try:
        kept = options.keep == "characteristics"
        return without_identity(read_bytes(file), str(file), pseudonyms, characteristics=kept)
    except PulmoError as error:
        return error


def _write(
    file: Path,
    result: Deidentified | PulmoError,
    folder: Path,
    options: DeidentifyOptions,
    written: set[Path],
) -> Copy:
    """Writes a copy, unless something is against it, and returns what became of the file."""
    if isinstance(result, PulmoError):
        return Copy(file, "failed", (str(result),))
    if result.reasons and options.withhold:
        return Copy(file, "withheld", result.reasons)
    path = folder / f"{result.uid}.dcm"
    if path in written:
        return Copy(file, "failed", (f"{file} has the SOP Instance UID of another of the files.",))
    if path.exists():
        return Copy(file, "failed", (f"{file} has its copy in {folder} already.",))
    write_atomically(path, result.data)
    written.add(path)
    status: Literal["ok", "check"] = "check" if result.reasons else "ok"
    return Copy(file, status, result.reasons, path, result.patient)


def _write_trace(trace: Path, copies: Sequence[Copy]) -> None:
    """Writes which file became which, readable by its owner alone."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("input", "output", "patient"))
    table.writerows((copy.source, copy.output, copy.patient) for copy in copies if copy.output)
    # Nobody else may read it, not even while it is written.
    before = os.umask(0o077)
    try:
        write_atomically(trace, text.getvalue().encode(errors="backslashreplace"))
    finally:
        os.umask(before)
