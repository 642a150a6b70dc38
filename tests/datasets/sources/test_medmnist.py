import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry

Arrays = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]


def index(root: Path) -> list[Entry]:
    items = list(SOURCES["medmnist"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    assert len(entries) == len(items)
    return entries


def arrays(size: int = 28, columns: int = 1) -> Arrays:
    """Five, three and two images with their labels, as MedMNIST publishes them."""
    random = np.random.default_rng(0)
    drawn: Arrays = {}
    for split, count in (("train", 5), ("val", 3), ("test", 2)):
        drawn[f"{split}_images"] = random.integers(0, 256, (count, size, size), dtype=np.uint8)
        drawn[f"{split}_labels"] = random.integers(0, 2, (count, columns), dtype=np.uint8)
    return drawn


def save(path: Path, drawn: Arrays) -> Path:
    np.savez_compressed(path, allow_pickle=True, **drawn)
    return path


def test_the_published_file_becomes_images_and_entries(tmp_path: Path) -> None:
    drawn = arrays(64)
    file = save(tmp_path / "pneumoniamnist_64.npz", drawn)
    entries = index(file)
    assert entries == index(tmp_path)
    assert [e.path.relative_to(tmp_path).as_posix() for e in entries] == [
        f"pneumoniamnist_64/{split}/{number:06d}.png"
        for split, count in (("train", 5), ("val", 3), ("test", 2))
        for number in range(count)
    ]
    numbers = [int(n) for split in ("train", "val", "test") for n in drawn[f"{split}_labels"][:, 0]]
    assert [e.label for e in entries] == [("normal", "pneumonia")[n] for n in numbers]
    assert [e.finding for e in entries] == [e.label for e in entries]
    assert [e.split for e in entries] == ["train"] * 5 + ["val"] * 3 + ["test"] * 2
    assert {(e.origin, e.view, e.modality) for e in entries} == {("kermany", "AP", "X-ray")}
    images = [np.asarray(Image.open(entry.path)) for entry in entries]
    expected = [p for split in ("train", "val", "test") for p in drawn[f"{split}_images"]]
    assert all(np.array_equal(*pair) for pair in zip(images, expected, strict=True))


def test_many_labels_an_image(tmp_path: Path) -> None:
    drawn = arrays(columns=14)
    for values in (drawn[f"{split}_labels"] for split in ("train", "val", "test")):
        values[:] = 0
    drawn["train_labels"][0, [1, 6]] = 1
    drawn["train_labels"][1, [0, 13]] = 1
    # Labels of a wider type are numbers, too.
    drawn["val_labels"] = drawn["val_labels"].astype(np.int64)
    entries = index(save(tmp_path / "chestmnist.npz", drawn))
    assert [(e.label, e.finding) for e in entries[:3]] == [
        ("pneumonia", "cardiomegaly|pneumonia"),
        ("other", "atelectasis|hernia"),
        ("normal", "no finding"),
    ]
    assert {e.label for e in entries[2:]} == {"normal"}
    assert {(e.origin, e.view) for e in entries} == {("nih", None)}


def test_images_that_are_there_are_kept_and_wrong_ones_are_written_anew(tmp_path: Path) -> None:
    drawn = arrays()
    file = save(tmp_path / "pneumoniamnist.npz", drawn)
    entries = index(file)
    for entry in entries:
        os.utime(entry.path, ns=(1, 1))
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(entries[1].path)
    entries[2].path.write_bytes(b"\x89PNG\r\n\x1a\n")
    entries[3].path.write_bytes(entries[3].path.read_bytes()[:-30])
    Image.open(entries[4].path).convert("RGB").save(entries[4].path)
    index(file)
    written = [entry.path.stat().st_mtime_ns > 1 for entry in entries]
    assert written == [False] + [True] * 4 + [False] * 5
    for number in range(5):
        with Image.open(entries[number].path) as image:
            assert np.array_equal(np.asarray(image), drawn["train_images"][number])


def test_the_file_imports(tmp_path: Path) -> None:
    file = save(tmp_path / "pneumoniamnist_64.npz", arrays(64))
    imported = import_source("medmnist", file)
    assert len(imported.manifest) == 10
    assert set(imported.manifest.frame["format"]) == {"PNG"}
    assert imported.manifest.frame["split"].value_counts().to_dict() == {
        "train": 5,
        "val": 3,
        "test": 2,
    }


@pytest.mark.parametrize(
    ("name", "change", "refused"),
    [
        ("pathmnist", {}, ("medmnist-name-unknown", "pneumoniamnist_224")),
        ("pneumoniamnist_32", {}, ("medmnist-name-unknown",)),
        ("pneumoniamnist", {"extra": np.zeros(1)}, ("medmnist-arrays-unexpected", "extra")),
        ("pneumoniamnist_64", {}, ("medmnist-invalid", "uint8 (5, 28, 28)")),
        ("chestmnist", {}, ("medmnist-invalid", "train_labels is uint8 (5, 1), not uint8 (n, 14)")),
        (
            "pneumoniamnist",
            {"train_images": np.zeros((5, 28, 28), np.float32)},
            ("medmnist-invalid", "train_images is float32 (5, 28, 28)"),
        ),
        (
            "pneumoniamnist",
            {"train_images": np.asfortranarray(np.zeros((5, 28, 28), np.uint8))},
            ("medmnist-invalid", "train_images is uint8"),
        ),
        (
            "pneumoniamnist",
            {"train_labels": np.array([{}], object)},
            ("medmnist-invalid", "train_labels is object (1,)"),
        ),
        (
            "pneumoniamnist",
            {"train_labels": np.zeros((4, 1), np.uint8)},
            ("medmnist-invalid", "train has 5 images and 4 rows of labels"),
        ),
        (
            "pneumoniamnist",
            {"train_labels": np.full((5, 1), 2, np.uint8)},
            ("medmnist-invalid", "a row of labels is [2], not 0 and 1"),
        ),
        (
            "chestmnist",
            {f"{split}_labels": np.full((n, 14), 9, np.uint8)
             for split, n in (("train", 5), ("val", 3), ("test", 2))},
            ("medmnist-invalid", "a row of labels is [9, 9"),
        ),
    ],
)  # fmt: skip
def test_other_arrays_are_refused_by_name(
    tmp_path: Path, name: str, change: Arrays, refused: tuple[str, ...]
) -> None:
    file = save(tmp_path / f"{name}.npz", arrays() | change)
    with refuses(*refused):
        index(file)


def test_a_file_that_is_damaged_is_a_sentence(tmp_path: Path) -> None:
    file = save(tmp_path / "pneumoniamnist.npz", arrays())
    whole = file.read_bytes()
    for damaged in (b"", b"PK", whole[:-100], whole[:400] + b"\0" * 200 + whole[600:]):
        file.write_bytes(damaged)
        with refuses("medmnist-invalid"):
            index(file)


def test_an_array_that_ends_early_or_is_of_another_version(tmp_path: Path) -> None:
    file = save(tmp_path / "pneumoniamnist.npz", arrays())
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for change, reason in (
        (members["train_images.npy"][:-1], "an array ends early"),
        (b"\x93NUMPY\x02" + members["train_images.npy"][7:], "version (2, 0)"),
        (b"text", "magic"),
    ):
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in (members | {"train_images.npy": change}).items():
                archive.writestr(name, data)
        with refuses("medmnist-invalid", reason):
            index(file)


def test_the_folder_must_hold_one_file(tmp_path: Path) -> None:
    with refuses("source-file-ambiguous", "none"):
        index(tmp_path)
    save(tmp_path / "pneumoniamnist.npz", arrays())
    save(tmp_path / "chestmnist.npz", arrays())
    with refuses("source-file-ambiguous", "chestmnist.npz, pneumoniamnist.npz"):
        index(tmp_path)
    with refuses("file-missing"):
        index(tmp_path / "pneumoniamnist_64.npz")
    with refuses("label-map-not-taken", "medmnist"):
        list(SOURCES["medmnist"].entries(tmp_path, {"1": "viral"}))


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    file = save(tmp_path / "pneumoniamnist.npz", arrays())
    (tmp_path / "pneumoniamnist").write_text("a file")
    with refuses("source-not-unpacked", "could not be written"):
        index(file)
