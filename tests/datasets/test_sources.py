"""Every source on a folder laid out as its authors publish it."""

from pathlib import Path

import pytest

from pulmo.core.errors import InputError, UsageError
from pulmo.core.labels import LABELS
from pulmo.datasets.source import SOURCES, Entry, Problem, pictures_below

REAL = Path(__file__).parents[3] / "shared" / "data"


def index(
    name: str, root: Path, label_map: dict[str, str] | None = None
) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES[name].entries(root, label_map or {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_tells_a_person_how_to_get_it(name: str) -> None:
    about = SOURCES[name].about
    assert about.title
    assert about.licence
    assert about.size
    assert "ROOT" in about.obtain


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_refuses_a_folder_that_is_not_its_own(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        index(name, tmp_path)
    with pytest.raises(InputError):
        index(name, tmp_path / "none")


def test_kermany_reads_cause_patient_and_official_split(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "train/PNEUMONIA/person1_bacteria_2.jpeg",
        "train/PNEUMONIA/person447_virus_921_1.jpeg",
        "train/PNEUMONIA/.DS_Store",
        "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
        "test/NORMAL/IM-0011-0001-0002.jpeg",
        "test/NORMAL/person1_bacteria_2.jpeg",
        "test/PNEUMONIA/notes.txt",
    )
    entries, problems = index("kermany", tmp_path)
    assert [(e.label, e.patient, e.split) for e in entries] == [
        ("bacterial", "person1", "train"),
        ("viral", "person447", "train"),
        ("normal", "NORMAL2-IM-1427", "val"),
        ("normal", "IM-0011", "test"),
    ]
    assert {(e.view, e.modality) for e in entries} == {("AP", "X-ray")}
    assert [Path(p.path).name for p in problems] == ["person1_bacteria_2.jpeg", "notes.txt"]


def test_radiography_labels_by_folder(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "COVID/images/COVID-1.png",
        "COVID/masks/COVID-1.png",
        "Normal/images/Normal-1.png",
        "Viral Pneumonia/images/Viral Pneumonia-1.png",
        "Lung_Opacity/images/Lung_Opacity-1.png",
    )
    entries, problems = index("radiography", tmp_path)
    assert [e.label for e in entries] == ["covid", "normal", "viral", "other"]
    assert not problems


def test_folder_takes_labels_and_a_map(tmp_path: Path) -> None:
    touch(tmp_path, "Covid/a.png", "No_findings/deep/b.png", ".hidden/c.png")
    (tmp_path / "viral").mkdir()
    entries, problems = index("folder", tmp_path, {"No_findings": "normal"})
    assert [(e.path.name, e.label) for e in entries] == [("a.png", "covid"), ("b.png", "normal")]
    assert [p.reason for p in problems] == ["the folder holds no file"]
    with pytest.raises(UsageError, match="--map 'No_findings'=LABEL"):
        index("folder", tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'normal'"):
        index("folder", tmp_path, {"No_findings": "nromal"})


def test_a_link_is_no_picture_of_the_set(tmp_path: Path) -> None:
    touch(tmp_path, "set/normal/a.png", "elsewhere/b.png")
    (tmp_path / "set" / "normal" / "same.png").symlink_to("a.png")
    (tmp_path / "set" / "normal" / "other.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    (tmp_path / "set" / "normal" / "deep").symlink_to(tmp_path / "elsewhere")
    entries, problems = index("folder", tmp_path / "set")
    assert [entry.path.name for entry in entries] == ["a.png"]
    assert not problems


@pytest.mark.parametrize("name", ["cohen", "kermany", "radiography"])
def test_a_source_that_knows_its_labels_takes_no_map(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--map is for the sources folder and csv; {name} knows"):
        index(name, tmp_path, {"COVID": "normal"})


def test_folder_reads_a_folder_inside_a_hidden_one(tmp_path: Path) -> None:
    touch(tmp_path, ".data/set/normal/a.png")
    entries, _ = index("folder", tmp_path / ".data" / "set")
    assert len(entries) == 1


def test_pictures_lie_below_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        pictures_below(tmp_path / "none")


def test_csv_reads_what_the_table_says(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "\ufeffpath,label,patient,view,age,sex,split,finding\n"
        "a.png,covid,p1,PA,64.5,F,train,COVID-19\n"
        "b/c.png,Healthy,,,,,,\n"
        "\n"
        ",covid,,,,,,\n"
        "d.png,covid,,,old,,,\n"
        "e.png,covid,,,,,later,\n"
        "../f.png,covid,,,,,,\n"
        "g.png,covid,,,131,,,\n"
        "h.png,covid,,,,male,,\n"
        "b/../a.png,covid,,,,,,\n",
        encoding="utf-8",
    )
    entries, problems = index("csv", table, {"Healthy": "normal"})
    assert len(entries) == 2
    assert entries[0] == Entry(
        tmp_path / "a.png", "covid", "COVID-19", "p1", "PA", None, 64.5, "F", "train"
    )
    assert entries[1] == Entry(tmp_path / "b" / "c.png", "normal", "Healthy")
    assert [p.reason for p in problems] == [
        "its path or label is blank",
        "its age 'old' is not a number of years from 0 to 130",
        "its split is 'later', not train, val, test",
        f"../f.png lies outside {tmp_path}",
        "its age '131' is not a number of years from 0 to 130",
        "its sex is 'male', not F, M or O",
        f"{tmp_path / 'a.png'} is on line 2 already",
    ]
    with pytest.raises(UsageError, match=r"'Helthy' means, but .* has no such class; it has "):
        index("csv", table, {"Helthy": "normal"})
    with pytest.raises(UsageError, match=r"line 3: 'Healthy' is not a label"):
        index("csv", table)


def test_csv_refuses_other_encodings_and_columns(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes("path,label\ncaf\xe9.png,covid\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        index("csv", table)
    table.write_text("file;class\na;b\n")
    with pytest.raises(InputError, match="no column path, label; it has file;class"):
        index("csv", table)


@pytest.mark.parametrize(("name", "file"), [("csv", "t.csv"), ("cohen", "metadata.csv")])
def test_a_table_that_is_no_csv_is_a_sentence(name: str, file: str, tmp_path: Path) -> None:
    table = tmp_path / file
    root = table if name == "csv" else tmp_path
    header = "path,label\n" if name == "csv" else COHEN
    table.write_text(f'{header}"{"x" * 200_000}')
    with pytest.raises(InputError, match=r"is not a usable CSV file near line 2: field larger"):
        index(name, root)
    table.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8"):
        index(name, root)


def test_csv_names_a_path_that_is_none(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"path,label,age\n{'x' * 5000},covid,3\na.png,Covid\nb.png\n")
    (entry,), problems = index("csv", table)
    assert (entry.label, entry.age) == ("covid", None)
    assert [p.reason for p in problems] == [
        f"'{'x' * 80}' is no usable path",
        "its path or label is blank",
    ]


COHEN = "patientid,finding,view,modality,filename,folder,age,sex\n"


def test_cohen_reads_findings_views_and_gaps(tmp_path: Path) -> None:
    touch(tmp_path, *(f"images/{n}.png" for n in "abcde"))
    (tmp_path / "metadata.csv").write_text(
        COHEN + "2,Pneumonia/Viral/COVID-19,PA,X-ray,a.png,images,65.0,M\n"
        "3,No Finding,AP Supine,X-ray,b.png,images,,\n"
        "4,COVID-19,Axial,CT,c.png,images,,\n"
        "5,todo,PA,X-ray,d.png,images,,\n"
        "6,COVID-19,?,X-ray,e.png,images,,F\n"
        "2,COVID-19,PA,X-ray,a.png,images,65.0,M\n"
        "7,COVID-19,PA,X-ray,gone.png,images,,\n"
        "8,COVID-19,PA,CT,v.nii.gz,volumes,,\n"
    )
    entries, problems = index("cohen", tmp_path)
    assert [(e.label, e.patient, e.view, e.modality, e.age, e.sex) for e in entries] == [
        ("covid", "2", "PA", "X-ray", 65.0, "M"),
        ("normal", "3", "AP supine", "X-ray", None, None),
        ("covid", "4", "axial", "CT", None, None),
        ("covid", "6", None, "X-ray", None, "F"),
    ]
    assert not any(p.failed for p in problems)
    assert [p.reason for p in problems] == [
        "its finding is not stated",
        "it has a second row; the first one counts",
        "its row has no picture here",
        "it is a volume, not a picture",
    ]


def test_cohen_names_rows_that_are_damaged(tmp_path: Path) -> None:
    touch(tmp_path, *(f"images/{n}.png" for n in "abcd"), "secret.png")
    (tmp_path / "metadata.csv").write_text(
        COHEN + "2,COVID-19,PA,X-ray,a.png,images,unknown,M\n"
        "3,COVID-19,PA,X-ray,b.png,images,40,male\n"
        "4,COVID-19,PA\n"
        "5,COVID-19,PA,X-ray,../secret.png,images,,\n"
        "6,COVID-19,PA,X-ray,c.png,images\n"
        ",COVID-19,PA,,d.png,images, 50 ,\n"
        "7,COVID-19,PA,X-ray,e.png,images,nan,\n"
    )
    entries, problems = index("cohen", tmp_path)
    assert [(e.path.name, e.patient, e.modality, e.age, e.sex) for e in entries] == [
        ("c.png", "6", "X-ray", None, None),
        ("d.png", None, None, 50.0, None),
    ]
    assert all(p.failed for p in problems)
    assert [p.reason for p in problems] == [
        "its age 'unknown' is not a number of years from 0 to 130",
        "its sex is 'male', not F, M or O",
        "it ends early",
        f"../secret.png lies outside {tmp_path / 'images'}",
        "its age 'nan' is not a number of years from 0 to 130",
    ]
    assert problems[2].path == f"{tmp_path / 'metadata.csv'}, line 4"


def test_cohen_stops_at_a_finding_that_it_does_not_know(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.png")
    (tmp_path / "metadata.csv").write_text(COHEN + "2,Plague,PA,X-ray,a.png,images,,\n")
    with pytest.raises(InputError, match="'Plague' is not in the table"):
        index("cohen", tmp_path)
    (tmp_path / "metadata.csv").write_text("patientid\n")
    with pytest.raises(
        InputError, match="no column finding, view, modality, filename, folder; it has"
    ):
        index("cohen", tmp_path)


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real pictures are not beside the project")
@pytest.mark.parametrize(
    ("name", "folder", "counts"),
    [
        ("kermany", "chest_xray", {"bacterial": 2780, "normal": 1583, "viral": 1493}),
        ("radiography", "COVID-19_Radiography_Dataset", {"covid": 2464, "normal": 2500}),
        ("cohen", "covid-chestxray-dataset", {"covid": 427, "normal": 15}),
    ],
)
def test_a_source_reads_the_real_set(name: str, folder: str, counts: dict[str, int]) -> None:
    entries, problems = index(name, REAL / folder)
    found = {label: sum(e.label == label for e in entries) for label in LABELS}
    assert {label: found[label] for label in counts} == counts
    assert not any(p.failed for p in problems)
