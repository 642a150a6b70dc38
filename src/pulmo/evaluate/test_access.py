"""Test access: each evaluation of a test set with a model is recorded next to the model.

A test answers once. Who evaluates, changes something and evaluates again chooses on the test, and
its results get better by chance; the list tells whether that can have happened.
"""

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from pydantic import ValidationError

import pulmo
from pulmo.bundle.card import Card
from pulmo.bundle.held_out import HeldOut, content_sha256
from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.core.record import Record
from pulmo.datasets.manifest import Manifest


class Access(Record):
    """One line of `test-access.jsonl`."""

    time: str
    """Date and time in UTC, ISO 8601."""
    test_sha256: str
    """SHA-256 of the contents of all images of the test: the model's own, or else those that the
    manifest calls test."""
    manifest_sha256: str
    """SHA-256 of the whole manifest's content, as in the card of a model that was trained on it."""
    split: str | None
    """The split that was asked for; None for the whole manifest."""
    images: int
    """Test images that were evaluated; fewer than the test has if some were not chosen."""
    model_sha256: str
    """SHA-256 of `model.onnx`; of the trained tensors where a run was used without its bundle."""
    weights_sha256: str
    """SHA-256 of the trained tensors, which another export does not change."""
    pulmo: str
    """Version of pulmo that evaluated them."""


class AccessedModel(Protocol):
    """What an access names of a model, such as an opened bundle."""

    @property
    def card(self) -> Card:
        """What the model is."""

    @property
    def sha256(self) -> str:
        """As `Access.model_sha256`."""

    @property
    def held_out(self) -> HeldOut:
        """The images of its test."""


class Recorded(NamedTuple):
    """What is known after an access was recorded.

    Attributes:
        times: how often this test was evaluated with this model, this time included.
        failures: a sentence for each list that could not be written.
    """

    times: int
    failures: list[str]


def access_of(
    model: AccessedModel,
    manifest: Manifest,
    chosen: Manifest,
    split: str | None,
    lists: Sequence[Path] = (),
) -> Access | None:
    """Returns the access that predicting the `chosen` rows of a manifest is.

    The images of the model's own test are known by their hashes, whatever the manifest calls
    them. So are those of another test, if they are evaluated again all together.

    Args:
        model: the opened bundle, or the run.
        manifest: the whole manifest.
        chosen: those of its images that are predicted.
        split: the split that was asked for; None for the whole manifest.
        lists: the lists of earlier accesses.

    Returns:
        None if no test image is among them.

    Raises:
        InputError: a list holds a line that is not an access.
    """
    called = (chosen.frame["split"] == "test").to_numpy(np.bool_, na_value=False)
    own = model.held_out.among(chosen)
    if own.any():
        test, images = model.held_out.sha256, int((own | called).sum())
    elif called.any():
        test = content_sha256(manifest.split("test").frame["sha256"])
        images = int(called.sum())
    else:
        test, images = content_sha256(chosen.frame["sha256"]), len(chosen)
        if test not in {line.test_sha256 for path in lists for line in read_accesses(path)}:
            return None
    return Access(
        time=datetime.now(UTC).isoformat(timespec="microseconds"),
        test_sha256=test,
        manifest_sha256=manifest.sha256,
        split=split,
        images=images,
        model_sha256=model.sha256,
        weights_sha256=model.card.network.sha256,
        pulmo=pulmo.__version__,
    )


def record_access(access: Access, lists: Sequence[Path]) -> Recorded:
    """Adds an access to each list, and counts it and the earlier ones of the same test.

    Raises:
        InputError: a list holds a line that is not an access.
    """
    earlier = {line for path in lists for line in read_accesses(path)}
    same = [
        line
        for line in earlier
        if (line.test_sha256, line.weights_sha256) == (access.test_sha256, access.weights_sha256)
    ]
    failures = []
    for path in lists:
        try:
            _append(path, access)
        except OSError as error:
            failures.append(
                f"{path} cannot be written ({error.strerror or error}): this access to the test "
                "set is not recorded there."
            )
    return Recorded(len(same) + 1, failures)


def read_accesses(path: Path) -> list[Access]:
    """Reads a list of accesses; one that is not there is empty.

    Raises:
        InputError: it cannot be read, or a line is not an access.
    """
    if not path.exists():
        return []
    accesses = []
    for number, line in enumerate(read_bytes(path).splitlines(), start=1):
        try:
            accesses.append(Access.model_validate_json(line))
        except ValidationError:
            raise InputError(
                "test-access-invalid",
                f"{path}, line {number} is not the record of an access to a test set. Restore "
                "the file from a backup, or remove that line.",
            ) from None
    return accesses


def _append(path: Path, access: Access) -> None:
    """Adds a line with one call, so that a line is whole even if two evaluations run at once."""
    line = access.model_dump_json().encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        written = os.write(descriptor, line)
        if written < len(line):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
