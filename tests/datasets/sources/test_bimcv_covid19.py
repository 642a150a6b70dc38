import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem, left_out_link

TESTS = "participant\tdate\ttest\tresult\n"
REPORTS = "\tPatientID\tReportID\tReport\tLabels\n"
SESSIONS = "session_id\tstudy_date\tmedical_evaluation\n"

Image = Callable[..., Path]


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["bimcv-covid19"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def image(tmp_path: Path, draw: Callable[..., Path]) -> Image:
    """Writes an image of a part, its header in JSON next to it, and the day of its session."""

    def write(
        part: str, patient: str, session: str, day: str = "20200320", rest: str = "", **tags: str
    ) -> Path:
        subject = tmp_path / part / f"sub-{patient}"
        name = f"sub-{patient}_ses-{session}_{rest or 'run-1_bp-chest_vp-ap_cr'}.png"
        path = draw(f"{part}/sub-{patient}/ses-{session}/mod-rx/{name}")
        said = {"00280004": "MONOCHROME2", "00100040": "F", "00101010": "055Y"} | {
            f"{tag.removeprefix('t')}": value for tag, value in tags.items()
        }
        header = {tag: {"vr": "CS", "Value": [value]} for tag, value in said.items()}
        path.with_suffix(".json").write_text(json.dumps(header | {"00080070": {"vr": "LO"}}))
        (subject / f"sub-{patient}_sessions.tsv").write_text(f"{SESSIONS}ses-{session}\t{day}\t-\n")
        (tmp_path / part / "participants.tsv").write_text("participant\tage\tgender\n")
        return path

    return write


def put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("latin-1"))
    return path


def put_tests(root: Path, *rows: tuple[str, str, str, str]) -> Path:
    text = TESTS + "".join("\t".join(row) + "\n" for row in rows)
    return put(root, "covid19_posi/derivatives/EHR/sil_reg_covid_posi.tsv", text)


def put_reports(root: Path, *rows: tuple[str, str]) -> Path:
    text = REPORTS + "".join(f"1\tsub-S1\t{s}\tt\xf3rax\t{labels}\n" for s, labels in rows)
    return put(root, "covid19_neg/derivatives/labels/Labels_covid_NEG_JAN21.tsv", text)


def test_the_published_folders(tmp_path: Path, image: Image) -> None:
    positive = image("covid19_posi", "S03045", "E06433")
    negative = image("covid19_neg", "S09999", "E20000", rest="acq-2_run-1_bp-chest_vp-ll_dx")
    put_tests(
        tmp_path,
        ("sub-S03045", "25.03.2020", "PCR", "POSITIVO"),
        ("sub-S03045", "10.03.2020", "PCR", "NEGATIVO"),
        ("sub-S03045", "01.05.2020", "IGG", "POSITIVO"),
    )
    put_reports(tmp_path, ("ses-E20000", "['normal']"))
    entries, problems = index(tmp_path)
    assert entries == [
        Entry(
            positive,
            "covid",
            finding="PCR POSITIVO",
            patient="S03045",
            view="AP",
            modality="X-ray",
            age=55.0,
            sex="F",
            origin="hospitals of the Valencian Region, Spain",
        ),
        entries[0]._replace(
            path=negative, label="normal", finding="normal", patient="S09999", view="lateral"
        ),
    ]
    assert not problems
    assert index(tmp_path / "covid19_posi")[0] == entries[:1]


@pytest.mark.parametrize(
    ("day", "results", "reason"),
    [
        ("20200311", [("25.03.2020", "POSITIVO")], None),
        ("20210101", [("25.03.2020", "POSITIVO")], None),
        ("20200310", [("25.03.2020", "POSITIVO")], "14 days older"),
        ("20200325", [("25.03.2020", "NEGATIVO"), ("25.03.2020", "INDETERMINADO")], "no positive"),
        ("20200325", [], "no positive"),
        ("", [("25.03.2020", "POSITIVO")], "its day is not known"),
        ("20201345", [("25.03.2020", "POSITIVO")], "its day is not known"),
        ("20200320.0", [("25.03.2020", "POSITIVO")], None),
    ],
)
def test_an_image_is_covid_by_a_positive_test_only(
    tmp_path: Path, image: Image, day: str, results: list[tuple[str, str]], reason: str | None
) -> None:
    image("covid19_posi", "S1", "E1", day)
    put_tests(tmp_path, *(("sub-S1", when, "PCR", result) for when, result in results))
    # What the report says is no test.
    labels = "covid19_posi/derivatives/labels/labels_covid19_posi.tsv"
    put(tmp_path, labels, f"{REPORTS}1\tsub-S1\tses-E1\t-\t['COVID 19']\n")
    entries, problems = index(tmp_path)
    assert [entry.label for entry in entries] == ([] if reason else ["covid"])
    if reason:
        assert reason in problems[0].reason
        assert not problems[0].failed


def test_the_day_is_the_headers_where_no_table_has_it(tmp_path: Path, image: Image) -> None:
    path = image("covid19_posi", "S1", "E1", t00080020="20200320")
    table = next(path.parents[2].glob("*_sessions.tsv"))
    table.write_text(f'{SESSIONS}ses-E1\t20190101\t"t\u00f3rax" "sin hallazgos\n')
    put_tests(tmp_path, ("sub-S1", "25.03.2020", "PCR", "POSITIVO"))
    entries, problems = index(tmp_path)
    assert [entry.label for entry in entries] == ["covid"]
    assert [(problem.path, problem.failed) for problem in problems] == [(str(table), True)]
    table.unlink()
    assert index(tmp_path) == (entries, [])


@pytest.mark.parametrize(
    ("labels", "label", "failed"),
    [
        ("['normal', ' unchanged ']", "normal", False),
        ('"[""pneumonia""\t""nodule""]"', "pneumonia", False),
        ("['viral pneumonia']", "pneumonia", False),
        ("['tuberculosis sequelae']", "other", False),
        ("['COVID 19', 'pneumonia']", None, False),
        ("['COVID 19 uncertain']", None, False),
        ("['exclude']", None, False),
        ("['normal', 'cardiomegaly']", None, False),
        ("", None, False),
        ("['normal', 'card", None, True),
    ],
)
def test_the_negative_parts_reports_make_the_label(
    tmp_path: Path, image: Image, labels: str, label: str | None, *, failed: bool
) -> None:
    image("covid19_neg", "S1", "E1")
    put_reports(tmp_path, ("ses-E1", labels))
    entries, problems = index(tmp_path)
    assert [entry.label for entry in entries] == ([label] if label else [])
    assert [problem.failed for problem in problems] == ([] if label else [failed])


def test_an_image_that_may_be_a_negative_is_left_out(tmp_path: Path, image: Image) -> None:
    image("covid19_posi", "S1", "E1", t00280004="MONOCHROME1")
    image("covid19_posi", "S2", "E2").with_suffix(".json").unlink()
    image("covid19_posi", "S3", "E3").with_suffix(".json").write_text("[")
    image("covid19_posi", "S4", "E4").with_suffix(".json").write_text('{"00280004": {"Value": 3}}')
    put_tests(tmp_path, *((f"sub-S{n}", "20.03.2020", "PCR", "POSITIVO") for n in range(1, 5)))
    entries, problems = index(tmp_path)
    assert not entries
    assert len(problems) == 4
    assert all("MONOCHROME2" in problem.reason for problem in problems)
    assert not any(problem.failed for problem in problems)


@pytest.mark.parametrize(
    ("name", "tags", "view"),
    [
        ("run-1_bp-chest_vp-pa_dx", {}, "PA"),
        ("run-1_bp-chest_vp-pa_dx", {"t0008103E": "TORAX PA Y LAT"}, None),
        ("run-1_bp-chest_vp-pa_dx", {"t00185101": "AP"}, None),
        ("run-1_bp-chest_vp-pa_dx", {"t00185101": "PA", "t0008103E": "TÓRAX PA"}, "PA"),
        ("run-1_bp-chest_cr", {"t0008103E": "W034 TÓRAX LAT."}, "lateral"),
        ("run-1_cr", {"t0008103E": "PLATAFORMA"}, None),
        ("run-1_bp-thorax_vp-xx_cr", {}, None),
    ],
)
def test_a_view_counts_where_name_and_header_agree(
    tmp_path: Path, image: Image, name: str, tags: dict[str, str], view: str | None
) -> None:
    image("covid19_posi", "S1", "E1", rest=name, **tags)
    put_tests(tmp_path, ("sub-S1", "20.03.2020", "PCR", "POSITIVO"))
    assert [entry.view for entry in index(tmp_path)[0]] == [view]


def test_volumes_masks_and_other_parts_of_the_body_are_left_out(
    tmp_path: Path, image: Image, draw: Callable[..., Path]
) -> None:
    kept = image("covid19_posi", "S1", "E1", t00101010="unknown", t00100040="")
    image("covid19_posi", "S1", "E1", rest="run-1_bp-abdomen_vp-ap_cr")
    image("covid19_posi", "S1", "E1", rest="scout")
    draw("covid19_posi/derivatives/segmentations/sub-S1_ses-E1_run-1_bp-chest_vp-ap_cr.png")
    put(tmp_path, "covid19_posi/sub-S1/ses-E1/mod-ct/sub-S1_ses-E1_run-1_ct.nii.gz", "x")
    put(tmp_path, "covid19_posi/sub-list.txt", "sub-S1")
    link = kept.parent / "sub-S1_ses-E1_run-2_bp-chest_vp-ap_cr.png"
    link.symlink_to(kept)
    put_tests(tmp_path, ("sub-S1", "20.03.2020", "PCR", "POSITIVO"))
    imported = import_source("bimcv-covid19", tmp_path)
    assert imported.manifest.frame["path"].tolist() == [str(kept)]
    assert imported.manifest.frame[["age", "sex"]].isna().all(axis=None)
    assert [(p.reason, p.failed) for p in imported.problems] == [
        ("it is a volume, not an image", False),
        ("it is not of the chest", False),
        (left_out_link(link).reason, False),
        ("its name is not that of an X-ray or CT image of the set", True),
    ]


def test_positive_tests_without_a_day_or_patient_are_named(tmp_path: Path, image: Image) -> None:
    image("covid19_posi", "S1", "E1")
    table = put_tests(
        tmp_path,
        ("sub-S1", "marzo", "PCR", "POSITIVO"),
        ("", "20.03.2020", "PCR", "POSITIVO"),
        ("", "", "PCR", "NEGATIVO"),
    )
    entries, problems = index(tmp_path)
    assert not entries
    assert [problem.path for problem in problems if problem.failed] == [
        f"{table}, line 2",
        f"{table}, line 3",
    ]


def test_a_report_with_two_rows_that_differ_decides_nothing(tmp_path: Path, image: Image) -> None:
    image("covid19_neg", "S1", "E1")
    image("covid19_neg", "S2", "E2")
    rows = ("ses-E1", "['normal']"), ("ses-E1", "['nodule']"), ("ses-E1", "['normal']")
    put_reports(tmp_path, *rows)
    assert [(p.reason, p.failed) for p in index(tmp_path)[1]] == [
        ("its report has two rows that differ", True),
        ("it has no report", False),
    ]


def test_what_is_missing_or_unknown_is_named(tmp_path: Path, image: Image) -> None:
    with refuses("label-map-not-taken", "bimcv-covid19"):
        list(SOURCES["bimcv-covid19"].entries(tmp_path, {"normal": "normal"}))
    with refuses("source-layout-unexpected"):
        index(tmp_path)
    image("covid19_posi", "S1", "E1")
    with refuses("source-layout-unexpected"):
        index(tmp_path)
    put_tests(tmp_path, ("sub-S1", "20.03.2020", "PCR", "DUDOSO"))
    with refuses("test-result-unknown", "line 2", "'DUDOSO'", "POSITIVO"):
        index(tmp_path)
    put_tests(tmp_path)
    image("covid19_neg", "S2", "E2")
    put_reports(tmp_path, ("ses-E2", "['neumonia']"))
    with refuses("finding-unknown", "line 2", "'neumonia'"):
        index(tmp_path)
