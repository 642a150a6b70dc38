"""What a viewer shows of a result: heat maps, lungs, boxes and the report."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import ConfigDict

from pulmo.core.record import Record
from pulmo.explain.heat_map import HeatMap
from pulmo.explain.methods import GRAPH
from pulmo.explain.overlay import colour_stops
from pulmo.workflows.image_result import ImageResult, check_label

_STOPS: Final = 32


class Explanation(Record):
    """What a heat map shows."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "label": "covid",
                    "method": "hirescam",
                    "title": "HiResCAM",
                    "parameters": {},
                    "layer": None,
                    "unit": "logit",
                    "scale": 3.1,
                    "fixed_scale": True,
                    "share_in_lungs": 0.83,
                    "caption": "covid 0.910, normal 0.090.",
                    "colours": ["#737373", "#f6d746"],
                }
            ]
        }
    )

    label: str
    """The class."""
    method: str
    title: str
    """What people call the method."""
    parameters: dict[str, Any]
    """Those of the method."""
    layer: str | None
    """The layer of the network that it was made from; null if of none in particular."""
    unit: str
    """Of the values."""
    scale: float
    """The value at the end of the colour scale."""
    fixed_scale: bool
    """Whether that is the same for every image."""
    share_in_lungs: float | None
    """Share of the evidence inside the lungs, 0 to 1; null if none were found, or no evidence."""
    caption: str
    """Sentences on how the map is to be read."""
    colours: list[str]
    """The colour scale from no evidence to its end, as it looks on mid-grey image."""


class Outline(Record):
    """A lung."""

    side: Literal["right", "left"]
    """Of the patient."""
    points: list[tuple[int, int]]
    """Its edge, x to the right and y down, in pixels of the whole image."""


class Lungs(Record):
    """The lungs on an image."""

    found: bool
    reason: str | None
    """Why none were found."""
    width: int
    height: int
    outlines: list[Outline]
    notes: list[str]
    """What was assumed."""


class Box(Record):
    """A rectangle of evidence, in fractions of the image."""

    left: float
    top: float
    width: float
    height: float
    score: float
    """The highest evidence within it."""


class Boxes(Record):
    """The detections of a class."""

    label: str
    unit: str
    """Of the scores."""
    available: bool
    """Whether the model has a rule for boxes of this class."""
    boxes: list[Box]
    """The highest score first."""


def _map(result: ImageResult, options: Mapping[str, Any]) -> HeatMap:
    return result.heatmap(options["label"], options.get("method") or GRAPH)


def heatmap_layer(result: ImageResult, options: Mapping[str, Any]) -> bytes:
    """Returns the heat map as a layer over the image, PNG."""
    return _map(result, options).layer_png()


def explanation(result: ImageResult, options: Mapping[str, Any]) -> Explanation:
    """Returns what the heat map shows."""
    shown = _map(result, options)
    return Explanation(
        label=shown.label,
        method=shown.method.name,
        title=shown.method.title,
        parameters=shown.method.table(),
        layer=shown.layer,
        unit=shown.unit,
        scale=shown.scale,
        fixed_scale=shown.method.in_graph,
        share_in_lungs=shown.share_in_lungs,
        caption=shown.caption,
        colours=colour_stops(_STOPS),
    )


def lungs(result: ImageResult, _options: Mapping[str, Any]) -> Lungs:
    """Returns the outlines of the lungs."""
    found = result.lungs
    height, width = result.radiograph.pixels.shape
    return Lungs(
        found=found.found,
        reason=found.reason,
        width=width,
        height=height,
        outlines=[Outline(side=side, points=line.tolist()) for side, line in found.sided_outline()],
        notes=[note.text for note in found.notes],
    )


def boxes(result: ImageResult, options: Mapping[str, Any]) -> Boxes:
    """Returns the detections of a class: boxes about the evidence of the bundle's own map."""
    label = options["label"] or result.decision
    check_label(result.card, label)
    shown = result.heatmap(label)
    return Boxes(
        label=label,
        unit=shown.unit,
        available=label in result.card.activation.detections,
        boxes=[Box(**each._asdict()) for each in shown.detections],
    )


def report(result: ImageResult, options: Mapping[str, Any]) -> bytes:
    """Returns the report of a result, one page of PDF."""
    from pulmo.report.prediction_sheet import prediction_sheet  # noqa: PLC0415 - matplotlib

    return prediction_sheet(result.heatmap().png(), options["answer"])


VIEWS: Final[Mapping[str, Callable[[ImageResult, Mapping[str, Any]], Any]]] = {
    "heatmap": heatmap_layer,
    "explanation": explanation,
    "lungs": lungs,
    "boxes": boxes,
    "report": report,
}
"""Kind of a job -> what does it."""
