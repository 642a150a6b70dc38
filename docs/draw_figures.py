"""Draws the figures of the README from the results of `pulmo demo`.

    python docs/draw_figures.py out/demo

It needs Chromium, and writes `report.png`, `heatmap.png`, `features.png` and `page.png` of
`docs/figures`.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

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
    draw_page(browser, demo, FIGURES / "page.png")
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
    _reduce(to)


def draw_page(browser: str, demo: Path, to: Path) -> None:
    """Writes the page of `pulmo serve` with some images as a PNG file of few colours.

    Args:
        browser: Chromium's program.
        demo: the folder that `pulmo demo` wrote.
        to: the file.
    """
    images = sorted((demo / "new" / "images").iterdir())[:6]
    command = [sys.executable, "-m", "pulmo", "serve", "--model", demo / "bundle", "--port", "0"]
    with (
        tempfile.TemporaryDirectory() as data,
        subprocess.Popen([*command, "--data", data], stdout=subprocess.PIPE, text=True) as server,  # noqa: S603 - our own
        sync_playwright() as started,
    ):
        assert server.stdout is not None  # noqa: S101 - for the type
        shown = started.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
            viewport={"width": 1280, "height": 760}, color_scheme="dark"
        )
        shown.goto(server.stdout.readline().strip())
        shown.locator("#choose-files:enabled").wait_for()
        shown.set_input_files("#files", images)
        shown.locator("#progress").wait_for(state="hidden")
        shown.check("#heat")
        shown.check("#lungs")
        shown.locator("#legend").wait_for()
        # The outline comes last, and has no element of its own.
        shown.wait_for_load_state("networkidle")
        shown.screenshot(path=to)
        server.terminate()
    _reduce(to)


def _reduce(file: Path) -> None:
    with Image.open(file) as shot:
        shot.convert("P", palette=Image.Palette.ADAPTIVE).save(file, optimize=True)


def _fitted(size: tuple[int, int], height: int = 480) -> tuple[int, int]:
    return round(size[0] * height / size[1]), height


if __name__ == "__main__":
    main(Path(sys.argv[1]))
