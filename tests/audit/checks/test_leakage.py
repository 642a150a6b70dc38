from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.checks import leakage as module
from pulmo.audit.checks.leakage import leakage
from pulmo.audit.context import AuditContext
from pulmo.bundle.card import Card
from pulmo.bundle.seen import SeenImages
from pulmo.core.files import sha256
from pulmo.datasets.phantom import draw

Rows = Callable[..., pd.DataFrame]
MakeContext = Callable[..., AuditContext]

LABELS = ["normal", "covid"] * 2


def level(images: NDArray[np.uint8]) -> NDArray[np.floating]:
    return np.zeros((len(images), 2))


@pytest.fixture
def write_large(make_rows: Rows, tmp_path: Path) -> Rows:
    """Images large enough to recognise a copy by."""

    def write(labels: list[str], first: int = 0) -> pd.DataFrame:
        rows = make_rows(labels, first)
        paths = [tmp_path / Path(path).name for path in rows["path"]]
        for number, (path, label) in enumerate(zip(paths, labels, strict=True), start=first):
            pixels = draw(label, number, np.random.default_rng(number), (224, 256)).pixels
            cv2.imwrite(str(path), (pixels * 255).astype(np.uint8))
        return hashed(rows.assign(path=[str(path) for path in paths]))

    return write


def hashed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(sha256=[sha256(Path(path).read_bytes()) for path in rows["path"]])


def test_silent_on_different_images(write_large: Rows, make_context: MakeContext) -> None:
    context = make_context(write_large(LABELS), level, fit=write_large(LABELS, 4))
    result = leakage(context)
    assert result.verdict == "passes"
    assert result.kinds == ("leaked", "unknown-patients", "copy-search")
    assert result.metrics["leaked"].value == 0.0
    assert {row[0]: row[1] for row in result.tables[0].rows} == {
        "same file": 0, "same pixels": 0, "same patient": 0, "same group": 0,
            "in the bundle's list": 0, "near copy": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "how"),
    [
        ("sha256", "same file"),
        ("pixels_sha256", "same pixels"),
        ("patient", "same patient"),
        ("group", "same group"),
    ],
)
def test_fires_on_what_is_the_same(
    make_rows: Rows, tell: MakeContext, monkeypatch: pytest.MonkeyPatch, column: str, how: str
) -> None:
    monkeypatch.setattr(module, "MAX_IMAGES", 0)
    test, fit = make_rows(LABELS), make_rows(LABELS, 4)
    test.loc[2, column] = fit.loc[1, column] = sha256(b"the same")
    result = leakage(tell(test, np.full((4, 2), 0.5), fit=fit))
    assert result.verdict == "fails"
    assert result.images == ("000002.png",)
    assert {row[0]: row[1] for row in result.tables[0].rows if row[1]} == {how: 1}
    assert result.metrics["leaked"].value == 0.25
    assert "no-copy-search" in result.kinds


def test_patients_of_two_sources_differ(make_rows: Rows, tell: MakeContext) -> None:
    test = make_rows(LABELS).assign(patient="7")
    fit = make_rows(LABELS, 4).assign(patient="7", source="elsewhere")
    result = leakage(tell(test, np.full((4, 2), 0.5), fit=fit))
    assert result.verdict == "passes"
    # The images of `make_rows` are not there.
    assert "unread" in result.kinds


def test_fires_on_a_near_copy(write_large: Rows, make_context: MakeContext) -> None:
    test, fit = write_large(LABELS), write_large(LABELS, 4)
    image = cv2.imread(fit["path"][3], cv2.IMREAD_GRAYSCALE)
    assert image is not None
    smaller = cv2.resize(image[6:, 8:], (220, 200), interpolation=cv2.INTER_AREA)
    cv2.imwrite(test["path"][1], smaller)
    result = leakage(make_context(hashed(test), level, fit=fit))
    assert result.verdict == "fails"
    assert result.images == ("000001.png",)
    assert result.tables[0].rows[-1] == ("near copy", 1)


def test_fires_on_equal_pixels_in_another_file(
    write_large: Rows, make_context: MakeContext
) -> None:
    test, fit = write_large(LABELS), write_large(LABELS, 4)
    image = cv2.imread(fit["path"][0], cv2.IMREAD_GRAYSCALE)
    assert image is not None
    cv2.imwrite(test["path"][3], image, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    result = leakage(make_context(hashed(test), level, fit=fit))
    assert result.images == ("000003.png",)


def test_parts_are_compared_each_with_its_own(write_large: Rows, make_context: MakeContext) -> None:
    first, second = write_large(LABELS), write_large(LABELS, 4)
    one = make_context(first, level, fit=second)
    two = make_context(second, level, fit=first)
    result = leakage(AuditContext([*one.parts, *two.parts], one.options))
    assert result.verdict == "passes"
    assert result.metrics["leaked"].n == 8


def test_warns_where_the_card_counts_more(
    make_rows: Rows, tell: MakeContext, make_card: Callable[..., Card]
) -> None:
    card = make_card()
    counts = {"train": {"normal": 3, "covid": 2}, "val": {"normal": 1}}
    training = card.training.model_copy(update={"counts": counts})
    card = card.model_copy(update={"training": training})
    fit = make_rows(LABELS, 4)
    result = leakage(tell(make_rows(LABELS), np.full((4, 2), 0.5), fit=fit, card=card))
    assert result.verdict == "warns"
    assert "unknown-training-images" in result.kinds
    assert "6 training" in result.conclusion


def test_unknown_without_what_was_fitted_on(make_rows: Rows, tell: MakeContext) -> None:
    result = leakage(tell(make_rows(LABELS), np.full((4, 2), 0.5)))
    assert result.verdict == "could_not_run"


@pytest.mark.parametrize("column", ["sha256", "pixels_sha256"])
def test_fires_on_what_the_bundle_lists(
    make_rows: Rows, tell: MakeContext, make_card: Callable[..., Card], column: str
) -> None:
    training = make_card().training.model_copy(update={"counts": {"train": {"covid": 900}}})
    card = make_card().model_copy(update={"training": training})
    rows = make_rows(LABELS)
    rows[column] = [sha256(name.encode()) for name in "abcd"]
    context = tell(rows, np.full((4, 2), 0.5), card=card)
    predictor = context.parts[0].model.network
    predictor.seen = SeenImages.of([sha256(b"other")])
    result = leakage(context)
    assert result.verdict == "warns"
    assert result.metrics["leaked"].value == 0.0
    assert {"no-copy-search", "unknown-training-images"} < set(result.kinds)
    predictor.seen = SeenImages.of([sha256(b"c")])
    result = leakage(context)
    assert result.verdict == "fails"
    assert result.images == ("000002.png",)
    assert {row[0]: row[1] for row in result.tables[0].rows if row[1]} == {
        "in the bundle's list": 1
    }


def test_what_was_left_out_of_the_other_checks_is_looked_at(
    make_rows: Rows, tell: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_IMAGES", 0)
    test, fit = make_rows(LABELS), make_rows(LABELS, 4)
    test.loc[:2, "patient"] = ["a", "b", "c"]
    context = tell(test, np.full((4, 2), 0.5), fit)
    (part,) = context.parts
    context.parts = (part._replace(excluded=fit.iloc[:3]),)
    result = leakage(context)
    assert result.verdict == "fails"
    assert result.metrics["leaked"].value == 3 / 7
    assert {"excluded", "unknown-patients"} < set(result.kinds)
    assert "3 of 7" in {m.kind: m.text for m in result.messages}["unknown-patients"]
    assert result.images == ("000004.png", "000005.png", "000006.png")
