"""The models that a server asks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, UsageError
from pulmo.core.record import Record
from pulmo.explain.methods import METHODS, Method, serves
from pulmo.predictions.operating_point import Bands
from pulmo.serve.examples import MODEL, shown
from pulmo.stats.estimate import Estimate
from pulmo.workflows.model import load
from pulmo.workflows.prediction_output import positive_sentence

_DIGITS: Final = 16
"""Of a model's SHA-256, which are its id."""


class ServedModel(NamedTuple):
    """A model that is served.

    Attributes:
        id: the first digits of its SHA-256.
        path: its bundle.
        predictor: what runs it.
    """

    id: str
    path: Path
    predictor: Predictor

    @property
    def card(self) -> Card:
        """What the model is."""
        return self.predictor.card


class MethodSummary(Record):
    """A method that makes heat maps."""

    name: str
    title: str
    fixed_scale: bool
    """Whether its colours mean the same on every image."""
    of_class: bool
    """Whether a map belongs to one class."""
    slow: bool
    """Whether it asks the model many times."""


class Interval(Record):
    """A value of the validation images, with its 95 % interval."""

    value: float
    low: float | None
    """Null where the interval is undefined."""
    high: float | None
    n: int
    """Images that it is computed from."""

    @classmethod
    def of(cls, estimate: Estimate) -> "Interval | None":
        """Returns an estimate; None of one that is undefined."""
        if estimate.value is None:
            return None
        return cls(value=estimate.value, low=estimate.low, high=estimate.high, n=estimate.n)


class BandLimits(Record):
    """Where the triage bands end."""

    low: float
    """Below it a result is negative."""
    high: float
    """From it on a result is positive; between the two a reader must decide."""

    @classmethod
    def of(cls, bands: Bands) -> "BandLimits":
        """Returns the limits of a card's bands."""
        return cls(low=bands.rule_out.threshold, high=bands.rule_in.threshold)


class ModelSummary(Record):
    """What a model is, in short."""

    model_config = shown(MODEL)

    id: str
    name: str
    description: str
    notice: str
    classes: list[str]
    positive_classes: list[str]
    threshold: float
    sensitivity: Interval | None
    """At the threshold, of the images that the model was chosen by; null if undefined."""
    specificity: Interval | None
    """Likewise."""
    positive_sentence: str
    version: str
    sha256: str
    weights_sha256: str
    license: str
    bands: BandLimits | None
    """Null if the model has none."""
    sets_coverage: float | None
    """The share of images whose class is expected in its prediction set; null if there are none."""
    methods: list[MethodSummary]
    default: bool
    """Whether it is asked where a request names none."""


class ModelList(Record):
    """The models, the default first."""

    model_config = shown({"models": [MODEL]})

    models: list[ModelSummary]


def open_models(paths: Sequence[Path], threads: int = 1) -> dict[str, ServedModel]:
    """Opens bundles; returns id -> model in their order.

    Raises:
        InputError: one is missing or damaged.
        UsageError: one is named twice.
    """
    models: dict[str, ServedModel] = {}
    for path in paths:
        predictor = load(path, threads).predictor
        key = predictor.sha256[:_DIGITS]
        if key in models:
            raise UsageError("model-served-twice", f"{path} is the model {models[key].path}.")
        models[key] = ServedModel(key, path.absolute(), predictor)
    return models


def chosen_model(models: Mapping[str, ServedModel], key: str | None) -> ServedModel:
    """Returns the model with an id, or the default one.

    Raises:
        InputError: there is none.
    """
    if key is None:
        return next(iter(models.values()))
    if key not in models:
        raise InputError("model-unknown", "There is no such model.")
    return models[key]


def summary_of(model: ServedModel, *, default: bool) -> ModelSummary:
    """Returns what a model is, in short."""
    card = model.card
    return ModelSummary(
        id=model.id,
        name=card.name,
        description=card.description,
        notice=card.notice,
        classes=list(card.labels.order),
        positive_classes=list(card.decision.positive),
        threshold=card.decision.threshold,
        positive_sentence=positive_sentence(card),
        version=card.created,
        sha256=model.predictor.sha256,
        weights_sha256=card.network.sha256,
        license=card.license,
        sensitivity=Interval.of(card.decision.sensitivity),
        specificity=Interval.of(card.decision.specificity),
        bands=None if card.bands is None else BandLimits.of(card.bands),
        sets_coverage=None if card.sets is None else card.sets.coverage,
        methods=[_summary(name, kind()) for name, kind in METHODS.items() if _fits(model, kind())],
        default=default,
    )


def _fits(model: ServedModel, method: Method) -> bool:
    return serves(model.predictor, method)


def _summary(name: str, method: Method) -> MethodSummary:
    return MethodSummary(
        name=name,
        title=method.title,
        fixed_scale=method.in_graph,
        of_class=method.of_class,
        slow=not method.in_graph,
    )
