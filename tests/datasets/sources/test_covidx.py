from pathlib import Path

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["covidx"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_a_line_says_patient_image_class_and_source(tmp_path: Path) -> None:
    touch(
        tmp_path,
        *(f"train/{name}" for name in ("SARS-day5.jpeg", "COVID(28).png", "COVID-00003b.jpg")),
        *("train/COVID-00020.jpg", "test/MIDRC-0.png", "test/47c78742.png"),
    )
    (tmp_path / "train_COVIDx9A.txt").write_text(
        "3 SARS-day5.jpeg pneumonia cohen\n"
        "COVID 28 COVID(28).png COVID-19 sirm\n"
        "COVID-00003b COVID-00003b.jpg COVID-19 fig1\n"
        "COVID-00020 COVID-00020.jpg COVID-19 fig1\n"
        "\n"
        "2 gone.jpeg COVID-19 cohen\n"
        "3 SARS-day5.jpeg pneumonia cohen\n"
    )
    (tmp_path / "test_COVIDx9A.txt").write_text(
        "419639-003251 MIDRC-0.png COVID-19 ricord\r\n47c78742 47c78742.png normal rsna\r\n"
    )
    (tmp_path / "requirements.txt").write_text("numpy\n")
    entries, problems = index(tmp_path)
    assert [(e.path.name, e.label, e.patient, e.split, e.origin) for e in entries] == [
        ("MIDRC-0.png", "covid", "419639-003251", "test", "ricord"),
        ("47c78742.png", "normal", "47c78742", "test", "rsna"),
        ("SARS-day5.jpeg", "pneumonia", "3", "train", "cohen"),
        ("COVID(28).png", "covid", "COVID 28", "train", "sirm"),
        ("COVID-00003b.jpg", "covid", "COVID-00003", "train", "fig1"),
    ]
    assert {(e.modality, e.view) for e in entries} == {("X-ray", None)}
    assert problems == [
        Problem(
            "COVID-00020.jpg",
            "it is kermany's person1004_virus_1686, not an image of COVID-19",
            failed=False,
        ),
        Problem("gone.jpeg", "its row has no image here", failed=False),
        Problem("SARS-day5.jpeg", "it has a second row; the first one counts", failed=False),
    ]


def test_negative_is_not_normal_and_the_third_split_is_val(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.jpg", "val/b.png", "test/c.png")
    (tmp_path / "train.txt").write_text("210 a.jpg negative cohen\n")
    (tmp_path / "val.txt").write_text("sub-S03044 b.png positive bimcv\n")
    (tmp_path / "test.txt").write_text("ANON56 c.png negative actmed\n")
    entries, problems = index(tmp_path)
    assert {(e.split, e.label, e.finding) for e in entries} == {
        ("train", "other", "negative"),
        ("val", "covid", "positive"),
        ("test", "other", "negative"),
    }
    assert not problems


def test_the_first_versions_name_no_source(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.jpeg", "train/b.jpg", "train/c.jpeg")
    (tmp_path / "train_split_v1.txt").write_text(
        "3 a.jpeg viral\n29 b.jpg bacteria\n10000927 c.jpeg normal\n"
    )
    entries, _ = index(tmp_path)
    assert [(e.label, e.patient, e.origin) for e in entries] == [
        ("viral", "3", None),
        ("bacterial", "29", None),
        ("normal", "10000927", None),
    ]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.jpg", "secret.jpg")
    table = tmp_path / "train.txt"
    table.write_text("a.jpg normal\n1 a.jpg\n2 ../secret.jpg normal cohen\n1 a.jpg normal x\n")
    entries, problems = index(tmp_path)
    assert [entry.path.name for entry in entries] == ["a.jpg"]
    assert problems == [
        Problem(f"{table}, line 1", "it is not `patient image class source`"),
        Problem(f"{table}, line 2", "it is not `patient image class source`"),
        Problem(f"{table}, line 3", f"../secret.jpg lies outside {tmp_path / 'train'}"),
    ]


def test_a_class_that_is_not_known_stops(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("1 a.jpg normal cohen\n2 b.jpg plague cohen\n")
    with refuses("finding-unknown", "train.txt, line 2", "'plague'", "'cohen'"):
        index(tmp_path)


def test_two_versions_of_the_labels_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train_COVIDx9A.txt", "train_COVIDx9B.txt")
    with refuses("source-versions-mixed", "train_COVIDx9A.txt", "train_COVIDx9B.txt"):
        index(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.jpg", "trained.txt")
    with refuses("source-layout-unexpected"):
        index(tmp_path)
    with refuses("folder-missing"):
        index(tmp_path / "none")
