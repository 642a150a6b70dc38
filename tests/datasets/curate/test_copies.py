import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.datasets.curate.copies import Copy, components, exact_copies, near_copies
from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.look import Looks


def test_exact_copies_point_at_the_first_of_them() -> None:
    table = pd.DataFrame(
        {
            "sha256": list("aabcadb"),
            "pixels_sha256": ["p", "p", "q", "p", "p", None, "q"],
        },
        index=[0, 1, 2, 3, 4, 6, 7],
    ).astype("string")
    assert set(exact_copies(table)) == {
        Copy(1, 0, "same file"),
        Copy(4, 0, "same file"),
        Copy(7, 2, "same file"),
        Copy(3, 0, "same pixels"),
    }


def test_near_copies_are_named_by_their_rows(gallery: Gallery, crop: NDArray[np.float32]) -> None:
    gallery.add(fingerprint(crop))
    gallery.add(fingerprint(np.ascontiguousarray(crop[:, ::-1])))
    looks = Looks([3 * place for place in range(len(gallery))], [], {})
    done: list[tuple[int, int]] = []
    found = list(near_copies(gallery, looks, lambda *step: done.append(step)))
    assert [(each.row, each.other, each.reason) for each in found] == [
        (24, 0, "near copy"),
        (27, 0, "near copy, mirrored"),
        (27, 24, "near copy, mirrored"),
    ]
    assert all(each.evidence is not None and each.evidence.copies for each in found)
    assert done == [(step, len(done)) for step in range(1, len(done) + 1)]


def test_an_image_that_is_its_own_mirror_image_is_reported_once(
    prints: list[Fingerprint],
) -> None:
    half = prints[0].square[:, : prints[0].square.shape[1] // 2]
    whole = np.asarray(np.concatenate([half, half[:, ::-1]], axis=1) / 255, np.float32)
    with Gallery() as gallery:
        for pixels in (whole, whole * 0.9):
            gallery.add(fingerprint(pixels))
        found = list(near_copies(gallery, Looks([0, 1], [], {})))
    assert [each.reason for each in found] == ["near copy"]


def test_components_are_chains_of_ties() -> None:
    numbers = components(6, iter([(5, 1), (1, 3), (2, 4)]))
    assert [list(np.flatnonzero(numbers == each)) for each in np.unique(numbers)] == [
        [0],
        [1, 3, 5],
        [2, 4],
    ]
    assert len(np.unique(components(3, []))) == 3
