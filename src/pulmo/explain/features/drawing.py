"""Drawings of maps, filters and inputs: tiles on a fixed colour scale that the sheet states."""

import io
from collections.abc import Mapping, Sequence
from functools import cache, partial
from math import log2
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pulmo.bundle.card import RESEARCH_ONLY
from pulmo.explain.features.shown import Area

Pixels = NDArray[np.uint8]
"""An image, uint8 [height, width, 3]."""

_SIDE: Final = 120
"""Pixels of a tile's side, about: a map is enlarged by a whole number."""
_GAP, _WORDS, _MARGIN, _BAR = 4, 14, 16, 12
_COMPRESSION: Final = 3  # of PNG: less time than the default, for a tenth more bytes
_SHEET, _INK, _MARK = (255, 255, 255), (22, 32, 44), (213, 94, 0)


class Tile(NamedTuple):
    """A small image with a few words above it."""

    pixels: Pixels
    words: str


class Panel(NamedTuple):
    """Tiles below a title; of several panels each is next to the one before it.

    Attributes:
        title: what is shown.
        grid: the tiles, as `grid` draws them.
        legend: what the colours mean.
        limit: the value at the ends of the colour scale; None without a scale.
    """

    title: str
    grid: Pixels
    legend: str
    limit: float | None = None


class Scale(NamedTuple):
    """A colour scale for many images of very different size.

    Attributes:
        limit: the value at its ends.
        factors: name -> what each image is multiplied by first, a power of two.
    """

    limit: float
    factors: dict[str, tuple[float, ...]]


def common_scale(images: Mapping[str, NDArray[np.float32]]) -> Scale:
    """Returns one colour scale for all images.

    Its end is the median of the images' own ends, which are the 99.5th percentile of their absolute
    values; each image is multiplied by the power of two that brings its own end nearest to that.

    Args:
        images: name -> values [k, ...], an image each.
    """
    ends = {
        name: np.percentile(np.abs(each).reshape(len(each), -1), 99.5, axis=1)
        for name, each in images.items()
    }
    every = np.concatenate([*ends.values()])
    limit = float(np.median(every[every > 0])) if (every > 0).any() else 1.0
    factor_of = partial(_factor, limit)
    return Scale(limit, {name: tuple(map(factor_of, own)) for name, own in ends.items()})


def factor_words(factor: float) -> str:
    """Returns what an image was multiplied by: ` x4`, ` /2`, or nothing for 1."""
    if factor == 1:
        return ""
    return f" x{factor:g}" if factor > 1 else f" /{1 / factor:g}"


def _factor(limit: float, end: float) -> float:
    return float(2.0 ** round(log2(limit / end))) if end > 0 else 1.0


def signed(values: NDArray[np.float32], limit: float) -> Pixels:
    """Returns values [h, w] in colours: purple below 0, white at 0, orange above it.

    The scale is that of ColorBrewer's PuOr, which is safe for colour-blind readers.
    """
    places = np.rint((np.clip(values / limit, -1, 1) + 1) * 127.5).astype(np.uint8)
    coloured: Pixels = _colours()[places]
    return coloured


def grey(values: NDArray[np.uint8]) -> Pixels:
    """Returns grey values [h, w] as an image."""
    return np.repeat(values[..., None], 3, axis=2)


def boxed(values: NDArray[np.uint8], area: Area) -> Pixels:
    """Returns grey values [h, w] at the size of a tile, with an area framed."""
    pixels = _enlarged(grey(values), _SIDE)
    side = len(pixels)
    left, top, right, bottom = (round(end * side) for end in area)
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), outline=_MARK, width=2)
    return np.asarray(image)


def grid(tiles: Sequence[Tile], columns: int, size: float = 1.0) -> Pixels:
    """Returns tiles of one size row by row, each with its words above it.

    Args:
        tiles: they are enlarged by a whole number, or made smaller.
        columns: tiles of a row.
        size: of a tile, relative to the usual one.
    """
    images = [_enlarged(tile.pixels, size * _SIDE) for tile in tiles]
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    down, across = height + _WORDS + _GAP, width + _GAP
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * across - _GAP, rows * down - _GAP), _SHEET)
    draw = ImageDraw.Draw(sheet)
    for number, (image, tile) in enumerate(zip(images, tiles, strict=True)):
        left, top = number % columns * across, number // columns * down
        draw.text((left, top), tile.words, _INK, _font(10))
        sheet.paste(Image.fromarray(image), (left, top + _WORDS))
    return np.asarray(sheet)


def sheet(title: str, panels: Sequence[Panel]) -> bytes:
    """Returns panels next to each other as PNG, with a title and the colour scale of each."""
    widths = [max(panel.grid.shape[1], 190) for panel in panels]
    height = max(panel.grid.shape[0] for panel in panels)
    size = sum(widths) + _MARGIN * (len(panels) + 1), height + 8 * _MARGIN
    image = Image.new("RGB", size, _SHEET)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, _MARGIN // 2), title, _INK, _font(14))
    left = _MARGIN
    for panel, width in zip(panels, widths, strict=True):
        draw.text((left, 2 * _MARGIN), panel.title, _INK, _font(12))
        image.paste(Image.fromarray(panel.grid), (left, 3 * _MARGIN + 4))
        below = 3 * _MARGIN + 10 + panel.grid.shape[0]
        draw.text((left, below), panel.legend, _INK, _font(10))
        if panel.limit is not None:
            image.paste(Image.fromarray(scale_bar(180)), (left, below + 15))
            draw.text((left, below + 29), f"{-panel.limit:.3g}", _INK, _font(10))
            draw.text((left + 86, below + 29), "0", _INK, _font(10))
            draw.text((left + 180, below + 29), f"{panel.limit:.3g}", _INK, _font(10), anchor="ra")
        left += width + _MARGIN
    draw.text((_MARGIN, size[1] - 18), RESEARCH_ONLY, _INK, _font(10))
    return png(np.asarray(image))


def scale_bar(width: int) -> Pixels:
    """Returns the colours of `signed` from one end to the other, [12, width, 3]."""
    ramp = np.linspace(-1, 1, width, dtype=np.float32)
    return signed(np.repeat(ramp[None], _BAR, axis=0), 1.0)


def png(pixels: Pixels, colours: int = 0) -> bytes:
    """Returns an image as PNG, with at most so many colours if `colours` is not 0."""
    image = Image.fromarray(pixels)
    if colours:
        image = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=colours)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()


def _enlarged(pixels: Pixels, side: float) -> Pixels:
    """Returns an image whose longer side is about `side`; a small one grows by a whole number."""
    longest = max(pixels.shape[:2])
    if longest > 1.5 * side:
        size = tuple(max(1, round(each * side / longest)) for each in pixels.shape[1::-1])
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    factor = max(1, round(side / longest))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


@cache
def _colours() -> NDArray[np.uint8]:
    """Returns the colour scale, [256, 3]."""
    table = mpl.colormaps["PuOr_r"](np.linspace(0, 1, 256))[:, :3]
    colours: NDArray[np.uint8] = np.rint(table * 255).astype(np.uint8)
    return colours


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Returns the font that comes with matplotlib, so that every machine draws the same."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
