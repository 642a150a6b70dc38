from pathlib import Path

import numpy as np
import pandas as pd

from pulmo.datasets.inspect.samples import SIDE, Sample, draw_samples, read_samples
from pulmo.datasets.manifest import Manifest
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import to_input


def test_a_few_of_each_class_and_source_are_drawn_of_different_groups(table: pd.DataFrame) -> None:
    rows = draw_samples(Manifest(table), 3, np.random.default_rng(0))
    assert rows.groupby(["label", "source"]).size().tolist() == [3] * 6
    assert not rows.duplicated(["label", "source", "group"]).any()
    assert rows["label"].drop_duplicates().tolist() == ["covid", "viral", "normal"]
    again = draw_samples(Manifest(table), 3, np.random.default_rng(0))
    assert rows["path"].tolist() == again["path"].tolist()
    other = draw_samples(Manifest(table), 3, np.random.default_rng(1))
    assert rows["path"].tolist() != other["path"].tolist()


def test_a_group_is_drawn_again_only_where_there_is_no_other(table: pd.DataFrame) -> None:
    one = table[:10].assign(label="covid", source="east", group=["g"] * 8 + ["h", "i"])
    rows = draw_samples(Manifest(one.convert_dtypes()), 5, np.random.default_rng(0))
    assert rows["group"].value_counts().to_dict() == {"g": 3, "h": 1, "i": 1}
    assert draw_samples(Manifest(table), 0, np.random.default_rng(0)).empty


def test_samples_are_whole_images(images: pd.DataFrame) -> None:
    calls: list[tuple[int, int]] = []
    rows = draw_samples(Manifest(images), 2, np.random.default_rng(0))
    samples = read_samples(rows, lambda done, total: calls.append((done, total)))
    assert samples.failed == []
    assert calls == [(number, len(rows)) for number in range(1, len(rows) + 1)]
    for sample, (_, row) in zip(samples.shown, rows.iterrows(), strict=True):
        assert isinstance(sample, Sample)
        assert (sample.label, sample.path) == (row["label"], row["path"])
        image = read_radiograph(Path(row["path"])).pixels
        assert np.array_equal(sample.pixels, to_input(image, SIDE, "pad"))


def test_what_cannot_be_read_is_named(images: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    images.loc[0, "path"] = str(tmp_path / "none.png")
    images.loc[1, "path"] = str(tmp_path / "text.png")
    images.loc[2, "sha256"] = "0" * 64
    samples = read_samples(images[:4])
    assert len(samples.shown) == 1
    reasons = [failure.reason for failure in samples.failed]
    assert reasons[0] == f"{tmp_path}/none.png does not exist."
    assert "is not a PNG, JPEG, TIFF, " in reasons[1]
    assert reasons[2].endswith("has changed since it was imported; import it again.")
