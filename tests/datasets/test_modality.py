import pandas as pd
import pytest

from pulmo.datasets.manifest import Manifest
from pulmo.datasets.modality import count_kinds, kind_of, stated_kinds


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ("X-ray", "X-ray"),
        ("DX", "X-ray"),
        ("CR", "X-ray"),
        ("CT", "CT"),
        ("SC", None),
        ("thermal", "thermal"),
    ],
)
def test_a_stated_modality_and_dicoms_codes_mean_the_same(stated: str, kind: str | None) -> None:
    assert kind_of(stated) == kind


def test_images_are_counted_by_kind(images: pd.DataFrame) -> None:
    stated = ["X-ray", "DX", "CT", None, "OT", "CR"]
    manifest = Manifest(images[:6].assign(modality=pd.Series(stated, dtype="string")))
    assert stated_kinds(manifest) == ("CT", "X-ray")
    assert count_kinds(manifest) == "1 CT, 3 X-ray, 2 unstated"
    assert count_kinds(manifest.select(range(3))) == "1 CT, 2 X-ray"


def test_nothing_stated(images: pd.DataFrame) -> None:
    manifest = Manifest(images[:2].assign(modality=None))
    assert stated_kinds(manifest) == ()
    assert count_kinds(manifest) == "2 unstated"
