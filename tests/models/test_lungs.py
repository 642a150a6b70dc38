"""The network of the lungs."""

import pytest
import torch

from pulmo.models.lungs import make_lung_network


@pytest.mark.parametrize("side", [64, 96])
def test_it_gives_a_logit_for_each_pixel(side: int) -> None:
    with torch.no_grad():
        assert make_lung_network(0).eval()(torch.rand(2, 1, side, side)).shape == (2, 1, side, side)


def test_brightness_and_contrast_do_not_matter() -> None:
    network = make_lung_network(0).double().eval()
    images = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        plain, brighter, flatter = (network(x) for x in (images, images + 0.3, 0.7 * images))
    assert torch.allclose(plain, brighter)
    # The spread has a floor, so that a blank image is not divided by 0.
    assert float(torch.corrcoef(torch.stack([plain, flatter]).flatten(1))[0, 1]) > 0.999
    with torch.no_grad():
        assert torch.isfinite(network(torch.zeros(1, 1, 64, 64).double())).all()


def test_its_weights_follow_from_the_seed() -> None:
    one, again, other = (make_lung_network(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["last.weight"], other["last.weight"])
