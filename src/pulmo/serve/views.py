"""What a viewer shows of a result: heat maps, lungs, boxes and the report."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from pulmo.core.record import Record
from pulmo.explain.methods import GRAPH
from pulmo.explain.overlay import colour_stops
from pulmo.serve.examples import BOXES, EXPLANATION, LUNGS, shown
from pulmo.workflows.image_result import ImageResult, check_label

_STOPS: Final = 32


class Explanation(Record):
    """What a heat map shows."""

    model_config = shown(EXPLANATION)

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


class DrawnMap(NamedTuple):
    """A heat map as a layer over the image, PNG, and what it shows."""

    layer: bytes
    explanation: Explanation


class Outline(Record):
    """A lung."""

    side: Literal["right", "left"]
    """Of the patient."""
    points: list[tuple[int, int]]
    """Its edge, x to the right and y down, in pixels of the whole image."""


class Lungs(Record):
    """The lungs on an image."""

    model_config = shown(LUNGS)

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

    model_config = shown(BOXES)

    label: str
    unit: str
    """Of the scores."""
    available: bool
    """Whether the model has a rule for boxes of this class."""
    boxes: list[Box]
    """The highest score first."""


def heatmap(result: ImageResult, options: Mapping[str, Any]) -> DrawnMap:
    """Returns the heat map of a class by a method."""
    drawn = result.heatmap(options["label"], options["method"] or GRAPH)
    explanation = Explanation(
        label=drawn.label,
        method=drawn.method.name,
        title=drawn.method.title,
        parameters=drawn.method.table(),
        layer=drawn.layer,
        unit=drawn.unit,
        scale=drawn.scale,
        fixed_scale=drawn.method.in_graph,
        share_in_lungs=drawn.share_in_lungs,
        caption=drawn.caption,
        colours=colour_stops(_STOPS),
    )
    return DrawnMap(drawn.layer_png(), explanation)


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
    drawn = result.heatmap(label)
    return Boxes(
        label=label,
        unit=drawn.unit,
        available=label in result.card.activation.detections,
        boxes=[Box(**each._asdict()) for each in drawn.detections],
    )


def report(result: ImageResult, options: Mapping[str, Any]) -> bytes:
    """Returns the report of a result, one page of PDF."""
    from pulmo.report.prediction_sheet import prediction_sheet  # noqa: PLC0415 - matplotlib

    return prediction_sheet(result.heatmap().png(), options["answer"])


VIEWS: Final[Mapping[str, Callable[[ImageResult, Mapping[str, Any]], Any]]] = {
    "heatmap": heatmap,
    "lungs": lungs,
    "boxes": boxes,
    "report": report,
}
"""Kind of a job -> what does it."""
