"""The page in the browser alone: it gives what Python gives, and sends nothing."""

import base64
import io
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from fixtures.browser import Complaints
from pulmo.core.errors import PulmoError
from pulmo.core.sections import ImageSection
from pulmo.core.shipped import shipped_bundle
from pulmo.datasets.phantom import write_phantoms
from pulmo.lungs import LungMask
from pulmo.lungs.finder import shipped_finder
from pulmo.lungs.framing import cut_out
from pulmo.lungs.parts import Shape
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.geometry import to_input
from pulmo.serve.answers import NAME
from pulmo.serve.app import PAGE
from pulmo.serve.views import VIEWS
from pulmo.workflows.image_result import ImageResult
from pulmo.workflows.model import load

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = Path(__file__).with_name("node_modules")

ASKED: Final = """async ([text, label]) => {
  const { call, predict } = await import(new URL("api.js", location));
  const image = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const answer = await predict(image, "", () => {}, new AbortController().signal);
  if (answer.status !== "done") return { answer };
  const view = (part) => call(`/v1/predictions/${answer.id}/${part}class=${label}`);
  const json = async (part) => (await view(part)).json();
  const bitmap = await createImageBitmap(await (await view("heatmap?")).blob());
  return {
    answer,
    explanation: await json("explanation?"),
    lungs: await json("lungs?"),
    boxes: await json("boxes?"),
    pixels: [...new Uint16Array(await (await view("image?side=64&")).arrayBuffer())],
    map: [bitmap.width, bitmap.height],
  };
}"""

READ: Final = """async (text) => {
  const { read } = await import(new URL("model.js", location));
  try {
    const found = await read(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    const { values, height, width } = found.image;
    const notes = found.notes.map((note) => note.kind);
    return { values: [...values], height, width, bits: found.bits, notes };
  } catch (error) { return { code: error.code }; }
}"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page, below a path of a static host."""
    if not (PACKAGES / "onnxruntime-web").is_dir():
        pytest.skip("onnxruntime-web is not installed; `make page-packages` does that.")
    root = tmp_path_factory.mktemp("host")
    folder = root / "some" / "path"
    script = ROOT / "docs" / "demo" / "build.py"
    subprocess.run([sys.executable, script, PACKAGES, folder], check=True, stdout=subprocess.PIPE)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/some/path/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def open_page(browser: Browser, alone: str) -> Iterator[Page]:
    """The page, which most tests share: it takes a second to start."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints = Complaints()
    complaints.watch(page)
    page.goto(alone)
    page.locator("#choose-files:enabled").wait_for()
    yield page
    page.close()
    assert complaints.texts == []


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two drawings that the model takes, one of 8 bits and one compressed."""
    folder = tmp_path_factory.mktemp("drawn")
    write_phantoms(folder / "all", 12, seed=5)
    files = sorted((folder / "all" / "images").iterdir())
    return [next(each for each in files if each.suffix == kind) for kind in (".png", ".jpg")]


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports a module of the build."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "demo")
    return import_module


def asked(page: Page, data: bytes, label: str) -> dict[str, Any]:
    """Returns what the page's own API answers on an image."""
    found: dict[str, Any] = page.evaluate(ASKED, [base64.b64encode(data).decode(), label])
    return found


def read(page: Page, data: bytes) -> dict[str, Any]:
    """Returns what the page reads of a file."""
    found: dict[str, Any] = page.evaluate(READ, base64.b64encode(data).decode())
    return found


def result_of(data: bytes) -> ImageResult:
    """Returns what Python says of an image."""
    bundle = shipped_bundle()
    assert bundle is not None
    predictor = load(bundle).predictor
    radiograph = decode_radiograph(data, NAME)
    return ImageResult(NAME, predictor.predict(radiograph, NAME), predictor, radiograph)


def test_it_gives_what_python_gives(open_page: Page, drawings: list[Path]) -> None:
    for path in drawings:
        result = result_of(path.read_bytes())
        label = result.card.labels.order[1]
        found = asked(open_page, path.read_bytes(), label)
        answer = found["answer"]
        assert answer["status"] == "done"
        assert answer["probabilities"] == pytest.approx(result.probabilities, abs=1e-3)
        for name in ("decision", "positive", "band"):
            assert answer[name] == getattr(result, name)
        assert tuple(answer["prediction_set"]) == result.prediction_set
        assert answer["note_kinds"] == [note.kind for note in result.notes]
        drawn = VIEWS["heatmap"](result, {"label": label, "method": None})
        explained = drawn.explanation.model_dump(include=set(found["explanation"]))
        share = explained.pop("share_in_lungs")
        assert found["explanation"].pop("share_in_lungs") == pytest.approx(share, abs=1e-3)
        assert found["explanation"] == explained
        lungs = VIEWS["lungs"](result, {}).model_dump()
        assert [each["side"] for each in found["lungs"]["outlines"]] == [
            each["side"] for each in lungs["outlines"]
        ]
        for one, other in zip(found["lungs"]["outlines"], lungs["outlines"], strict=True):
            assert {*map(tuple, one["points"])} == {*map(tuple, other["points"])}
        boxes = [each.model_dump() for each in VIEWS["boxes"](result, {"label": label}).boxes]
        assert found["boxes"]["boxes"] == [pytest.approx(each, abs=1e-3) for each in boxes]
        with Image.open(io.BytesIO(drawn.layer)) as layer:
            assert tuple(found["map"]) == layer.size


MAPPED: Final = """async ([text, label]) => {
  const { Model, read } = await import(new URL("model.js", location));
  const { heatMap } = await import(new URL("views.js", location));
  const model = await Model.open();
  const radiograph = await read(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  const outcome = await model.predict(radiograph, "");
  const shown = { contents: model.contents, image: radiograph.image, outcome };
  const { data } = heatMap(shown, label);
  const letters = Array.from(data, (value) => String.fromCharCode(value));
  return { maps: outcome.maps.map(({ values }) => [...values]), drawn: btoa(letters.join("")) };
}"""


def test_its_map_has_the_colours_of_python(open_page: Page, drawings: list[Path]) -> None:
    data = drawings[0].read_bytes()
    result = result_of(data)
    found = open_page.evaluate(MAPPED, [base64.b64encode(data).decode(), result.decision])
    maps = np.array(found["maps"]).reshape(result.outcome.activation.shape)
    np.testing.assert_allclose(maps, result.outcome.activation, atol=1e-3)
    layer = VIEWS["heatmap"](result, {"label": result.decision, "method": None}).layer
    with Image.open(io.BytesIO(layer)) as image:
        colours = np.asarray(image, np.int16)
    drawn = np.frombuffer(base64.b64decode(found["drawn"]), np.uint8).reshape(colours.shape)
    apart = np.abs(drawn.astype(np.int16) - colours)
    # Where the last digit of a value decides between two of the 256 colours.
    assert apart.max() <= 4
    assert np.count_nonzero(apart) < apart.size / 100


CUT: Final = """async ([region, size, pixels, mask, [height, width]]) => {
  const { cutOut } = await import(new URL("lungs.js", location));
  const image = { values: Float32Array.from(pixels), height, width };
  const found = cutOut({ region, size }, image, { values: Uint8Array.from(mask), height, width });
  return { box: found.box, input: [...found.input] };
}"""


@pytest.mark.parametrize("normalise", ["lungs", "none"])
def test_the_lungs_are_cut_out_as_in_python(
    normalise: str, open_page: Page, builder: Callable[[str], Any]
) -> None:
    image = ImageSection.model_validate(
        {"size": 32, "aspect": "squash", "region": "lungs", "margin": 0.0, "frame": "moments",
         "outside": "mean", "normalise": normalise}
    )  # fmt: skip
    pixels = np.random.default_rng(0).random((50, 60), np.float32)
    mask = np.zeros(pixels.shape, bool)
    # The frame sticks out of the image above.
    mask[:30, 8:22], mask[:26, 34:50] = True, True
    right = mask & (np.arange(60) < 30)
    shape = Shape(2, 1, 1, 1, 1, 1)
    part = cut_out(
        pixels, LungMask(mask.astype(np.float32), right, mask & ~right, (), shape), image
    )
    expected = to_input(part.pixels, image.size, image.aspect, image.grey, part.fill)
    region = builder("contents").region_of(image)
    given = [region, image.size, pixels.ravel().tolist(), mask.ravel().tolist(), pixels.shape]
    found = open_page.evaluate(CUT, given)
    assert part.box is not None
    assert part.box.top < 0
    assert found["box"] == part.box._asdict()
    np.testing.assert_allclose(np.reshape(found["input"], expected.shape), expected, atol=1)


RAMP: Final[NDArray[np.uint8]] = np.add.outer(np.arange(40), 5 * np.arange(48)).astype(np.uint8)
COLOUR: Final = np.stack([RAMP, RAMP, np.maximum(RAMP, 8) - 8], axis=2)


def written(image: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    """Returns an image as a file."""
    image.save(buffer := io.BytesIO(), form, **options)
    return buffer.getvalue()


def deep(values: NDArray[np.uint16]) -> bytes:
    """Returns values of 16 bits as a PNG file."""
    return bytes(cv2.imencode(".png", values)[1])


def png(bits: int, rows: bytes, *, interlaced: bool = False, gamma: int = 45_455) -> bytes:
    """Returns a grey PNG file of 48 x 40 pixels by the specification, of filtered rows."""
    head = struct.pack(">IIBBBBB", 48, 40, bits, 0, 0, 0, int(interlaced))
    power = struct.pack(">I", gamma)
    data = zlib.compress(rows)
    chunks = ((b"IHDR", head), (b"gAMA", power), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in chunks
    )


def interlaced(values: NDArray[np.uint8]) -> bytes:
    """Returns the rows of the seven passes, not filtered."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    return b"".join(
        b"\0" + row.tobytes()
        for left, top, across, down in (*passes, (0, 1, 1, 2))
        for row in values[top::down, left::across]
    )


def turned(orientation: int) -> bytes:
    """Returns EXIF that states an orientation."""
    exif = Image.Exif()
    exif[274] = orientation
    return exif.tobytes()


GREY: Final = Image.fromarray(RAMP)
ALPHA: Final = Image.merge("LA", (GREY, GREY.transpose(Image.Transpose.ROTATE_180)))
FILES: Final = {
    "8 bits": written(GREY, "PNG"),
    "4 bits": png(4, b"".join(b"\0" + bytes(row[:24]) for row in RAMP)),
    "1 bit": written(GREY.convert("1"), "PNG"),
    "16 bits": deep(RAMP.astype(np.uint16) * 201),
    "few of 16 bits": deep(RAMP.astype(np.uint16)),
    "16 bits of colour": deep(COLOUR.astype(np.uint16) * 200),
    "a palette": written(GREY.quantize(16), "PNG"),
    "colour": written(Image.fromarray(COLOUR), "PNG"),
    "a key": written(GREY, "PNG", transparency=100),
    "alpha": written(ALPHA, "PNG"),
    "alpha of colour": written(ALPHA.convert("RGBA"), "PNG"),
    "gamma": png(8, b"".join(b"\0" + bytes(row) for row in RAMP), gamma=10_000),
    "interlaced": png(8, interlaced(RAMP), interlaced=True),
    "turned PNG": written(GREY, "PNG", exif=turned(6)),
    "JPEG": written(GREY, "JPEG", quality=90),
    "JPEG of colour": written(Image.fromarray(COLOUR), "JPEG", quality=90),
    "progressive": written(GREY, "JPEG", progressive=True),
    "restarts": written(GREY, "JPEG", restart_marker_blocks=3),
    **{f"turned {number}": written(GREY, "JPEG", exif=turned(number)) for number in range(2, 9)},
    "photograph": written(
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)), "PNG"
    ),
    "one grey": written(Image.new("L", (48, 40), 7), "PNG"),
    "small": written(Image.new("L", (48, 8), 7), "PNG"),
    "cut PNG": written(GREY, "PNG")[:-12],
    "cut JPEG": written(GREY, "JPEG")[:-300],
    "cut JPEG with an end": written(GREY, "JPEG")[:-300] + b"\xff\xd9",
    "nothing": b"",
    "text": b"text",
}


def test_files_are_read_as_python_reads_them(open_page: Page) -> None:
    for name, data in FILES.items():
        found = read(open_page, data)
        assert (name, found.pop("values", None), found) == (name, *python_reads(data))


def python_reads(data: bytes) -> tuple[list[float] | None, dict[str, Any]]:
    """Returns the grey values of a file and the rest, as the page gives them."""
    try:
        found = decode_radiograph(data, NAME)
    except PulmoError as error:
        return None, {"code": error.code}
    height, width = found.pixels.shape
    notes = [note.kind for note in found.facts.notes]
    rest = {"height": height, "width": width, "bits": found.facts.bits, "notes": notes}
    return found.pixels.ravel().tolist(), rest


def test_what_it_does_not_read_it_refuses_by_name(open_page: Page) -> None:
    files = {
        "DICOM": bytes(128) + b"DICM",
        "TIFF": written(GREY, "TIFF"),
        "WebP": written(GREY, "WEBP"),
        "4 samples": written(GREY.convert("CMYK"), "JPEG"),
    }
    for name, data in files.items():
        answer = asked(open_page, data, "covid")["answer"]
        assert answer["code"] == "not-in-browser"
        assert answer["status"] == "failed"
        assert name in answer["reason"]
        assert "pulmo serve" in answer["reason"]


def test_it_shows_a_result_and_sends_nothing(
    browser: Browser, alone: str, drawings: list[Path], complaints: Complaints
) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 800})
    sent: list[Request] = []
    complaints.watch(page)
    # Playwright sets an attribute of what it calls, and a built-in method takes none.
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - see above
    page.goto(alone)
    page.locator("#choose-files:enabled").wait_for()
    expect(page.locator("#notice")).to_contain_text("Images stay on this computer.")
    page.set_input_files("#files", drawings[0])
    expect(page.locator("#meaning")).to_contain_text("calibrated probability")
    page.locator(".values", has_text="zoom").wait_for()
    page.check("#heat")
    expect(page.locator("#legend")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.get_by_role("button", name="Try three drawings").click()
    expect(page.locator(".item .number")).to_have_count(4)
    for absent in ("#report", "#export-csv", "#forget", "#token-dialog", "a[href^='/']"):
        expect(page.locator(absent)).to_have_count(0)
    page.locator("#heat").blur()
    page.keyboard.press("m")
    expect(page.locator("#card h1")).to_have_text("pulmo")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".item")).to_have_count(3)
    pages = [each.url for each in sent if not each.url.startswith(("blob:", "data:"))]
    assert all(each.startswith(alone) for each in pages)
    assert {each.method for each in sent} == {"GET"}
    assert not any(each.post_data for each in sent)
    assert complaints.texts == []
    # The policy in its head, and not only its modules, keeps it from that.
    assert (
        page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'stopped')")
        == "stopped"
    )
    assert any("Content Security Policy" in text for text in complaints.texts)
    complaints.forget()
    page.close()


def test_a_page_that_has_lost_a_part_is_not_built(builder: Callable[[str], Any]) -> None:
    index, error = builder("index_page"), builder("contents").BuildError
    page = (PAGE / "index.html").read_text()
    assert "connect-src 'self'" in index.index_page(page)
    for broken in (page.replace("</footer>", ""), page + '<footer class="quiet"></footer>'):
        with pytest.raises(error, match="must have one part from '<footer"):
            index.index_page(broken)


def test_a_model_whose_images_are_prepared_otherwise_is_refused(
    builder: Callable[[str], Any],
) -> None:
    contents, bundle = builder("contents"), shipped_bundle()
    assert bundle is not None
    predictor = load(bundle).predictor
    card = predictor.card
    predictor.card = card.model_copy(
        update={"input": card.input.model_copy(update={"outside": "kept", "margin": 0.1})}
    )
    with pytest.raises(contents.BuildError, match=r"its margin is 0\.1 and outside is kept"):
        contents.contents_of(bundle, predictor, shipped_finder())
