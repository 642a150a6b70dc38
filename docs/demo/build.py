"""Builds the page of `pulmo serve` as a folder of files that does all its work in the browser.

The folder works on any host of static files and under any path. The page sends nothing anywhere:
its networks run in ONNX Runtime Web, and the policy in its head lets it load its own files only.
"""

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from markdown_it import MarkdownIt

import pulmo
from pulmo.bundle.card import Card
from pulmo.bundle.gate import KINDS, shipped_gate, unasked
from pulmo.bundle.image_predictor import SEEN
from pulmo.bundle.model_card import model_card
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import PulmoError
from pulmo.core.message import Message
from pulmo.core.shipped import shipped_bundle
from pulmo.datasets.phantom import write_phantoms
from pulmo.decide.detections import SMALLEST
from pulmo.explain.heat_map import caption
from pulmo.explain.location import SIDE
from pulmo.explain.methods import GRAPH, METHODS
from pulmo.explain.overlay import LONG_SIDE, STRIPE, colour_stops, paint_of
from pulmo.lungs.finder import LungFinder, shipped_finder
from pulmo.lungs.framing import DEVIATION, MEAN, cut_out
from pulmo.lungs.mask import LungMask
from pulmo.lungs.rule import SAYS
from pulmo.radiograph import radiograph_from_array
from pulmo.serve.answers import NAME
from pulmo.serve.app import PAGE
from pulmo.serve.documents import card_page
from pulmo.serve.models import open_models, summary_of

OWN: Final = Path(__file__).with_name("page")
"""The modules that this page has instead of a server, or of those that ask one."""

RUNTIME: Final = {
    "ort.wasm.bundle.min.mjs": "runtime.js",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""The files of ONNX Runtime Web for the processor -> their names here; the first loads the second.
Some hosts do not know that a file whose name ends with mjs is a script."""

POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; base-uri 'none'"
)

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

_STEPS: Final = 1276
"""Of the paint: five for each of its 256 colours, so that no byte differs by more than one."""

_STOPS: Final = 32

_CONTENTS: Final = "model.json"

_DRAWINGS: Final = 3

_LANES: Final = 8
"""In which ONNX Runtime adds up 32-bit numbers on x86 processors (Eigen: two packets of four)."""

Text = dict[str, Any]


class BuildError(Exception):
    """Why there is no page, as a sentence."""


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


def contents_of(bundle: Path, predictor: Predictor, finder: LungFinder) -> Text:
    """Returns what the page must know of the model, by the names in `contents.js`.

    Raises:
        BuildError: images are prepared for the model in a way that the page has not.
    """
    card = predictor.card
    _check(card)
    (served,) = open_models([bundle]).values()
    summary = summary_of(served, default=True).model_dump(mode="json")
    graph = METHODS[GRAPH]()
    grid = np.zeros((card.activation.rows, card.activation.columns), np.float32)
    return {
        "version": pulmo.__version__,
        "summary": summary
        | {"methods": [each for each in summary["methods"] if each["name"] == GRAPH]},
        "weights_sha256": card.network.sha256,
        "size": card.input.size,
        "region": None
        if card.input.image.region == "all"
        else {"spread": card.input.image.spread, "mean": MEAN, "deviation": DEVIATION},
        "temperature": card.temperature,
        "sets": -1 if card.sets is None else card.sets.least,
        "activation": {
            "scale": card.activation.scale,
            "detections": {
                label: rule.model_dump() for label, rule in card.activation.detections.items()
            },
        },
        "explanation": {
            "method": GRAPH,
            "title": graph.title,
            "unit": graph.unit,
            "caption": caption(graph, grid, None),
            "colours": colour_stops(_STOPS),
        },
        "paint": _paint(),
        "small": SIDE,
        "least": SMALLEST,
        "looks": {} if unasked(card) else _looks(card),
        "lungs": _lungs(finder),
        "notes": {
            "noLungs": _no_lungs(finder, card),
            "seen": SEEN._asdict(),
            "model": [note._asdict() for note in predictor.notes],
        },
    }


def with_means_by_lanes(model: bytes) -> bytes:
    """Returns a network that takes the mean of an image as eight means, and then theirs.

    ONNX Runtime adds up an image in the eight lanes of a processor, and in a browser in one, which
    costs four digits of 32 bits.
    """
    network = onnx.shape_inference.infer_shapes(onnx.load_from_string(model))
    graph = network.graph
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    shapes = {each.name: each.type.tensor_type.shape.dim for each in graph.value_info}
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([2]), "lanes.axis"))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 1, -1, _LANES]), "lanes"))
    nodes = []
    for node in graph.node:
        if node.op_type == "ReduceMean" and sorted(values[node.input[1]].tolist()) == [2, 3]:
            if [each.dim_value for each in shapes[node.input[0]]][1] != 1:
                raise BuildError("The network of the lungs takes the mean of several images.")
            rows, means = f"{node.output[0]}.rows", f"{node.output[0]}.means"
            nodes += [
                onnx.helper.make_node("Reshape", [node.input[0], "lanes"], [rows]),
                onnx.helper.make_node("ReduceMean", [rows, "lanes.axis"], [means], keepdims=1),
            ]
            node.input[0] = means
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(network)
    found: bytes = network.SerializeToString()
    return found


def index_page(page: str) -> str:
    """Returns the page without what a server alone has, and with what this one says instead.

    Raises:
        BuildError: the page has changed, so that a part is not there once.
    """
    for (start, end), new in _PARTS.items():
        before, found, after = page.partition(start)
        _, ended, rest = after.partition(end)
        if not found or not ended or start in rest:
            raise BuildError(f"index.html must have one part from {start!r} to {end!r}.")
        page = before + new + rest
    return page


def _draw(out: Path) -> None:
    """Writes drawings, for who has no radiograph at hand."""
    with TemporaryDirectory() as folder:
        write_phantoms(Path(folder) / "drawn", 12, seed=5)
        files = sorted((Path(folder) / "drawn" / "images").glob("*.png"))
        for number, file in enumerate(files[:_DRAWINGS], 1):
            shutil.copy(file, out / f"drawing-{number}.png")


def _check(card: Card) -> None:
    image = card.input.image
    known: Text = {"aspect": "squash", "grey": "plain"}
    if image.region == "lungs":
        known |= {"frame": "moments", "margin": 0, "outside": "mean", "normalise": "lungs"}
    said = card.input.model_dump(mode="json")
    others = [f"{name} is {said[name]}" for name, value in known.items() if said[name] != value]
    if others:
        raise BuildError(
            f"The page cannot prepare images for {card.name}, for its {' and '.join(others)}."
        )


def _looks(card: Card) -> Text:
    """Returns what the gate asks of a file that says nothing of its image."""
    gate, training = shipped_gate(), card.training
    known = "trained on X-ray" if training.modalities else "trained on no stated modality"
    found = {}
    for kind, each in KINDS.items():
        refusal = each.refusal(NAME, card.name)
        text = f"The image looks like {each.says}; {card.name} was {known}."
        passes = kind in training.accepts or not training.modalities
        found[kind] = {
            "grey": gate.grey[kind].model_dump(),
            "all": gate.kinds[kind].model_dump(),
            "code": refusal.code,
            "message": str(refusal),
            "note": {"kind": "looks", "text": text} if passes else None,
        }
    return found


def _lungs(finder: LungFinder) -> Text:
    """Returns how lungs are found, and what is said of them."""
    none = _nothing_on(finder)
    return {
        "size": finder.card.size,
        "threshold": finder.card.threshold,
        "rule": finder.card.rule.model_dump(),
        "lacks": {name: f"No lungs were found: {says}." for name, says in SAYS.items()},
        "nothing": none.reason,
        "sides": none.notes[0]._asdict(),
    }


def _no_lungs(finder: LungFinder, card: Card) -> str:
    """Returns what is said of an image without lungs, with `{reason}` for the reason."""
    none = replace(_nothing_on(finder), reasons=(Message("no-lungs", "{reason}"),))
    return str(cut_out(none.seen, none, card.input.image).notes[0])


def _nothing_on(finder: LungFinder) -> LungMask:
    """Returns what is found where the network marks nothing, on an image that states no view."""
    size = finder.card.size
    return finder.mask(
        radiograph_from_array(np.eye(size), (0, 1)), np.zeros((size, size), np.float32)
    )


def _paint() -> Text:
    colour, opacity = paint_of(np.linspace(0, 1, _STEPS, dtype=np.float32)[None])
    table = np.rint(np.concatenate([colour, opacity], axis=2)[0] * 255).astype(int)
    return {"side": LONG_SIDE, "table": table.tolist(), "stripe": STRIPE}


def _card_page(card: Card) -> str:
    drawn = MarkdownIt("commonmark", {"html": False}).enable("table").render(model_card(card))
    return card_page(card.name, drawn)


_PARTS: Final = {
    ("<title>", "</title>"): (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n<title>pulmo in the browser</title>'
    ),
    ('href="/icon', ".svg"): 'href="icon.svg',
    ('href="/style', ".css"): 'href="style.css',
    ('src="/app', ".js"): 'src="app.js',
    ("<span>No decision about a patient", "</span>"): (
        "<span>No decision about a patient may rest on this page.</span> "
        "<span>Images stay on this computer.</span>"
    ),
    ('  <div class="field exports"', "  </div>\n"): "",
    ('  <button type="button" id="forget"', "</button>\n"): "",
    ('<p id="state"', "</p>"): (
        '<p id="not-started" class="state mild">The page is starting. If this line stays, the page '
        "was opened as a file, or the browser is too old: put the folder on a web server, such as "
        "<code>python -m http.server</code>, and open its address.</p>\n"
        '<p id="state" class="state" role="status" hidden></p>'
    ),
    ('<p id="drop-text">', "</p>"): (
        '<p id="drop-text">Drop radiographs or a folder here: PNG or JPEG. Nothing is uploaded.</p>'
    ),
    ('<input type="file" id="files"', ">"): (
        '<p class="row">'
        '<button type="button" id="show-drawings" disabled>Try three drawings</button> '
        '<span class="quiet">They show no patient.</span></p>\n'
        '      <input type="file" id="files" multiple hidden aria-label="Images">'
    ),
    ('<option value="sent">', "</option>"): '<option value="sent">newest</option>',
    ('<p id="list-empty" class="quiet">', "</p>"): (
        '<p id="list-empty" class="quiet">The model is being loaded. This takes some seconds the '
        "first time.</p>"
    ),
    ('<footer class="quiet">', "</footer>"): (
        '<footer class="quiet"><span>The model runs in this browser. '
        "<code>pulmo serve</code> also reads DICOM, TIFF and other files.</span></footer>"
    ),
    ('<dialog id="token-dialog"', "</dialog>\n"): "",
    ("<p>The server gets the bytes", "</p>"): (
        "<p>Images, their names and results stay in this page and are gone when you close or "
        "reload it. The page has no way to send them.</p>"
    ),
    ("<p>The server deletes", "</p>"): "<p>Its image is closed in this page too.</p>",
    ("<noscript>", "</noscript>"): (
        '<noscript><p class="state">This page needs JavaScript.</p></noscript>'
    ),
}
"""Start and end of a part of the page -> what stands there instead."""


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
