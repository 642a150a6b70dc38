import tempfile
from pathlib import Path

import numpy as np
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.curate.fingerprint import Fingerprint
from pulmo.datasets.curate.gallery import Gallery


def test_what_is_added_comes_back(gallery: Gallery, prints: list[Fingerprint]) -> None:
    assert len(gallery) == len(prints)
    for place in (3, 0, 7):
        for here, there in zip(gallery[place], prints[place], strict=True):
            np.testing.assert_array_equal(here, there)
    np.testing.assert_array_equal(gallery.hashes(), [each.hashes for each in prints])
    owners, codes, angles = gallery.owners(), gallery.codes(), gallery.angles()
    assert len(owners) == len(codes) == len(angles)
    for place, each in enumerate(prints):
        np.testing.assert_array_equal(codes[owners == place], each.codes)
        np.testing.assert_array_equal(angles[owners == place], each.points[:, 2])


def test_an_empty_gallery_has_empty_tables() -> None:
    with Gallery() as gallery:
        assert len(gallery) == 0
        shapes = [each.shape for each in (gallery.hashes(), gallery.codes(), gallery.angles())]
    assert shapes == [(0, 2), (0, 16), (0,)]


def test_a_full_disk_is_named(prints: list[Fingerprint], monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the gallery closes it
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
    with Gallery() as gallery, refuses("temporary-file-not-written", "No space left"):
        gallery.add(prints[0])
