"""Import: every image of a data set is read once, and its manifest is written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import UsageError
from pulmo.core.folders import ManifestFiles
from pulmo.core.message import Message
from pulmo.core.noted import UNKNOWN, count_kinds
from pulmo.core.sources import are_stated, source_names
from pulmo.datasets.class_names import HERE
from pulmo.datasets.dialect import dialect_of
from pulmo.datasets.importing import NothingImportedError, Reading, import_source
from pulmo.datasets.journal import Journal
from pulmo.datasets.manifest import SPLITS, Manifest
from pulmo.datasets.patients import name_patients
from pulmo.datasets.source import Problem
from pulmo.datasets.stating import check_can_be_stated, state_sources
from pulmo.datasets.workbook import SUFFIX, first_sheet
from pulmo.deidentify import read_key
from pulmo.workflows.manifest_output import claim_manifest, save_manifest, write_problems
from pulmo.workflows.options.data import ImportOptions

_TABLE: Final = "csv"
"""The source whose root is a table of a user's own."""


class ImportResult(NamedTuple):
    """What an import gave.

    Attributes:
        manifest: the images.
        problems: the files and rows that are not in it, and why.
        kept: how many files were not read again, because they have not changed.
        patients_stated: how many DICOM files state their patient; None if nobody looked.
        notes: how a table was read, where that is not obvious, as sentences.
    """

    manifest: Manifest
    problems: tuple[Problem, ...]
    kept: int
    patients_stated: int | None
    notes: tuple[str, ...]

    @property
    def image_notes(self) -> dict[str, int]:
        """Kind of note -> images that have one, of the images that were decoded."""
        counts = count_kinds(self.manifest.frame["notes"])
        return {kind: n for kind, n in counts.items() if kind != UNKNOWN}

    def messages(self) -> Iterator[Message]:
        """Yields what a user must know of the import."""
        frame = self.manifest.frame
        if self.patients_stated is not None:
            people = self.manifest.patients.nunique()
            noun = "patient is" if people == 1 else "patients are"
            text = f"{self.patients_stated} DICOM files state their patient. {people} {noun} known."
            yield Message("patients-stated", text)
        for note in self.notes:
            yield Message("table-form", note)
        if unknown := int((~are_stated(source_names(frame))).sum()):
            yield Message(
                "sources-unstated",
                f"It is not stated which hospital {unknown} of the images are from, so no "
                "comparison within one hospital is made with them.",
            )
        if self.kept:
            text = f"{self.kept} files have not changed since they were read."
            yield Message("files-unchanged", text)
        splits = frame["split"].value_counts()
        if len(splits):
            listed = ", ".join(f"{splits[name]} {name}" for name in SPLITS if name in splits)
            yield Message("split-official", f"The data set has a split of its own: {listed}.")
        if undecoded := int(frame["pixels_sha256"].isna().sum()):
            yield Message(
                "images-undecoded",
                f"{undecoded} images were not decoded: damage and copies in another format were "
                "not found, and the notes on the images are not known.",
            )


def import_images(
    source: str,
    root: Path,
    output: Path,
    options: ImportOptions | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportResult:
    """Reads every image of a data set once and writes its manifest.

    Repeated with the same output it reads only files that have changed. An import that was
    interrupted continues from its journal. The table of problems is written even if no image can be
    used.

    Args:
        source: a name in `pulmo.datasets.source.SOURCES`.
        root: the data set's folder; of the source csv the table.
        output: the manifest to write.
        options: how it is imported.
        on_progress: see `import_source`.

    Raises:
        UsageError: there is no such source, a class has no label, or an option does not fit it.
        InputError: the root is no such data set, or a file cannot be read or written.
        NothingImportedError: no image can be used.
    """
    options = options or ImportOptions()
    labels = _labels(source, options)
    check_can_be_stated(options.stated, source)
    key = None if options.patient_key is None else read_key(options.patient_key)
    claim_manifest(output)
    journal = Journal(ManifestFiles(output).journal)
    if options.fresh:
        journal.remove()
    earlier = None if options.fresh else output
    try:
        imported = import_source(
            source,
            root,
            labels,
            called=options.name,
            on_progress=on_progress,
            reading=Reading(not options.headers_only, earlier, journal, options.files),
        )
    except NothingImportedError as error:
        journal.remove()
        write_problems(error.problems, output)
        raise
    manifest, found = state_sources(imported.manifest, options.stated), None
    if key is not None:
        before = manifest.patients.notna().sum()
        manifest = name_patients(manifest, key)
        found = int(manifest.patients.notna().sum() - before)
    save_manifest(manifest, imported.problems, output)
    journal.remove()
    notes = _table_notes(root) if source == _TABLE else ()
    return ImportResult(manifest, tuple(imported.problems), imported.kept, found, notes)


def _labels(source: str, options: ImportOptions) -> dict[str, str]:
    """Returns the label of each class name."""
    if options.name is not None and not options.name.strip():
        raise UsageError("source-name-blank", "The name of the data set is blank.")
    if options.label is None:
        return dict(options.label_map)
    if source != "folder":
        raise UsageError(
            "label-is-column",
            "One label for all images is for the source folder; a table has a column label.",
        )
    return {**options.label_map, HERE: options.label}


def _table_notes(table: Path) -> tuple[str, ...]:
    """Says how a table was read that is not UTF-8 with commas, or which of its sheets was read."""
    if table.suffix.lower() == SUFFIX:
        return tuple(first_sheet(table).notes)
    departure = dialect_of(table, ("path", "label")).departure()
    return (f"{table} was read as {departure}.",) if departure else ()
