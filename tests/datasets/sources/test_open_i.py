from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem, left_out_link

PROJECTIONS = "uid,filename,projection\n"
REPORTS = "uid,MeSH,Problems,image,indication,comparison,findings,impression\n"


def report(number: str, headings: list[str], images: list[str], more: str = "") -> bytes:
    """Returns a report as the set has it, as far as it is read."""
    majors = "".join(f"<major>{text}</major>" for text in headings)
    parents = "".join(
        f'<parentImage id="{name}"><figureId>F1</figureId><caption>PA and lateral</caption>'
        f"<panel type='single'><url>/hadoop/{name}.jpg</url></panel></parentImage>"
        for name in images
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><eCitation><uId id="{number}"/>'
        '<MedlineCitation><Article><Abstract><AbstractText Label="FINDINGS">No pneumonia.'
        f"</AbstractText></Abstract></Article></MedlineCitation><MeSH>{majors}"
        f"<automatic>pneumonia</automatic></MeSH>{parents}{more}</eCitation>"
    ).encode()


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["open-i"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    for name in ("CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001", "CXR2_IM-0652-1001"):
        draw(f"NLMCXR_png/{name}.png")
    reports = tmp_path / "ecgen-radiology"
    reports.mkdir()
    (reports / "1.xml").write_bytes(
        report("CXR1", ["normal"], ["CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001"])
    )
    (reports / "2.xml").write_bytes(
        report(
            "CXR2",
            ["Pneumonia/lung/base/left ", "Fractures, Bone/ribs", "Subcutaneous  Emphysema"],
            ["CXR2_IM-0652-1001", "CXR2_IM-0652-2001"],
        )
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    folder = root / "NLMCXR_png"
    assert entries == [
        Entry(
            folder / "CXR1_1_IM-0001-3001.png",
            "normal",
            finding="normal",
            patient="1",
            modality="X-ray",
            origin="Indiana Network for Patient Care, Indiana, USA",
        ),
        entries[0]._replace(path=folder / "CXR1_1_IM-0001-4001.png"),
        entries[0]._replace(
            path=folder / "CXR2_IM-0652-1001.png",
            label="pneumonia",
            finding="Pneumonia/lung/base/left|Fractures, Bone/ribs|Subcutaneous Emphysema",
            patient="2",
        ),
    ]
    gone = Problem("2_IM-0652-2001", "its report has no image here", failed=False)
    assert problems == [gone]


def test_kaggles_table_says_which_views_are_lateral(root: Path) -> None:
    (root / "indiana_projections.csv").write_text(
        PROJECTIONS + "1,1_IM-0001-3001.dcm.png,Lateral\n1,1_IM-0001-4001.dcm.png,Frontal\n"
    )
    entries, _ = index(root)
    assert [entry.view for entry in entries] == ["lateral", None, None]


def test_dicom_comes_first_and_its_header_says_the_view(
    root: Path, draw: Callable[..., Path]
) -> None:
    draw("NLMCXR_dcm/1/1_IM-0001-3001.dcm", ViewPosition="LL", PatientSex="F", PatientAge="040Y")
    draw("NLMCXR_dcm/1/1_IM-0001-4001.dcm", ViewPosition="PA")
    draw("NLMCXR_dcm/2/2_IM-0652-1001.dcm")
    draw("NLMCXR_dcm/copy/2_IM-0652-1001.dcm")
    imported = import_source("open-i", root)
    table = imported.manifest
    assert table.frame["format"].unique().tolist() == ["DICOM"]
    assert table.frame["view"].fillna("").tolist() == ["lateral", "PA", ""]
    assert (table.frame["sex"][0], table.frame["age"][0]) == ("F", 40.0)
    assert (
        table.frame["group"].tolist()[0]
        == table.frame["group"].tolist()[1]
        != table.frame["group"].tolist()[2]
    )
    assert [problem.failed for problem in imported.problems] == [False, False]
    assert "it is also there as" in imported.problems[0].reason


def test_links_are_named_and_other_files_passed_over(root: Path) -> None:
    links = [root / "ecgen-radiology" / "3.xml", root / "NLMCXR_png" / "CXR3_IM-1384-1001.png"]
    for link in links:
        link.symlink_to(root)
    (root / "ecgen-radiology" / "read.me").touch()
    (root / "NLMCXR_png" / "Thumbs.db").touch()
    entries, problems = index(root)
    assert len(entries) == 3
    assert [problem for problem in problems if "link" in problem.reason] == [
        left_out_link(link) for link in reversed(links)
    ]


def test_kaggles_whole_set(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw("images/images_normalized/1_IM-0001-4001.dcm.png")
    draw("images/images_normalized/1_IM-0001-3001.dcm.png")
    draw("images/images_normalized/3_IM-1384-1001.dcm.png")
    (tmp_path / "indiana_projections.csv").write_text(
        PROJECTIONS
        + "1,1_IM-0001-4001.dcm.png,Frontal\n1,1_IM-0001-3001.dcm.png,Lateral\n"
        + "1,1_IM-0001-3001.dcm.png,Lateral\n3,3_IM-1384-1001.dcm.png,Frontal\n"
    )
    (tmp_path / "indiana_reports.csv").write_bytes(
        REPORTS.encode()
        + b'1,"Cardiomegaly/mild;Aorta, Thoracic/tortuous","Cardiomegaly;Aorta",,,,\xe9,\n'
        + b"3,No Indexing,No Indexing,,,,,\n4,normal,normal,,,,,\n,normal,,,,,,\n"
    )
    entries, problems = index(tmp_path)
    assert [(e.path.name, e.label, e.patient, e.view, e.finding) for e in entries] == [
        (name, "other", "1", view, "Cardiomegaly/mild|Aorta, Thoracic/tortuous")
        for name, view in [
            ("1_IM-0001-4001.dcm.png", None),
            ("1_IM-0001-3001.dcm.png", "lateral"),
        ]
    ]
    assert problems == [
        Problem("3_IM-1384-1001", "no finding of it is stated", failed=False),
        Problem(f"{tmp_path / 'indiana_reports.csv'}, line 5", "it names no report or no headings"),
    ]


@pytest.mark.parametrize(
    ("headings", "label"),
    [
        (
            ["Thoracic vertebrae/degenerative", "Technical Quality of Image Unsatisfactory "],
            "other",
        ),
        (["Tuberculosis"], "other"),
        (["Opacity/lung/base", "Pneumonia"], "pneumonia"),
        (["normal", "No Indexing"], "normal"),
        (["No Indexing"], None),
        ([], None),
        (["normal", "Osteophyte/thoracic vertebrae"], None),
    ],
)
def test_the_indexers_headings_make_the_label(
    root: Path, headings: list[str], label: str | None
) -> None:
    for path in (root / "ecgen-radiology").iterdir():
        path.unlink()
    text = report("CXR2", headings, ["CXR2_IM-0652-1001"])
    (root / "ecgen-radiology" / "2.xml").write_bytes(text)
    entries, problems = index(root)
    assert [entry.label for entry in entries] == ([label] if label else [])
    assert [problem.failed for problem in problems] == ([] if label else [False])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<eCitation><uId", "no usable XML"),
        (b"\xe9", "no usable XML"),
        (report("CXR1", ["normal"], [])[:-9], "no usable XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + report("CXR1", [], [])[38:], "a document type"),
        (report("one", ["normal"], []), "which report it is"),
        (b"<eCitation/>", "which report it is"),
        (report("CXR1", ["normal"], ["../../etc/passwd"]), "none of the set's"),
    ],
)
def test_a_report_that_cannot_be_used_is_named(root: Path, data: bytes, reason: str) -> None:
    path = root / "ecgen-radiology" / "1.xml"
    path.write_bytes(data)
    entries, problems = index(root)
    assert [entry.patient for entry in entries] == ["2"]
    assert (problems[0].path, problems[0].failed) == (str(path), True)
    assert reason in problems[0].reason


def test_what_is_missing_or_unknown_is_named(root: Path) -> None:
    with refuses("label-map-not-taken", "open-i"):
        list(SOURCES["open-i"].entries(root, {"normal": "normal"}))
    reports = root / "ecgen-radiology"
    (reports / "1.xml").write_bytes(report("CXR1", ["Pneumonias/lung"], ["CXR1_1_IM-0001-3001"]))
    with refuses("finding-unknown", "1.xml", "'pneumonias'"):
        index(root)
    table = root / "indiana_projections.csv"
    table.write_text(PROJECTIONS + "1,1_IM-0001-4001.dcm.png,Oblique\n")
    with refuses("projection-row-invalid", "2"):
        index(root)
    table.unlink()
    (root / "NLMCXR_png").rename(root / "png")
    with refuses("source-layout-unexpected", "NLMCXR_dcm, NLMCXR_png"):
        index(root)
    (root / "png").rename(root / "NLMCXR_png")
    reports.rename(root / "reports")
    with refuses("source-layout-unexpected", "ecgen-radiology", "indiana_reports.csv"):
        index(root)
