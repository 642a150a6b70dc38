import pytest

from pulmo.radiograph.facts import age_of, modality_of, sex_of, view_of


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
