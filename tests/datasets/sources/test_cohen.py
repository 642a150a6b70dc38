from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.source import SOURCES, Entry, Problem

HEADER = "patientid,finding,view,modality,filename,folder,age,sex,offset,location,url,license\n"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["cohen"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in "abcdefg":
        (tmp_path / "images" / f"{name}.png").touch()
    return tmp_path


def test_a_row_says_what_its_columns_say(root: Path) -> None:
    (root / "metadata.csv").write_text(
        HEADER
        + '2,Pneumonia/Viral/COVID-19,PA,X-ray,a.png,images,65.0,M,-5,"Rozzano, Milan, Italy"'
        ",https://radiopaedia.org/cases/1,CC BY-NC-SA\n"
    )
    assert index(root) == (
        [
            Entry(
                root / "images" / "a.png",
                "covid",
                finding="Pneumonia/Viral/COVID-19",
                patient="2",
                view="PA",
                modality="X-ray",
                age=65.0,
                sex="M",
                origin="Rozzano, Milan, Italy",
                licence="CC BY-NC-SA",
                offset=-5.0,
            )
        ],
        [],
    )


def test_findings_and_views_are_those_of_a_table(root: Path) -> None:
    (root / "metadata.csv").write_text(
        HEADER + "1,COVID-19,AP Supine,X-ray,a.png,images\n"
        '2,"COVID-19, ARDS",L,X-ray,b.png,images\n'
        "3,No Finding,Axial,CT,c.png,images\n"
        "4,Pneumonia/Bacterial/Staphylococcus/MRSA,Coronal,CT,d.png,images\n"
        "5,Pneumonia/Viral/Influenza/H1N1,AP erect,X-ray,e.png,images\n"
        "6,Tuberculosis,?,X-ray,f.png,images\n"
        ",Pneumonia,,,g.png,images\n"
    )
    entries, problems = index(root)
    assert [(e.label, e.view, e.modality, e.patient) for e in entries] == [
        ("covid", "AP supine", "X-ray", "1"),
        ("covid", "lateral", "X-ray", "2"),
        ("normal", "axial", "CT", "3"),
        ("bacterial", "coronal", "CT", "4"),
        ("viral", "AP", "X-ray", "5"),
        ("other", None, "X-ray", "6"),
        ("pneumonia", None, None, None),
    ]
    assert not problems


def test_the_origin_is_the_hospital_or_else_the_site(root: Path) -> None:
    (root / "metadata.csv").write_text(
        HEADER + "1,COVID-19,PA,X-ray,a.png,images,,,?,?,https://www.sirm.org/2020/,\n"
        "2,COVID-19,PA,X-ray,b.png,images,,,,,http://[,\n"
        "3,COVID-19,PA,X-ray,c.png,images,,,,,, \n"
    )
    entries, _ = index(root)
    assert [entry.origin for entry in entries] == ["www.sirm.org", None, None]
    assert {(entry.offset, entry.licence) for entry in entries} == {(None, None)}


def test_gaps_are_left_out_by_rule(root: Path) -> None:
    (root / "metadata.csv").write_text(
        HEADER + "2,COVID-19,PA,X-ray,a.png,images,65.0,M\n"
        "5,todo,PA,X-ray,d.png,images,,\n"
        "5,Unknown,PA,X-ray,e.png,images,,\n"
        "2,Pneumonia/Viral/COVID-19,PA,X-ray,a.png,images,65.0,M\n"
        "7,COVID-19,PA,X-ray,gone.png,images,,\n"
        "8,COVID-19,PA,CT,v.nii.gz,volumes,,\n"
    )
    entries, problems = index(root)
    assert [entry.path.name for entry in entries] == ["a.png"]
    assert not any(problem.failed for problem in problems)
    assert [problem.reason for problem in problems] == [
        "its finding is not stated",
        "its finding is not stated",
        "it has a second row; the first one counts",
        "its row has no image here",
        "it is a volume, not an image",
    ]


def test_damaged_rows_are_named_by_their_line(root: Path) -> None:
    (root / "secret.png").touch()
    (root / "metadata.csv").write_text(
        HEADER + "2,COVID-19,PA,X-ray,a.png,images,unknown,M\n"
        "3,COVID-19,PA,X-ray,b.png,images,40,male\n"
        "4,COVID-19,PA\n"
        "5,COVID-19,PA,X-ray,../secret.png,images,,\n"
        "6,COVID-19,PA,X-ray,c.png,images,,,,,,,an unquoted, comma\n"
    )
    entries, problems = index(root)
    assert not entries
    assert all(problem.failed for problem in problems)
    assert [problem.path for problem in problems] == [
        f"{root / 'metadata.csv'}, line {number}" for number in range(2, 7)
    ]
    assert [problem.reason for problem in problems] == [
        "its age 'unknown' is not a number of years from 0 to 130",
        "its sex is 'male', not F, M or O",
        MISFIT,
        f"../secret.png lies outside {root / 'images'}",
        MISFIT,
    ]


def test_a_finding_that_is_not_known_stops(root: Path) -> None:
    (root / "metadata.csv").write_text(HEADER + "2,Plague,PA,X-ray,a.png,images,,\n")
    with refuses("finding-unknown", "'Plague'"):
        index(root)
    (root / "metadata.csv").write_text("patientid\n")
    with refuses("column-missing", "finding, view, modality, filename, folder"):
        index(root)
