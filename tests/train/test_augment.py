import math

import pytest
import torch
from torch import Tensor

from pulmo.core.training import AugmentSection
from pulmo.train.augment import Changes, apply_changes, draw_changes

SHAPE = (4, 1, 32, 32)
FULL = AugmentSection(
    rotate=15, scale=0.1, translate=0.1, brightness=0.2, contrast=0.3, gamma=0.3, noise=0.1
)
EVERY = AugmentSection(
    rotate=15, scale=0.1, translate=0.1, shear=10, crop=0.1, flip=0.5, brightness=0.2, contrast=0.3,
    gamma=0.3, blur=1.5, noise=0.1, jpeg=60, erase=0.2
)  # fmt: skip
STRENGTHS = dict.fromkeys(AugmentSection.model_fields, 0.2) | {"jpeg": 80, "shear": 20, "flip": 1.0}


def films() -> Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(0))


def draw(section: AugmentSection, seed: int = 0) -> Changes:
    return draw_changes(section, SHAPE, torch.Generator().manual_seed(seed))


def test_nothing_drawn_changes_nothing() -> None:
    assert torch.equal(apply_changes(films(), draw(AugmentSection())), films())


def test_the_same_generator_gives_the_same_films() -> None:
    first, again = (apply_changes(films(), draw(FULL)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, apply_changes(films(), draw(FULL, seed=1)))


@pytest.mark.parametrize("name", list(AugmentSection.model_fields))
def test_every_change_acts_alone_and_stays_in_range(name: str) -> None:
    section = AugmentSection.model_validate({name: STRENGTHS[name]})
    changed = apply_changes(films(), draw(section))
    assert not torch.equal(changed, films())
    assert changed.shape == SHAPE
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1


def test_a_batch_changes_as_its_films_change_alone() -> None:
    changes = draw(EVERY)
    assert all(part is not None for part in changes)
    together = apply_changes(films(), changes)
    for number in range(SHAPE[0]):
        one = Changes(*(part[number : number + 1] for part in changes if part is not None))
        alone = apply_changes(films()[number : number + 1], one)
        # JPEG may round the last bit of another film's blur to another byte.
        assert float((alone - together[number : number + 1]).abs().max()) <= 3 / 255


def test_what_is_off_leaves_the_other_draws_as_they_are() -> None:
    few = draw(FULL)
    many = draw(FULL.model_copy(update={"blur": 1.0, "jpeg": 10, "erase": 0.1}))
    assert all(torch.equal(a, b) for a, b in zip(few[:4], many[:4], strict=True))
    assert few[5:] == (None, None, None)


def still(**changed: Tensor) -> Changes:
    """Changes of one film that do nothing but `changed`."""
    nothing = Changes(
        torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), torch.zeros(1), torch.ones(1), torch.ones(1)
    )
    return nothing._replace(**changed)


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    film = films()[:1]
    turn = torch.tensor([[[0.0, -1, 0], [1, 0, 0]]])
    turned = apply_changes(film, still(affine=turn))
    assert torch.allclose(turned, torch.rot90(film, 1, (2, 3)), atol=1e-5) or torch.allclose(
        turned, torch.rot90(film, -1, (2, 3)), atol=1e-5
    )


def test_a_shift_brings_black_in() -> None:
    film = torch.ones(1, 1, 32, 32)
    quarter = torch.tensor([[[1.0, 0, 0.5], [0, 1, 0]]])
    shifted = apply_changes(film, still(affine=quarter))
    assert shifted[..., :24].eq(1).all()
    assert shifted[..., 24:].eq(0).all()


def test_brightness_contrast_and_gamma_are_what_they_say() -> None:
    film = films()[:1] * 0.4 + 0.2
    mean = film.mean()
    assert torch.allclose(
        apply_changes(film, still(brightness=torch.tensor([0.1]))), film + 0.1, atol=1e-6
    )
    assert torch.allclose(
        apply_changes(film, still(contrast=torch.tensor([1.2]))),
        (film - mean) * 1.2 + mean,
        atol=1e-6,
    )
    assert torch.allclose(
        apply_changes(film, still(gamma=torch.tensor([0.5]))), film.sqrt(), atol=1e-6
    )


def test_drawn_values_stay_in_their_ranges() -> None:
    shape = (2000, 1, 2, 2)
    changes = draw_changes(FULL, shape, torch.Generator().manual_seed(0))
    determinant = torch.linalg.det(changes.affine[:, :, :2])
    angle = torch.atan2(changes.affine[:, 1, 0], changes.affine[:, 0, 0])
    assert float(angle.abs().max()) <= math.radians(15) + 1e-6
    assert float(angle.abs().max()) > math.radians(14.5)
    assert float(determinant.min()) >= 1 / 1.1**2 - 1e-5
    assert float(determinant.max()) <= 1 / 0.9**2 + 1e-5
    assert float(changes.affine[:, :, 2].abs().max()) <= 0.2
    assert float(changes.brightness.abs().max()) <= 0.2
    assert changes.noise is not None
    assert 0.02 < float(changes.noise.std()) < 0.1


def test_a_flip_mirrors_left_and_right() -> None:
    changes = draw_changes(AugmentSection(flip=1), SHAPE, torch.Generator().manual_seed(0))
    assert torch.allclose(apply_changes(films(), changes), films().flip(3), atol=1e-5)
    half = draw_changes(AugmentSection(flip=0.5), (999, 1, 2, 2), torch.Generator().manual_seed(0))
    assert 0.4 < float(half.affine[:, 0, 0].lt(0).float().mean()) < 0.6


def test_a_crop_fills_the_film_with_a_part_of_it() -> None:
    changes = draw_changes(AugmentSection(crop=0.25), (500, 1, 2, 2), torch.Generator())
    assert changes.affine[:, 0, 0].eq(0.75).all()
    assert 0.24 < float(changes.affine[:, :, 2].abs().max()) <= 0.25
    ramp = torch.linspace(0, 1, 32).expand(500, 1, 32, 32)
    cropped = apply_changes(ramp, changes)
    # The outermost pixels may blend with the black outside.
    width = (cropped[:, 0, 16, 30] - cropped[:, 0, 16, 1]) * 31 / 29
    assert torch.allclose(width, torch.full((500,), 0.75), atol=1e-3)
    assert float(cropped[:, 0, 16].min()) < 0.02


def test_a_shear_moves_rows_and_keeps_areas() -> None:
    changes = draw_changes(AugmentSection(shear=30), (500, 1, 2, 2), torch.Generator())
    slope = changes.affine[:, 0, 1]
    assert changes.affine[:, 1, :2].eq(torch.tensor([0.0, 1])).all()
    assert math.tan(math.radians(28)) < float(slope.abs().max()) <= math.tan(math.radians(30))
    assert torch.allclose(torch.linalg.det(changes.affine[:, :, :2]), torch.ones(500))


def test_drawn_degradations_stay_in_their_ranges() -> None:
    section = AugmentSection(blur=2, jpeg=40, erase=0.3)
    changes = draw_changes(section, (2000, 1, 2, 2), torch.Generator().manual_seed(0))
    assert changes.blur is not None
    assert changes.quality is not None
    assert changes.hidden is not None
    assert 1.9 < float(changes.blur.max()) <= 2
    assert (int(changes.quality.min()), int(changes.quality.max())) == (60, 100)
    left, top, right, bottom = changes.hidden.T
    assert float(changes.hidden.min()) >= 0
    assert float(changes.hidden.max()) <= 1
    area = (right - left) * (bottom - top)
    assert 0.28 < float(area.max()) <= 0.3 + 1e-6
