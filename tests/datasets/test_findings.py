from collections.abc import Mapping

import pytest

from pulmo.core.boxes import Box
from pulmo.core.labels import LABELS
from pulmo.datasets.findings import (
    CHEXPERT,
    Verdict,
    box_of_corners,
    box_of_pixels,
    chexpert_verdict,
    label_of_findings,
    stated_verdict,
    verdict,
)

TABLE = {"No Finding": "normal", "Pneumonia": "pneumonia", "Edema": "other", "Mass": "other"}


@pytest.mark.parametrize(
    ("findings", "label"),
    [
        (["Edema", "Pneumonia", "Mass"], "pneumonia"),
        (["No Finding"], "normal"),
        (["No Finding", "Mass"], "normal"),
        (["Mass", "Edema"], "other"),
    ],
)
def test_pneumonia_decides_then_normal_then_anything_is_other(
    findings: list[str], label: str
) -> None:
    assert label_of_findings(findings, TABLE) == label
    assert verdict(findings, TABLE) == Verdict("|".join(findings), label)


def test_nothing_and_contradictions_give_no_label() -> None:
    assert verdict([], TABLE) == Verdict("", None, "no finding of it is positive")
    contrary = verdict(["Pneumonia", "No Finding"], TABLE)
    assert contrary.label is None
    assert contrary.failed
    assert contrary.reason == "its findings contradict each other: Pneumonia|No Finding"


def test_a_finding_that_is_not_in_the_table_is_not_guessed() -> None:
    # It holds the word.
    with pytest.raises(KeyError, match="Pneumonia, old"):
        verdict(["Pneumonia, old"], TABLE)


def row(**values: str) -> Mapping[str, str | None]:
    return dict.fromkeys(CHEXPERT, "") | {k.replace("_", " "): v for k, v in values.items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (row(Pneumonia="1.0", Edema="1.0"), Verdict("Edema|Pneumonia", "pneumonia")),
        (row(Pneumonia="1"), Verdict("Pneumonia", "pneumonia")),
        (
            row(No_Finding="1.0", Support_Devices="1.0"),
            Verdict("No Finding|Support Devices", "normal"),
        ),
        (row(Lung_Opacity="1.0", Pneumonia="0.0"), Verdict("Lung Opacity", "other")),
        (
            row(Edema="1.0", Pneumonia="-1.0"),
            Verdict("Edema", None, "its pneumonia is uncertain"),
        ),
        (row(Edema="-1.0", Mass="0.0"), Verdict("", None, "no finding of it is positive")),
        (row(), Verdict("", None, "no finding of it is positive")),
    ],
)
def test_the_labellers_four_values(values: Mapping[str, str | None], expected: Verdict) -> None:
    assert chexpert_verdict(values) == expected


def test_another_value_than_the_labellers_is_not_guessed() -> None:
    with pytest.raises(KeyError, match=r"'2\.0'"):
        chexpert_verdict(row(Edema="2.0"))


def test_the_labellers_table_is_of_labels() -> None:
    assert len(CHEXPERT) == 14
    assert set(CHEXPERT.values()) < set(LABELS)


def test_boxes_are_fractions_of_the_image() -> None:
    assert box_of_pixels("Mass", ["256", "0", "512.0", "1024"], 1024) == Box(
        "Mass", 0.25, 0.0, 0.5, 1.0
    )


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["", "1", "1", "1"], "its box , 1, 1, 1 is not four numbers"),
        (["1", "1", "1", None], "its box 1, 1, 1,  is not four numbers"),
        (["nan", "1", "1", "1"], "not within"),
        (["-1", "1", "5", "5"], "not within"),
        (["1000", "1", "25", "5"], "its box 1000, 1, 25, 5 is not within 1024 x 1024 pixels"),
        (["1", "1000", "5", "25"], "not within"),
        (["1", "1", "0", "5"], "not within"),
        (["1", "1", "5", "0"], "not within"),
    ],
)
def test_a_box_that_is_none_is_named(texts: list[str | None], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        box_of_pixels("Mass", texts, 1024)


def test_a_box_by_its_corners_is_cut_at_the_edges() -> None:
    corners = ["10", "20", "30.0", "40"]
    assert box_of_corners("ILD", corners, 40, 80) == Box("ILD", 0.25, 0.25, 0.5, 0.25)
    assert box_of_corners("ILD", ["-3", "60", "99", "81"], 40, 80) == Box("ILD", 0, 0.75, 1, 0.25)


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["", None, "", ""], "its box , , ,  is not four numbers"),
        (["1", "1", "2"], "not four numbers"),
        (["1", "1", "nan", "2"], "no rectangle"),
        (["1", "1", "inf", "2"], "no rectangle"),
        (["3", "1", "2", "2"], "its box 3, 1, 2, 2 is no rectangle"),
        (["1", "2", "2", "2"], "no rectangle"),
        (["40", "1", "50", "2"], "its box 40, 1, 50, 2 is outside of 40 x 80 pixels"),
        (["1", "-9", "2", "0"], "outside of"),
    ],
)
def test_corners_that_are_no_box_are_named(texts: list[str | None], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        box_of_corners("ILD", texts, 40, 80)


@pytest.mark.parametrize(
    ("findings", "label", "reason"),
    [
        (["Edema", "Pneumonia"], "pneumonia", ""),
        (["No Finding", "Unchanged"], "normal", ""),
        (["Mass", "Unchanged"], "other", ""),
        (["No Finding", "Mass"], None, "its findings name normal and others: No Finding|Mass"),
        (["Pneumonia", "No Finding"], None, "its findings name normal and others"),
        (["Unchanged"], None, "no finding of it is stated"),
        ([], None, "no finding of it is stated"),
    ],
)
def test_where_normal_must_stand_alone(findings: list[str], label: str | None, reason: str) -> None:
    found = stated_verdict(findings, {**TABLE, "Unchanged": None})
    assert (found.finding, found.label, found.failed) == ("|".join(findings), label, False)
    assert found.reason.startswith(reason)
    with pytest.raises(KeyError, match="Covid"):
        stated_verdict([*findings, "Covid"], {**TABLE, "Unchanged": None})
