from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

from pulmo.radiograph.display import GreyScale, Lut, Rescale, Window, display, look_up, windowed
from pulmo.radiograph.notes import Note

STORED = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def shown(stored: NDArray[Any], scale: GreyScale) -> NDArray[np.float32]:
    pixels, _ = display(stored, scale)
    assert pixels.dtype == np.float32
    assert pixels.shape == stored.shape
    return pixels


def by_pydicom(stored: NDArray[Any], window: Window, rescale: Rescale) -> NDArray[np.float64]:
    """The same window by pydicom, brought from its output range to [0, 1]."""
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored, dataset.PixelRepresentation = 12, 0
    dataset.RescaleSlope, dataset.RescaleIntercept = rescale
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = window
    low, high = (rescale.slope * end + rescale.intercept for end in (0, 4095))
    with np.errstate(over="ignore"):
        values = apply_windowing(apply_modality_lut(stored, dataset), dataset)
    scaled: NDArray[np.float64] = (values - low) / (high - low)
    return scaled


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [Rescale(1, 0), Rescale(2.5, -1024)])
@pytest.mark.parametrize(("center", "width"), [(2048, 4096), (700, 300), (100.5, 2)])
def test_windows_agree_with_pydicom(
    function: str, rescale: Rescale, center: float, width: float
) -> None:
    window = Window(center, width, function)
    pixels = shown(STORED, GreyScale(12, modality=rescale, voi=window))
    np.testing.assert_allclose(pixels, by_pydicom(STORED, window, rescale), atol=1e-6)


def test_the_linear_window_of_the_standards_note() -> None:
    # PS3.3 C.11.2.1.2.1, note: c = 2048, w = 4096 and an output of 0 to 255 is x * 255 / 4095.
    window = Window(2048, 4096)
    np.testing.assert_allclose(windowed(STORED.astype(float), window), STORED / 4095, atol=1e-12)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        # The notes of PS3.3 C.11.2.1.2.1 and C.11.2.1.3.2 on a width of 1: a step, and a line.
        (Window(0, 1), [0, 0, 1, 1]),
        (Window(0, 1, "LINEAR_EXACT"), [0, 0, 0.5, 1]),
    ],
)
def test_the_narrowest_windows(window: Window, expected: list[float]) -> None:
    np.testing.assert_allclose(windowed(np.array([-2.0, -1, 0, 1]), window), expected)


def test_a_sigmoid_does_not_overflow() -> None:
    pixels = windowed(np.array([-1e9, 0, 1e9]), Window(0, 1e-3, "SIGMOID"))
    np.testing.assert_allclose(pixels, [0, 0.5, 1], atol=1e-12)


def test_a_negative_slope_still_ends_dark_below_the_window() -> None:
    scale = GreyScale(12, modality=Rescale(-1, 4095), voi=Window(2048, 4096))
    np.testing.assert_allclose(shown(STORED, scale), 1 - STORED / 4095, atol=1e-6)


def test_tables_agree_with_pydicom() -> None:
    entries = (np.arange(1000) ** 2 // 16).astype(np.uint16)
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [1000, 500, 16], entries.tolist()
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    dataset = Dataset()
    dataset.VOILUTSequence = dataset.ModalityLUTSequence = [item]
    lut = Lut(500, 16, entries)
    np.testing.assert_array_equal(look_up(STORED, lut), apply_voi(STORED, dataset))
    np.testing.assert_array_equal(look_up(STORED, lut), apply_modality_lut(STORED, dataset))


def test_a_table_holds_beyond_its_ends() -> None:
    lut = Lut(-2, 8, np.array([10, 20, 30, 255], np.uint16))
    stored = np.array([-9, -2, -1, 0, 1, 9], np.int16)
    np.testing.assert_array_equal(look_up(stored, lut), [10, 10, 20, 30, 255, 255])


def test_a_voi_table_spans_its_bits_and_not_its_entries() -> None:
    lut = Lut(0, 10, np.arange(0, 512, dtype=np.uint16))
    pixels = shown(np.array([[0, 511]], np.uint16), GreyScale(12, voi=lut))
    np.testing.assert_allclose(pixels, [[0, 511 / 1023]])


def test_modality_then_window_then_inversion() -> None:
    table = Lut(0, 12, STORED.ravel()[::-1])
    scale = GreyScale(12, modality=table, voi=Window(1024.5, 2049), inverted=True)
    expected = 1 - np.clip((4095 - STORED.astype(float)) / 2048, 0, 1)
    np.testing.assert_allclose(shown(STORED, scale), expected, atol=1e-6)


def test_eight_bits_without_a_window_keep_their_full_range() -> None:
    stored = np.array([[50, 100]], np.uint8)
    pixels, notes = display(stored, GreyScale(8))
    np.testing.assert_allclose(pixels, stored / 255, atol=1e-7)
    assert notes == ()


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (GreyScale(8, signed=True), [[28 / 255, 228 / 255]]),
        (GreyScale(8, signed=True, modality=Rescale(2, 7)), [[28 / 255, 228 / 255]]),
        (GreyScale(8, signed=True, modality=Rescale(-2, 7)), [[227 / 255, 27 / 255]]),
    ],
)
def test_signed_and_rescaled_eight_bits(scale: GreyScale, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(shown(np.array([[-100, 100]], np.int8), scale), expected, atol=1e-7)


def test_an_eight_bit_table_over_deep_data_keeps_its_full_range() -> None:
    lut = Lut(0, 8, np.array([50, 60, 70], np.uint16))
    pixels, notes = display(np.array([[0, 2]], np.uint16), GreyScale(16, modality=lut))
    np.testing.assert_allclose(pixels, [[50 / 255, 70 / 255]], atol=1e-7)
    assert notes == ()


def test_deep_data_without_a_window_use_their_own_range() -> None:
    pixels, notes = display(np.array([[1000, 1500, 3000]], np.uint16), GreyScale(12))
    np.testing.assert_allclose(pixels, [[0, 0.25, 1]], atol=1e-7)
    assert notes == (
        Note("own-range", "No usable window is stated: the image's own range was used."),
    )


@pytest.mark.parametrize("padding", [(0, 0), (0, 9)])
def test_padding_does_not_count_for_the_range(padding: tuple[int, int]) -> None:
    stored = np.array([[0, 1000, 1500, 3000]], np.uint16)
    np.testing.assert_allclose(
        shown(stored, GreyScale(12, padding=padding)), [[0, 0, 0.25, 1]], atol=1e-7
    )


@pytest.mark.parametrize("padding", [None, (7, 7)])
def test_an_image_of_one_value_or_of_padding_alone_is_even(
    padding: tuple[int, int] | None,
) -> None:
    assert np.ptp(shown(np.full((2, 2), 7, np.uint16), GreyScale(12, padding=padding))) == 0


def test_thirty_two_bits_lose_nothing_in_a_narrow_window() -> None:
    stored = np.array([[2**31, 2**31 + 1, 2**31 + 2]], np.uint32)
    scale = GreyScale(32, voi=Window(2**31 + 1, 2, "LINEAR_EXACT"))
    np.testing.assert_allclose(shown(stored, scale), [[0, 0.5, 1]])


def other(image: NDArray[Any], scale: GreyScale) -> tuple[NDArray[Any], GreyScale]:
    """The same image in the other photometric interpretation: each value from the other end."""
    ends = -1 if scale.signed else 2**scale.bits - 1
    voi = scale.voi
    if isinstance(voi, Lut):
        first = ends - voi.first - len(voi.entries) + 1
        voi = Lut(first, voi.bits, np.uint16(voi.top) - voi.entries[::-1])
    elif isinstance(voi, Window):
        # A LINEAR window is about its centre less one half.
        voi = voi._replace(center=ends - voi.center + (voi.function == "LINEAR"))
    return ends - image, scale._replace(voi=voi, inverted=not scale.inverted)


VOIS = [
    None,
    Window(700, 301),
    Window(60, 2),
    Window(90.25, 33, "LINEAR_EXACT"),
    Window(90, 33, "SIGMOID"),
    Lut(3, 10, (np.arange(200, dtype=np.uint16) ** 2 // 40).astype(np.uint16)),
]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("voi", VOIS)
@pytest.mark.parametrize("seed", range(3))
def test_monochrome1_is_the_inverse_of_monochrome2(
    signed: bool,  # noqa: FBT001 - a parameter
    bits: int,
    voi: Window | Lut | None,
    seed: int,
) -> None:
    low = -(2 ** (bits - 1)) if signed else 0
    rng = np.random.default_rng(seed)
    stored = rng.integers(low, low + 2**bits, (64, 64))
    scale = GreyScale(bits, signed=signed, voi=voi)
    pixels = shown(stored, scale)
    # Stored the other way round: the same bits, so that the copies are found to be equal.
    np.testing.assert_array_equal(shown(*other(stored, scale)), pixels)
    # The same numbers in the other photometric interpretation: the negative, but for float32.
    negative = shown(stored, scale._replace(inverted=True))
    np.testing.assert_allclose(negative, 1 - pixels, atol=2**-24)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_width_of_one_is_a_step(inverted: bool) -> None:  # noqa: FBT001 - a parameter
    stepped = windowed(np.array([-1.0, -0.5, 0]), Window(0, 1), inverted=inverted)
    np.testing.assert_array_equal(stepped, [1, 1, 0] if inverted else [0, 0, 1])


def test_a_width_below_the_precision_of_its_centre_is_a_step() -> None:
    stepped = windowed(np.array([0.0, 1e17, 2e17]), Window(1e17, 1e-3, "LINEAR_EXACT"))
    np.testing.assert_array_equal(stepped, [0, 0, 1])
