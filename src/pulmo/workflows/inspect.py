"""Inspect: what a manifest holds, and what gives its classes away without a look at a pixel."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pulmo.core.folders import InspectionFolder
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.datasets.inspect.facts import read_facts
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.inspect.inspection import Inspection
from pulmo.datasets.inspect.samples import draw_samples, read_samples
from pulmo.datasets.manifest import read_manifest
from pulmo.report.inspection_page import InspectionContent, write_inspection
from pulmo.workflows.options.data import InspectOptions


class InspectionResult(NamedTuple):
    """An inspection.

    Attributes:
        inspection: what was found.
        folder: where it was written.
    """

    inspection: Inspection
    folder: InspectionFolder

    def text(self) -> str:
        """Returns what was counted, the verdict and the warnings as lines."""
        found = self.inspection
        labels = ", ".join(f"{n} {label}" for label, n in found.labels.items())
        return "\n".join(
            [
                f"{found.totals.images} images in {found.totals.groups} groups ({labels})",
                f"verdict: {found.verdict}",
                *(f"warning: {warning.text}" for warning in found.warnings),
            ]
        )


def inspect(
    manifest: Path,
    output: Path,
    options: InspectOptions | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> InspectionResult:
    """Inspects a manifest and writes inspection.html and inspection.json.

    A sample that cannot be read is named in the inspection; it is no error.

    Args:
        manifest: the manifest's file.
        output: the folder to write.
        options: how it is inspected.
        on_progress: called with the samples read and the number of samples.

    Raises:
        InputError: a file cannot be read or written.
    """
    options = options or InspectOptions()
    images = read_manifest(manifest)
    published = read_facts(options.facts) if options.facts else None
    claim_folder(output)
    inspection = inspect_manifest(images, manifest.name, options.seed, published)
    chosen = draw_samples(images, options.samples, np.random.default_rng(options.seed))
    drawn = read_samples(chosen, on_progress)
    inspection = inspection.model_copy(update={"failed": tuple(drawn.failed)})
    folder = InspectionFolder(output)
    write_inspection(folder.page, InspectionContent(inspection, drawn.shown, options.samples))
    write_record(folder.index, inspection)
    return InspectionResult(inspection, folder)
