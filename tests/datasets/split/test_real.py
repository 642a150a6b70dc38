"""Splits of the real sets."""

from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import merge
from pulmo.datasets.split import Matching, Plan, absences, check_split, draw

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real images are not next to the project"),
]


@pytest.fixture(scope="module")
def pool() -> pd.DataFrame:
    """Kermany's children, of no stated age, and Cohen's patients."""
    kermany = import_source("kermany", DATA / "chest_xray").manifest
    cohen = import_source("cohen", DATA / "covid-chestxray-dataset").manifest
    return merge([kermany, cohen]).frame


def test_the_published_split_of_kermany_is_kept_but_for_persons_on_both_sides(
    pool: pd.DataFrame,
) -> None:
    table, reason, _ = draw(Manifest(pool), Plan(keep="all"))
    check_split(table)
    kermany = pool["source"] == "kermany"
    kept = table.frame["split"].notna() & kermany
    assert table.frame["split"][kept].equals(pool["split"][kept])
    assert (table.frame["split"] == "test")[kermany].sum() == 624
    assert set(reason[kermany & ~kept]) == {"in a group with images that are kept on another side"}
    assert 0 < (kermany & ~kept).sum() < 500


def test_kermany_has_no_known_age_to_match(pool: pd.DataFrame) -> None:
    with refuses("matching-empty"):
        draw(Manifest(pool[pool["source"] == "kermany"]), Plan(matching=Matching(("age",))))


def test_without_cohen_no_image_is_covid(pool: pd.DataFrame) -> None:
    sentences = absences(draw(Manifest(pool), Plan(leave_out="cohen")).manifest)
    assert any(text.startswith("train has no image of covid") for text in sentences)
