"""Whether the page in the browser alone gives what Python gives, on real images, and how fast.

`make browser-demo` builds the page. Its modules read and classify each image in Chromium, and the
same bytes go through `pulmo.predict`'s own reader and predictor.
"""

import argparse
import base64
import io
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import PulmoError, RefusedError
from pulmo.core.shipped import shipped_bundle
from pulmo.lungs.finder import shipped_finder
from pulmo.radiograph import decode_radiograph, pixels_sha256
from pulmo.serve.answers import NAME
from pulmo.serve.views import VIEWS
from pulmo.workflows.image_result import ImageResult

ENDINGS: Final = {".png", ".jpg", ".jpeg"}
NO_IMAGES: Final = {"lung-masks", "lesion-masks"}
"""Folders of masks."""

START: Final = """async () => {
  const [{ Model, read }, views, { sha256 }] = await Promise.all(
    ["model.js", "views.js", "numbers.js"].map((name) => import(new URL(name, location))));
  const model = await Model.open();
  const packed = ({ values }) => {
    const bits = new Uint8Array(Math.ceil(values.length / 8));
    values.forEach((value, at) => { bits[at >> 3] |= value << (7 - (at & 7)); });
    return text(bits);
  };
  const text = (bytes) => {
    let found = "";
    for (let at = 0; at < bytes.length; at += 30000) {
      found += String.fromCharCode(...bytes.subarray(at, at + 30000));
    }
    return btoa(found);
  };
  window.classified = async (name) => {
    const bytes = new Uint8Array(await (await fetch(name)).arrayBuffer());
    const hash = await sha256(bytes);
    const start = performance.now();
    try {
      const radiograph = await read(bytes);
      const { values } = radiograph.image;
      const readAt = performance.now();
      const pixels = `(${radiograph.image.height}, ${radiograph.image.width})`;
      const head = new TextEncoder().encode(pixels);
      const all = new Uint8Array(head.length + values.byteLength);
      all.set(head);
      all.set(new Uint8Array(values.buffer), head.length);
      const grey = await sha256(all);
      const again = performance.now();
      let outcome;
      try { outcome = await model.predict(radiograph, hash); } catch (error) {
        return { code: error.code, reason: error.message, status: error.status, grey };
      }
      const seconds = (performance.now() - again + readAt - start) / 1000;
      const shown = { contents: model.contents, image: radiograph.image, outcome };
      const label = model.contents.summary.classes[0];
      return {
        status: "done", seconds, grey,
        probabilities: outcome.probabilities,
        maps: outcome.maps.map(({ values }) => [...values]),
        input: [...outcome.input],
        notes: outcome.notes.map(({ kind }) => kind),
        right: packed(outcome.lungs.right), left: packed(outcome.lungs.left),
        drawn: text(new Uint8Array(views.heatMap(shown, label).data.buffer)),
        boxes: views.boxes(shown, label).boxes,
        share: views.explanation(shown, label).share_in_lungs,
      };
    } catch (error) {
      return { code: error.code ?? "internal", reason: String(error.message), status: error.status ?? "error" };
    }
  };
}"""


class Compared(NamedTuple):
    """What was found of one image; None of what there is none of."""

    path: Path
    here: str
    there: str
    grey: bool | None = None
    seconds: float | None = None
    seconds_here: float | None = None
    probability: float | None = None
    maps: float | None = None
    drawn: int | None = None
    input: int | None = None
    dice: float | None = None
    boxes: float | None = None
    same_notes: bool | None = None


def chosen(data: Path, count: int) -> list[Path]:
    """Returns as many images of each folder, as far as it has them, in an order of chance."""
    pools = []
    for folder in sorted(each for each in data.iterdir() if each.name not in NO_IMAGES):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
        random.Random(folder.name).shuffle(files)  # noqa: S311 - a choice, no secret
        # As many PNG files as JPEG files of a folder with both.
        kinds = [
            [file for file in files if (file.suffix.lower() == ".png") is is_png]
            for is_png in (True, False)
        ]
        mixed = [file for pair in zip(*kinds, strict=False) for file in pair]
        pools.append(mixed + [file for file in files if file not in set(mixed)])
    found: list[Path] = []
    while len(found) < count and any(pools):
        found += [pool.pop(0) for pool in pools if pool]
    return found[:count]


@contextmanager
def served(folder: Path, images: Sequence[Path]) -> Iterator[str]:
    """Serves the page below /page/ and the images by their number; gives the address of the page."""

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

        def translate_path(self, path: str) -> str:
            number = path.rpartition("/")[2]
            if number.isdigit():
                return str(images[int(number)])
            return str(folder / (number or "index.html"))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/page/"
    server.shutdown()


@contextmanager
def opened(address: str) -> Iterator[Page]:
    """Gives the page in the system's Chromium, with the function `classified`."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.evaluate(START)
        yield page
        browser.close()


def compared(path: Path, there: Mapping[str, Any], predictor: Predictor) -> Compared:
    """Compares what the browser said of an image with what Python says."""
    code = there.get("code") or there["status"]
    try:
        start = time.perf_counter()
        radiograph = decode_radiograph(path.read_bytes(), NAME)
    except PulmoError as error:
        return Compared(path, error.code, code)
    grey = there.get("grey") == pixels_sha256(radiograph.pixels) if "grey" in there else None
    try:
        outcome = predictor.predict(radiograph, NAME)
    except RefusedError as error:
        return Compared(path, error.code, code, grey)
    found = Compared(path, "done", code, grey, seconds_here=time.perf_counter() - start)
    if there["status"] != "done":
        return found
    result = ImageResult(NAME, outcome, predictor, radiograph)
    label = predictor.card.labels.order[0]
    lungs = result.lungs
    drawn = np.asarray(
        Image.open(io.BytesIO(VIEWS["heatmap"](result, {"label": label, "method": None}).layer))
    )
    boxes = [tuple(each._asdict().values()) for each in result.heatmap(label).detections]
    others = [tuple(each.values()) for each in there["boxes"]]
    layer = np.frombuffer(base64.b64decode(there["drawn"]), np.uint8).astype(int)
    return found._replace(
        seconds=there["seconds"],
        probability=_apart(there["probabilities"], list(outcome.probabilities.values())),
        maps=_apart(there["maps"], outcome.activation.reshape(len(outcome.activation), -1)),
        drawn=int(np.abs(layer.reshape(drawn.shape) - drawn).max())
        if layer.size == drawn.size
        else 255,
        input=int(_apart(there["input"], outcome.prepared.input.ravel()))
        if outcome.prepared
        else None,
        dice=min(_dice(there["right"], lungs.right), _dice(there["left"], lungs.left)),
        boxes=_apart(others, boxes) if len(others) == len(boxes) else float("inf"),
        same_notes=there["notes"] == [note.kind for note in outcome.notes],
    )


def _apart(one: Any, other: Any) -> float:  # noqa: ANN401 - whatever NumPy makes an array of
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).max(initial=0))


def _dice(packed: str, mask: NDArray[np.bool_]) -> float:
    bits = np.unpackbits(np.frombuffer(base64.b64decode(packed), np.uint8))[: mask.size].astype(
        bool
    )
    total = int(bits.sum() + mask.sum())
    return 1.0 if total == 0 else float(2 * (bits & mask.ravel()).sum() / total)


def main() -> None:
    """Compares and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=Path("out/browser-demo"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--report", type=Path, default=Path("docs/results/browser.md"))
    given = parser.parse_args()
    bundle = shipped_bundle()
    if bundle is None:
        raise SystemExit("No model comes with this copy of pulmo.")
    predictor = Predictor.open(bundle, threads=1)
    shipped_finder()
    paths = chosen(given.data, given.images)
    found = []
    with served(given.page, paths) as address, opened(address) as page:
        for number, path in enumerate(paths):
            there = page.evaluate(f"window.classified('../{number}')")
            found.append(compared(path, there, predictor))
            print(*found[-1][1:], path.name, there.get("reason", ""), flush=True)
    print(Counter((each.here, each.there) for each in found))
    done = [each for each in found if each.seconds is not None]
    for name in ("probability", "maps", "drawn", "input", "boxes"):
        print(name, max(getattr(each, name) for each in done))
    print(
        "dice",
        min(each.dice for each in done),
        "grey",
        Counter(each.grey for each in found),
        "notes",
        Counter(each.same_notes for each in done),
    )
    print(
        "seconds",
        np.median([each.seconds for each in done]),
        np.median([each.seconds_here for each in done]),
    )


if __name__ == "__main__":
    main()
