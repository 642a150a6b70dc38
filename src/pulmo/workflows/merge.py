"""Merge: several manifests become one, in which copies of an image are in one group."""

from collections.abc import Collection, Sequence
from pathlib import Path

from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import Merged, merge_agreeing
from pulmo.datasets.merge import merge as merge_manifests
from pulmo.workflows.manifest_output import claim_manifest, save_manifest


def merge(
    manifests: Sequence[Manifest],
    output: Path,
    *,
    drop_contradictions: bool = False,
    one_set: Collection[str] = (),
) -> Merged:
    """Merges manifests and writes the result.

    Args:
        manifests: the manifests.
        output: the manifest to write.
        drop_contradictions: whether all copies of an image with several labels are left out.
        one_set: names of data sets that lie in several places, with patients numbered together.

    Raises:
        InputError: the manifests cannot be joined, images contradict each other, or a file cannot
            be written.
    """
    claim_manifest(output)
    if drop_contradictions:
        merged = merge_agreeing(manifests, one_set)
    else:
        merged = Merged(merge_manifests(manifests, one_set), [])
    save_manifest(merged.manifest, merged.problems, output)
    return merged
