"""Select: the images of a manifest that fulfil conditions become a manifest of their own."""

from collections.abc import Sequence
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.select import Condition, Selected
from pulmo.datasets.select import select as select_images
from pulmo.workflows.manifest_output import claim_manifest


def select(manifest: Manifest, conditions: Sequence[str], output: Path) -> Selected:
    """Selects images and writes the manifest of them.

    Args:
        manifest: the images; their splits and folds stay as they are.
        conditions: what each must fulfil, see `Condition.parse`.
        output: the manifest to write.

    Raises:
        UsageError: a text is no condition, or does not fit its column.
        InputError: no image fulfils them, or the file cannot be written.
    """
    claim_manifest(output)
    selected = select_images(manifest, [Condition.parse(text) for text in conditions])
    if not len(selected.manifest):
        raise InputError(
            "no-image-selected",
            f"None of the {len(manifest):,} images fulfils: {' and '.join(conditions)}.",
        )
    selected.manifest.save(output)
    return selected
