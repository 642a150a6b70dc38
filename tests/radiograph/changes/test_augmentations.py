"""Each augmentation against an independent implementation, and what all of them keep."""

import io
import math

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from pulmo.core.choices import Choice
from pulmo.radiograph.changes import AUGMENTATIONS, Affine, Augmentation, Movement
from pulmo.radiograph.changes.blur import Blur, blur
from pulmo.radiograph.changes.brightness import Brightness
from pulmo.radiograph.changes.contrast import Contrast, contrast
from pulmo.radiograph.changes.crop import Crop, crop
from pulmo.radiograph.changes.erase import Erase
from pulmo.radiograph.changes.flip import Flip, mirror
from pulmo.radiograph.changes.gamma import Gamma, gamma
from pulmo.radiograph.changes.jpeg import Jpeg, jpeg
from pulmo.radiograph.changes.multiscale import SCALES, Multiscale
from pulmo.radiograph.changes.noise import Noise
from pulmo.radiograph.changes.rotate import Rotate
from pulmo.radiograph.changes.scale import Scale
from pulmo.radiograph.changes.shear import Shear
from pulmo.radiograph.changes.translate import Translate
from pulmo.train.augment import Drawn, apply_changes, draw_changes

SHAPE = (4, 1, 32, 32)
MANY = (2000, 1, 2, 2)


def strongest(name: str) -> Augmentation:
    """An augmentation at the largest strength that it takes."""
    limits = AUGMENTATIONS[name].model_fields["strength"].metadata
    (largest,) = (getattr(limit, "le", None) or limit.lt * 0.99 for limit in limits
                  if hasattr(limit, "le") or hasattr(limit, "lt"))  # fmt: skip
    return AUGMENTATIONS[name].model_validate({"strength": largest})


def images(shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def changed(choice: Choice, batch: Tensor, seed: int = 0) -> Tensor:
    n, channels, height, width = batch.shape
    drawn = draw_changes({choice.name: choice}, (n, channels, height, width), source(seed))
    return apply_changes(batch, drawn)


def fixed(change: Augmentation, drawn: Tensor, batch: Tensor) -> Tensor:
    """A batch that underwent what is given and not drawn."""
    return apply_changes(batch, Drawn(((change, drawn),), len(batch)))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_keeps_shape_range_and_input(name: str) -> None:
    batch = images()
    before = batch.clone()
    found = changed(strongest(name), batch)
    assert not torch.equal(found, batch)
    assert torch.equal(batch, before)
    assert found.shape == batch.shape
    assert found.isfinite().all()
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_its_generator_decides_what_it_does(name: str) -> None:
    first, again = (changed(strongest(name), images()) for _ in range(2))
    assert torch.equal(first, again)
    before = torch.random.get_rng_state()
    others = [changed(strongest(name), images(), seed) for seed in range(1, 4)]
    # A flip of certain probability draws nothing that matters.
    assert name == "flip" or not all(torch.equal(first, other) for other in others)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_without_strength_nothing_changes(name: str) -> None:
    off = AUGMENTATIONS[name]()
    assert off.strength == 0
    assert torch.equal(changed(off, images()), images())
    drawn = off.draw(SHAPE, source())
    assert torch.allclose(fixed(off, drawn, images()), images(), atol=1e-6)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_image_changes_alone_as_in_its_batch(name: str) -> None:
    change, batch = strongest(name), images()
    drawn = draw_changes({name: change}, SHAPE, source())
    together = apply_changes(batch, drawn)
    for number in range(SHAPE[0]):
        rows = np.array([number])
        alone = apply_changes(batch[rows], drawn.take(rows))
        # JPEG may round the last bit of another image's blur to another byte.
        assert float((alone - together[number : number + 1]).abs().max()) <= 3 / 255


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_its_words_have_a_place_for_its_strength(name: str) -> None:
    change = strongest(name)
    assert f"{change.strength:g}" in str(change)
    assert AUGMENTATIONS[name].meaning().endswith(".")


def test_their_places_are_their_own() -> None:
    for order in ("draw_order", "apply_order"):
        places = [getattr(kind, order) for kind in AUGMENTATIONS.values()]
        assert len(set(places)) == len(places)


def affine(change: Movement, shape: tuple[int, int, int, int] = MANY) -> Affine:
    return draw_changes({change.name: change}, shape, source()).affine


def test_a_rotation_turns_as_far_as_it_says() -> None:
    turn, shift = affine(Rotate(strength=15))
    angle = torch.atan2(turn[:, 1, 0], turn[:, 0, 0])
    assert math.radians(14.5) < float(angle.abs().max()) <= math.radians(15) + 1e-6
    assert torch.allclose(torch.linalg.det(turn), torch.ones(2000))
    assert not shift.any()


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    turned = fixed(Rotate(strength=45), torch.full((4,), math.pi / 2), images())
    sides = [torch.rot90(images(), side, (2, 3)) for side in (1, -1)]
    assert any(torch.allclose(turned, side, atol=1e-5) for side in sides)


def test_a_scale_enlarges_as_far_as_it_says() -> None:
    zoom = 1 / affine(Scale(strength=0.1)).turn[:, 0, 0]
    assert 0.9 <= float(zoom.min()) < 0.905
    assert 1.095 < float(zoom.max()) <= 1.1 + 1e-6


def test_a_shift_moves_as_far_as_it_says_and_brings_black_in() -> None:
    shift = affine(Translate(strength=0.1)).shift
    assert 0.19 < float(shift.abs().max()) <= 0.2
    shifted = fixed(Translate(strength=0.5), torch.tensor([[0.5, 0.0]]), torch.ones(1, 1, 32, 32))
    assert shifted[..., :24].eq(1).all()
    assert shifted[..., 24:].eq(0).all()


def test_a_shear_moves_rows_and_keeps_areas() -> None:
    turn = affine(Shear(strength=30)).turn
    slope = turn[:, 0, 1]
    assert turn[:, 1].eq(torch.tensor([0.0, 1])).all()
    assert math.tan(math.radians(29)) < float(slope.abs().max()) <= math.tan(math.radians(30))
    assert torch.allclose(torch.linalg.det(turn), torch.ones(2000))


def test_a_flip_mirrors_left_and_right_as_an_audit_does() -> None:
    mirrored = mirror((images()[:, 0] * 255).byte().numpy())
    found = (changed(Flip(strength=1), images()) * 255)[:, 0].numpy()
    assert np.abs(found - mirrored).max() <= 1.01
    across = affine(Flip(strength=0.5)).turn[:, 0, 0]
    assert 0.45 < float(across.lt(0).float().mean()) < 0.55


def test_a_crop_fills_the_image_with_a_part_of_it() -> None:
    turn, shift = affine(Crop(strength=0.25))
    assert turn[:, 0, 0].eq(0.75).all()
    assert 0.24 < float(shift.abs().max()) <= 0.25
    ramp = torch.linspace(0, 1, 32).expand(500, 1, 32, 32)
    cropped = changed(Crop(strength=0.25), ramp)
    # The outermost pixels may blend with the black outside.
    width = (cropped[:, 0, 16, 30] - cropped[:, 0, 16, 1]) * 31 / 29
    assert torch.allclose(width, torch.full((500,), 0.75), atol=1e-3)
    assert float(cropped[:, 0, 16].min()) < 0.02


def test_brightness_contrast_and_gamma_are_what_they_say() -> None:
    batch = images()[:1] * 0.4 + 0.2
    mean = batch.mean()
    lighter = fixed(Brightness(strength=0.5), torch.tensor([0.1]), batch)
    assert torch.allclose(lighter, batch + 0.1, atol=1e-6)
    harder = fixed(Contrast(strength=0.5), torch.tensor([1.2]), batch)
    assert torch.allclose(harder, (batch - mean) * 1.2 + mean, atol=1e-6)
    assert torch.allclose(fixed(Gamma(strength=0.5), torch.tensor([0.5]), batch), batch.sqrt())


@pytest.mark.parametrize("kind", [Brightness, Contrast, Gamma])
def test_greys_are_drawn_evenly_about_no_change(kind: type[Augmentation]) -> None:
    drawn = kind.model_validate({"strength": 0.2}).draw(MANY, source())
    middle = 0 if kind is Brightness else 1
    assert 0.195 < float((drawn - middle).abs().max()) <= 0.2 + 1e-6
    assert float(drawn.mean()) == pytest.approx(middle, abs=0.01)


def test_a_blur_is_scipys() -> None:
    sigma = torch.tensor([0.0, 0.7, 2.0])
    batch = images((3, 1, 40, 48))
    found = fixed(Blur(strength=2), sigma, batch)
    for image, mine, width in zip(batch, found, sigma.tolist(), strict=True):
        expected = gaussian_filter(image[0].numpy(), width, mode="mirror", radius=6)
        np.testing.assert_allclose(mine[0], expected, atol=2e-4)
    assert 1.9 < float(Blur(strength=2).draw(MANY, source()).max()) <= 2


def test_a_wide_blur_of_a_small_image_reaches_no_further_than_it() -> None:
    small = images((1, 1, 4, 4))
    assert fixed(Blur(strength=5), torch.tensor([5.0]), small).shape == small.shape


def test_bands_are_differences_of_scipys_gaussians() -> None:
    batch = images((2, 1, 60, 60)) * 0.4 + 0.3
    factors = torch.tensor([[1.5, 0.5, 1.2, 0.8], [1.0, 1.0, 1.0, 1.0]])
    found = fixed(Multiscale(strength=1), factors, batch)
    image = finer = expected = batch[0, 0].double().numpy()
    for share, factor in zip(SCALES, factors[0].tolist(), strict=True):
        radius = max(1, round(3 * share * 60))
        coarser = gaussian_filter(image, share * 60, mode="nearest", radius=radius)
        expected = expected + (factor - 1) * (finer - coarser)
        finer = coarser
    np.testing.assert_allclose(found[0, 0], expected.clip(0, 1), atol=1e-4)
    np.testing.assert_allclose(found[1], batch[1], atol=1e-6)


def test_bands_leave_flat_areas_as_they_are() -> None:
    batch = torch.full((1, 1, 40, 40), 0.5)
    batch[..., 10:30, 10:30] = images((1, 1, 20, 20))
    found = fixed(Multiscale(strength=1), torch.full((1, len(SCALES)), 2.0), batch)
    assert torch.equal(found[..., :9, :], batch[..., :9, :])
    assert not torch.equal(found, batch)


def test_factors_of_bands_are_as_often_below_1_as_above() -> None:
    drawn = Multiscale(strength=1).draw(MANY, source())
    assert drawn.shape == (MANY[0], len(SCALES))
    assert 0.5 <= float(drawn.min()) < 0.51
    assert 1.98 < float(drawn.max()) <= 2
    assert float(drawn.log().mean()) == pytest.approx(0, abs=0.02)


def test_noise_has_deviations_up_to_its_strength() -> None:
    drawn = Noise(strength=0.1).draw((500, 1, 16, 16), source())
    deviations = drawn.flatten(1).std(1)
    assert float(deviations.max()) == pytest.approx(0.1, rel=0.15)
    assert float(deviations.mean()) == pytest.approx(0.05, rel=0.1)


def test_compression_is_pillows() -> None:
    batch = images((3, 1, 40, 48))
    found = fixed(Jpeg(strength=90), torch.tensor([100, 50, 10]), batch)
    assert torch.equal(found[0], batch[0])
    for image, mine, quality in zip(batch[1:], found[1:], (50, 10), strict=True):
        file = io.BytesIO()
        pixels = (image[0] * 255).round().to(torch.uint8).numpy()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        expected = np.asarray(Image.open(file), np.float32) / 255
        assert np.abs(mine[0].numpy() - expected).mean() < 1 / 255
    drawn = Jpeg(strength=40).draw(MANY, source())
    assert (int(drawn.min()), int(drawn.max())) == (60, 100)


def test_a_rectangle_is_hidden_and_nothing_else() -> None:
    boxes = torch.tensor([[0.25, 0.5, 0.5, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    batch = images((3, 1, 40, 48))
    found = fixed(Erase(strength=0.5), boxes, batch)
    different = found.ne(batch)
    assert different[0, 0, 20:, 12:24].all()
    assert int(different[0].sum()) == 20 * 12
    assert not different[1].any()
    assert torch.allclose(found[2], batch[2].mean())


def test_a_drawn_rectangle_is_inside_and_no_larger_than_it_says() -> None:
    drawn = Erase(strength=0.3).draw(MANY, source())
    left, top, right, bottom = drawn.T
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    assert 0.28 < float(((right - left) * (bottom - top)).max()) <= 0.3 + 1e-6


@pytest.fixture
def smooth() -> Tensor:
    """Images whose greys a rounding to bytes and another resampling leave nearly as they are."""
    coarse = np.random.default_rng(0).uniform(0.2, 0.8, (4, 6, 6)).astype(np.float32)
    enlarged = [cv2.resize(each, (64, 64), interpolation=cv2.INTER_CUBIC) for each in coarse]
    return torch.from_numpy(np.stack(enlarged).clip(0, 1))[:, None]


def test_training_and_audit_change_alike(smooth: Tensor) -> None:
    """The two implementations of a change, at the same strength."""
    stored = (smooth[:, 0] * 255).round().byte().numpy()
    generator = np.random.default_rng(0)
    middle = slice(8, -8)
    pairs = {
        "contrast": (fixed(Contrast(strength=0.5), torch.full((4,), 0.8), smooth),
                     contrast(0.8, generator)(stored)),
        "gamma": (fixed(Gamma(strength=0.5), torch.full((4,), 1.25), smooth),
                  gamma(1.25, generator)(stored)),
        "blur": (fixed(Blur(strength=5), torch.full((4,), 2.0), smooth),
                 blur(2, generator)(stored)),
        "jpeg": (fixed(Jpeg(strength=90), torch.full((4,), 25), smooth),
                 jpeg(25, generator)(stored)),
        "crop": (fixed(Crop(strength=0.25), torch.zeros(4, 2), smooth),
                 crop(0.125, generator)(stored)),
    }  # fmt: skip
    for name, (training, audit) in pairs.items():
        apart = np.abs((training[:, 0] * 255).numpy() - audit)[:, middle, middle]
        assert apart.max() <= 3, name
