"""Builds the page of `pulmo serve` as a folder of files that does all its work in the browser.

The folder works on any host of static files and under any path. The page sends nothing anywhere:
its networks run in ONNX Runtime Web, and the policy in its head lets it load its own files only.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from contents import BuildError, contents_of, with_means_by_lanes
from index_page import index_page
from markdown_it import MarkdownIt

from pulmo.bundle.card import Card
from pulmo.bundle.model_card import model_card
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import PulmoError
from pulmo.core.shipped import shipped_bundle
from pulmo.datasets.phantom import write_phantoms
from pulmo.lungs.finder import shipped_finder
from pulmo.serve.app import PAGE
from pulmo.serve.documents import card_page

OWN: Final = Path(__file__).with_name("page")
"""The modules that this page has instead of a server, or of those that ask one."""

RUNTIME: Final = {
    "ort.wasm.bundle.min.mjs": "runtime.js",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""The files of ONNX Runtime Web for the processor -> their names here; the first loads the second.
Some hosts do not know that a file whose name ends with mjs is a script."""

_LEFT_OUT: Final = frozenset(
    {
        "results.html",
        "results.css",
        "results.js",
        "curves.js",
        "report.js",
        "types.js",
        "contents.js",
    }
)
"""The page of results, which only a server has, and modules that only have types."""

_CONTENTS: Final = "model.json"

_DRAWINGS: Final = 3


def build(bundle: Path, packages: Path, out: Path) -> None:
    """Writes the folder, in the place of an earlier one.

    Args:
        bundle: the model.
        packages: the `node_modules` with `onnxruntime-web`.
        out: the folder.

    Raises:
        BuildError: ONNX Runtime Web is missing, the folder is of something else, or the page cannot
            prepare images for the model.
        InputError: the bundle is missing or damaged.
    """
    runtime = packages / "onnxruntime-web" / "dist"
    if missing := [name for name in RUNTIME if not (runtime / name).is_file()]:
        raise BuildError(f"{runtime} has no {' and no '.join(missing)}. Run `make page-packages`.")
    predictor = Predictor.open(bundle)
    finder = predictor.finder or shipped_finder()
    contents = contents_of(bundle, predictor, finder)
    _clear(out)
    for file in (*PAGE.iterdir(), *OWN.glob("*.js")):
        if file.name not in _LEFT_OUT:
            shutil.copy(file, out)
    for name, new in RUNTIME.items():
        shutil.copy(runtime / name, out / new)
    (out / "index.html").write_text(index_page((PAGE / "index.html").read_text()))
    (out / _CONTENTS).write_text(json.dumps(contents, separators=(",", ":")))
    (out / "card.html").write_text(_card_page(predictor.card))
    (out / "model.onnx").write_bytes(predictor.model)
    (out / "lungs.onnx").write_bytes(with_means_by_lanes(finder.model))
    (out / "training.sha256").write_bytes(predictor.seen.listed())
    if (bundle / "LICENSE").is_file():
        shutil.copy(bundle / "LICENSE", out / "LICENSE-of-the-model")
    _draw(out)


def _clear(out: Path) -> None:
    """Makes an empty folder; an earlier page is deleted, and nothing else."""
    if out.exists() and any(out.iterdir()) and not (out / _CONTENTS).is_file():
        raise BuildError(f"{out} is not a folder of this page, so it is not deleted.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)


def _draw(out: Path) -> None:
    """Writes drawings, for who has no radiograph at hand."""
    with TemporaryDirectory() as folder:
        write_phantoms(Path(folder) / "drawn", 12, seed=5)
        files = sorted((Path(folder) / "drawn" / "images").glob("*.png"))
        for number, file in enumerate(files[:_DRAWINGS], 1):
            shutil.copy(file, out / f"drawing-{number}.png")


def _card_page(card: Card) -> str:
    drawn = MarkdownIt("commonmark", {"html": False}).enable("table").render(model_card(card))
    return card_page(card.name, drawn)


def main() -> None:
    """Builds the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, help="the node_modules with onnxruntime-web")
    parser.add_argument("out", type=Path, help="the folder of the page")
    parser.add_argument("--bundle", type=Path, help="the model; the one that comes with pulmo")
    given = parser.parse_args()
    bundle = given.bundle or shipped_bundle()
    if bundle is None:
        sys.exit("No model comes with this copy of pulmo. Name one with --bundle.")
    try:
        build(bundle, given.packages, given.out)
    except (BuildError, PulmoError) as error:
        sys.exit(str(error))
    size = sum(file.stat().st_size for file in given.out.iterdir())
    print(f"The page is in {given.out}, {size / 1e6:.1f} MB.")  # noqa: T201 - its result


if __name__ == "__main__":
    main()
