"""Augmentations together: their draws, their order and their one resampling."""

import pytest
import torch
from torch import Tensor

from pulmo.core.recipe import Recipe, load_recipe
from pulmo.radiograph.changes import AUGMENTATIONS
from pulmo.train.augment import Drawn, apply_changes, draw_changes

SHAPE = (4, 1, 32, 32)
FULL = "rotate=15,scale=0.1,translate=0.1,brightness=0.2,contrast=0.3,gamma=0.3,noise=0.1"
EVERY = f"{FULL},shear=10,crop=0.1,flip=0.5,blur=1.5,jpeg=60,erase=0.2,multiscale=0.5"


def recipe(strengths: str) -> Recipe:
    return load_recipe("demo", [f"augment={{{strengths}}}"])


def images() -> Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(0))


def draw(strengths: str, seed: int = 0) -> Drawn:
    return draw_changes(recipe(strengths).augment, SHAPE, torch.Generator().manual_seed(seed))


def by_name(drawn: Drawn) -> dict[str, Tensor]:
    return {change.name: values for change, values in drawn.changes}


def test_nothing_drawn_changes_nothing() -> None:
    assert torch.equal(apply_changes(images(), draw("")), images())


def test_a_recipe_has_every_augmentation_with_its_strength() -> None:
    augment = recipe("rotate=15").augment
    assert list(augment) == list(AUGMENTATIONS)
    assert {name: choice.table()["strength"] for name, choice in augment.items()} == {
        name: 15 if name == "rotate" else 0 for name in AUGMENTATIONS
    }


def test_the_same_generator_gives_the_same_images() -> None:
    first, again = (apply_changes(images(), draw(EVERY)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, apply_changes(images(), draw(EVERY, seed=1)))
    assert 0 <= float(first.min()) <= float(first.max()) <= 1


def test_what_comes_later_leaves_the_draws_before_it_as_they_are() -> None:
    few, many = by_name(draw(FULL)), by_name(draw(EVERY))
    assert set(few) < set(many) == set(AUGMENTATIONS)
    assert all(torch.equal(few[name], many[name]) for name in few)


USUAL = [name for name, kind in AUGMENTATIONS.items() if kind.always_draws]


@pytest.mark.parametrize("name", USUAL)
def test_the_usual_ones_draw_alike_whichever_are_on(name: str) -> None:
    alone = by_name(draw(f"{name}=0.1,blur=1,crop=0.1"))
    together = by_name(draw(",".join([*(f"{each}=0.2" for each in USUAL), "blur=1,crop=0.1"])))
    for other in ("blur", "crop"):
        assert torch.equal(alone[other], together[other])


def test_movements_come_first_and_hidden_rectangles_last() -> None:
    names = [change.name for change, _ in draw(EVERY).changes]
    moved = {"rotate", "scale", "translate", "shear", "flip", "crop"}
    assert set(names[:6]) == moved
    assert names[6:] == [
        "contrast",
        "multiscale",
        "brightness",
        "gamma",
        "blur",
        "noise",
        "jpeg",
        "erase",
    ]


def test_all_movements_are_one_resampling() -> None:
    """Two half turns give the image back as it was, which two resamplings would have blurred."""
    change = AUGMENTATIONS["rotate"].model_validate({"strength": 45})
    half = torch.full((4,), torch.pi)
    found = apply_changes(images(), Drawn(((change, half), (change, half)), 4))
    assert torch.allclose(found, images(), atol=1e-4)


def test_what_comes_from_outside_is_black_or_like_the_edge() -> None:
    flat = torch.full(SHAPE, 0.5)
    drawn = draw("rotate=45,translate=0.5,scale=0.5")
    assert apply_changes(flat, drawn).min() == 0
    assert torch.allclose(apply_changes(flat, drawn, "border"), flat)
