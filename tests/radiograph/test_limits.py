import pytest

from fixtures.refuses import refuses
from pulmo.radiograph.codestream import Codestream
from pulmo.radiograph.limits import LIMITS, Limits, check_effort


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


def test_few_bytes_that_would_become_many_pixels_are_refused() -> None:
    head = Codestream("JPEG 2000", 7000, 8000, 1, 8)
    check_effort(head, 56_000, "image.dcm")
    check_effort(head._replace(height=500), 10, "image.dcm")
    with refuses(
        "image-compressed-too-much", "image.dcm", "8,000 x 7,000", "55,999 bytes", "1,000"
    ):
        check_effort(head, 55_999, "image.dcm")
