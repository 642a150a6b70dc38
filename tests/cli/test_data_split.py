from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pulmo.datasets.manifest import Manifest, read_manifest

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sources(images: pd.DataFrame, tmp_path: Path) -> Path:
    """The images as of two sources, one of which publishes a split."""
    # By group, of which none spans both.
    north = images["group"].astype("category").cat.codes % 3 == 0
    images["source"] = north.map({True: "north", False: "south"}).astype("string")
    images["split"] = images["split"].where(north, None)
    path = tmp_path / "sources.parquet"
    Manifest(images).save(path)
    return path


def test_every_side_is_counted(pulmo: Call, manifest: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.parquet"
    status, out, err = pulmo("data", "split", manifest, "-o", output, "--val", "0.25")
    assert (status, err) == (0, "")
    table = read_manifest(output)
    sides = table.frame["split"].value_counts()
    *lines, last = out.splitlines()
    for line, side in zip(lines, ("train", "val", "test"), strict=True):
        assert line.startswith(f"{side}: {sides[side]} images in ")
    assert last == f"manifest_sha256: {table.sha256}"


def test_the_kept_test_tells_what_is_left_out(
    pulmo: Call, images: pd.DataFrame, tmp_path: Path
) -> None:
    largest = images["group"].value_counts()
    images["split"] = None
    images.loc[images.index[images["group"] == largest.index[0]][0], "split"] = "test"
    path = tmp_path / "m.parquet"
    Manifest(images).save(path)
    status, out, _ = pulmo("data", "split", path, "-o", path, "--keep-test")
    assert status == 0
    left = largest.iloc[0] - 1
    assert out.splitlines()[2].startswith("test: 1 images")
    assert (
        f"left out: {left} (in a group with images that are kept on another side)"
        in out.splitlines()
    )
    assert "warning: test has no image of " in out


def test_a_published_split_is_kept_and_the_other_source_drawn(
    pulmo: Call, sources: Path, tmp_path: Path
) -> None:
    output = tmp_path / "s.parquet"
    status, _, err = pulmo("data", "split", sources, "-o", output, "--keep-official", "--test", "0")
    assert (status, err) == (0, "")
    before, after = read_manifest(sources), read_manifest(output)
    north = before.frame["source"] == "north"
    assert after.frame["split"][north].equals(before.frame["split"][north])
    assert set(after.frame["split"][~north]) == {"train", "val"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["--keep-test", "--test=0.3"],
            "test fraction 0.3 would have no effect: every source keeps the test",
        ),
        (
            ["--keep-official", "--val=0.3"],
            "val fraction 0.3 would have no effect: every source keeps the split",
        ),
        (["--keep-official", "--test=0.3"], "test fraction 0.3 would have no effect"),
        (["--keep-test", "--test=0", "--val=0.3"], ""),
        (["--keep-official", "--val=0"], ""),
    ],
)
def test_a_share_of_what_is_only_kept_is_refused(
    pulmo: Call, manifest: Path, tmp_path: Path, words: list[str], reason: str
) -> None:
    output = tmp_path / "s.parquet"
    status, _, err = pulmo("data", "split", manifest, "-o", output, *words)
    assert status == (2 if reason else 0)
    assert reason in err
    assert output.exists() == (not reason)


def test_folds_are_counted_one_by_one(pulmo: Call, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.parquet"
    words = ["-o", output, "--test", "0", "--seed", "2"]
    status, out, _ = pulmo("data", "split", sources, *words, "--folds", "3", "--fold", "1")
    assert status == 0
    table = read_manifest(output)
    lines = out.splitlines()
    assert lines[0] == "test: none"
    for fold, side in enumerate(("train", "val", "train")):
        n = (table.frame["fold"] == fold).sum()
        assert lines[fold + 1].startswith(f"fold {fold} ({side}): {n} images in ")
    status, out, _ = pulmo("data", "split", sources, *words, "--folds-by-source")
    assert status == 0
    assert [line.split(":")[0] for line in out.splitlines()[:3]] == [
        "test", "fold 0 (north, val)", "fold 1 (south, train)",
    ]  # fmt: skip


def test_a_source_is_left_out(pulmo: Call, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.parquet"
    table = read_manifest(sources).frame
    Manifest(table[(table["source"] == "north") | (table["label"] != "covid")]).save(sources)
    status, out, _ = pulmo("data", "split", sources, "-o", output, "--leave-out", "north")
    assert status == 0
    assert set(read_manifest(output).frame.query("split == 'test'")["source"]) == {"north"}
    assert "warning: train has no image of covid\n" in out
    assert "warning: val has no image of covid\n" in out


def test_a_source_of_no_stated_hospital_may_be_the_others_own(
    pulmo: Call, sources: Path, tmp_path: Path
) -> None:
    output, table = tmp_path / "s.parquet", read_manifest(sources).frame
    table.loc[table["source"] == "north", "origin"] = None
    Manifest(table).save(sources)
    n = (table["source"] == "north").sum()
    for words in (["--leave-out", "south"], ["--folds-by-source", "--test", "0"]):
        status, out, _ = pulmo("data", "split", sources, "-o", output, *words)
        assert status == 0
        assert f"warning: It is not stated which hospital {n} of these images are from" in out
    status, out, _ = pulmo("data", "split", sources, "-o", output)
    assert "not stated" not in out


def test_a_test_that_may_hold_what_is_trained_on_is_a_warning(
    pulmo: Call, sources: Path, tmp_path: Path
) -> None:
    output = tmp_path / "s.parquet"
    table = read_manifest(sources).frame
    table["origin"] = table["source"].map({"north": "south", "south": None})
    Manifest(table).save(sources)
    status, out, _ = pulmo("data", "split", sources, "-o", output, "--leave-out", "north")
    assert status == 0
    n = (table["source"] == "north").sum()
    assert f"\nwarning: north has {n} of its images from south, but no group holds ima" in out


def test_matched_subsets_are_printed_as_a_table(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    output = tmp_path / "s.parquet"
    words = ["--match", "view", "--match", "sex", "--label", "covid", "--label", "normal"]
    status, out, _ = pulmo("data", "split", manifest, "-o", output, *words)
    assert status == 0
    table = read_manifest(output)
    kept = table.frame[table.frame["split"].notna()]
    each = len(kept) // 2
    first, heads, *lines = out.splitlines()
    strata = kept[["view", "sex"]].drop_duplicates()
    assert first == f"matched: {each} of each label, in {len(strata)} strata"
    assert heads.split() == ["view", "sex", "kept", "of", "each", "covid", "normal"]
    view, sex, number, *there = lines[0].split()
    here = table.frame[(table.frame["view"] == view) & (table.frame["sex"] == sex)][
        "label"
    ].value_counts()
    assert [int(n) for n in there] == [here["covid"], here["normal"]]
    assert int(number) == min(here["covid"], here["normal"])
    others = (~table.frame["label"].isin(["covid", "normal"])).sum()
    assert f"left out: {others} (its label is not among those that are matched)" in out


def test_matching_by_age_has_its_band(pulmo: Call, manifest: Path, tmp_path: Path) -> None:
    words = ["-o", tmp_path / "s.parquet", "--match", "age", "--age-band", "130"]
    status, out, _ = pulmo("data", "split", manifest, *words)
    assert status == 0
    assert out.splitlines()[2].split()[0] == "0-129"
    status, out, err = pulmo("data", "split", manifest, *words[:-2], "--age-band", "1")
    assert (status, out) == (5, "")
    assert "no stratum of age contains all of bacterial, covid, normal and viral" in err


class TestSavedSplit:
    """A split as a file."""

    @pytest.fixture
    def saved(self, pulmo: Call, sources: Path, tmp_path: Path) -> Path:
        path = tmp_path / "split.csv"
        words = ["--folds", "3", "--save", path, "--keep-official"]
        status, out, _ = pulmo("data", "split", sources, "-o", tmp_path / "first.parquet", *words)
        assert status == 0
        assert out.endswith(f"{path}: the split alone\n")
        return path

    def test_it_is_applied_to_the_same_images(
        self, pulmo: Call, sources: Path, saved: Path, tmp_path: Path
    ) -> None:
        again = tmp_path / "again.parquet"
        status, out, err = pulmo("data", "split", sources, "-o", again, "--from", saved)
        assert (status, err) == (0, "")
        first = read_manifest(tmp_path / "first.parquet")
        assert read_manifest(again) == first
        *_, digest, last = out.splitlines()
        assert digest == f"manifest_sha256: {first.sha256}"
        assert last == f"the images, their labels and groups are those that {saved} was made of"
        assert "absent" not in out
        status, out, _ = pulmo(
            "data", "split", sources, "-o", again, "--from", saved, "--fold", "2"
        )
        assert status == 0
        assert "fold 2 (val): " in out
        assert read_manifest(again).frame["fold"].equals(first.frame["fold"])

    def test_what_differs_is_counted(
        self, pulmo: Call, images: pd.DataFrame, sources: Path, saved: Path, tmp_path: Path
    ) -> None:
        table = read_manifest(sources)
        kept = table.frame[table.frame["group"] != table.frame["group"][0]].reset_index(drop=True)
        gone = len(table) - len(kept)
        kept.loc[kept.index[:1], "sha256"] = "f" * 64
        path = tmp_path / "other.parquet"
        Manifest(kept).save(path)
        status, out, _ = pulmo("data", "split", path, "-o", path, "--from", saved)
        assert status == 0
        lines = out.splitlines()
        first = read_manifest(tmp_path / "first.parquet").frame
        left_out = first[first["group"] != table.frame["group"][0]]["split"][1:].isna().sum()
        assert "left out: 1 (the split does not know it)" in lines
        assert f"left out: {left_out} (the split leaves it out)" in lines or not left_out
        assert f"absent: {gone + 1} of the {len(images)} images of {saved}" in lines
        assert lines[-1].startswith(f"warning: {saved} was made of another manifest")

    def test_an_edited_one_is_refused(
        self, pulmo: Call, sources: Path, saved: Path, tmp_path: Path
    ) -> None:
        saved.write_text(saved.read_text().replace(",train,", ",test,", 1))
        output = tmp_path / "again.parquet"
        status, out, err = pulmo("data", "split", sources, "-o", output, "--from", saved)
        assert (status, out) == (5, "")
        assert f"{saved} is damaged or was edited" in err
        assert not output.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--val=0.6", "--test=0.4"], "must be fractions that leave some images for training"),
        (["--val=-0.1"], "must be fractions that leave some images for training"),
        (["--val=nan"], "must be fractions that leave some images for training"),
        (["--from", "s.csv", "--seed", "1"], "Of the other options only --fold fits it"),
        (["--from", "s.csv", "--keep-test"], "Of the other options only --fold fits it"),
        (
            ["--keep-test", "--keep-official"],
            "The whole published split contains the test",
        ),
        (["--folds", "3", "--val", "0.2"], "one fold is the validation"),
        (["--folds-by-source", "--val", "0"], "one fold is the validation"),
        (["--leave-out", "a", "--test", "0"], "it is the test"),
        (["--fold", "1"], "no folds are made"),
        (["--age-band", "5"], "An age band is only for matching by age"),
        (["--label", "covid"], "Labels to match are named"),
        (["--match", "height"], "cannot be matched by 'height'; choose among view, age"),
        (["--folds", "3", "--folds-by-source"], "Folds are either drawn or made one per source"),
    ],
)
def test_options_that_do_not_go_together(
    pulmo: Call, manifest: Path, tmp_path: Path, words: list[str], reason: str
) -> None:
    output = tmp_path / "s.parquet"
    status, out, err = pulmo("data", "split", manifest, "-o", output, *words)
    assert (status, out) == (2, "")
    assert reason in err
    assert not output.exists()


def test_a_split_is_not_saved_over_a_manifest(pulmo: Call, manifest: Path, tmp_path: Path) -> None:
    before = manifest.read_bytes()
    words = ["-o", tmp_path / "s.parquet", "--save"]
    status, out, err = pulmo("data", "split", manifest, *words, manifest)
    assert (status, out) == (3, "")
    assert f"{manifest} exists and is a file of another kind" in err
    assert manifest.read_bytes() == before
    status, _, err = pulmo("data", "split", manifest, *words, tmp_path / "t" / ".." / "s.parquet")
    assert (status, "cannot both be written to" in err) == (2, True)
    assert not (tmp_path / "s.parquet").exists()
    for _ in range(2):
        assert pulmo("data", "split", manifest, *words, tmp_path / "s.csv")[0] == 0


def test_a_table_that_is_no_manifest(pulmo: Call, phantoms: Path, tmp_path: Path) -> None:
    status, _, err = pulmo("data", "split", phantoms, "-o", tmp_path / "s.parquet")
    assert status == 3
    assert f"{phantoms} is not a Parquet table" in err


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    words = ["-o", tmp_path / "s.parquet", "--save", tmp_path]
    status, out, err = pulmo("data", "split", manifest, *words)
    assert (status, out) == (3, "")
    assert f"{tmp_path} is a folder; a file was expected" in err
    assert not (tmp_path / "s.parquet").exists()


def test_a_folder_is_refused_before_a_place_is_chosen(pulmo: Call, tmp_path: Path) -> None:
    status, out, err = pulmo("data", "split", tmp_path)
    assert (status, out) == (3, "")
    assert "a manifest was expected" in err
    assert "No -o" not in err
