import io

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from pulmo.train.degrade import blurred, compressed, erased


def films() -> Tensor:
    return torch.rand(3, 1, 40, 48, generator=torch.Generator().manual_seed(0))


def test_a_blur_is_scipys() -> None:
    sigma = torch.tensor([0.0, 0.7, 2.0])
    found = blurred(films(), sigma)
    for film, mine, width in zip(films(), found, sigma.tolist(), strict=True):
        expected = gaussian_filter(film[0].numpy(), width, mode="mirror", radius=6)
        np.testing.assert_allclose(mine[0], expected, atol=2e-4)


def test_a_wide_blur_of_a_small_film_reaches_no_further_than_it() -> None:
    film = torch.rand(1, 1, 4, 4)
    assert blurred(film, torch.tensor([5.0])).shape == film.shape


def test_compression_is_pillows() -> None:
    found = compressed(films(), torch.tensor([100, 50, 10]))
    assert torch.equal(found[0], films()[0])
    for film, mine, quality in zip(films()[1:], found[1:], (50, 10), strict=True):
        file = io.BytesIO()
        pixels = (film[0] * 255).round().to(torch.uint8).numpy()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        expected = np.asarray(Image.open(file), np.float32) / 255
        assert np.abs(mine[0].numpy() - expected).mean() < 1 / 255


def test_a_rectangle_is_hidden_and_nothing_else() -> None:
    boxes = torch.tensor([[0.25, 0.5, 0.5, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    found = erased(films(), boxes)
    changed = found.ne(films())
    assert changed[0, 0, 20:, 12:24].all()
    assert int(changed[0].sum()) == 20 * 12
    assert not changed[1].any()
    assert torch.allclose(found[2], films()[2].mean())
