import pytest

from pulmo.predictions.predictions import Failure
from pulmo.report import words
from pulmo.stats.metric import METRICS


@pytest.mark.parametrize(
    ("name", "title"),
    [("auc", "AUC"), ("macro_auc", "Macro AUC"), ("log_loss", "Log loss"), ("f1", "F1"), ("", "")],
)
def test_a_metric_has_a_title(name: str, title: str) -> None:
    assert words.metric_title(name) == title


def test_what_a_metric_is_comes_from_the_registry() -> None:
    summaries = words.metric_summaries([*METRICS, "new_score"])
    assert summaries == {words.metric_title(name): METRICS[name].summary for name in METRICS}


@pytest.mark.parametrize(
    ("text", "headline", "rest"),
    [
        ("Few images: nothing is known.", "Few images.", "Few images: nothing is known."),
        ("1 of 2 failed; the first is x (cut).", "1 of 2 failed.", None),
        ("It is 0.95 here. It was 0.90.", "It is 0.95 here.", "It was 0.90."),
        ("After Ong Ly et al. 2024 it is so. And so on.", None, "And so on."),
        ("One sentence.", "One sentence.", ""),
        ("9 took no part (viral: 5; a. b: 4).", "9 took no part (viral: 5; a. b: 4).", ""),
        ("/data/Jane Doe/a.png is cut: 95% of it.", None, None),
    ],
)
def test_a_warning_parts_after_its_first_clause(
    text: str, headline: str | None, rest: str | None
) -> None:
    found = words.lead(text)
    assert headline is None or found.headline == headline
    assert rest is None or found.rest == rest
    assert "/data" not in found.headline + found.rest


def test_whole_sentences_part_after_the_first_full_stop() -> None:
    found = words.lead("covid: AUC 0.9 (0.8-1.0). viral: AUC 0.5.", whole_sentence=True)
    assert found == ("covid: AUC 0.9 (0.8-1.0).", "viral: AUC 0.5.")


def test_a_percent_sign_keeps_to_its_number() -> None:
    assert words.said("with 95% or 95 % and %x") == "with 95\u00a0% or 95\u00a0% and %x"


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        (("covid", "normal"), "Classes: covid and normal."),
        (("covid", "viral", "normal"), "Classes: covid, viral and normal."),
    ],
)
def test_the_classes_of_a_model_are_named(classes: tuple[str, ...], sentence: str) -> None:
    assert words.classes_text(classes) == sentence


def test_shares_are_percentages() -> None:
    assert words.share(1, 8) == "12\u00a0%"
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
