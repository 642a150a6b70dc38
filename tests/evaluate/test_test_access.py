import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import pulmo
from fixtures.refuses import refuses
from pulmo.bundle.held_out import HeldOut
from pulmo.bundle.predictor import Predictor
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.test_access import Access, access_of, read_accesses, record_access


@pytest.fixture
def access(bundle: Path, images: pd.DataFrame) -> Access:
    """All of the images' test."""
    found = access_of(
        Predictor.open(bundle),
        Manifest(images),
        Manifest(images[images["split"] == "test"]),
        "test",
    )
    assert found is not None
    return found


def later(access: Access, **changed: object) -> Access:
    return access.model_copy(update={"time": "2030-01-01T00:00:00+00:00", **changed})


def test_an_opening_says_what_was_opened_with_what(
    access: Access, bundle: Path, images: pd.DataFrame
) -> None:
    predictor = Predictor.open(bundle)
    age = datetime.now(UTC) - datetime.fromisoformat(access.time)
    assert 0 <= age.total_seconds() < 60
    assert access.images == (images["split"] == "test").sum()
    assert access.manifest_sha256 == Manifest(images).sha256
    assert access.manifest_sha256 == predictor.card.training.manifest_sha256
    assert access.model_sha256 == predictor.sha256
    assert access.weights_sha256 == predictor.card.network.sha256
    assert (access.split, access.pulmo) == ("test", pulmo.__version__)


def test_the_test_is_the_same_whatever_is_chosen_of_it_and_however_it_is_described(
    access: Access, bundle: Path, images: pd.DataFrame
) -> None:
    predictor = Predictor.open(bundle)
    part = access_of(predictor, Manifest(images), Manifest(images[images["view"] == "PA"]), None)
    assert part is not None
    assert part.split is None
    assert part.test_sha256 == access.test_sha256
    assert part.images == ((images["view"] == "PA") & (images["split"] == "test")).sum()
    renamed = images[::-1].assign(source="elsewhere")
    again = access_of(predictor, Manifest(renamed), Manifest(renamed), None)
    assert again is not None
    assert again.test_sha256 == access.test_sha256
    assert again.manifest_sha256 != access.manifest_sha256
    fewer = images.drop(index=images.index[images["split"] == "test"][0])
    less = access_of(predictor, Manifest(fewer), Manifest(fewer), None)
    assert less is not None
    assert less.test_sha256 == access.test_sha256
    assert less.images == access.images - 1


def test_the_models_own_test_is_known_by_its_hashes(
    access: Access, bundle: Path, images: pd.DataFrame
) -> None:
    predictor = Predictor.open(bundle)
    unsplit = images.assign(split=None)
    found = access_of(predictor, Manifest(unsplit), Manifest(unsplit), None)
    assert found is not None
    assert found.test_sha256 == access.test_sha256
    assert found.images == access.images
    coded_anew = unsplit.assign(sha256="0" * 64)
    found = access_of(predictor, Manifest(coded_anew), Manifest(coded_anew), None)
    assert found is not None
    assert found.test_sha256 == access.test_sha256
    others = unsplit[images["split"] != "test"]
    assert access_of(predictor, Manifest(unsplit), Manifest(others), None) is None


def test_another_test_is_known_where_all_of_it_is_opened_again(
    bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    predictor, lists = Predictor.open(bundle), [tmp_path / "test-access.jsonl"]
    foreign = images[:8].assign(
        sha256=[f"{number:064x}" for number in range(8)], pixels_sha256=None, split="test"
    )
    unsplit = foreign.assign(split=None)
    assert access_of(predictor, Manifest(unsplit), Manifest(unsplit), None, lists) is None
    first = access_of(predictor, Manifest(foreign), Manifest(foreign), "test", lists)
    assert first is not None
    assert first.test_sha256 != predictor.held_out.sha256
    record_access(first, lists)
    again = access_of(predictor, Manifest(unsplit[::-1]), Manifest(unsplit[::-1]), None, lists)
    assert again is not None
    assert record_access(again, lists).times == 2
    assert access_of(predictor, Manifest(unsplit), Manifest(unsplit[:7]), None, lists) is None


def test_a_bundle_that_does_not_list_its_test_goes_by_the_manifest(
    access: Access, bundle: Path, images: pd.DataFrame
) -> None:
    predictor = Predictor.open(bundle)
    predictor.held_out = HeldOut()
    unsplit = images.assign(split=None)
    assert access_of(predictor, Manifest(unsplit), Manifest(unsplit), None) is None
    found = access_of(predictor, Manifest(images), Manifest(images), None)
    assert found is not None
    assert found.test_sha256 == access.test_sha256


def test_without_a_test_image_nothing_is_opened(bundle: Path, images: pd.DataFrame) -> None:
    assert (
        access_of(
            Predictor.open(bundle),
            Manifest(images),
            Manifest(images[images["split"] == "val"]),
            "val",
        )
        is None
    )


def test_accesses_of_the_same_test_with_the_same_weights_are_counted(
    access: Access, tmp_path: Path
) -> None:
    path = tmp_path / "test-access.jsonl"
    assert read_accesses(path) == []
    assert record_access(access, [path]) == (1, [])
    exported_again = later(access, model_sha256="0" * 64)
    assert record_access(exported_again, [path]) == (2, [])
    assert record_access(later(access, test_sha256="1" * 64), [path]) == (1, [])
    assert record_access(later(access, weights_sha256="2" * 64), [path]) == (1, [])
    assert record_access(later(access, time="2031"), [path]) == (3, [])
    lines = read_accesses(path)
    assert len(lines) == 5
    assert lines[:2] == [access, exported_again]


def test_a_line_that_is_in_two_lists_is_one_opening(access: Access, tmp_path: Path) -> None:
    both = [tmp_path / "bundle.jsonl", tmp_path / "run.jsonl"]
    assert record_access(access, both).times == 1
    assert both[0].read_bytes() == both[1].read_bytes()
    assert record_access(later(access), both[:1]).times == 2
    assert record_access(later(access, time="2031"), both[1:]).times == 2
    assert record_access(later(access, time="2032"), both).times == 4


def test_a_line_that_is_no_opening_is_named(access: Access, tmp_path: Path) -> None:
    path = tmp_path / "test-access.jsonl"
    record_access(access, [path])
    path.write_text(path.read_text() + "hello\n")
    with refuses("test-access-invalid", "test-access.jsonl", "2"):
        record_access(later(access), [path])


class TestUnwritable:
    """A list that cannot be written is said and does not stop the work."""

    def test_a_place_that_is_not_there(self, access: Access, tmp_path: Path) -> None:
        """As of a bundle on a read-only disk; a process of root's is refused nothing else."""
        path, other = tmp_path / "test-access.jsonl", tmp_path / "run.jsonl"
        path.symlink_to(tmp_path / "gone" / "test-access.jsonl")
        noted = record_access(access, [path, other])
        assert noted.times == 1
        (sentence,) = noted.failures
        assert sentence.startswith(f"{path} cannot be written (No such file or directory): this ac")
        assert read_accesses(other) == [access]

    @pytest.fixture
    def limit(self) -> Iterator[Callable[[int], None]]:
        """Limits the size of a file, as a full disk does."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def test_no_part_of_a_line_stays(
        self, access: Access, tmp_path: Path, limit: Callable[[int], None]
    ) -> None:
        path = tmp_path / "test-access.jsonl"
        record_access(access, [path])
        limit(path.stat().st_size + 20)
        noted = record_access(later(access), [path])
        assert noted.times == 2
        assert "cannot be written (No space left on device)" in noted.failures[0]
        assert read_accesses(path) == [access]
