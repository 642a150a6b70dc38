"""What the page must know of the model: numbers, sentences and colours, as Python has them.

The network of the lungs is changed so that a browser gives the same values as Python.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx

import pulmo
from pulmo.bundle.card import Card
from pulmo.bundle.gate import KINDS, shipped_gate, unasked
from pulmo.bundle.image_predictor import SEEN
from pulmo.bundle.predictor import Predictor
from pulmo.core.message import Message
from pulmo.core.sections import ImageSection
from pulmo.decide.detections import SMALLEST
from pulmo.explain.heat_map import caption
from pulmo.explain.location import SIDE
from pulmo.explain.methods import GRAPH, METHODS
from pulmo.explain.overlay import LONG_SIDE, STRIPE, colour_stops, paint_of
from pulmo.lungs.finder import LungFinder
from pulmo.lungs.framing import DEVIATION, MEAN, cut_out
from pulmo.lungs.mask import LungMask
from pulmo.lungs.rule import SAYS
from pulmo.radiograph import radiograph_from_array
from pulmo.serve.answers import NAME
from pulmo.serve.models import open_models, summary_of

_STEPS: Final = 1276
"""Of the paint: five for each of its 256 colours, so that no byte differs by more than one."""

_STOPS: Final = 32

_LANES: Final = 8
"""In which ONNX Runtime adds up 32-bit numbers on x86 processors (Eigen: two packets of four)."""

Text = dict[str, Any]


class BuildError(Exception):
    """Why there is no page, as a sentence."""


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
        "region": region_of(card.input.image),
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


def _check(card: Card) -> None:
    image = card.input.image
    known: Text = {"aspect": "squash", "grey": "plain"}
    if image.region == "lungs":
        known |= {"frame": "moments", "margin": 0, "outside": "mean"}
    said = card.input.model_dump(mode="json")
    others = [f"{name} is {said[name]}" for name, value in known.items() if said[name] != value]
    if others:
        raise BuildError(
            f"The page cannot prepare images for {card.name}, for its {' and '.join(others)}."
        )


def region_of(image: ImageSection) -> Text | None:
    """Returns how the lungs are cut out; None of a model that sees whole images."""
    if image.region == "all":
        return None
    moments = {"mean": MEAN, "deviation": DEVIATION}
    return {"spread": image.spread, "normalised": moments if image.normalise == "lungs" else None}


def _looks(card: Card) -> Text:
    """Returns what the gate asks of a file that says nothing of its image."""
    gate, training = shipped_gate(), card.training
    known = "trained on X-ray" if training.modalities else "trained on no stated modality"
    found: Text = {}
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
