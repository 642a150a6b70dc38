from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Card, read_card
from pulmo.bundle.scope import check_scope
from pulmo.radiograph import Facts

DX = Facts("DICOM", 12, modality="X-ray", view="PA", body_part="chest")


def said_by(header: dict[str, str]) -> Facts:
    """The facts of the image, but for what another header says."""
    return Facts(**{**DX._asdict(), **header})


def with_training(card: Card, **changes: object) -> Card:
    return card.model_copy(update={"training": card.training.model_copy(update=changes)})


@pytest.fixture
def frontal(plain_card: Card) -> Card:
    return with_training(plain_card, modalities=("X-ray",), views=("AP", "PA"), accepts=())


def test_what_the_model_was_trained_on_passes_without_a_note(frontal: Card) -> None:
    assert check_scope(frontal, DX, "a.dcm") == ()
    assert check_scope(frontal, Facts("PNG", 8), "a.png") == ()


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"modality": "CT"}, ("modality-out-of-scope", "CT", "X-ray only")),
        ({"modality": "other"}, ("modality-out-of-scope", "other")),
        ({"view": "lateral"}, ("image-out-of-scope", "lateral view", "AP, PA")),
        ({"view": "decubitus"}, ("image-out-of-scope", "decubitus")),
        ({"body_part": "hand"}, ("image-out-of-scope", "hand")),
        ({"body_part": "whole body"}, ("image-out-of-scope", "whole body")),
        ({"intent": "for processing"}, ("image-out-of-scope", "FOR PROCESSING")),
        (
            {"intent": "for processing", "view": "lateral"},
            ("image-out-of-scope", "FOR PROCESSING", "lateral view"),
        ),
    ],
)
def test_what_the_header_says_against_it_is_refused(
    frontal: Card, said: dict[str, str], refused: tuple[str, ...]
) -> None:
    with refuses(*refused, "a.dcm"):
        check_scope(frontal, said_by(said), "a.dcm")


@pytest.mark.parametrize(
    ("accepts", "said"),
    [
        ("lateral", {"view": "lateral"}),
        ("other body part", {"body_part": "abdomen"}),
        ("for processing", {"intent": "for processing"}),
    ],
)
def test_what_the_card_accepts_passes(frontal: Card, accepts: str, said: dict[str, str]) -> None:
    accepting = with_training(frontal, accepts=(accepts,))
    assert check_scope(accepting, said_by(said), "a.dcm") == ()
    with refuses("modality-out-of-scope"):
        check_scope(accepting, said_by(said)._replace(modality="MR"), "a.dcm")


def test_a_view_of_the_training_is_no_surprise(plain_card: Card) -> None:
    lateral = with_training(plain_card, modalities=("X-ray",), views=("PA", "lateral"))
    assert check_scope(lateral, DX._replace(view="lateral"), "a.dcm") == ()
    (note,) = check_scope(lateral, DX._replace(view="AP"), "a.dcm")
    assert "the view AP" in note.text


def test_a_chest_with_more_is_a_chest(frontal: Card) -> None:
    assert check_scope(frontal, DX._replace(body_part="neck and chest"), "a.dcm") == ()


def test_a_card_that_states_no_modality_is_that_of_an_x_ray_model(plain_card: Card) -> None:
    unstated = with_training(plain_card, modalities=(), views=())
    assert check_scope(unstated, DX, "a.dcm") == ()
    with refuses("modality-out-of-scope", "its card states no other modality"):
        check_scope(unstated, DX._replace(modality="CT"), "a.dcm")


@pytest.mark.parametrize(
    ("ages", "age", "said"),
    [
        ({"adult": 9}, 17.9, "a child, under 18 years. All 9"),
        ({"child": 7}, 18.0, "an adult. All 7"),
        ({"adult": 9}, 18.0, None),
        ({"adult": 9, "child": 1}, 3.0, None),
        ({"adult": 9}, None, None),
        ({}, 3.0, None),
    ],
)
def test_a_child_is_noted_where_all_known_ages_are_of_adults_and_the_reverse(
    frontal: Card, ages: dict[str, int], age: float | None, said: str | None
) -> None:
    notes = check_scope(with_training(frontal, ages=ages), DX._replace(age=age), "a.dcm")
    assert [note.kind for note in notes] == (["scope"] if said else [])
    assert said is None or f"The patient is {said} training images" in notes[0].text


def test_the_card_counts_the_ages_of_the_training_images(bundle: Path) -> None:
    training = read_card(bundle / "card.json").training
    assert training.ages == {"adult": sum(training.counts["train"].values())}
