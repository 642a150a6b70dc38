"""The manifest that a workflow writes, with a table of the files that are not in it."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pulmo.core.files import write_atomically
from pulmo.core.folders import ManifestFiles
from pulmo.core.output import PARQUET, claim_file
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.source import Problem


def claim_manifest(path: Path) -> None:
    """Checks, before the work, that a manifest can be written to a path.

    Raises:
        InputError: the path is a folder, a file of another kind, or cannot be written to.
    """
    claim_file(path, PARQUET)


def counts_of(manifest: Manifest) -> str:
    """Returns how many images, groups and labels a manifest holds, in words."""
    labels = manifest.frame["label"].value_counts().sort_index()
    named = ", ".join(f"{n} {label}" for label, n in labels.items())
    return f"{len(manifest)} images in {manifest.groups.nunique()} groups ({named})"


def save_manifest(manifest: Manifest, problems: Sequence[Problem], path: Path) -> None:
    """Writes the table of problems and then the manifest.

    Raises:
        InputError: a file cannot be written.
    """
    write_problems(problems, path)
    manifest.save(path)


def write_problems(problems: Sequence[Problem], manifest: Path) -> None:
    """Writes the table of a manifest's problems; without problems there is no table.

    Raises:
        InputError: the table cannot be written.
    """
    table = ManifestFiles(manifest).problems
    if not problems:
        table.unlink(missing_ok=True)
        return
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("path", "reason", "failed"))
    rows.writerows((path, reason, str(failed).lower()) for path, reason, failed in problems)
    # The name of a file may hold bytes that are no characters.
    write_atomically(table, text.getvalue().encode(errors="backslashreplace"))
