import hashlib
from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.errors import InputError, UsageError
from pulmo.core.tables import (
    MANIFEST,
    check_manifest,
    check_split_name,
    manifest_sha256,
    read_manifest,
    read_predictions,
    write_manifest,
    write_predictions,
)


def test_a_manifest_survives_parquet(tmp_path: Path, films: pd.DataFrame) -> None:
    write_manifest(films, tmp_path / "m.parquet")
    assert read_manifest(tmp_path / "m.parquet").equals(films)


def test_columns_are_ordered_and_typed(films: pd.DataFrame) -> None:
    shuffled = films[films.columns[::-1]].astype({"age": object})
    assert list(check_manifest(shuffled).columns) == list(MANIFEST.columns)
    assert check_manifest(shuffled).equals(films)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("label", "covd", "label: .*'covd'"),
        ("sha256", "abc", "sha256: .*'abc'"),
        ("split", "training", "split: .*'training'"),
        ("age", 200, "age: .*200"),
        ("sex", "male", "sex: .*'male'"),
        ("width", 0, "width"),
        ("group", None, "group"),
    ],
)
def test_a_bad_value_is_named(
    films: pd.DataFrame, column: str, value: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_manifest(films.assign(**{column: pd.Series([value] * len(films), dtype=object)}))


def test_a_missing_column_and_a_repeated_path_are_named(films: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="group"):
        check_manifest(films.drop(columns="group"))
    with pytest.raises(InputError, match="path"):
        check_manifest(pd.concat([films, films]))


def test_a_column_that_may_be_null_may_be_absent(films: pd.DataFrame) -> None:
    sparse = films.drop(columns=["pixels_sha256", "boxes", "bytes", "fold"])
    checked = check_manifest(sparse)
    assert checked["pixels_sha256"].isna().all()
    assert checked["bytes"].dtype == "Int64"
    assert list(checked.columns) == list(MANIFEST.columns)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text("text")
    with pytest.raises(InputError, match="not a Parquet table"):
        read_manifest(tmp_path / "m.parquet")


def test_predictions_survive_parquet(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a"], "p_covid": [0.25]})
    write_predictions(table, tmp_path / "p.parquet")
    assert read_predictions(tmp_path / "p.parquet").equals(table)


def test_the_hash_ignores_order_and_place_and_sees_the_split(films: pd.DataFrame) -> None:
    moved = films.sample(frac=1, random_state=0).assign(path=films["path"] + "x")
    assert manifest_sha256(moved.reset_index(drop=True)) == manifest_sha256(films)
    other = films.assign(split="test")
    assert manifest_sha256(other) != manifest_sha256(films)


def test_the_hash_is_that_of_the_sorted_lines(films: pd.DataFrame) -> None:
    """So many rows that they are hashed part by part."""
    table = pd.concat([films] * 1100, ignore_index=True)
    table["group"] = [f"{n % 7}\u00e9\U0001f600\uffee{n}" for n in range(len(table))]
    table.loc[5, "fold"] = 3
    names = ["sha256", "label", "group", "source", "view", "modality", "split", "fold"]
    rows = zip(*(table[name] for name in names), strict=True)
    lines = ["\t".join("" if pd.isna(value) else str(value) for value in row) for row in rows]
    expected = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    assert manifest_sha256(table) == expected
    assert manifest_sha256(films[:0]) == hashlib.sha256(b"").hexdigest()


def test_a_split_that_no_manifest_has_is_refused() -> None:
    for split in (None, "train", "val", "test"):
        check_split_name(split)
    with pytest.raises(UsageError, match="no split 'best'; choose train, val, test"):
        check_split_name("best")
