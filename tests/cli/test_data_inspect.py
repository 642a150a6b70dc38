import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pydicom import dcmread

from pulmo.datasets.inspect.inspection import read_inspection
from pulmo.datasets.manifest import Manifest, read_manifest

Call = Callable[..., tuple[int, str, str]]


@pytest.mark.rendered
def test_it_says_what_is_there_and_where_the_page_is(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "inspection"
    status, out, err = pulmo("data", "inspect", manifest, "-o", output, "--samples", "2")
    assert (status, err) == (0, "")
    inspection = read_inspection(output / "inspection.json")
    first, verdict, page = out.splitlines()
    assert first.startswith("64 images in ")
    assert verdict == f"verdict: {inspection.verdict}"
    assert inspection.warnings == ()
    assert page == f"{output / 'inspection.html'}"
    cells = read_manifest(manifest).frame.groupby(["label", "source"]).size().clip(upper=2).sum()
    assert (output / "inspection.html").read_text().count("<img ") == cells
    assert inspection.name == manifest.name
    assert f"inspect {manifest.name} --samples 2 -o" in (output / "inspection.html").read_text()


def test_a_flagged_set_is_no_error(pulmo: Call, images: pd.DataFrame, tmp_path: Path) -> None:
    images.loc[images["label"] == "covid", "origin"] = "elsewhere"
    images.loc[0, "patient"] = pd.NA
    Manifest(images).save(tmp_path / "m.parquet")
    arguments = (tmp_path / "m.parquet", "-o", tmp_path / "i", "--samples", "0")
    status, out, err = pulmo("data", "inspect", *arguments)
    assert (status, err) == (0, "")
    assert "verdict: The source alone predicts the class with" in out
    assert "\nwarning: The patient of 1 of the 64 images is unknown: " in out


def test_json_is_one_object_and_a_seed_repeats_it(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    arguments = ("data", "inspect", manifest, "--samples", "0", "--json")
    status, out, err = pulmo(*arguments, "-o", tmp_path / "a")
    assert (status, err) == (0, "")
    assert json.loads(out) == json.loads((tmp_path / "a" / "inspection.json").read_text())
    assert pulmo(*arguments, "-o", tmp_path / "b")[1] == out
    assert pulmo(*arguments, "-o", tmp_path / "c", "--seed", "1")[1] != out


def test_facts_come_from_a_table(pulmo: Call, images: pd.DataFrame, tmp_path: Path) -> None:
    Manifest(images).save(tmp_path / "m.parquet")
    rows = [f"{Path(path).name},{1000 + 9 * (label == 'covid')}" for path, label in
            zip(images["path"], images["label"], strict=True)]  # fmt: skip
    table = tmp_path / "published.csv"
    table.write_text("\n".join(["filename,width", *rows]))
    arguments = ("data", "inspect", tmp_path / "m.parquet", "-o", tmp_path / "i", "--samples", "0")
    status, out, _ = pulmo(*arguments, "--facts", table)
    assert status == 0
    assert "verdict: The width alone predicts the class with" in out
    status, _, err = pulmo(*arguments, "--facts", tmp_path / "none.csv")
    assert status == 3
    assert "none.csv does not exist" in err


def test_an_image_that_cannot_be_read_is_named_and_the_rest_is_done(
    pulmo: Call, images: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "cut.png").write_bytes(Path(images["path"][0]).read_bytes()[:200])
    images.loc[0, "path"] = str(tmp_path / "cut.png")
    images.loc[1, "path"] = str(tmp_path / "gone.png")
    Manifest(images).save(tmp_path / "m.parquet")
    output = tmp_path / "i"
    status, out, err = pulmo(
        "data", "inspect", tmp_path / "m.parquet", "-o", output, "--samples", "64"
    )
    assert status == 4
    assert f"{output / 'inspection.html'}" in out
    assert f"{tmp_path / 'gone.png'} does not exist." in err
    assert err.splitlines()[-1] == (
        "pulmo: 2 of the drawn samples could not be shown; the rest is done."
    )
    assert len(read_inspection(output / "inspection.json").failed) == 2
    page = (output / "inspection.html").read_text()
    assert page.count("<img ") == 62
    assert "gone.png does not exist." in page
    assert str(tmp_path) not in page


def test_nothing_that_identifies_a_patient_of_a_dicom_file_is_written(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    pulmo("data", "inspect", manifest, "-o", tmp_path / "i", "--samples", "64")
    written = [path.read_text() for path in (tmp_path / "i").iterdir()]
    # The images' own bytes could hold any three letters.
    text = re.sub(r'base64,[^"]*', "", "".join(written))
    headers = [dcmread(p) for p in read_manifest(manifest).frame["path"] if p.endswith(".dcm")]
    assert headers
    for header in headers:
        for word in ("PatientName", "StudyInstanceUID", "SOPInstanceUID", "StudyDate"):
            value = str(header.get(word, ""))
            assert value == "" or value not in text, word


@pytest.mark.parametrize("kind", ["missing", "not a manifest", "empty"])
def test_a_manifest_that_cannot_be_used(
    pulmo: Call, images: pd.DataFrame, tmp_path: Path, phantoms: Path, kind: str
) -> None:
    path = phantoms if kind == "not a manifest" else tmp_path / "m.parquet"
    if kind == "empty":
        Manifest(images[:0]).save(path)
    status, out, err = pulmo("data", "inspect", path, "-o", tmp_path / "i")
    assert (status, out) == (3, "")
    assert path.name in err


def test_a_place_that_cannot_be_written(pulmo: Call, manifest: Path) -> None:
    status, out, err = pulmo("data", "inspect", manifest, "-o", manifest)
    assert (status, out) == (3, "")
    assert "is a file; a folder was expected" in err
