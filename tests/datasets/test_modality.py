import pandas as pd
import pytest

from pulmo.datasets.modality import count_kinds, kind_of, rows_of, stated_kinds


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


def test_rows_are_counted_and_chosen_by_kind() -> None:
    table = pd.DataFrame({"modality": ["X-ray", "DX", "CT", None, "OT", "CR"]}, dtype="string")
    assert stated_kinds(table) == ("CT", "X-ray")
    assert count_kinds(table) == "1 CT, 3 X-ray, 2 unstated"
    assert count_kinds(table[:3]) == "1 CT, 2 X-ray"
    assert rows_of(table, ["X-ray"]).tolist() == [True, True, False, False, False, True]
    assert rows_of(table, ["CT", "CR"]).tolist() == [True, True, True, False, False, True]


def test_nothing_stated() -> None:
    table = pd.DataFrame({"modality": [None, None]}, dtype="string")
    assert stated_kinds(table) == ()
    assert count_kinds(table) == "2 unstated"
    assert not rows_of(table, ["X-ray"]).any()
