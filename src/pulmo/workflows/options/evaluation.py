"""Options of the workflows that evaluate and audit a model, or a table of its predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulmo.core.flags import PYTHON_ONLY, flag
from pulmo.decide.aim import Aim
from pulmo.predictions.reading.options import Options


@dataclass(frozen=True)
class EvaluateOptions:
    """How a bundle is evaluated.

    Attributes:
        views: evaluate only images of this view. Default: all views.
        modalities: evaluate only images of this modality. Default: all modalities.
        run: the model's training run. Images of its patients take no part, and it also records each
            access to a test. Default: the bundle alone.
        internal: the folder of an internal evaluation of the model, to compare this one with.
            Default: no comparison.
        aim: evaluate the test at a threshold that reaches this aim on the validation images, such
            as sensitivity=0.95. Default: the threshold of the card.
        other_manifest: allow such a threshold from a manifest that the model was not trained on.
        merge: count a label as a class. Only of a table can a class be counted as another or a new
            one. Default: none.
        prevalence: share of positive images where the model would be used, for predictive values.
            Default: no predictive values at a stated prevalence.
        record_access: record an access to a test; a held-out fold is no test.
    """

    views: tuple[str, ...] = field(default=(), metadata=flag("--view", metavar="VIEW"))
    modalities: tuple[str, ...] = field(default=(), metadata=flag("--modality", metavar="MODALITY"))
    run: Path | None = None
    internal: Path | None = field(default=None, metadata=flag(metavar="DIR"))
    aim: Aim | None = field(
        default=None, metadata=flag("--threshold-for", metavar="METRIC=AIM", parse=Aim.parse)
    )
    other_manifest: bool = field(default=False, metadata=flag("--elsewhere"))
    merge: Mapping[str, str] = field(default_factory=dict, metadata=flag(metavar="LABEL=CLASS"))
    prevalence: float | None = None
    record_access: bool = field(default=True, metadata=PYTHON_ONLY)


@dataclass(frozen=True)
class GalleryOptions:
    """Which true and false results are shown with their heat maps.

    Attributes:
        views: take only images of this view. Default: all views.
        modalities: take only images of this modality. Default: all modalities.
        run: the model's training run. Images of its patients take no part, and it also records each
            access to a test. Default: the bundle alone.
        label: ask only about this class. Default: the positive ones, and each.
        most: of each kind of result show this many of the most, and as many of the least confident
            images.
        method: how the maps are made, as for `pulmo.explain`.
    """

    views: tuple[str, ...] = field(default=(), metadata=flag("--view", metavar="VIEW"))
    modalities: tuple[str, ...] = field(default=(), metadata=flag("--modality", metavar="MODALITY"))
    run: Path | None = None
    label: str | None = None
    most: int = field(default=3, metadata=flag(least=1))
    method: str | Mapping[str, object] = field(default="hirescam", metadata=PYTHON_ONLY)


@dataclass(frozen=True)
class TableOptions(Options):
    """What a user says of a table of predictions to evaluate.

    Attributes:
        prevalence: share of positive images where the model would be used, for predictive values.
            Default: no predictive values at a stated prevalence.
    """

    prevalence: float | None = None


@dataclass(frozen=True)
class CardOptions:
    """What belongs to a bundle, for its datasheet and its checklists.

    Attributes:
        data: the manifest that the model was trained on. Default: not given.
        evaluations: an evaluation of the bundle. Default: not given.
        audit: the folder of the bundle's audit. Default: not given.
        run: the run that the bundle was exported from. Default: not given.
    """

    data: Path | None = None
    evaluations: Sequence[Path] = field(default=(), metadata=flag("--evaluation", metavar="DIR"))
    audit: Path | None = None
    run: Path | None = None


@dataclass(frozen=True)
class AuditOptions:
    """How a model is audited.

    Attributes:
        run: the training run of the bundle. It says what the bundle was trained on, and also
            records each access to a test. Default: what bundle and manifest say.
        lungs: a folder of lung masks, PNG files named like the images. Default: the network that
            comes with pulmo finds the lungs.
        facts: a CSV table of the published files' width, height and bytes. Default: the manifest's.
        published: an accuracy published for these images. Default: none.
        only: make only this check. Default: all checks.
        accept: let the audit pass although this check fails. Default: none.
        images: the most images for a check that changes images.
        reading: what the columns of a table of predictions do not say.
    """

    run: Path | None = None
    lungs: Path | None = field(default=None, metadata=flag(metavar="DIR"))
    facts: Path | None = field(default=None, metadata=flag(metavar="CSV"))
    published: float | None = None
    only: tuple[str, ...] = field(default=(), metadata=flag(metavar="CHECK"))
    accept: tuple[str, ...] = field(default=(), metadata=flag(metavar="CHECK"))
    images: int = field(default=500, metadata=flag(least=20))
    reading: Options | None = field(default=None, metadata=PYTHON_ONLY)


@dataclass(frozen=True)
class FeaturesOptions:
    """What is shown of a network's feature maps.

    Attributes:
        layers: a layer to show, such as backbone.layers.0.3. Default: convolutions spread over the
            depth.
        depths: how many convolutions these are.
        channels: how many channels to show of each layer.
        steps: steps of fitting an input to a channel; 0 fits none.
        seed: seed of the fitted inputs.
        split: select and report channels on this split of the manifest. Default: select on val and
            report on test, or else use all images.
        device: auto, cpu or cuda.
    """

    layers: tuple[str, ...] = field(default=(), metadata=flag("--layer", metavar="NAME"))
    depths: int = field(default=4, metadata=flag(least=1))
    channels: int = field(default=16, metadata=flag(least=1))
    steps: int = field(default=24, metadata=flag(least=0))
    seed: int = field(default=0, metadata=flag(least=0))
    split: str | None = None
    device: str = "auto"
