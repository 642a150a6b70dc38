import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import (
    Matching,
    Plan,
    apply_split,
    check_split,
    draw,
    read_split,
    write_split,
)

MakeGroups = Callable[..., pd.DataFrame]
PLAN = Plan(seed=4, folds=3, matching=Matching(("source",), labels=("covid", "normal")))


@pytest.fixture
def drawn(make_groups: MakeGroups) -> pd.DataFrame:
    """A manifest with folds, a test, images left out, and copies of images that are not."""
    table = make_groups(200)
    copies = table[:20].assign(path="/copy" + table["path"][:20])
    copies["source"] = ["b"] * 10 + ["a"] * 10
    return draw(Manifest(pd.concat([table, copies], ignore_index=True)), PLAN).manifest.frame


@pytest.fixture
def saved(drawn: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "split.csv"
    write_split(Manifest(drawn), PLAN, path)
    return path


def test_a_split_travels_to_another_manifest_of_the_same_images(
    drawn: pd.DataFrame, saved: Path
) -> None:
    """In another place, another order, with another split."""
    elsewhere = drawn.sample(frac=1, random_state=0).assign(split="val", fold=None)
    elsewhere["path"] = "/mnt" + elsewhere["path"]
    table, unknown, absent = apply_split(Manifest(elsewhere), read_split(saved))
    check_split(table)
    assert (absent, unknown.sum()) == (0, 0)
    assert table.frame["path"].tolist() == elsewhere["path"].tolist()
    assert table.sha256 == Manifest(drawn).sha256
    assert table.sha256 == read_split(saved).header.manifest_sha256


def test_images_that_are_new_or_gone_are_counted(drawn: pd.DataFrame, saved: Path) -> None:
    new = drawn[:7].assign(path="/new" + drawn["path"][:7], group="new")
    new["sha256"] = [f"{n:064x}" for n in range(10**6, 10**6 + 7)]
    table, unknown, absent = apply_split(
        Manifest(pd.concat([drawn[30:], new], ignore_index=True)), read_split(saved)
    )
    check_split(table)
    assert absent == 30
    assert unknown.tolist() == [False] * (len(drawn) - 30) + [True] * 7
    assert table.frame["split"][unknown].isna().all()
    assert table.sha256 != Manifest(drawn).sha256


def test_a_further_copy_of_an_image_is_not_known(drawn: pd.DataFrame, saved: Path) -> None:
    again = drawn[50:51].assign(path="/again")
    table, unknown, absent = apply_split(
        Manifest(pd.concat([again, drawn], ignore_index=True)), read_split(saved)
    )
    check_split(table)
    assert (absent, unknown.sum()) == (0, 1)


def test_a_stranger_s_images_are_refused(drawn: pd.DataFrame, saved: Path) -> None:
    drawn["sha256"] = [f"{n:064x}" for n in range(10**6, 10**6 + len(drawn))]
    with refuses("split-file-of-other-images", str(len(drawn))):
        apply_split(Manifest(drawn), read_split(saved))


class TestFile:
    """The file itself."""

    def test_any_tool_reads_it_and_it_names_no_path(self, drawn: pd.DataFrame, saved: Path) -> None:
        table = pd.read_csv(saved, comment="#")
        assert table.columns.tolist() == ["sha256", "split", "fold"]
        assert table["sha256"].is_monotonic_increasing
        assert table["split"].value_counts().equals(drawn["split"].value_counts())
        assert "/" not in saved.read_text()

    def test_its_header_says_how_it_was_made(self, drawn: pd.DataFrame, saved: Path) -> None:
        header = read_split(saved).header
        assert header.plan == PLAN
        assert header.images == len(drawn)
        line, _, body = saved.read_text().partition("\n")
        stated = json.loads(line.removeprefix("# pulmo split "))
        digest = stated.pop("sha256")
        content = f"{json.dumps(stated, sort_keys=True)}\n{body.rstrip()}"
        assert hashlib.sha256(content.encode()).hexdigest() == digest

    def test_the_row_order_of_the_manifest_does_not_show(
        self, drawn: pd.DataFrame, saved: Path, tmp_path: Path
    ) -> None:
        write_split(Manifest(drawn.sample(frac=1, random_state=0)), PLAN, tmp_path / "again.csv")
        assert (tmp_path / "again.csv").read_bytes() == saved.read_bytes()

    def test_line_ends_of_another_system_are_the_same_split(self, saved: Path) -> None:
        before = read_split(saved)
        saved.write_bytes(saved.read_bytes().replace(b"\n", b"\r\n"))
        assert read_split(saved).rows.equals(before.rows)

    @pytest.mark.parametrize(
        "edit",
        [
            lambda text: text.replace(",test,", ",train,", 1),
            lambda text: text.replace('"seed": 4', '"seed": 5'),
            lambda text: text[: len(text) // 2],
            lambda text: text + "\n",
            lambda text: text.replace('"sha256": ', '"sha": '),
        ],
    )
    def test_an_edited_one_is_refused(self, saved: Path, edit: Callable[[str], str]) -> None:
        saved.write_text(edit(saved.read_text()))
        with refuses("split-file-changed", saved):
            read_split(saved)

    @pytest.mark.parametrize(
        "data", [b"", b"sha256,split,fold\n", b"PAR1\xff", b"# pulmo split {", b"# pulmo split []"]
    )
    def test_another_file_is_refused(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "x").write_bytes(data)
        with refuses("split-file-invalid"):
            read_split(tmp_path / "x")

    def test_one_of_another_version_is_refused(self, saved: Path) -> None:
        line, _, body = saved.read_text().partition("\n")
        stated = json.loads(line.removeprefix("# pulmo split ")) | {"format": 2}
        stated.pop("sha256")
        content = f"{json.dumps(stated, sort_keys=True)}\n{body.rstrip()}"
        stated["sha256"] = hashlib.sha256(content.encode()).hexdigest()
        saved.write_text(f"# pulmo split {json.dumps(stated)}\n{body}")
        with refuses("split-file-version", "format"):
            read_split(saved)
