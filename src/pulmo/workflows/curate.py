"""Curate: copies of an image are found and grouped, and contradicting ones removed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pulmo.core.files import write_atomically
from pulmo.core.folders import ManifestFiles
from pulmo.core.output import claim_file
from pulmo.datasets.curate import Curated, CurationProgress
from pulmo.datasets.curate import curate as curate_images
from pulmo.datasets.curate.report import report_csv, summary_lines
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import join
from pulmo.workflows.manifest_output import claim_manifest, counts_of, save_manifest
from pulmo.workflows.options.data import CurateOptions


class CurationResult(NamedTuple):
    """What a curation did.

    Attributes:
        before: the images that were given.
        curated: the images that stay, what was done, and the images that could not be read.
        table: the CSV file with a row for each pair of copies and each removal.
    """

    before: Manifest
    curated: Curated
    table: Path

    def text(self) -> str:
        """Returns what was found and removed, and where that is written, as lines."""
        report = self.curated.report
        rows = "a row for each pair and each removal" if len(report) else "no row"
        return "\n".join(
            [
                f"{counts_of(self.curated.manifest)}, of {counts_of(self.before)}",
                *summary_lines(report),
                f"{self.table}: {rows}{', with the evidence' if len(report) else ''}",
            ]
        )


def curate(
    manifests: Sequence[Manifest],
    output: Path,
    options: CurateOptions | None = None,
    progress: CurationProgress | None = None,
) -> CurationResult:
    """Joins manifests, curates their images and writes the manifest and the table of what was done.

    Args:
        manifests: the images.
        output: the manifest to write.
        options: how they are curated.
        progress: is called with how far the work is.

    Raises:
        UsageError: a trusted source is not in the manifests.
        InputError: the manifests cannot be joined, no image can be read or stays, or a file cannot
            be written.
    """
    options = options or CurateOptions()
    before = join(manifests, options.one_set)
    table = ManifestFiles(output).curation
    claim_manifest(output)
    claim_file(table, b"path,action,")
    done = curate_images(
        before, drop_copies=options.drop_copies, trust=options.trust, progress=progress
    )
    write_atomically(table, report_csv(done.report))
    save_manifest(done.manifest, done.problems, output)
    return CurationResult(before, done, table)
