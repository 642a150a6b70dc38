"""Names of classes: what is proposed for those that are no labels."""

from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.labels import LABELS
from pulmo.datasets.class_names import labels_of, proposed_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("COVID19", "covid"),
        ("Covid-19", "covid"),
        ("covid_19_pneumonia", "covid"),
        ("CoronaVirus", "covid"),
        ("Covd", None),
        ("Viral Pneumonia", "viral"),
        ("ViralPneumonia", "viral"),
        ("pneumonia_virus", "viral"),
        ("Pneumonia-Bacterial", "bacterial"),
        ("bacteria", "bacterial"),
        ("PNEUMONIAS", "pneumonia"),
        ("pnuemonia", "pneumonia"),
        ("No_findings", "normal"),
        ("No Finding", "normal"),
        ("Healthy", "normal"),
        ("NORMAL-2", "normal"),
        ("Lung_Opacity", "other"),
        ("Tuberculosis", "other"),
        ("TB", "other"),
        # What negates, joins or says nothing is for a person to say.
        ("non-covid", None),
        ("covid_negative", None),
        ("no pneumonia", None),
        ("bacterial and viral", None),
        ("normal_covid", None),
        ("train", None),
        ("dataset", None),
        ("images", None),
        ("0", None),
        ("", None),
    ],
)
def test_what_a_name_may_stand_for(name: str, label: str | None) -> None:
    assert proposed_label(name) == label


def test_labels_and_the_map_are_taken_and_nothing_else() -> None:
    names = [*LABELS, *map(str.upper, LABELS), "x"]
    found = labels_of(names, {"x": "covid"}, Path("set"))
    assert found == {name: name.lower() for name in names[:-1]} | {"x": "covid"}
    with refuses("class-names-unknown", "set", "covid for 'COVID19'"):
        labels_of(["COVID19"], {}, Path("set"))
