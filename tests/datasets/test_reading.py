import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from pulmo.core.errors import RefusedError
from pulmo.core.files import read_bytes, sha256
from pulmo.datasets import reading
from pulmo.datasets.reading import FileFacts, Known, Outcome, Task, read_file
from pulmo.radiograph import pixels_sha256, read_radiograph


@pytest.fixture
def copy(image: Path, tmp_path: Path) -> Path:
    """An image that the test may change."""
    return Path(shutil.copy(image, tmp_path / "image.png"))


def read(path: Path, known: Known | None = None, *, decode: bool = True) -> Outcome:
    return read_file(Task(str(path), known), decode=decode)


def facts_of(path: Path, *, decode: bool = True) -> FileFacts:
    facts = read(path, decode=decode).facts
    assert facts is not None
    return facts


def write_dicom(path: Path, **tags: str) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
        ComputedRadiographyImageStorage
    )
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset.Rows = dataset.Columns = 32
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 7, 0, 1
    dataset.PhotometricInterpretation, dataset.Modality = "MONOCHROME2", "CR"
    dataset.PixelData = bytes(range(256)) * 4
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)


def test_a_file_is_decoded_and_hashed(copy: Path) -> None:
    image, state = read_radiograph(copy), copy.stat()
    height, width = image.pixels.shape
    digests = sha256(copy.read_bytes()), pixels_sha256(image.pixels)
    assert read(copy) == Outcome(
        FileFacts(
            *digests, width, height, "PNG", 8, state.st_size, state.st_mtime_ns,
            None, None, None, None, None,
        )
    )  # fmt: skip
    undecoded = facts_of(copy, decode=False)
    assert undecoded == facts_of(copy)._replace(pixels_sha256=None, notes="unknown")


def test_what_a_dicom_file_says_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    write_dicom(path, PatientAge="070Y", PatientSex="M", ViewPosition="AP", PatientName="Canary")
    facts = facts_of(path)
    assert (facts.view, facts.modality, facts.age, facts.sex) == ("AP", "X-ray", 70.0, "M")
    undecoded = facts._replace(pixels_sha256=None, notes="unknown")
    assert facts_of(path, decode=False) == undecoded
    # A manifest does not tell what the file said from what a table said.
    merged = facts._replace(view="PA", modality=None, age=1.0, sex=None)
    assert read(path, Known(merged, has_tags=False)) == Outcome(facts, kept=True)


def test_the_kinds_of_the_readers_notes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "colour.png"
    grey = np.random.default_rng(0).integers(0, 200, (32, 32, 1), dtype=np.uint8)
    Image.fromarray(grey + np.array([0, 0, 1], np.uint8)).save(path)
    kinds = [note.kind for note in read_radiograph(path).facts.notes]
    assert "colour" in kinds
    assert facts_of(path).notes == ";".join(kinds)
    # What decoding would note is not known; it is never taken for nothing.
    assert (facts_of(path, decode=False).notes or "").split(";")[-1] == "unknown"


def test_a_file_of_the_same_size_and_time_is_not_read(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(facts_of(copy))
    opened: list[Path] = []

    def count(path: Path) -> bytes:
        opened.append(path)
        return read_bytes(path)

    monkeypatch.setattr(reading, "read_bytes", count)
    assert read(copy, known) == Outcome(known.facts, kept=True)
    assert not opened
    state = copy.stat()
    os.utime(copy, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert read(copy, known) == Outcome(
        known.facts._replace(modified=state.st_mtime_ns + 1), kept=False
    )
    longer = Known(known.facts._replace(modified=state.st_mtime_ns + 1, bytes=1))
    assert not read(copy, longer).kept
    assert len(opened) == 2


def break_image(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def flat(path: Path) -> None:
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(path)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.write_bytes(b""), "it is empty"),
        (lambda path: path.write_text("text"), "it is not a PNG, JPEG, TIFF, "),
        (break_image, "it is a truncated PNG file: its end is missing"),
        (flat, "it is blank: all pixels of the displayed image are equal"),
        (Path.unlink, "it does not exist"),
        (make_folder, "it is a folder. A file was expected"),
        (make_pipe, "it is a device, a pipe or a socket. A "),
        (lambda path: os.truncate(path, 2**30), "it has 1,024 MiB; at most 512 MiB are read"),
    ],
)
def test_what_cannot_be_read_has_a_reason(
    copy: Path, harm: Callable[[Path], object], reason: str
) -> None:
    harm(copy)
    outcome = read(copy)
    assert (outcome.facts, outcome.kept) == (None, False)
    assert outcome.reason.startswith(reason)


def test_a_folder_that_cannot_be_opened_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert read(tmp_path).reason == "it could not be read: Permission denied"


def test_a_file_without_permission_says_so(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: object, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert read(copy).reason == "it could not be read: Permission denied"


def test_a_file_that_changes_or_vanishes_meanwhile(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(path: Path) -> bytes:
        data = read_bytes(path)
        path.write_bytes(data + b"more")
        return data

    def vanish(path: Path) -> bytes:
        data = read_bytes(path)
        path.unlink()
        return data

    monkeypatch.setattr(reading, "read_bytes", grow)
    assert read(copy) == Outcome(None, "it changed while it was read; import it again")
    monkeypatch.setattr(reading, "read_bytes", vanish)
    assert read(copy) == Outcome(None, "it does not exist")


def test_a_reason_that_does_not_begin_with_the_name_is_kept(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpack(_data: bytes, name: str) -> NoReturn:
        raise RefusedError("file-too-large", f"What {name} unpacks to is too large.")

    monkeypatch.setattr(reading, "decode_radiograph", unpack)
    assert read(copy).reason == f"What {copy} unpacks to is too large"


@pytest.mark.parametrize("name", ["images\\a.png", "C:\\images\\a.png"])
def test_a_path_of_windows_that_is_not_there_gets_a_hint(tmp_path: Path, name: str) -> None:
    reason = read(tmp_path / name).reason
    assert reason is not None
    assert reason.startswith("it does not exist; its name has back-slashes")
