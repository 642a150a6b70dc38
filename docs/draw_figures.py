"""Draws the figures of the README from the results of `pulmo demo`.

    python docs/draw_figures.py out/demo

It needs Chromium, and writes `report.png`, `heatmap.png` and `features.png` of `docs/figures`.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

import pulmo

FIGURES = Path(__file__).parent / "figures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(demo: Path) -> None:
    """Writes the figures.

    Args:
        demo: the folder that `pulmo demo` wrote.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"None of {', '.join(BROWSERS)} is installed.")
    FIGURES.mkdir(exist_ok=True)
    page = demo / "evaluation" / "report.html"
    screenshot(browser, page, FIGURES / "report.png", (1280, 800))
    image = min((demo / "new" / "images").iterdir())
    data = pulmo.read_manifest(demo / "images.parquet")
    with tempfile.TemporaryDirectory() as folder:
        pulmo.features(demo / "run", image, data=data, output=folder)
        shot = FIGURES / "features.png"
        screenshot(browser, Path(folder) / "features.html", shot, (1280, 1500))
    with Image.open(min((demo / "heat-maps").glob("*.covid.png"))) as heat_map:
        heat_map.convert("RGB").resize(_fitted(heat_map.size)).save(FIGURES / "heatmap.png")


def screenshot(browser: str, page: Path, to: Path, size: tuple[int, int]) -> None:
    """Writes the top of a page as a PNG file of few colours.

    Args:
        browser: Chromium's program.
        page: the page.
        to: the file.
        size: width and height in pixels.
    """
    subprocess.run(  # noqa: S603 - a browser and a page of our own
        [browser, "--headless", "--no-sandbox", "--hide-scrollbars",
         f"--window-size={size[0]},{size[1]}", f"--screenshot={to}", page.resolve().as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
    with Image.open(to) as shot:
        shot.convert("P", palette=Image.Palette.ADAPTIVE).save(to, optimize=True)


def _fitted(size: tuple[int, int], height: int = 480) -> tuple[int, int]:
    return round(size[0] * height / size[1]), height


if __name__ == "__main__":
    main(Path(sys.argv[1]))
