from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.boxes import Box
from pulmo.datasets.source import SOURCES, Entry, Problem

FINDINGS = [
    "Aortic enlargement",
    "Atelectasis",
    "Calcification",
    "Cardiomegaly",
    "Clavicle fracture",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Enlarged PA",
    "ILD",
    "Infiltration",
    "Lung Opacity",
    "Lung cavity",
    "Lung cyst",
    "Mediastinal shift",
    "Nodule/Mass",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Pulmonary fibrosis",
    "Rib fracture",
    "Other lesion",
    "COPD",
    "Lung tumor",
    "Pneumonia",
    "Tuberculosis",
    "Other diseases",
    "No finding",
]
TEST_FINDINGS = [name.replace("diseases", "disease") for name in FINDINGS]
BOXES = "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"


def labels(*rows: tuple[str, str, str]) -> str:
    """Returns a table of image, radiologist and findings, as that of the training images."""
    lines = [",".join(["image_id", "rad_id", *FINDINGS])]
    for image, radiologist, given in rows:
        lines.append(",".join([image, radiologist, *(str(+(f in given)) for f in FINDINGS)]))
    return "\n".join(lines) + "\n"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["vindr-cxr"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def write(root: Path, name: str, text: str) -> Path:
    path = root / "annotations" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    draw("train/aa.dicom", height=40, width=20)
    draw("train/bb.dicom")
    draw("test/tt.dicom")
    write(
        tmp_path,
        "image_labels_train",
        labels(
            ("aa", "R9", "Pneumonia|Infiltration"),
            ("bb", "R1", "No finding"),
            ("aa", "R10", "Pneumonia"),
            ("bb", "R2", "No finding"),
            ("aa", "R8", "Pneumonia|Infiltration|Lung cyst"),
            ("bb", "R3", "Aortic enlargement"),
            ("gone", "R1", "No finding"),
        ),
    )
    write(
        tmp_path,
        "image_labels_test",
        ",".join(["image_id", *TEST_FINDINGS])
        + "\ntt,"
        + ",".join("1.0" if f in {"Other disease", "COPD"} else "" for f in TEST_FINDINGS)
        + "\n",
    )
    write(
        tmp_path,
        "annotations_train",
        BOXES + "bb,R1,No finding,,,,\n"
        "aa,R9,Infiltration,5,10,15,30\n"
        "aa,R8,Infiltration,-1,20,25,40.5\n"
        # Only one of three radiologists sees it.
        "aa,R8,Lung cyst,1,1,2,2\n"
        "bb,R3,Aortic enlargement,1,1,9,9\n",
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    assert entries == [
        Entry(
            root / "train" / "aa.dicom",
            "pneumonia",
            finding="Pneumonia|Infiltration",
            view="PA",
            modality="X-ray",
            split="train",
            origin="Hospital 108 or Hanoi Medical University Hospital, Hanoi, Vietnam",
            boxes=(
                Box("Infiltration", 0.25, 0.25, 0.5, 0.5),
                # It ends beyond the image's edges.
                Box("Infiltration", 0.0, 0.5, 1.0, 0.5),
            ),
        ),
        entries[0]._replace(
            path=root / "train" / "bb.dicom", label="normal", finding="No finding", boxes=()
        ),
        entries[0]._replace(
            path=root / "test" / "tt.dicom",
            label="other",
            finding="COPD|Other disease",
            split="test",
            boxes=(),
        ),
    ]
    assert problems == [Problem("gone.dicom", "its row has no image here", failed=False)]


@pytest.mark.parametrize(
    ("given", "label", "reason"),
    [
        (["No finding", "No finding", "No finding"], "normal", ""),
        (["No finding", "No finding", "Nodule/Mass"], "normal", ""),
        (["Tuberculosis", "Tuberculosis", "No finding"], "other", ""),
        (["Pneumonia", "Pneumonia", "No finding"], "pneumonia", ""),
        (["Pneumonia", "No finding", "No finding"], None, "do not agree on pneumonia"),
        (["Pneumonia|ILD", "ILD", "ILD"], None, "do not agree on pneumonia"),
        (["Edema", "ILD", "No finding"], None, "more than half"),
        (["Edema", "ILD"], None, "more than half"),
        (["Edema|ILD", "ILD"], "other", ""),
        (["", "", ""], None, "more than half"),
        (["No finding|ILD", "No finding|ILD", "ILD"], None, "normal and others"),
    ],
)
def test_more_than_half_of_the_radiologists_decide(
    root: Path, given: list[str], label: str | None, reason: str
) -> None:
    rows = [("aa", f"R{n}", findings) for n, findings in enumerate(given)]
    write(root, "image_labels_train", labels(*rows))
    (root / "annotations" / "image_labels_test.csv").unlink()
    entries, problems = index(root)
    assert [entry.label for entry in entries] == ([label] if label else [])
    assert [(reason in p.reason, p.failed) for p in problems] == ([] if label else [(True, False)])


def test_rows_that_are_damaged_are_named_and_the_image_stays(root: Path) -> None:
    table = write(
        root,
        "image_labels_train",
        labels(("aa", "R1", "ILD"), ("aa", "R1", "ILD"), ("aa", "R1", "Edema"), ("", "R1", "ILD"))
        + "bb,R1\n"
        + labels(("../test/tt", "R1", "ILD")).splitlines()[1]
        + "\n",
    )
    boxes = write(
        root,
        "annotations_train",
        BOXES + "aa,R1,ILD,,,,\naa,R1,ILD,9,9,3,20\naa,R1,ILD,90,9,95,20\naa,R1,ILD,1,1,nan,2\n",
    )
    entries, problems = index(root)
    assert [(e.path.stem, e.label, e.boxes) for e in entries] == [
        ("aa", "other", ()),
        ("tt", "other", ()),
    ]
    assert all(problem.failed for problem in problems)
    assert [(p.path, p.reason) for p in problems] == [
        (f"{table}, line 4", "R1 says something else in a row before"),
        (f"{table}, line 5", "it names no image"),
        (f"{table}, line 6", "it has fewer or more values than the header has columns"),
        (f"{boxes}, line 2", "its box , , ,  is not four numbers"),
        (f"{boxes}, line 3", "its box 9, 9, 3, 20 is no rectangle"),
        (f"{boxes}, line 4", "its box 90, 9, 95, 20 is outside of 20 x 40 pixels"),
        (f"{boxes}, line 5", "its box 1, 1, nan, 2 is no rectangle"),
        ("../test/tt", f"../test/tt.dicom lies outside {root / 'train'}"),
    ]


def test_an_image_whose_size_cannot_be_read_loses_its_boxes_only(root: Path) -> None:
    (root / "train" / "aa.dicom").write_bytes(b"no DICOM")
    entries, problems = index(root)
    assert entries[0].boxes == ()
    assert problems[0].reason.startswith("its boxes are left out: ")


def test_what_is_missing_or_unknown_is_named(root: Path) -> None:
    with refuses("label-map-not-taken", "vindr-cxr"):
        list(SOURCES["vindr-cxr"].entries(root, {"COPD": "other"}))
    write(root, "annotations_train", BOXES + "aa,R1,Mass,1,1,2,2\n")
    with refuses("finding-unknown", "line 2", "'Mass'"):
        index(root)
    text = labels(("aa", "R1", "ILD"))
    write(root, "image_labels_train", text.replace("ILD", "Covid"))
    with refuses("finding-unknown", "line 2", "'Covid'"):
        index(root)
    write(root, "image_labels_train", text.replace(",1,", ",yes,"))
    with refuses("finding-value-unknown", "line 2", "'yes'"):
        index(root)
    write(root, "image_labels_train", "image_id\naa\n")
    with refuses("column-missing", "No finding, Pneumonia"):
        index(root)
    for name in ("train", "test"):
        (root / "annotations" / f"image_labels_{name}.csv").unlink()
    with refuses("source-layout-unexpected"):
        index(root)
