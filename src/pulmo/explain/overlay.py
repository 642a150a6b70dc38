"""An image with the evidence for one class painted on it, against a scale that never moves."""

import io
import textwrap
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pulmo.bundle.card import RESEARCH_ONLY
from pulmo.core.errors import InputError
from pulmo.explain.annotations import NOTHING, Annotations, draw_annotations
from pulmo.radiograph.geometry import Aspect, Box, to_image

LONG_SIDE: Final = 560
"""Pixels of the drawn image's longer side."""

_OPACITY: Final = 0.64  # the image stays visible under the strongest evidence
_IMAGE_UNDER_BAR: Final = 0.45  # the colour bar shows the paint as it looks on mid-grey image
_MARGIN, _GAP, _BAR, _BAR_WORDS, _LINE = 18, 10, 16, 100, 20  # pixels of the sheet
_SHEET, _INK, _FAINT = "#0c0e11", "#e9ebee", "#a4abb5"
_FONT: Final = "DejaVu Sans"  # comes with matplotlib, so every machine draws the same
_SMALL: Final = 760  # pixels; the two images side by side in a column of a page
_QUALITY: Final = 80  # of JPEG
STRIPE: Final = 110  # grey of the hatching
_COMPRESSION: Final = 2  # of PNG: a third of the default's time for a tenth more bytes


@dataclass(frozen=True, eq=False)
class Overlay:
    """An image with a map over it, as it is drawn.

    Attributes:
        pixels: the image, float32 [height, width] in [0, 1].
        activation: the map over the input square, float32 [rows, columns], signed.
        aspect: how the image became the input square.
        scale: the value at the end of the colour scale; above 0.
        annotations: lines, boxes and letters on the images.
        box: the part of the image that became the input square; None if that is the whole image.
    """

    pixels: NDArray[np.float32]
    activation: NDArray[np.float32]
    aspect: Aspect
    scale: float
    annotations: Annotations = NOTHING
    box: Box | None = None


def draw_overlay(overlay: Overlay, *, legend: str, caption: str) -> bytes:
    """Draws an image next to the same image with the evidence for a class, with legend and caption.

    Negative values are not painted, and a map without evidence leaves the image as it is. Two
    sheets of one scale can be compared. What the network did not see (the edges under `crop`, and
    what is outside the box) is dimmed and hatched.

    Args:
        overlay: the image and the map.
        legend: what stands next to the colour bar: of which class and in which unit its values are.
        caption: a line or two below the images.

    Returns:
        The sheet as PNG.

    Raises:
        InputError: the map holds values that are not finite, or the scale is not above 0.
    """
    buffer = io.BytesIO()
    _sheet(overlay, legend, caption).savefig(
        buffer,
        format="png",
        metadata={"Software": None},
        pil_kwargs={"compress_level": _COMPRESSION},
    )
    return buffer.getvalue()


def draw_sheet(overlay: Overlay, *, legend: str, caption: str) -> NDArray[np.uint8]:
    """Draws the sheet of `draw_overlay`, whose arguments and errors it has.

    Returns:
        The sheet, uint8 [height, width, 3].
    """
    canvas = FigureCanvasAgg(_sheet(overlay, legend, caption))
    canvas.draw()  # type: ignore[no-untyped-call] # matplotlib's
    drawn: NDArray[np.uint8] = np.array(canvas.buffer_rgba())  # type: ignore[no-untyped-call] # likewise
    return drawn[..., :3]


def _sheet(overlay: Overlay, legend: str, caption: str) -> Figure:
    images = _Images.from_overlay(overlay)
    pair, said = images.side_by_side(overlay.annotations), overlay.annotations.legend
    width = max(320, pair.shape[1] + 2 * _MARGIN + _BAR_WORDS)
    lines = textwrap.wrap(_drawable(caption), max(24, int((width - 2 * _MARGIN) / 7.6)))
    hatched = " Hatched: not seen by the network." if images.unseen.any() else ""
    faint = [line for line in (said, RESEARCH_ONLY + hatched) if line]
    height = pair.shape[0] + 2 * _MARGIN + _LINE * (len(lines) + len(faint)) + 6
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=_SHEET)
    FigureCanvasAgg(figure)
    _place(figure, pair, (_MARGIN, _MARGIN))
    _draw_bar(figure, pair.shape[:2], overlay.scale, legend)
    for row, line in enumerate((*lines, *faint), 1):
        at = (_MARGIN, _MARGIN + pair.shape[0] + _LINE * row)
        _write(figure, line, at, _INK if row <= len(lines) else _FAINT)
    return figure


def draw_pair(overlay: Overlay) -> NDArray[np.uint8]:
    """Draws the two images of `draw_overlay` alone, for a page that has its own words and legend.

    Returns:
        The pair, uint8 [height, width, 3].

    Raises:
        InputError: the map holds values that are not finite, or the scale is not above 0.
    """
    return _Images.from_overlay(overlay).side_by_side(overlay.annotations)


def small_pair(overlay: Overlay) -> bytes:
    """Draws the same as `draw_pair` as a JPEG small enough for a page with many.

    Raises:
        InputError: as for `draw_pair`.
    """
    pair = Image.fromarray(draw_pair(overlay))
    pair.thumbnail((_SMALL, _SMALL), Image.Resampling.LANCZOS)
    pair.save(buffer := io.BytesIO(), "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()


def draw_layer(overlay: Overlay) -> bytes:
    """Draws the paint of `draw_overlay` alone, to be laid over the image.

    Laid over the plain image of `draw_pair`, it gives the painted one without its annotations.

    Returns:
        RGBA as PNG, of the size of that image.

    Raises:
        InputError: the map holds values that are not finite, or the scale is not above 0.
    """
    images = _Images.from_overlay(overlay)
    colour, opacity = paint_of(np.clip(np.nan_to_num(images.evidence), 0, 1))
    layer = _bytes(np.concatenate([colour, opacity], axis=2))
    layer[images.unseen] = (0, 0, 0, 128)
    layer[images.unseen & _stripes(images.unseen.shape)] = (*[STRIPE] * 3, 255)
    buffer = io.BytesIO()
    Image.fromarray(layer).save(buffer, "PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()


def colour_stops(count: int) -> list[str]:
    """Returns the colour scale from no evidence to its end, as it looks on mid-grey image.

    Returns:
        `count` colours, each `#rrggbb`.
    """
    ramp = np.linspace(0, 1, count, dtype=np.float32)[None]
    painted = _paint(np.full_like(ramp, _IMAGE_UNDER_BAR), ramp)
    return ["#" + bytes(colour).hex() for colour in painted[0]]


class _Images(NamedTuple):
    """The plain and the painted image, uint8 [height, width, 3], with what is painted.

    That is the evidence, [height, width], as a share of the scale, and what the network missed.
    """

    plain: NDArray[np.uint8]
    painted: NDArray[np.uint8]
    evidence: NDArray[np.float32]
    unseen: NDArray[np.bool_]

    @classmethod
    def from_overlay(cls, overlay: Overlay) -> Self:
        if not np.isfinite(overlay.activation).all():
            raise InputError(
                "activation-map-not-finite",
                "The activation map contains values that are not finite, so the network is "
                "damaged.",
            )
        if not overlay.scale > 0:
            raise InputError(
                "activation-map-scale-invalid",
                f"The scale of the activation map must be above 0; got {overlay.scale}.",
            )
        image = _resample(overlay.pixels)
        shape = image.shape[0], image.shape[1]
        height, width = overlay.pixels.shape
        box = None if overlay.box is None else overlay.box.scaled((height, width), shape)
        evidence = to_image(overlay.activation, shape, overlay.aspect, box) / overlay.scale
        unseen = np.isnan(evidence)
        painted = _paint(image, np.clip(np.nan_to_num(evidence), 0, 1))
        plain = np.repeat(_bytes(image)[..., None], 3, 2)
        return cls(plain, _hatch(painted, unseen), evidence, unseen)

    def side_by_side(self, annotations: Annotations) -> NDArray[np.uint8]:
        """Returns both images with their annotations, with a gap in the sheet's colour."""
        gap = np.empty((self.plain.shape[0], _GAP, 3), np.uint8)
        gap[:] = np.frombuffer(bytes.fromhex(_SHEET[1:]), np.uint8)
        plain = draw_annotations(self.plain, None, annotations)
        painted = draw_annotations(self.painted, self.evidence, annotations)
        return np.concatenate([plain, gap, painted], axis=1)


def _resample(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the image with its longer side at `LONG_SIDE`; a small one grows smoothly."""
    factor = LONG_SIDE / max(pixels.shape)
    height, width = (max(2, round(side * factor)) for side in pixels.shape)
    image = Image.fromarray(np.ascontiguousarray(pixels, np.float32))
    resampled = np.array(image.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return resampled.clip(0, 1)


def _paint(image: NDArray[np.float32], evidence: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns the image [h, w] under paint whose colour and opacity grow with `evidence` [0, 1]."""
    colour, opacity = paint_of(evidence)
    return _bytes(image[..., None] * (1 - opacity) + colour * opacity)


def paint_of(evidence: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the colour [h, w, 3] and the opacity [h, w, 1] of the paint, in [0, 1]."""
    # The darkest fifth of inferno would read as shadow in the lung; the rest rises in lightness.
    table = mpl.colormaps["inferno"](np.linspace(0.22, 0.94, 256))
    colour = table[:, :3].astype(np.float32)[np.rint(evidence * 255).astype(np.uint8)]
    opacity = _OPACITY * np.sqrt(evidence) * np.minimum(1, 6 * evidence)
    return colour, np.asarray(opacity, np.float32)[..., None]


def _hatch(painted: NDArray[np.uint8], unseen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Returns the image with the unseen part dimmed under diagonal lines."""
    if not unseen.any():
        return painted
    hatched = painted.copy()
    hatched[unseen] //= 2
    hatched[unseen & _stripes(unseen.shape)] = STRIPE
    return hatched


def _stripes(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Returns where the diagonal lines of the hatching lie."""
    rows, columns = np.indices(shape)
    return np.asarray(np.add(rows, columns) % 14 < 2)


def _place(figure: Figure, pixels: NDArray[np.uint8], at: tuple[int, int]) -> None:
    """Puts pixels on the figure one to one, `at` pixels from its left and upper edge."""
    height = round(figure.get_figheight() * figure.dpi)
    figure.figimage(pixels, at[0], height - at[1] - pixels.shape[0], origin="upper")


def _draw_bar(figure: Figure, shape: tuple[int, ...], scale: float, legend: str) -> None:
    """Draws the colour bar to the right of the images, of `shape` [height, width] in pixels."""
    length = min(shape[0], 260)
    stops = [list(bytes.fromhex(stop[1:])) for stop in reversed(colour_stops(length))]
    bar = np.repeat(np.array(stops, np.uint8)[:, None], _BAR, axis=1)
    left, top = _MARGIN + shape[1] + 34, _MARGIN + (shape[0] - length) // 2
    _place(figure, bar, (left, top))
    for share in (0, 0.5, 1):
        mark = f"{'≥ ' if share == 1 else ''}{scale * share:.3g}"
        _write(figure, mark, (left + _BAR + 5, top + round((1 - share) * (length - 8)) + 8), _INK)
    _write(figure, _drawable(legend), (left - 7, top + length // 2), _FAINT, upright=True)


def _write(
    figure: Figure, words: str, at: tuple[int, int], colour: str, *, upright: bool = False
) -> None:
    """Writes a line, `at` pixels from the left and upper edge."""
    width, height = figure.get_size_inches() * figure.dpi
    figure.text(
        at[0] / width,
        1 - at[1] / height,
        words,
        color=colour,
        fontsize=9,
        family=_FONT,
        parse_math=False,  # a file name may hold dollar signs
        rotation=90 if upright else 0,
        ha="right" if upright else "left",
        va="center" if upright else "baseline",
    )


def _drawable(words: str) -> str:
    """Returns `words` with a question mark for what the font cannot draw."""
    known = font_manager.get_font(font_manager.findfont(_FONT)).get_charmap()
    return "".join(letter if ord(letter) in known else "?" for letter in " ".join(words.split()))


def _bytes(values: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns values in [0, 1] as bytes."""
    return np.array(np.rint(values * 255), np.uint8)
