import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pydicom import dcmread

from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.source import SOURCES

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(image: Path, tmp_path: Path) -> Path:
    """Two classes of four images each."""
    for number, path in enumerate(sorted(image.parent.iterdir())[:8]):
        place = tmp_path / "set" / ("covid" if number % 2 else "normal") / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return tmp_path / "set"


def test_sources_are_listed_with_their_terms(pulmo: Call) -> None:
    status, out, err = pulmo("data", "sources")
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if line[0] != " "] == list(SOURCES)
    assert "\n  licence: CC BY 4.0; size: 5856 images, 1.2 GB\n" in out
    assert max(map(len, out.splitlines())) <= 96


class TestImport:
    """Import."""

    def test_a_folder_of_classes(self, pulmo: Call, folder: Path, tmp_path: Path) -> None:
        output = tmp_path / "new" / "m.parquet"
        status, out, err = pulmo(
            "data", "import", "folder", folder, "-o", output, "--name", "own", "--source", "north"
        )
        assert (status, err) == (0, "")
        assert out == f"{output}: 8 images in 8 groups (4 covid, 4 normal)\n"
        assert set(read_manifest(output).frame["source"]) == {"own"}

    def test_one_class_alone_is_imported(self, pulmo: Call, folder: Path, tmp_path: Path) -> None:
        shutil.rmtree(folder / "normal")
        status, out, _ = pulmo("data", "import", "folder", folder, "-o", tmp_path / "m.parquet")
        assert status == 0
        assert "(4 covid)" in out

    def test_what_fails_is_named_and_the_rest_is_done(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "viral").mkdir()
        (folder / "normal" / "text.png").write_text("hello")
        (folder / "normal" / "empty.png").touch()
        nameless = folder / "covid" / os.fsdecode(b"\xff.png")
        shutil.copy(min((folder / "covid").iterdir()), nameless)
        output = tmp_path / "m.parquet"
        status, out, err = pulmo("data", "import", "folder", folder, "-o", output)
        assert status == 4
        assert out == f"{output}: 8 images in 8 groups (4 covid, 4 normal)\n"
        assert err.splitlines()[-1] == "pulmo: 4 failed; the rest is in the manifest."
        for reason in (
            f"{folder / 'viral'}: the folder holds no file",
            f"{folder / 'normal' / 'empty.png'}: it is empty",
            f"{folder / 'normal' / 'text.png'}: it is not a PNG, JPEG, TIFF, ",
            f"{folder}/covid/\\udcff.png: its name is not UTF-8, as a manifest needs; rename it",
        ):
            assert f"\n{reason}" in f"\n{err}"

    def test_what_is_left_out_by_rule_is_counted(
        self, pulmo: Call, image: Path, tmp_path: Path
    ) -> None:
        for name in ("a.png", "d.png", "e.png"):
            (tmp_path / "images").mkdir(exist_ok=True)
            shutil.copy(image, tmp_path / "images" / name)
        (tmp_path / "metadata.csv").write_text(
            "patientid,finding,view,modality,filename,folder,age,sex\n"
            "4,COVID-19,PA,X-ray,a.png,images,,\n"
            "5,todo,PA,X-ray,d.png,images,,\n"
            "6,todo,PA,X-ray,e.png,images,,\n"
        )
        status, out, err = pulmo("data", "import", "cohen", tmp_path, "-o", tmp_path / "m.parquet")
        assert status == 0
        assert err.splitlines() == [
            "left out: 2 (its finding is not stated)",
            f"{tmp_path / 'm.problems.csv'} names all 2.",
        ]
        assert "(1 covid)" in out

    def test_bad_rows_of_a_table_are_named_by_line(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        first, second = sorted((folder / "covid").iterdir())[:2]
        table = folder / "t.csv"
        table.write_text(
            "path,label,sex,age\n"
            f"covid/{first.name},covid,male,\n"
            f"covid/{second.name},covid,M,200\n"
            f"covid/{first.name},covid,F,40\n"
            f"covid/{first.name},covid,F,40\n"
        )
        status, out, err = pulmo(
            "data", "import", "csv", table, "-o", tmp_path / "m.parquet", "--source", "north"
        )
        assert status == 4
        assert "1 images" in out
        assert [line.split(":")[0] for line in err.splitlines()[:3]] == [
            f"{table}, line {line}" for line in (2, 3, 5)
        ]

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["fodler"], "Did you mean 'folder'"),
            (["folder", "--map", "covid=covdi"], "Did you mean 'covid'"),
            (["folder", "--map", "covit=covid"], "no such class; it has covid, normal"),
            (["folder", "--map", "covid"], "--map 'covid' is not NAME=LABEL"),
            (
                ["folder", "--map", "a=covid", "--map", "a=other"],
                "gives 'a' two values, covid and other",
            ),
            (["folder", "--name", " "], "The name of the data set is blank"),
        ],
    )
    def test_a_typo_is_a_usage_error(
        self, pulmo: Call, folder: Path, tmp_path: Path, words: list[str], reason: str
    ) -> None:
        source, *options = words
        status, out, err = pulmo(
            "data", "import", source, folder, *options, "-o", tmp_path / "m.parquet"
        )
        assert (status, out) == (2, "")
        assert reason in err

    def test_a_place_that_cannot_be_written_is_refused_before_any_work(
        self, pulmo: Call, tmp_path: Path, image: Path
    ) -> None:
        for output, reason in (
            (tmp_path, "is a folder; a file was expected"),
            (image / "m.parquet", "is a file; a folder was expected"),
        ):
            status, out, err = pulmo("data", "import", "folder", tmp_path / "none", "-o", output)
            assert (status, out) == (3, "")
            assert reason in err


def test_merged_manifests_are_counted(pulmo: Call, images: pd.DataFrame, tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    Manifest(images[:30]).save(first)
    Manifest(images[30:]).save(second)
    status, out, _ = pulmo("data", "merge", first, second, "-o", tmp_path / "m.parquet")
    assert status == 0
    assert f"m.parquet: {len(images)} images in {images['group'].nunique()} groups" in out
    status, _, err = pulmo("data", "merge", first, first, "-o", tmp_path / "n.parquet")
    assert status == 3
    assert "is in more than one of the manifests (30 such images)" in err


def test_phantoms_are_drawn_into_a_new_folder_only(pulmo: Call, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    assert pulmo("data", "phantom", "-o", folder, "--count", "2") == (
        0, f"{folder / 'phantoms.csv'}: 2 images\n", "",
    )  # fmt: skip
    status, _, err = pulmo("data", "phantom", "-o", folder, "--count", "2")
    assert status == 2
    assert "exists and is not an empty folder" in err


class TestSource:
    """What is known of the hospital of one's own images."""

    @pytest.fixture
    def folder(self, tmp_path: Path, phantoms: Path) -> Path:
        """Two classes of four images."""
        images = sorted((phantoms.parent / "images").glob("*.png"))
        for place, image in enumerate(images[:8]):
            target = tmp_path / "set" / ("Covid-19" if place % 2 else "normal")
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, target)
        return tmp_path / "set"

    def test_it_is_not_stated_unless_the_user_does(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        output = tmp_path / "m.parquet"
        words = ("data", "import", "folder", folder, "-o", output, "--map", "Covid-19=covid")
        status, _, err = pulmo(*words)
        assert status == 0
        assert "not stated which hospital 8 of the images" in err
        assert "--source NAME" in err
        table = read_manifest(output)
        assert table.frame["origin"].isna().all()
        assert set(table.frame["root"]) == {str(folder.resolve())}
        assert table.frame["source"].str.fullmatch("folder-[0-9a-f]{8}").all()
        status, _, err = pulmo(*words, "--source", "Covid-19=north")
        assert "not stated which hospital 4 of the images" in err
        status, _, err = pulmo(*words, "--source", "south", "--source", "covid=north")
        assert (status, "not stated" in err) == (0, False)
        table = read_manifest(output)
        assert (
            table.frame["origin"].tolist()
            == (table.frame["label"] == "covid").map({True: "north", False: "south"}).tolist()
        )

    def test_a_row_of_the_table_states_its_own(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        first, second = sorted((folder / "normal").iterdir())[:2]
        table = folder / "images.csv"
        table.write_text(
            f"path,label,source\nnormal/{first.name},normal,east\nnormal/{second.name},normal,\n"
        )
        output = tmp_path / "m.parquet"
        assert pulmo("data", "import", "csv", table, "-o", output, "--source", "west")[0] == 0
        assert read_manifest(output).frame["origin"].tolist() == ["east", "west"]

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["folder", "--source", "viral=north"], "source is given for the images of 'viral'"),
            (["folder", "--source", "=north"], "is not [CLASS=]NAME"),
            (["folder", "--source", "covid="], "is not [CLASS=]NAME"),
            (["folder", "--source", "a", "--source", "b"], "gives all images two values, a and b"),
            (["cohen", "--source", "north"], "for the sources csv and folder; cohen knows it"),
        ],
    )
    def test_a_statement_that_fits_nothing_is_refused(
        self, pulmo: Call, folder: Path, tmp_path: Path, words: list[str], reason: str
    ) -> None:
        name, *rest = words
        more = ("-o", tmp_path / "m.parquet", "--map", "Covid-19=covid")
        status, _, err = pulmo("data", "import", name, folder, *more, *rest)
        assert status == 2
        assert reason in err


def test_patients_of_dicom_files_are_known_by_a_key_alone(
    pulmo: Call, tmp_path: Path, phantoms: Path
) -> None:
    folder, key, output = tmp_path / "set", tmp_path / "key", tmp_path / "m.parquet"
    (folder / "normal").mkdir(parents=True)
    images = sorted((phantoms.parent / "images").glob("*.dcm"))[:4]
    for number, image in enumerate(images):
        dataset = dcmread(image)
        dataset.PatientID = f"canary-{number // 2}"
        dataset.save_as(folder / "normal" / image.name)
    key.write_bytes(bytes(32))
    words = ("data", "import", "folder", folder, "-o", output, "--patients-from-dicom", key)
    status, out, err = pulmo(*words)
    assert status == 0
    assert f"{len(images)} DICOM files state their patient. 2 patients are known." in err
    assert out.startswith(f"{output}: 4 images in 2 groups")
    assert "canary" not in out + err
    assert b"canary" not in output.read_bytes()
    key.write_bytes(b"short")
    assert pulmo(*words)[0] == 3
