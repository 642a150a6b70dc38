import pytest

from fixtures.refuses import refuses
from pulmo.radiograph.limits import LIMITS, Limits


def test_what_lies_on_the_limits_passes() -> None:
    limits = Limits(max_pixels=600, max_bytes=10, min_side=20)
    limits.check_bytes(10, "image.png")
    limits.check_shape(20, 30, "image.png")


def test_a_large_detector_passes() -> None:
    LIMITS.check_shape(4280, 3520, "image.dcm")


def test_too_many_bytes_are_refused() -> None:
    with refuses("file-too-large", "image.png", "2", "1"):
        Limits(max_bytes=2**20).check_bytes(2**21, "image.png")


def test_too_many_pixels_are_refused() -> None:
    with refuses("image-too-large", "image.png", "100,000", "90,000", "64,000"):
        LIMITS.check_shape(90_000, 100_000, "image.png")


@pytest.mark.parametrize("shape", [(15, 400), (400, 15), (0, 0)])
def test_a_thumbnail_is_refused(shape: tuple[int, int]) -> None:
    with refuses("image-too-small", "16"):
        LIMITS.check_shape(*shape, "image.png")
