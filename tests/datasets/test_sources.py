"""What holds for every source."""

from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.labels import LABELS
from pulmo.datasets.source import SOURCES, Entry, Problem, images_below, left_out_link

NOT_A_SET = (
    "class-folders-missing",
    "file-is-folder",
    "file-missing",
    "folder-missing",
    "source-file-ambiguous",
    "source-layout-unexpected",
)
REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_tells_a_person_how_to_get_it(name: str) -> None:
    about = SOURCES[name].about
    assert about.title
    assert about.licence
    assert about.size
    assert "ROOT" in about.obtain


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_refuses_a_folder_that_is_not_its_own(name: str, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with refuses(NOT_A_SET):
            list(SOURCES[name].entries(folder, {}))


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"csv", "folder"}))
def test_a_source_that_knows_its_labels_takes_no_map(name: str, tmp_path: Path) -> None:
    with refuses("label-map-not-taken", name):
        list(SOURCES[name].entries(tmp_path, {"COVID": "normal"}))


def test_images_lie_below_a_folder(tmp_path: Path) -> None:
    with refuses("folder-missing"):
        list(images_below(tmp_path / "none"))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("darkcovidnet", "X-Ray Image DataSet/Pneumonia"),
        ("folder", "normal"),
        ("kermany", "train/NORMAL"),
        ("montgomery", "CXR_png"),
        ("nih", "images"),
        ("radiography", "COVID/images"),
        ("shenzhen", "CXR_png"),
    ],
)
def test_a_link_among_the_images_is_named(name: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text(
        "Image Index,Finding Labels,Patient ID,Patient Age,View Position,Patient Gender\n"
    )
    link = tmp_path / folder / "a.png"
    link.symlink_to(tmp_path)
    items = list(SOURCES[name].entries(tmp_path, {}))
    assert left_out_link(link) in items
    assert not [item for item in items if isinstance(item, Entry)]


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real images are not next to the project")
@pytest.mark.parametrize(
    ("name", "folder", "counts", "left_out"),
    [
        ("kermany", "chest_xray", {"bacterial": 2780, "normal": 1583, "viral": 1493}, 0),
        ("kermany", "chest_xray_512", {"bacterial": 200, "normal": 200, "viral": 200}, 0),
        ("radiography", "COVID-19_Radiography_Dataset", {"covid": 2464, "normal": 2500}, 0),
        (
            "cohen",
            "covid-chestxray-dataset",
            {
                "covid": 427,
                "bacterial": 43,
                "viral": 23,
                "pneumonia": 11,
                "normal": 15,
                "other": 26,
            },
            109,
        ),
        (
            "figure1",
            "Figure1-COVID-chestxray-dataset",
            {"covid": 34, "pneumonia": 2, "normal": 3},
            16,
        ),
        ("covid-ct", "COVID-CT", {"covid": 345, "other": 397}, 5),
        ("darkcovidnet", "darkcovidnet", {"covid": 124, "pneumonia": 500, "normal": 500}, 0),
        ("folder", "devindatt/dataset", {"covid": 25, "normal": 25}, 0),
        ("folder", "adult-normals", {"normal": 202}, 0),
    ],
)
def test_a_source_reads_the_real_set(
    name: str, folder: str, counts: dict[str, int], left_out: int
) -> None:
    items = list(SOURCES[name].entries(REAL / folder, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    problems = [item for item in items if isinstance(item, Problem)]
    found = {label: sum(entry.label == label for entry in entries) for label in LABELS}
    assert found == dict.fromkeys(LABELS, 0) | counts
    assert len(problems) == left_out
    assert not any(problem.failed for problem in problems)


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real images are not next to the project")
def test_the_real_darkcovidnet_has_nihs_patients_views_and_boxes() -> None:
    items = SOURCES["darkcovidnet"].entries(REAL / "darkcovidnet", {})
    entries = [item for item in items if isinstance(item, Entry) and item.patient]
    assert len(entries) == 1000
    views = [entry.view for entry in entries]
    assert (views.count("AP"), views.count("PA")) == (567, 433)
    assert all(entry.age and entry.sex for entry in entries)
    assert sum(len(entry.boxes) for entry in entries) == 49
    patients = [entry.patient for entry in entries]
    assert sum(patients.count(patient) > 1 for patient in set(patients)) == 164
