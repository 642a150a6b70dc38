import hashlib
from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.labels import LabelScheme
from pulmo.datasets import schema
from pulmo.datasets.manifest import Manifest, patient_names, read_manifest
from pulmo.datasets.schema import COLUMNS, SCHEMA, check_split_name


def test_a_manifest_survives_parquet(tmp_path: Path, images: pd.DataFrame) -> None:
    Manifest(images).save(tmp_path / "m.parquet")
    read = read_manifest(tmp_path / "m.parquet")
    assert read == Manifest(images)
    assert read.frame.equals(images)


def test_columns_are_ordered_and_typed(images: pd.DataFrame) -> None:
    shuffled = images[images.columns[::-1]].astype({"age": object})
    assert list(Manifest(shuffled).frame.columns) == list(SCHEMA.columns)
    assert Manifest(shuffled).frame.equals(images)


@pytest.mark.parametrize(
    ("column", "value", "refused"),
    [
        ("label", "covd", ("manifest-invalid", "label", "'covd'")),
        ("sha256", "abc", ("manifest-invalid", "sha256", "'abc'")),
        ("split", "training", ("manifest-invalid", "split", "'training'")),
        ("age", 200, ("manifest-invalid", "age", "200")),
        ("sex", "male", ("manifest-invalid", "sex", "'male'")),
        ("width", 0, ("manifest-invalid", "width")),
        ("width", float("inf"), ("manifest-invalid", "width")),
        ("width", "wide", ("manifest-invalid", "width", "'wide'")),
        ("bits", 33, ("manifest-invalid", "bits", "33")),
        ("bytes", 0, ("manifest-invalid", "bytes")),
        ("fold", -1, ("manifest-invalid", "fold")),
        ("notes", "Cropped", ("manifest-invalid", "notes", "'Cropped'")),
        ("pixels_sha256", "abc", ("manifest-invalid", "pixels_sha256", "'abc'")),
        ("group", None, ("manifest-invalid", "group")),
    ],
)
def test_a_bad_value_is_named(
    images: pd.DataFrame, column: str, value: object, refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        Manifest(images.assign(**{column: pd.Series([value] * len(images), dtype=object)}))


def test_a_missing_column_and_a_repeated_path_are_named(images: pd.DataFrame) -> None:
    with refuses("manifest-invalid", "group"):
        Manifest(images.drop(columns="group"))
    with refuses("manifest-invalid", "path"):
        Manifest(pd.concat([images, images]))


def test_a_column_that_may_be_null_may_be_absent(images: pd.DataFrame) -> None:
    sparse = images.drop(columns=["pixels_sha256", "boxes", "bytes", "fold"])
    checked = Manifest(sparse)
    assert checked.frame["pixels_sha256"].isna().all()
    assert checked.frame["bytes"].dtype == "Int64"
    assert list(checked.frame.columns) == list(SCHEMA.columns)


def test_a_table_without_a_fault_is_what_pandera_makes_of_it(images: pd.DataFrame) -> None:
    tables = (
        images,
        images.astype(object)[images.columns[::-1]],
        images.drop(columns=["pixels_sha256", "age", "fold"]).set_axis(range(64, 0, -1)),
        images.assign(width=images["width"].astype(float), age=pd.Series(["40"]), patient=7),
        images[:0],
    )
    for table in tables:
        quick, slow = schema._passed(table), SCHEMA.validate(table, lazy=True)[list(COLUMNS)]
        assert quick is not None
        pd.testing.assert_frame_equal(quick, slow.reset_index(drop=True))


def test_the_hash_ignores_order_and_place_and_sees_the_split(images: pd.DataFrame) -> None:
    moved = images.sample(frac=1, random_state=0).assign(path=images["path"] + "x")
    assert Manifest(moved.reset_index(drop=True)).sha256 == Manifest(images).sha256
    other = images.assign(split="test")
    assert Manifest(other).sha256 != Manifest(images).sha256


def test_the_hash_is_that_of_the_sorted_lines(images: pd.DataFrame) -> None:
    """So many rows that they are hashed part by part."""
    table = pd.concat([images] * 1100, ignore_index=True)
    table["path"] = [f"/{n}" for n in range(len(table))]
    table["group"] = [f"{n % 7}\u00e9\U0001f600\uffee{n}" for n in range(len(table))]
    table.loc[5, "fold"] = 3
    names = ["sha256", "label", "group", "source", "view", "modality", "split", "fold"]
    rows = zip(*(table[name] for name in names), strict=True)
    lines = ["\t".join("" if pd.isna(value) else str(value) for value in row) for row in rows]
    expected = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    assert Manifest(table).sha256 == expected
    assert Manifest(images[:0]).sha256 == hashlib.sha256(b"").hexdigest()


def test_a_split_that_no_manifest_has_is_refused() -> None:
    for split in (None, "train", "val", "test"):
        check_split_name(split)
    with refuses("split-unknown", "'best'", "train, val, test"):
        check_split_name("best")


class TestManifest:
    def test_nobody_can_change_it(self, images: pd.DataFrame) -> None:
        manifest, digest = Manifest(images), Manifest(images).sha256
        view = manifest.frame
        view.loc[:, "label"] = "covid"
        view["extra"] = 1
        images.loc[:, "label"] = "covid"
        assert manifest.sha256 == digest
        assert set(manifest.frame["label"]) > {"covid"}
        assert list(manifest.frame.columns) == list(SCHEMA.columns)

    def test_it_is_equal_by_content(self, images: pd.DataFrame) -> None:
        manifest = Manifest(images)
        assert manifest == Manifest(images.copy())
        assert hash(manifest) == hash(Manifest(images.copy()))
        assert manifest != Manifest(images.assign(path=images["path"] + "x"))
        assert manifest.__eq__(images) is False

    def test_a_split_is_a_manifest(self, images: pd.DataFrame) -> None:
        manifest = Manifest(images)
        assert manifest.split("test") == Manifest(images[images["split"] == "test"])
        fitted = images[images["split"].isin(["train", "val"])]
        assert manifest.split("train", "val").frame.equals(fitted.reset_index(drop=True))
        with refuses("split-unknown", "'tests'"):
            manifest.split("tests")

    def test_rows_are_selected_and_null_is_no(self, images: pd.DataFrame) -> None:
        manifest = Manifest(images)
        mask = pd.Series([True, None, False] + [None] * (len(images) - 3), dtype="boolean")
        assert list(manifest.select(mask).frame["path"]) == [images["path"][0]]
        assert list(manifest.select([4, 2]).frame["path"]) == list(images["path"][[4, 2]])
        assert len(manifest.select([])) == 0

    def test_a_value_or_several_are_filtered(self, images: pd.DataFrame) -> None:
        images["view"] = ["PA", "AP", "lateral", None] * (len(images) // 4)
        images["fold"] = [0, 1] * (len(images) // 2)
        manifest = Manifest(images)
        assert set(manifest.filter(view="PA").frame["view"]) == {"PA"}
        both = manifest.filter(view=["PA", "AP"], fold=1)
        assert set(both.frame["view"]) == {"AP"}
        assert manifest.filter(view=None) == manifest
        assert len(manifest.filter(view=[])) == 0

    def test_modalities_are_filtered_by_what_they_mean(self, images: pd.DataFrame) -> None:
        stated = ["X-ray", "DX", "CT", None, "OT", "CR"]
        manifest = Manifest(images[:6].assign(modality=pd.Series(stated, dtype="string")))
        frame = manifest.frame
        for wanted, kept in (("X-ray", [0, 1, 5]), (["CT", "CR"], [0, 1, 2, 5]), ("OT", [])):
            found = manifest.filter(modality=wanted).frame["path"]
            assert list(found) == list(frame["path"][kept])

    def test_an_unknown_column_is_named_with_the_nearest(self, images: pd.DataFrame) -> None:
        with refuses("manifest-column-unknown", "'veiw'", "Did you mean 'view'"):
            Manifest(images).filter(veiw="PA")

    def test_labels_count_as_classes(self, images: pd.DataFrame) -> None:
        images["label"] = (["covid", "viral", "normal", "other"] * len(images))[: len(images)]
        scheme = LabelScheme(("normal", "covid"), {"viral": "covid"})
        classes = Manifest(images).classes(scheme)
        assert list(classes[:4].astype(object).where(classes[:4].notna(), None)) == [
            "covid", "covid", "normal", None,
        ]  # fmt: skip
        assert list(classes.cat.codes[:4]) == [1, 1, 0, -1]
        assert list(classes.cat.categories) == ["normal", "covid"]

    def test_other_values_are_checked(self, images: pd.DataFrame) -> None:
        manifest = Manifest(images)
        assert set(manifest.with_columns(split="val").frame["split"]) == {"val"}
        with refuses("manifest-invalid", "split"):
            manifest.with_columns(split="best")

    def test_parts_are_put_together(self, images: pd.DataFrame) -> None:
        manifest = Manifest(images)
        parts = [manifest.select(range(10)), manifest.select(range(10, len(images)))]
        assert Manifest.concat(parts) == manifest
        with refuses("manifest-invalid", "path"):
            Manifest.concat([manifest, manifest])

    def test_none_is_a_manifest(self) -> None:
        assert len(Manifest.empty()) == 0
        assert Manifest.empty().frame["age"].dtype == "Float64"

    def test_a_notebook_shows_what_is_in_it(self, images: pd.DataFrame) -> None:
        manifest = Manifest(images.assign(source="<north>"))
        shown = manifest._repr_html_()
        assert f"{len(images)} images" in shown
        assert manifest.sha256 in shown
        assert "&lt;north&gt;" in shown
        assert "0 images" in Manifest.empty()._repr_html_()


def test_a_patient_of_a_borrowed_image_is_that_of_its_origin(images: pd.DataFrame) -> None:
    rows = images[:4].assign(
        source=["a", "b", "b", "b"],
        origin=pd.Series([None, "a", "elsewhere", None], dtype="string"),
        patient=pd.Series(["1", "1", "1", None], dtype="string"),
    )
    names = patient_names(rows)
    assert list(names[:3]) == ["a:1", "a:1", "b:1"]
    assert names.isna().tolist() == [False, False, False, True]
    assert Manifest(rows).patients.equals(names)
