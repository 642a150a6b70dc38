import pytest
from pydicom.sr.codedict import codes

from pulmo.radiograph.facts import (
    age_between,
    age_of,
    modality_of,
    patient_right_of,
    sex_of,
    view_of,
    view_of_code,
    view_of_orientation,
)


@pytest.mark.parametrize(
    ("code", "view"),
    [
        ("PA", "PA"),
        ("ap", "AP"),
        ("LL", "lateral"),
        ("RL", "lateral"),
        ("LLD", "decubitus"),
        ("RLO", "oblique"),
        ("", None),
        ("PALM", None),
    ],
)
def test_views(code: str, view: str | None) -> None:
    assert view_of(code) == view


@pytest.mark.parametrize(
    ("code", "modality"),
    [
        ("CR", "X-ray"),
        ("DX", "X-ray"),
        ("dr", "X-ray"),
        ("CT", "CT"),
        ("OT", None),
        ("SC", None),
        ("", None),
        ("SEG", "other"),
    ],
)
def test_modalities(code: str, modality: str | None) -> None:
    assert modality_of(code) == modality


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("065Y", 65),
        ("018M", 1.5),
        ("052W", 52 * 7 / 365.2425),
        ("010D", 10 / 365.25),
        ("0Y", 0),
        ("130Y", 130),
        ("999Y", None),
        ("65", None),
        ("Y", None),
        ("", None),
        ("-05Y", None),
        ("\N{SUPERSCRIPT TWO}Y", None),
        ("065X", None),
    ],
)
def test_ages(text: str, years: float | None) -> None:
    assert age_of(text) == (years if years is None else pytest.approx(years, rel=1e-4))


@pytest.mark.parametrize(
    ("code", "sex"), [("F", "F"), ("m", "M"), ("O", "O"), ("", None), ("X", None)]
)
def test_sexes(code: str, sex: str | None) -> None:
    assert sex_of(code) == sex


def test_view_codes() -> None:
    # pydicom has the context group of the standard.
    group = {code.meaning: code.value for code in codes.CID4010.concepts.values()}
    views = {meaning: view_of_code("SCT", value) for meaning, value in group.items()}
    sides = ("", "right ", "left ")
    fronts = ("", "anterior ", "posterior ")
    expected: dict[str, str] = {"postero-anterior": "PA", "antero-posterior": "AP"}
    expected |= {f"{side}lateral": "lateral" for side in sides}
    expected |= {f"{side}{front}oblique": "oblique" for side in sides[1:] for front in fronts}
    expected |= {f"{view} oblique": "oblique" for view in ("postero-anterior", "antero-posterior")}
    expected["oblique"] = "oblique"
    assert {meaning: view for meaning, view in views.items() if view} == expected
    assert view_of_code("99HOSP", group["postero-anterior"]) is None


@pytest.mark.parametrize(
    ("code", "view"),
    [("R-10214", "PA"), ("R-10206", "AP"), ("R-10236", "lateral"), ("R-10202", None)],
)
@pytest.mark.parametrize("scheme", ["SRT", "SNM3", "99SDM"])
def test_older_view_codes(scheme: str, code: str, view: str | None) -> None:
    assert view_of_code(scheme, code) == view


@pytest.mark.parametrize(
    ("row", "column", "view"),
    [
        ("A", "F", "lateral"),
        ("P", "F", "lateral"),
        ("P", "H", "lateral"),
        ("L", "F", None),
        ("R", "F", None),
        ("AL", "F", None),
        ("A", "L", None),
        ("", "", None),
    ],
)
def test_orientations(row: str, column: str, view: str | None) -> None:
    assert view_of_orientation(row, column) == view


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        ("19400305", "20040305", 64),
        ("19400305", "20040304", 63),
        ("20000229", "20010228", 0),
        ("20040305", "20040305", 0),
        ("20040306", "20040305", None),
        ("18700101", "20040305", None),
        ("19000101", "20040305", None),
        ("19001301", "20040305", None),
        ("1940", "20040305", None),
        ("19400305", "", None),
        ("1940030\N{SUPERSCRIPT TWO}", "20040305", None),
    ],
)
def test_ages_between_dates(birth: str, day: str, years: float | None) -> None:
    assert age_between(birth, day) == years


@pytest.mark.parametrize(
    ("row", "column", "edge"),
    [
        ("L", "F", "left"),
        ("LA", "FP", "left"),
        ("R", "F", "right"),
        ("R", "H", "right"),
        ("A", "F", None),
        ("F", "L", None),
        ("L", "", None),
        ("", "", None),
    ],
)
def test_the_edge_of_the_patients_right_side(row: str, column: str, edge: str | None) -> None:
    assert patient_right_of(row, column) == edge
