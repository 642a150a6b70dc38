"""Merge: several manifests become one, in which copies of an image are in one group."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import Merged, merge_agreeing
from pulmo.datasets.merge import merge as merge_manifests
from pulmo.workflows.manifest_output import claim_manifest, save_manifest
from pulmo.workflows.options.data import MergeOptions

DEFAULTS: Final = MergeOptions()


def merge(manifests: Sequence[Manifest], output: Path, options: MergeOptions = DEFAULTS) -> Merged:
    """Merges manifests and writes the result.

    Args:
        manifests: the manifests.
        output: the manifest to write.
        options: how they are merged.

    Raises:
        InputError: the manifests cannot be joined, images contradict each other, or a file cannot
            be written.
    """
    claim_manifest(output)
    if options.drop_contradictions:
        merged = merge_agreeing(manifests, options.one_set)
    else:
        merged = Merged(merge_manifests(manifests, options.one_set), [])
    save_manifest(merged.manifest, merged.problems, output)
    return merged
