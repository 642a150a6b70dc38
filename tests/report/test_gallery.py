import base64

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.predictions.predictions import Predictions
from pulmo.report.gallery import (
    SURE_HIT,
    SURE_MISS,
    UNSURE_HIT,
    Shown,
    file_name,
    select_gallery,
)

LABELS = ("covid", "viral", "normal")


def row(
    path: str, label: str, decision: str, confidence: float, group: str = ""
) -> dict[str, object]:
    """One prediction; the rest of the probability is shared by the other two classes."""
    rest = (1 - confidence) / 2
    return {
        "path": f"/data/{path}",
        "label": label,
        "group": group or path,
        "decision": decision,
        "positive": decision != "normal",
        **{f"p_{name}": confidence if name == decision else rest for name in LABELS},
    }


def predictions_of(rows: list[dict[str, object]], card: Card) -> Predictions:
    return Predictions.from_table(pd.DataFrame(rows), card.decision_rule())


def chosen(rows: list[dict[str, object]], card: Card, per_class: int = 2) -> list[tuple[str, str]]:
    picked = select_gallery(predictions_of(rows, card), per_class)
    return [
        (file_name(path), kind) for path, kind in zip(picked["path"], picked["kind"], strict=True)
    ]


def test_the_most_and_the_least_confident_hits_and_the_worst_misses_are_picked(card: Card) -> None:
    rows = [
        row("mid", "covid", "covid", 0.7),
        row("low", "covid", "covid", 0.5),
        row("top", "covid", "covid", 0.9),
        row("slip", "covid", "normal", 0.6),
        row("worst", "covid", "viral", 0.95),
        row("small", "covid", "normal", 0.4),
    ]
    assert chosen(rows, card) == [
        ("top", SURE_HIT),
        ("low", UNSURE_HIT),
        ("worst", SURE_MISS),
        ("slip", SURE_MISS),
    ]


def test_classes_come_in_the_order_of_the_card_and_merged_labels_count(card: Card) -> None:
    rows = [
        row("n", "normal", "normal", 0.9),
        row("p", "pneumonia", "viral", 0.9),
        row("c", "covid", "covid", 0.9),
        row("o", "other", "covid", 0.9),
    ]
    picked = select_gallery(predictions_of(rows, card))
    assert list(picked["truth"]) == ["covid", "viral", "normal"]
    assert list(picked["label"]) == ["covid", "pneumonia", "normal"]


def test_a_single_hit_is_shown_once(card: Card) -> None:
    assert chosen([row("a", "covid", "covid", 0.9)], card) == [("a", SURE_HIT)]


def test_another_group_is_preferred_to_more_of_the_same(card: Card) -> None:
    rows = [
        row("a1", "covid", "covid", 0.9, "a"),
        row("a2", "covid", "covid", 0.4, "a"),
        row("b", "covid", "covid", 0.6, "b"),
        row("a3", "covid", "normal", 0.9, "a"),
        row("c", "covid", "normal", 0.5, "c"),
    ]
    assert chosen(rows, card, per_class=2) == [
        ("a1", SURE_HIT),
        ("b", UNSURE_HIT),
        ("c", SURE_MISS),
        ("a3", SURE_MISS),
    ]


def test_the_order_of_the_rows_does_not_matter(card: Card) -> None:
    generator = np.random.default_rng(3)
    rows = [
        row(
            f"{label}{number}",
            label,
            str(generator.choice(LABELS)),
            round(0.5 + number % 3 / 10, 1),
        )
        for label in LABELS
        for number in range(20)
    ]
    first = chosen(rows, card)
    generator.shuffle(rows)
    assert chosen(rows, card) == first
    assert len(first) == len(set(first)) == 12


def test_no_known_label_gives_no_images(card: Card) -> None:
    picked = select_gallery(predictions_of([row("o", "other", "covid", 0.9)], card))
    assert picked.empty
    assert {"truth", "kind"} <= set(picked.columns)


def test_a_row_becomes_an_image_without_its_folder(card: Card) -> None:
    picked = select_gallery(predictions_of([row("Jane Doe/a.png", "covid", "viral", 0.8)], card))
    shown = Shown.from_row(picked.iloc[0], card, b"png")
    assert shown.file == "a.png"
    assert (shown.truth, shown.decision, shown.kind) == ("covid", "viral", SURE_MISS)
    assert shown.positive is True
    assert list(shown.probabilities) == list(LABELS)
    assert shown.probabilities["viral"] == pytest.approx(0.8)
    assert shown.image == b"png"


@pytest.mark.parametrize("path", ["/a/b c/x.png", r"C:\a\x.png", r"a/b\x.png", "x.png"])
def test_a_file_name_has_no_folder(path: str) -> None:
    assert file_name(path) == "x.png"


def test_an_image_is_embedded_as_it_is(jpeg: bytes) -> None:
    shown = Shown("a.png", SURE_HIT, "covid", "covid", positive=True, probabilities={}, image=jpeg)
    head, _, body = shown.data_uri().partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(body) == jpeg


def test_an_image_that_is_no_jpeg_is_named() -> None:
    shown = Shown("a.png", SURE_HIT, "covid", "covid", positive=True, probabilities={}, image=b"")
    with refuses("jpeg-invalid", "a.png"):
        shown.data_uri()
