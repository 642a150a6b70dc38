import pandas as pd

from pulmo.core.noted import cell_of, count_kinds, kinds_of
from pulmo.datasets.schema import SCHEMA
from pulmo.radiograph.notes import KINDS


def test_a_cell_holds_each_kind_once() -> None:
    assert cell_of(["colour", "aspect", "colour"]) == "colour;aspect"
    assert kinds_of("colour;aspect") == ["colour", "aspect"]
    assert cell_of([]) is None
    for nothing in (None, pd.NA, float("nan")):
        assert kinds_of(nothing) == []


def test_images_are_counted_by_kind_the_commonest_first() -> None:
    cells = pd.Series(["b;a", "a", None, "c", "a;c"], dtype="string")
    assert list(count_kinds(cells).items()) == [("a", 3), ("c", 2), ("b", 1)]
    assert count_kinds([]) == {}


def test_a_manifest_takes_every_kind_and_nothing_else() -> None:
    (check,) = SCHEMA.columns["notes"].checks
    allowed = check(pd.Series([*KINDS, ";".join(KINDS), "unknown"]))
    assert bool(allowed.check_passed)
    for wrong in ("", "a;", "A note", "colour; aspect"):
        assert not bool(check(pd.Series([wrong])).check_passed)
