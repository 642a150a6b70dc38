import csv
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread

from pulmo.workflows.deidentified_files import CAVEATS

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def given(phantoms: Path, tmp_path: Path) -> Path:
    """A folder of three images of two patients, one of them with burned-in text."""
    images = sorted((phantoms.parent / "images").glob("*.dcm"))[:3]
    folder = tmp_path / "Jane Doe"
    folder.mkdir()
    for number, image in enumerate(images):
        dataset = dcmread(image)
        dataset.PatientName, dataset.PatientID = "DOE^JANE", f"471{number // 2}"
        dataset.BurnedInAnnotation = "NO"
        # The drawn images bear text themselves.
        rows, columns = dataset.Rows, dataset.Columns
        shade = np.add.outer(np.linspace(0, 900, rows), np.linspace(0, 900, columns))
        if number == 2:
            layer = Image.new("L", (columns, rows))
            font = ImageFont.load_default(20)
            ImageDraw.Draw(layer).text((20, 40), "DOE JANE", fill=255, font=font)
            shade = np.where(np.asarray(layer) > 127, 4095, shade)
        dataset.PixelData = shade.astype("<u2").tobytes()
        dataset.save_as(folder / f"doe-{number}.dcm")
    return folder


def test_a_folder_is_copied_without_its_patients(pulmo: Call, given: Path, tmp_path: Path) -> None:
    output = tmp_path / "away"
    status, out, err = pulmo("data", "deidentify", given, "-o", output)
    assert status == 0
    files = sorted(output.iterdir())
    rows = [line.split() for line in out.splitlines()]
    assert [row[0] for row in rows] == [str(path) for path in files]
    assert sorted(row[1] for row in rows) == ["check", "ok", "ok"]
    assert "its pixels seem to hold a line of text" in out
    assert err.splitlines() == [
        "3 files were written. Look at 1 of them before you give them away.",
        *CAVEATS,
    ]
    patients = [dcmread(path).PatientID for path in files]
    assert len(set(patients)) == 2
    for path in files:
        assert path.stem == dcmread(path).SOPInstanceUID
        assert b"DOE" not in path.read_bytes()
    assert "doe" not in f"{out}{err}".lower()


def test_json(pulmo: Call, given: Path, tmp_path: Path) -> None:
    (given / "notes.txt").write_text("hello")
    status, out, err = pulmo("data", "deidentify", given, "-o", tmp_path / "away", "--json")
    assert status == 4
    result = json.loads(out)
    assert set(result) == {"written", "withheld", "failed", "caveats"}
    assert sorted(row["status"] for row in result["written"]) == ["check", "ok", "ok"]
    assert {row["patient"][0] for row in result["written"]} == {"P"}
    assert result["withheld"] == []
    (failed,) = result["failed"]
    assert failed["file"] == str(given / "notes.txt")
    assert "is not a DICOM file" in failed["reasons"][0]
    assert err.endswith("pulmo: 1 failed and 0 were withheld, named above.\n")


def test_what_is_flagged_can_be_withheld(pulmo: Call, given: Path, tmp_path: Path) -> None:
    output = tmp_path / "away"
    status, out, err = pulmo("data", "deidentify", given, "-o", output, "--withhold-flagged")
    assert status == 4
    assert len(out.splitlines()) == len(list(output.iterdir())) == 2
    assert f"withheld: {given / 'doe-2.dcm'}: its pixels seem to hold a line of text" in err
    assert err.endswith("pulmo: 0 failed and 1 were withheld, named above.\n")


def test_a_key_gives_the_same_names_and_nothing_is_overwritten(
    pulmo: Call, given: Path, tmp_path: Path
) -> None:
    key, output = tmp_path / "key", tmp_path / "away"
    key.write_bytes(b"k" * 32)
    call = ("data", "deidentify", given, "--key", key)
    assert pulmo(*call, "-o", output)[0] == 0
    before = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    assert pulmo(*call, "-o", tmp_path / "again")[0] == 0
    assert {path.name for path in (tmp_path / "again").iterdir()} == set(before)
    status, _, err = pulmo(*call, "-o", output)
    assert status == 3
    assert f"{given / 'doe-0.dcm'} has its copy in {output} already." in err
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir()} == before
    # Without the key no one knows that they are the same; so it is said.
    status, _, err = pulmo("data", "deidentify", given, "-o", output)
    assert (status, f"{output} contains 3 DICOM files already" in err) == (0, True)
    assert len(list(output.iterdir())) == 6


def test_characteristics(pulmo: Call, given: Path, tmp_path: Path) -> None:
    pulmo("data", "deidentify", given, "-o", tmp_path / "less")
    status, _, _ = pulmo(
        "data", "deidentify", given, "-o", tmp_path / "more", "--keep", "characteristics"
    )
    assert status == 0
    assert {dcmread(path).PatientSex for path in (tmp_path / "less").iterdir()} == {""}
    assert {dcmread(path).PatientSex for path in (tmp_path / "more").iterdir()} <= {"F", "M"}
    assert pulmo("data", "deidentify", given, "-o", tmp_path / "x", "--keep", "all")[0] == 2


def test_a_map_is_written_on_demand_only(pulmo: Call, given: Path, tmp_path: Path) -> None:
    trace, output = tmp_path / "map.csv", tmp_path / "away"
    status, _, err = pulmo("data", "deidentify", given, "-o", output, "--map", trace)
    assert status == 0
    assert f"{trace} says which file became which: it identifies the patients." in err
    with trace.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["input"] for row in rows] == [str(path) for path in sorted(given.iterdir())]
    for row in rows:
        assert dcmread(row["output"]).PatientID == row["patient"]
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    status, _, err = pulmo("data", "deidentify", given, "-o", output, "--map", trace)
    assert status == 2
    assert "exists already and is not overwritten" in err


def test_nobody_else_can_read_the_map_while_it_is_written(
    pulmo: Call, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    monkeypatch.setattr(os, "fsync", lambda file: modes.append(os.fstat(file).st_mode))
    words = ("data", "deidentify", given, "-o", tmp_path / "away", "--map", tmp_path / "map.csv")
    assert pulmo(*words)[0] == 0
    *images, table = [stat.S_IMODE(mode) for mode in modes]
    assert table == 0o600
    assert len(images) == 3


@pytest.mark.parametrize("option", ["--map", "--key"])
def test_no_secret_lies_among_the_files(
    pulmo: Call, given: Path, tmp_path: Path, option: str
) -> None:
    secret = tmp_path / "away" / "secret"
    status, _, err = pulmo("data", "deidentify", given, "-o", tmp_path / "away", option, secret)
    assert status == 2
    assert "whoever gets that folder could identify the patients" in err
    assert not (tmp_path / "away").exists()


def test_a_copy_of_a_file_is_named(pulmo: Call, given: Path, tmp_path: Path) -> None:
    shutil.copy(given / "doe-0.dcm", given / "doe-3.dcm")
    status, _, err = pulmo("data", "deidentify", given, "-o", tmp_path / "away")
    assert status == 4
    assert f"{given / 'doe-3.dcm'} has the SOP Instance UID of another of the files." in err


def test_a_file_that_is_named_twice_is_read_once(pulmo: Call, given: Path) -> None:
    output = given / "away"
    assert pulmo("data", "deidentify", given, given / "doe-0.dcm", "-o", output)[0] == 0
    assert len(list(output.iterdir())) == 3
    # Its own output is no input.
    # Without the key no one knows that they are the same; so it is said.
    status, _, err = pulmo("data", "deidentify", given, "-o", output)
    assert (status, f"{output} contains 3 DICOM files already" in err) == (0, True)
    assert len(list(output.iterdir())) == 6


def test_a_link_in_a_folder_is_named_and_not_followed(
    pulmo: Call, given: Path, tmp_path: Path
) -> None:
    (given / "again.dcm").symlink_to("doe-0.dcm")
    status, _, err = pulmo("data", "deidentify", given, "-o", tmp_path / "away")
    assert status == 0
    assert err.startswith(f"{given / 'again.dcm'}: it is a link, and links are not followed\n")
    assert len(list((tmp_path / "away").iterdir())) == 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "does not exist"),
        (lambda path: path.mkdir(), "There is no file in"),
        (lambda path: path.touch(), "Nothing was written: none of the files could be"),
    ],
)
def test_nothing_to_do(
    pulmo: Call, tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(tmp_path / "given")
    status, out, err = pulmo("data", "deidentify", tmp_path / "given", "-o", tmp_path / "away")
    assert (status, out) == (3, "")
    assert words in err


def test_a_directory_is_refused_by_name(pulmo: Call, tmp_path: Path) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    status, _, err = pulmo("data", "deidentify", folder / "DICOMDIR", "-o", tmp_path / "away")
    assert status == 3
    assert "is a DICOMDIR, which names patients and files. Name these files instead" in err
