from pathlib import Path

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["kermany"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def test_cause_patient_and_official_split_are_in_the_path(tmp_path: Path) -> None:
    for name in (
        "train/PNEUMONIA/person1_bacteria_2.jpeg",
        "train/PNEUMONIA/person447_virus_921_1.jpeg",
        "train/PNEUMONIA/.DS_Store",
        "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
        "test/NORMAL/IM-0011-0001-0002.jpeg",
        "test/NORMAL/person1_bacteria_2.jpeg",
        "test/PNEUMONIA/notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    entries, problems = index(tmp_path)
    assert [(e.label, e.patient, e.split) for e in entries] == [
        ("bacterial", "person1", "train"),
        ("viral", "person447", "train"),
        ("normal", "NORMAL2-IM-1427", "val"),
        ("normal", "IM-0011", "test"),
    ]
    assert {(e.view, e.modality, e.licence) for e in entries} == {("AP", "X-ray", "CC BY 4.0")}
    assert [Path(p.path).name for p in problems] == ["person1_bacteria_2.jpeg", "notes.txt"]
    assert all(p.failed for p in problems)


def test_a_folder_without_a_split_is_refused(tmp_path: Path) -> None:
    with refuses("source-layout-unexpected"):
        index(tmp_path)
