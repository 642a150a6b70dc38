from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.inspect.facts import read_facts
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.inspect.inspection import NOT_STATED, Inspection, read_inspection
from pulmo.datasets.manifest import Manifest

DARK = Path(__file__).parents[4] / "shared" / "data" / "darkcovidnet"


@pytest.fixture
def table(make: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """A hundred images; the test may change them."""
    return make(100)


def inspected(table: pd.DataFrame) -> Inspection:
    return inspect_manifest(Manifest(table), "m.parquet", 0)


def test_phantoms_are_not_flagged(images: pd.DataFrame) -> None:
    inspection = inspected(images)
    assert not [clue.name for clue in inspection.confounding.clues.values() if clue.flagged]
    assert inspection.verdict.startswith("None of the tested facts (size, width, ")
    assert inspection.warnings == ()
    assert inspection.totals.images == 64
    assert inspection.labels == {
        label: int(n)
        for label, n in images["label"].value_counts()[list(inspection.labels)].items()
    }
    assert inspection.manifest_sha256 == Manifest(images).sha256
    assert inspection.facts is None


def test_a_confounder_planted_in_phantoms_is_flagged(images: pd.DataFrame) -> None:
    images.loc[images["label"] == "covid", ["width", "height"]] = 1024
    inspection = inspected(images)
    assert inspection.confounding.clues["file"].flagged
    assert inspection.verdict.startswith("Width, height, file size")
    assert "is not shown to recognise the disease" in inspection.verdict


def test_a_planted_source_is_flagged(images: pd.DataFrame) -> None:
    images.loc[images["label"] == "normal", "origin"] = "elsewhere"
    inspection = inspected(images)
    assert inspection.verdict.startswith("The source alone predicts the class")


def test_a_folder_of_classes_from_two_hospitals_says_that_the_source_is_unknown(
    images: pd.DataFrame,
) -> None:
    sound = inspected(images)
    assert sound.totals.with_source == len(images)
    images["origin"] = pd.NA
    inspection = inspected(images)
    assert inspection.totals.with_source == 0
    assert inspection.confounding.clues["source"].accuracy.reason == "no image states it"
    assert [*inspection.crossings["source"].rows] == ["phantom (hospital not stated)"]
    (warning,) = [each for each in inspection.warnings if each.kind == "unstated-source"]
    assert f"{len(images)} of the {len(images)} images" in warning.text
    assert "column source" in warning.text
    assert "when the images are imported" in warning.text
    assert not any(each.kind == "unstated-source" for each in sound.warnings)


def test_modalities_that_are_mixed_are_the_first_warning(table: pd.DataFrame) -> None:
    table["modality"] = ["CT", "CR", "X-ray", "OT", None] * (len(table) // 5)
    first = inspected(table).warnings[0]
    assert first.kind == "mixed-modalities"
    assert "20 CT and 40 X-ray images" in first.text


def test_the_facts_of_a_table_are_shown_everywhere(table: pd.DataFrame, tmp_path: Path) -> None:
    rows = [f"{Path(path).name},{100 + place % 2}" for place, path in enumerate(table["path"])]
    (tmp_path / "facts.csv").write_text("\n".join(["filename,width", *rows]))
    facts = read_facts(tmp_path / "facts.csv")
    inspection = inspect_manifest(Manifest(table), "m", 0, facts)
    assert inspection.facts == "facts.csv"
    assert inspection.distributions["width"].edges[0] == 100
    assert inspection.distributions["bytes"].edges == ()
    assert set(inspection.crossings["format"].rows) == {NOT_STATED}
    assert inspection.confounding.clues["file"].columns == ("width",)


@pytest.mark.parametrize(
    "change", [{"label": "covid"}, {"source": "one"}, {"group": "one", "patient": "1"}]
)
def test_a_manifest_of_one_class_source_or_group(
    table: pd.DataFrame, fill: Callable[..., pd.DataFrame], change: dict[str, str]
) -> None:
    one = inspected(fill(table, **change))
    assert one.verdict
    assert one == Inspection.model_validate_json(one.model_dump_json())


def test_one_image_is_a_manifest_and_none_is_not(table: pd.DataFrame) -> None:
    assert inspected(table[:1]).verdict == (
        "It was not tested whether anything but the image predicts the class: no class has 10 "
        "images of 5 groups that state it."
    )
    with refuses("images-missing", "m.parquet"):
        inspected(table[:0])


def test_rows_may_have_any_index(table: pd.DataFrame) -> None:
    assert inspected(table.set_index(table.index + 7)) == inspected(table)


def test_an_inspection_is_read_as_it_was_written(table: pd.DataFrame, tmp_path: Path) -> None:
    inspection = inspected(table)
    (tmp_path / "i.json").write_text(inspection.model_dump_json())
    assert read_inspection(tmp_path / "i.json") == inspection
    (tmp_path / "i.json").write_text('{"format": 1}')
    with refuses("record-invalid", "an inspection", "format"):
        read_inspection(tmp_path / "i.json")


@pytest.mark.real
@pytest.mark.skipif(not DARK.exists(), reason="darkcovidnet is not next to the project")
def test_darkcovidnet_is_flagged() -> None:
    table = import_source("darkcovidnet", DARK).manifest
    for facts, expected in (
        (None, 0.76),
        (read_facts(DARK / "published_files.csv"), 0.92),
    ):
        inspection = inspect_manifest(table, "m", 0, facts)
        clue = inspection.confounding.clues["file"]
        assert clue.flagged
        assert clue.accuracy.value == pytest.approx(expected, abs=0.015)
        assert inspection.verdict == clue.warning
