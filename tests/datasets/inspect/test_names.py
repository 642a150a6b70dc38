"""Names of files against the classes of their images."""

from collections.abc import Callable

import pandas as pd
import pytest

from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.inspect.names import EXAMPLES, other_names, spoken_of
from pulmo.datasets.manifest import Manifest
from pulmo.report.inspection_page import InspectionContent, render_inspection

Make = Callable[..., pd.DataFrame]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("person1_bacteria_2", {"bacterial"}),
        ("person989_virus_1667", {"viral"}),
        ("NORMAL2-IM-0315-0001", {"normal"}),
        ("COVID-19 (3)", {"covid"}),
        ("radiopedia-covid-19-pneumonia-2", {"covid", "pneumonia"}),
        ("Tuberculosis-101", {"other"}),
        ("TB12", {"other"}),
        # Parts of words, negations and numbers say nothing.
        ("abnormal_3", set()),
        ("antiviral", set()),
        ("stb_2", set()),
        ("non-covid_4", set()),
        ("no pneumonia", set()),
        ("00012_003", set()),
    ],
)
def test_whole_words_of_a_name_speak(name: str, labels: set[str]) -> None:
    assert spoken_of(name) == labels


@pytest.mark.parametrize(
    ("label", "name", "against"),
    [
        ("normal", "person1_bacteria_2.jpeg", 1),
        ("normal", "normal_1.png", 0),
        ("normal", "IM-0001.jpeg", 0),
        ("covid", "viral_pneumonia.png", 0),
        ("covid", "Normal-3.png", 1),
        ("pneumonia", "person1_virus_2.jpeg", 0),
        ("viral", "pneumonia-3.png", 0),
        ("viral", "bacteria.png", 1),
        ("bacterial", "bacteria_and_virus.png", 0),
        ("other", "Tuberculosis-101.png", 0),
        ("other", "pneumonia.png", 0),
        ("other", "covid.png", 1),
        # Neither the folders nor the extension are the name.
        ("normal", "covid/a.png", 0),
        ("normal", "a.covid", 0),
    ],
)
def test_only_a_name_of_another_class_contradicts(
    make: Make, label: str, name: str, against: int
) -> None:
    table = make(4, labels=(label,))
    table.loc[0, "path"] = f"/data/{name}"
    assert [found.images for found in other_names(table).values()] == [1] * against


def test_they_are_counted_and_reported_everywhere(make: Make) -> None:
    table = make(60, labels=("covid", "normal"))
    normal = table.index[table["label"] == "normal"]
    table.loc[normal[:6], "path"] = [f"/secret/person{n}_bacteria_1.jpeg" for n in range(6)]
    table.loc[normal[6:8], "path"] = ["/secret/virus 7.jpeg", "/secret/virus 8 bacterial.jpeg"]
    table.loc[normal[8], "path"] = "/secret/normal_1.jpeg"
    inspection = inspect_manifest(Manifest(table), "m.parquet", 0)
    (found,) = inspection.names.values()
    assert (found.images, found.of) == (8, len(normal))
    assert found.classes == {"bacterial": 7, "viral": 2}
    assert found.examples == tuple(table["path"][normal[:EXAMPLES]])
    warning = inspection.warnings[0]
    assert warning.kind == "file-names"
    assert warning.text.startswith(f"8 of the {len(normal)} images labelled normal have file names")
    assert "bacterial (7) and viral (2), such as person0_bacteria_1.jpeg" in warning.text
    page = render_inspection(InspectionContent(inspection))
    assert warning.text in page
    assert "bacterial (7), viral (2)" in page
    assert "person3_bacteria_1.jpeg" in page
    assert "/secret" not in page


def test_a_set_without_such_names_has_no_table_of_them(make: Make) -> None:
    inspection = inspect_manifest(Manifest(make(60)), "m.parquet", 0)
    assert inspection.names == {}
    assert "speak of another class" not in render_inspection(InspectionContent(inspection))
