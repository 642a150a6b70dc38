"""The check that a folder is free for a search, or holds this very search."""

import json

from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.folders import SearchFolder
from pulmo.datasets.manifest import Manifest


def claim_search(
    folder: SearchFolder, settings: dict[str, object], manifest: Manifest, *, resume: bool
) -> None:
    """Checks that a folder is free, or holds this very search, and writes what it begins with.

    Args:
        folder: where the search works.
        settings: what decides it beside the images, as JSON can hold it.
        manifest: its images.
        resume: whether to go on with the search in the folder.

    Raises:
        UsageError: it is not free, or holds no search.
        RefusedError: it was begun with something else.
        InputError: it cannot be written to.
    """
    wanted = json.loads(json.dumps({**settings, "manifest_sha256": manifest.sha256}))
    if folder.plan.exists():
        if not resume:
            raise UsageError(
                "search-exists",
                f"{folder.root} contains a search already.",
            )
        begun = json.loads(read_bytes(folder.plan))
        changed = sorted(name for name in wanted if begun.get(name) != wanted[name])
        if changed:
            raise RefusedError(
                "search-settings-changed",
                f"{folder.root} was begun with another {', '.join(changed)}. A search can only "
                "be resumed with what it began with.",
            )
    elif any(folder.root.glob("[!.]*")):
        raise UsageError(
            "folder-not-empty",
            f"{folder.root} is not empty and contains no search.",
        )
    elif resume:
        raise UsageError("resume-without-run", f"{folder.root} contains no search to resume.")
    else:
        manifest.save(folder.manifest)
        write_atomically(folder.plan, json.dumps(wanted, indent=2).encode() + b"\n")
