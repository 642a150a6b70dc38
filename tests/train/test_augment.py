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
    section = AugmentSection.model_validate({name: 0.2})
    changed = apply_changes(films(), draw(section))
    assert not torch.equal(changed, films())
    assert changed.shape == SHAPE
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1


def test_a_batch_changes_as_its_films_change_alone() -> None:
    changes = draw(FULL)
    together = apply_changes(films(), changes)
    assert changes.noise is not None
    for number in range(SHAPE[0]):
        one = Changes(*(part[number : number + 1] for part in changes if part is not None))
        alone = apply_changes(films()[number : number + 1], one)
        assert torch.allclose(alone, together[number : number + 1], atol=1e-6)


def still(**changed: Tensor) -> Changes:
    """Changes of one film that do nothing but `changed`."""
    nothing = Changes(
        torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), torch.zeros(1), torch.ones(1), torch.ones(1), None
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
