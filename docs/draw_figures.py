"""Draws the figures of the README from the results of `pulmo demo`.

    python docs/draw_figures.py out/demo

It needs Chromium, and writes `docs/figures/report.png` and `docs/figures/heatmap.png`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

FIGURES = Path(__file__).parent / "figures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(demo: Path) -> None:
    """Writes both figures.

    Args:
        demo: the folder that `pulmo demo` wrote.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"None of {', '.join(BROWSERS)} is installed.")
    FIGURES.mkdir(exist_ok=True)
    page = (demo / "evaluation" / "report.html").resolve()
    subprocess.run(  # noqa: S603 - a browser and a page of our own
        [browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,800",
         f"--screenshot={FIGURES / 'report.png'}", page.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
    with Image.open(FIGURES / "report.png") as shot:
        shot.convert("P", palette=Image.Palette.ADAPTIVE).save(
            FIGURES / "report.png", optimize=True
        )
    with Image.open(min((demo / "heat-maps").glob("*.covid.png"))) as heat_map:
        heat_map.convert("RGB").resize(_fitted(heat_map.size)).save(FIGURES / "heatmap.png")


def _fitted(size: tuple[int, int], height: int = 480) -> tuple[int, int]:
    return round(size[0] * height / size[1]), height


if __name__ == "__main__":
    main(Path(sys.argv[1]))
