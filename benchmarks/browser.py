"""Whether the page in the browser alone gives what Python gives, on real images, and how fast.

`make browser-demo` builds the page. Its modules read and classify each image in Chromium, and the
same bytes go through `pulmo.predict`'s own reader and predictor.
"""

import argparse
import base64
import io
import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from commands import commit
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import sync_playwright

from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import PulmoError, RefusedError
from pulmo.core.shipped import shipped_bundle
from pulmo.radiograph import decode_radiograph, pixels_sha256
from pulmo.serve.answers import NAME
from pulmo.serve.views import VIEWS
from pulmo.workflows.image_result import ImageResult

PACKAGES: Final = Path(__file__).parents[1] / "tests" / "serve" / "page" / "package.json"
CODE: Final = (".js", ".css", ".html", ".json", ".svg")
CLOSE: Final = 1e-3
ENDINGS: Final = {".png", ".jpg", ".jpeg"}
NO_IMAGES: Final = {"lung-masks", "lesion-masks"}
"""Folders of masks."""

START: Final = """async () => {
  const [{ Model, read }, views, { sha256 }, { joined }] = await Promise.all(
    ["model.js", "views.js", "numbers.js", "bytes.js"].map(
      (name) => import(new URL(name, location))));
  const model = await Model.open();
  const text = (bytes) => {
    let found = "";
    for (let at = 0; at < bytes.length; at += 30000) {
      found += String.fromCharCode(...bytes.subarray(at, at + 30000));
    }
    return btoa(found);
  };
  const packed = ({ values }) => {
    const bits = new Uint8Array(Math.ceil(values.length / 8));
    values.forEach((value, at) => { bits[at >> 3] |= value << (7 - (at & 7)); });
    return text(bits);
  };
  const hashOf = ({ values, height, width }) => sha256(joined([
    new TextEncoder().encode(`(${height}, ${width})`), new Uint8Array(values.buffer)]));
  const resultOf = async (found, bytes) => {
    const start = performance.now();
    const radiograph = await read(bytes);
    const between = performance.now();
    found.grey = await hashOf(radiograph.image);
    const hash = await sha256(bytes);
    const again = performance.now();
    const outcome = await model.predict(radiograph, hash);
    found.seconds = (performance.now() - again + between - start) / 1000;
    const shown = { contents: model.contents, image: radiograph.image, outcome };
    const [label] = model.contents.summary.classes;
    Object.assign(found, {
      code: "done",
      probabilities: outcome.probabilities,
      maps: outcome.maps.map(({ values }) => [...values]),
      notes: outcome.notes.map(({ kind }) => kind),
      right: packed(outcome.lungs.right),
      left: packed(outcome.lungs.left),
      drawn: text(new Uint8Array(views.heatMap(shown, label).data.buffer)),
      boxes: views.boxes(shown, label).boxes,
    });
  };
  window.classified = async (name) => {
    const found = { grey: null };
    try {
      await resultOf(found, new Uint8Array(await (await fetch(name)).arrayBuffer()));
    } catch (error) {
      if (!error.code) throw error;
      found.code = error.code;
    }
    return found;
  };
}"""
"""Gives the page a function that classifies the file at an address."""

REPORT: Final = """# The page in the browser

Made by `python benchmarks/browser.py` at commit {commit}, with {browser} and ONNX Runtime Web
{runtime} in one thread, on 2 shared processor cores.

[The page in the browser alone](../how-to/browser-demo.md) and Python were given the same {images}
files of {sources} sources. Half of them are the files of the sources, which are all JPEG by their
content; the others are images of the sources written as PNG of 8 and of 16 bits.

| files | same grey values | classified by both | refused by both with one code | otherwise |
|---|---|---|---|---|
{kinds}

{otherwise}

Of the {done} images that both classify:

| what | largest difference |
|---|---|
| probability of a class | {probability:.1e} |
| value of a heat map, in logits | {maps:.1e} |
| colour or opacity of a drawn heat map, of 255 | {drawn} |
| edge or score of a box | {boxes:.1e} |

All pixels of the lungs are the same on {same_lungs} images; the lowest Dice coefficient is
{dice:.5f}. Probabilities and maps of {close} images differ by less than 0.001. The notes of {notes}
images are the same.

An image takes {seconds:.2f} s in the browser (median; nine in ten take {slow:.2f} s or less) and
{seconds_here:.2f} s in Python, decoding included. The folder has {size:.1f} MB: {wasm:.1f} MB of
ONNX Runtime, {networks:.1f} MB of networks and {code:.0f} kB of page.

The network of the lungs takes means of an image. ONNX Runtime Web adds up the pixels in another
order than ONNX Runtime does, which moved the edge of the lungs and a probability by up to 0.003. So
the build lets it take them in the order of ONNX Runtime on x86 processors.
"""


class Compared(NamedTuple):
    """What was found of one image; None where not both have a result.

    Attributes:
        kind: of the file.
        here: the code of what Python says; `done` if that is a result.
        there: that of what the browser says.
        grey: whether the grey values are the same; None if one of the two does not read the file.
        seconds: in the browser.
        seconds_here: in Python.
        probability, maps, drawn, boxes: largest differences.
        dice: of the lung that differs more.
        notes: whether the kinds of notes are the same.
    """

    kind: str
    here: str
    there: str
    grey: bool | None = None
    seconds: float = 0
    seconds_here: float = 0
    probability: float = 0
    maps: float = 0
    drawn: int = 0
    boxes: float = 0
    dice: float = 1
    notes: bool = True

    @property
    def is_done(self) -> bool:
        """Whether both give a result."""
        return self.here == self.there == "done"


class Given(NamedTuple):
    """A file that both are given."""

    kind: str
    data: bytes


def chosen(data: Path, count: int) -> tuple[list[Given], int]:
    """Returns files of all sources in turn, every other one written anew, and the sources."""
    pools = []
    for folder in sorted(each for each in data.iterdir() if each.name not in NO_IMAGES):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
        random.Random(folder.name).shuffle(files)  # noqa: S311 - a choice, no secret
        pools += [files] if files else []
    found: list[Given] = []
    for number in range(count):
        pool = pools[number % len(pools)]
        turn = number // len(pools) % 4
        found.append(_given(pool.pop(), turn))
    return found, len(pools)


def _given(path: Path, turn: int) -> Given:
    data = path.read_bytes()
    if turn % 2 == 0:
        return Given("JPEG", data)
    with Image.open(io.BytesIO(data)) as image:
        grey = image.convert("L")
    if turn == 3:
        # Between the grey values of 8 bits lie those of an image that is resampled.
        size = grey.width * 9 // 10, grey.height * 9 // 10
        values = np.asarray(grey.convert("F").resize(size, Image.Resampling.BILINEAR))
        grey = Image.fromarray(np.rint(values * 257).astype(np.uint16))
    grey.save(buffer := io.BytesIO(), "PNG", compress_level=1)
    return Given("PNG of 16 bits" if turn == 3 else "PNG of 8 bits", buffer.getvalue())


@contextmanager
def served(folder: Path, files: Sequence[Given]) -> Iterator[str]:
    """Serves the page below /page/ and the files by number; gives the address of the page."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            if not name.isdigit():
                super().do_GET()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(files[int(name)].data)

        def translate_path(self, path: str) -> str:
            return str(folder / (path.rpartition("/")[2] or "index.html"))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/page/"
    server.shutdown()
    server.server_close()


def compared(given: Given, there: Mapping[str, Any], predictor: Predictor) -> Compared:
    """Compares what the browser said of a file with what Python says."""
    start = time.perf_counter()
    try:
        radiograph = decode_radiograph(given.data, NAME)
    except PulmoError as error:
        return Compared(given.kind, error.code, there["code"])
    grey = there["grey"] and there["grey"] == pixels_sha256(radiograph.pixels)
    try:
        outcome = predictor.predict(radiograph, NAME)
    except RefusedError as error:
        return Compared(given.kind, error.code, there["code"], grey)
    seconds = time.perf_counter() - start
    found = Compared(given.kind, "done", there["code"], grey, seconds_here=seconds)
    if not found.is_done:
        return found
    result = ImageResult(NAME, outcome, predictor, radiograph)
    label, lungs = predictor.card.labels.order[0], result.lungs
    layer = VIEWS["heatmap"](result, {"label": label, "method": None}).layer
    with Image.open(io.BytesIO(layer)) as image:
        drawn = np.asarray(image).ravel()
    boxes = [list(each._asdict().values()) for each in result.heatmap(label).detections]
    others = [list(each.values()) for each in there["boxes"]]
    return found._replace(
        seconds=there["seconds"],
        probability=_apart(there["probabilities"], list(outcome.probabilities.values())),
        maps=_apart(np.ravel(there["maps"]), outcome.activation.ravel()),
        drawn=int(_apart(_bytes(there["drawn"]), drawn)),
        boxes=_apart(others, boxes) if len(others) == len(boxes) else float("inf"),
        dice=min(_dice(there["right"], lungs.right), _dice(there["left"], lungs.left)),
        notes=there["notes"] == [note.kind for note in outcome.notes],
    )


def _apart(one: Any, other: Any) -> float:  # noqa: ANN401 - whatever NumPy makes an array of
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).max(initial=0))


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(text), np.uint8)


def _dice(packed: str, mask: NDArray[np.bool_]) -> float:
    bits = np.unpackbits(_bytes(packed))[: mask.size].astype(bool)
    total = int(bits.sum() + mask.sum())
    return 1.0 if total == 0 else float(2 * (bits & mask.ravel()).sum() / total)


def report(found: Sequence[Compared], sources: int, folder: Path, browser: str) -> str:
    """Returns the report."""
    done = [each for each in found if each.is_done]
    kinds = []
    for kind in sorted({each.kind for each in found}):
        of = [each for each in found if each.kind == kind]
        both = sum(each.is_done for each in of)
        refused = sum(each.here == each.there != "done" for each in of)
        counts = (sum(each.grey is True for each in of), both, refused, len(of) - both - refused)
        kinds.append(f"| {len(of)} {kind} | {' | '.join(map(str, counts))} |")
    differ = Counter((each.here, each.there) for each in found if each.here != each.there)
    lines = [
        f"{count} files: Python says `{here}`, the page `{there}`."
        for (here, there), count in differ.items()
    ]
    same = Counter(each.here for each in found if each.here == each.there != "done")
    reasons = ", ".join(f"`{code}` {count}" for code, count in same.most_common())
    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    runtime = [name for name in sizes if name.endswith(".wasm") or name == "runtime.js"]
    wasm = sum(sizes[name] for name in runtime)
    networks = sum(size for name, size in sizes.items() if name.endswith(".onnx"))
    seconds = [each.seconds for each in done]
    packages = json.loads(PACKAGES.read_text())
    return REPORT.format(
        commit=commit(),
        browser=browser,
        runtime=packages["dependencies"]["onnxruntime-web"],
        images=len(found),
        sources=sources,
        kinds="\n".join(kinds),
        otherwise="\n".join([f"Both refuse for the same reasons: {reasons}.", *lines]),
        done=len(done),
        probability=max(each.probability for each in done),
        maps=max(each.maps for each in done),
        drawn=max(each.drawn for each in done),
        boxes=max(each.boxes for each in done),
        dice=min(each.dice for each in done),
        same_lungs=sum(each.dice == 1 for each in done),
        close=sum(max(each.probability, each.maps) < CLOSE for each in done),
        notes=sum(each.notes for each in done),
        seconds=float(np.median(seconds)),
        slow=float(np.quantile(seconds, 0.9)),
        seconds_here=float(np.median([each.seconds_here for each in done])),
        size=sum(sizes.values()) / 1e6,
        wasm=wasm / 1e6,
        networks=networks / 1e6,
        code=sum(
            size for name, size in sizes.items() if name.endswith(CODE) and name not in runtime
        )
        / 1e3,
    )


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
    files, sources = chosen(given.data, given.images)
    found = []
    with served(given.page, files) as address, sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.evaluate(START)
        for number, file in enumerate(files):
            there = page.evaluate(f"window.classified('../{number}')")
            found.append(compared(file, there, predictor))
            print(number, *found[-1], flush=True)
        version = f"Chromium {browser.version.partition('.')[0]}"
        browser.close()
    given.report.write_text(report(found, sources, given.page, version))


if __name__ == "__main__":
    main()
