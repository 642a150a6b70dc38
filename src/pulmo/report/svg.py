"""Figures as SVG inside a page: its fonts, its colours in light and dark, and repeatable bytes.

A file of its own may be SVG or PNG.
"""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, MUTED, LINE, ACCENT = "#16202c", "#586473", "#d5dce3", "#0072b3"
CLASS_COLOURS: Final = ("#0072b2", "#c9550a", "#00805a", "#a8497f", "#7a6a00", "#4b5a6a")
"""One a class, after Okabe and Ito 2008, darkened until each has 4:1 contrast on white."""

CLASS_DASHES: Final = ("-", (0, (5, 1.5)), (0, (1.5, 1)), "-.", (0, (7, 2, 1, 2, 1, 2)), "--")
"""One a class, so that the lines differ without colour as well."""

# The page's style sheet gives these names other values in the dark; the figure alone keeps its own.
_NAMES: Final = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    ACCENT: "accent",
    **{colour: f"class-{number}" for number, colour in enumerate(CLASS_COLOURS)},
}
_FONT: Final = "DejaVu Sans"
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "pulmo",  # else a file's ids are random
    "svg.fonttype": "none",  # words stay words: small, searchable, in the page's font
    "text.parse_math": False,  # names may hold dollar signs
    "font.family": _FONT,
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}


def draw_svg(name: str, alt: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """Draws a figure as an SVG element for a page.

    Args:
        name: a short word that no other figure of the page has; its ids begin with it.
        alt: what the figure shows, for those who cannot see it.
        size: width and height in inches of 72 units.
        draw: draws on the empty figure that it is given.

    Returns:
        `<svg>...</svg>`, the same bytes for the same figure. Its colours are CSS variables with a
        fallback.
    """
    return _inline(_draw(size, draw, transparent=True), name, alt)


def draw_svg_file(size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """Draws a figure as an SVG file on white; its arguments are those of `draw_svg`.

    Returns:
        The file's content, the same bytes for the same figure.
    """
    return _draw(size, draw, transparent=False)


def draw_png_file(size: tuple[float, float], draw: Callable[[Figure], None]) -> bytes:
    """Draws a figure as a PNG file on white, at 160 pixels an inch of `draw_svg`'s `size`."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


def _draw(size: tuple[float, float], draw: Callable[[Figure], None], *, transparent: bool) -> str:
    """Draws a figure as matplotlib's SVG."""
    buffer = io.StringIO()
    # matplotlib reads these settings while it draws and takes them from nowhere else.
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        draw(figure)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=transparent, metadata=nothing)
    return buffer.getvalue()


def _inline(text: str, name: str, alt: str) -> str:
    """Makes an element of a page out of an SVG file."""
    view = re.search(r'viewBox="[^"]*"', text)
    opening = f'<svg {view[0] if view else ""} role="img" aria-label="{escape(alt)}">'
    body = text[text.index("<g ") : text.rindex("</svg>")]
    body = _rename(re.sub(r"\s*\n\s*", " ", body).replace("xlink:href", "href"), name)
    body = body.replace(f"'{_FONT}'", "var(--sans, sans-serif)")
    for colour, variable in _NAMES.items():
        body = body.replace(colour, f"var(--{variable}, {colour})")
    return f"{opening}{body}</svg>"


def _rename(body: str, name: str) -> str:
    """Numbers the ids that are referred to, unlike any other figure's, and drops the rest."""
    used = dict.fromkeys(re.findall(r'(?:url\(|href=")#([^)"]*)', body))
    numbers = {old: f"{name}-{number}" for number, old in enumerate(used)}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{numbers[match[1]]}"' if match[1] in numbers else ""

    body = re.sub(r' id="([^"]*)"', renamed, body)
    return re.sub(r'(url\(|href=")#([^)"]*)', lambda found: f"{found[1]}#{numbers[found[2]]}", body)
