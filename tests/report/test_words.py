import pytest

from pulmo.bundle.manifest_predictions import Failure
from pulmo.report import words
from pulmo.stats.estimate import Estimate
from pulmo.stats.metric import METRICS


@pytest.mark.parametrize(
    ("name", "title"),
    [("auc", "AUC"), ("macro_auc", "Macro AUC"), ("log_loss", "Log loss"), ("f1", "F1"), ("", "")],
)
def test_a_metric_has_a_title(name: str, title: str) -> None:
    assert words.metric_title(name) == title


def test_what_a_metric_is_comes_from_the_registry() -> None:
    assert all(words.metric_summary(name) == METRICS[name].summary for name in METRICS)
    assert words.smaller_is_better("log_loss")
    assert not words.smaller_is_better("accuracy")


def test_an_unknown_metric_has_a_title_only() -> None:
    assert words.metric_title("new_score") == "New score"
    assert words.metric_summary("new_score") == ""
    assert not words.smaller_is_better("new_score")


@pytest.mark.parametrize(
    ("estimate", "drawn"),
    [
        (Estimate(0.5, 0.0, 1.0, 3), True),
        (Estimate(1.5, 1.0, 2.0, 3), False),
        (Estimate(0.5, None, None, 3, "too few"), False),
        (Estimate.undefined("none"), False),
    ],
)
def test_only_figures_between_0_and_1_are_drawn(estimate: Estimate, *, drawn: bool) -> None:
    assert words.within_one(estimate) is drawn


def test_shares_are_percentages() -> None:
    assert words.share(1, 8) == "12 %"
    assert words.share(0, 0) == "-"


def test_footnotes_are_numbered_once_and_given_once() -> None:
    notes = words.Footnotes()
    assert [notes.mark(reason) for reason in ("few", "none", "few.")] == [1, 2, 1]
    assert notes.due() == [(1, "few"), (2, "none")]
    assert [notes.mark(reason) for reason in ("few", "new")] == [1, 3]
    assert notes.due() == [(3, "new")]
    assert notes.due() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the first is /a/b/c.png (cut).", "the first is c.png (cut)."),
        (r"C:\Users\jane\c.png is cut.", "c.png is cut."),
        ("and/or 1/2/3 stay, a./b/c too", "and/or 1/2/3 stay, a./b/c too"),
        ("Jane Doe/c.png is cut; /x y/Jane Doe/c.png too", "c.png is cut; /x y/c.png too"),
    ],
)
def test_paths_lose_their_folders(text: str, expected: str) -> None:
    failed = [Failure(path="Jane Doe/c.png", reason="")]
    assert words.without_folders(text, failed) == expected
