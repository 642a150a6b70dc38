"""The result for one image, with the image, so that it can be explained and shown."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path

import numpy as np

from pulmo.bundle.card import Card
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import Outcome
from pulmo.core.errors import UsageError
from pulmo.decide.detections import detect
from pulmo.explain.annotations import Annotations
from pulmo.explain.heat_map import HeatMap, caption
from pulmo.explain.location import on_small_image, small_mask
from pulmo.explain.methods import GRAPH, Method, Report, read_method, report_nothing
from pulmo.lungs import LungMask, shipped_finder
from pulmo.predictions.operating_point import Band
from pulmo.radiograph import Note, Radiograph, read_radiograph

MethodName = str | Mapping[str, object] | Method
"""A method's name, a table of its name (`name`) and parameters, or the method."""


@dataclass(frozen=True, eq=False)
class ImageResult:
    """What a model says of one image; in a notebook it shows itself.

    Attributes:
        name: the image's file, or what it was called.
        outcome: the result, with the maps of all classes.
        model: what gave it.
        radiograph: the image.
    """

    name: str
    outcome: Outcome = field(repr=False)
    model: ImagePredictor = field(repr=False)
    radiograph: Radiograph = field(repr=False)

    @property
    def card(self) -> Card:
        """What the model is."""
        return self.model.card

    @property
    def probabilities(self) -> dict[str, float]:
        """Class -> calibrated probability; they sum to one."""
        return self.outcome.probabilities

    @property
    def decision(self) -> str:
        """The class with the highest probability."""
        return self.outcome.decision

    @property
    def positive_probability(self) -> float:
        """Summed probability of the card's positive classes."""
        return self.outcome.positive_probability

    @property
    def positive(self) -> bool:
        """Whether that reaches the card's threshold."""
        return self.outcome.positive

    @property
    def band(self) -> Band | None:
        """The triage band of that probability; None if the card has no bands."""
        return self.outcome.band

    @property
    def prediction_set(self) -> tuple[str, ...] | None:
        """The classes that the image may be of, its conformal set; None if the card has none."""
        return self.outcome.prediction_set

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a user must know of the image and of the model to read the result."""
        return self.outcome.notes

    def heatmap(self, label: str | None = None, method: MethodName = GRAPH) -> HeatMap:
        """Returns the evidence for a class.

        Args:
            label: the class; the decided one if None.
            method: the method's name, a table of its name (`name`) and parameters, or the method.

        Raises:
            UsageError: the model has no such class, there is no such method, or the model cannot
                serve it.
            InputError: the network gave a value that is not a number.
        """
        return heat_map(self, label, read_method(method))

    @cached_property
    def lungs(self) -> LungMask:
        """The lungs: those that the model's own network has found, if it has one."""
        own, prepared = self.model.finder, self.outcome.prepared
        if own is None or prepared is None or prepared.lungs is None:
            return (own or shipped_finder()).find(self.radiograph)
        return own.mask(self.radiograph, prepared.lungs)

    @cached_property
    def annotations(self) -> Annotations:
        """What is drawn on every heat map of the image.

        These are the outline of the lungs, if they are found, lines of equal evidence, and the
        patient's sides, if the file states them.
        """
        return Annotations(
            outline=self.lungs.mask if self.lungs.found else None,
            patient_right=self.radiograph.facts.patient_right,
            contours=True,
        )

    def __repr__(self) -> str:
        shares = ", ".join(f"{label} {share:.3f}" for label, share in self.probabilities.items())
        result = "positive" if self.positive else "negative"
        return f"<ImageResult of {self.name}: {shares}; {result}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(label)}</th><td>{share:.3f}</td></tr>"
            for label, share in self.probabilities.items()
        )
        positive = " or ".join(self.card.decision.positive)
        sentence = (
            f"Probability of {positive}: {self.positive_probability:.3f}, "
            f"{'positive' if self.positive else 'negative'} at the threshold "
            f"{self.card.decision.threshold:.3f}."
        )
        notes = "".join(f"<li>{escape(str(note))}</li>" for note in self.notes)
        drawing = base64.b64encode(self.heatmap().png()).decode()
        return (
            f"<p><b>{escape(self.name)}</b></p><table>{rows}</table><p>{escape(sentence)}</p>"
            f"<ul>{notes}</ul>"
            f'<img alt="heat map of {escape(self.decision)}" src="data:image/png;base64,{drawing}">'
            f"<p>{escape(self.card.notice)}</p>"
        )


def described_result(model: ImagePredictor, path: Path) -> ImageResult:
    """Returns the result for an image that a manifest describes, so that looks refuse nothing.

    Raises:
        InputError: the file cannot be read any more, or the network gave a value that is not a
            number.
    """
    radiograph = read_radiograph(path)
    prepared = model.prepare(radiograph, str(path), described=True)
    return ImageResult(str(path), model.predict_prepared([prepared])[0], model, radiograph)


def heat_map(
    result: ImageResult,
    label: str | None,
    method: Method,
    on_progress: Report = report_nothing,
) -> HeatMap:
    """Returns the evidence for a class in an image.

    Args:
        result: what the model says of it.
        label: the class; the decided one if None.
        method: how the map is made.
        on_progress: called while it is made.

    Raises:
        UsageError: the model has no such class, or cannot serve the method.
        InputError: the network gave a value that is not a number.
    """
    outcome, model, card = result.outcome, result.model, result.card
    label = outcome.decision if label is None else label
    check_label(card, label)
    number = card.labels.order.index(label)
    prepared = outcome.prepared or model.prepare(result.radiograph, result.name, described=True)
    if method.in_graph:
        array, layer, scale = outcome.activation[number], None, card.activation.scale
    else:
        found = method.maps(model, prepared.input[None], np.array([number]), on_progress)
        array, layer = found.values[0], found.layer
        # An even map of zeros is drawn on any scale.
        scale = float(np.abs(array).max()) or 1.0
    shares = ", ".join(f"{name} {share:.3f}" for name, share in outcome.probabilities.items())
    return HeatMap(
        array=array,
        label=label,
        method=method,
        layer=layer,
        scale=scale,
        aspect=card.input.aspect,
        caption=f"{shares}. {caption(method, array, layer)}",
        pixels=result.radiograph.pixels,
        input=prepared.input,
        annotations=_with_detections(result, label) if method.in_graph else result.annotations,
        box=prepared.box,
    )


def _with_detections(result: ImageResult, label: str) -> Annotations:
    """Returns annotations with the boxes about evidence, inside the lungs if they are found."""
    card, outcome, annotations = result.card, result.outcome, result.annotations
    rule = card.activation.detections.get(label)
    activation = outcome.activation[card.labels.order.index(label)]
    if rule is None or not np.isfinite(activation).all():
        return annotations
    shape, lungs = result.radiograph.pixels.shape, annotations.outline
    evidence = on_small_image(activation, shape, card.input.aspect, outcome.box)
    within = None if lungs is None else small_mask(lungs, evidence.shape)
    return replace(annotations, detections=detect(evidence, rule, within))


def check_label(card: Card, label: str) -> None:
    """Refuses a class that a model does not have.

    Raises:
        UsageError: the model has no such class.
    """
    if label not in card.labels.order:
        raise UsageError(
            "class-unknown",
            f"The model has no class {label!r}; its classes are {', '.join(card.labels.order)}.",
        )
