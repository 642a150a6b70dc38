"""Gallery: the true and the false results of a bundle, with heat maps of examples.

The guards are those of an evaluation: images that the model has seen take no part, another modality
or run is refused, and each access to a test is recorded next to the model.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from pulmo.bundle.card import Card
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import GalleryFolder
from pulmo.core.message import texts
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.core.sources import source_names
from pulmo.datasets.effective_source import effective_sources
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluate import Provenance, evaluated_data
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.warnings import list_image_warnings
from pulmo.explain.methods import Method, read_method
from pulmo.predictions.predictions import Failure, Predictions
from pulmo.report.examples import (
    KINDS,
    Asked,
    Example,
    Gallery,
    Question,
    questions_of,
    select_examples,
)
from pulmo.report.gallery import file_name
from pulmo.report.gallery_page import GalleryContent, write_gallery_page
from pulmo.workflows.evaluate import record_use
from pulmo.workflows.evaluation_images import choose_images
from pulmo.workflows.image_result import check_label, described_result
from pulmo.workflows.model import Model, load
from pulmo.workflows.options.evaluation import EvaluateOptions, GalleryOptions
from pulmo.workflows.progress import OnProgress, no_progress, of_stage

PREDICTING, DRAWING = "predicting", "drawing the heat maps"
"""The stages."""

DEFAULTS: Final = GalleryOptions()


@dataclass(frozen=True, eq=False)
class GalleryReport:
    """A gallery of a bundle's results, with the drawings of the examples.

    Attributes:
        gallery: in numbers.
        card: the card of the model.
        method: how the maps were made.
        images: of each question the drawing of each example, as JPEG.
        notices: what a user must know of how it went, as sentences.
    """

    gallery: Gallery
    card: Card = field(repr=False)
    method: Method
    images: tuple[tuple[bytes, ...], ...] = field(repr=False)
    notices: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The images that could not be used, each with the reason."""
        return self.gallery.data.failed

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the images do not show, as sentences."""
        return texts(self.gallery.warnings)

    def lines(self) -> Iterator[str]:
        """Yields how many results of each question are of each kind."""
        for question in self.gallery.questions:
            counts = ", ".join(f"{n} {kind}" for kind, n in question.counts.items())
            at = "" if question.threshold is None else f" from {question.threshold:.3f}"
            yield f"{' or '.join(question.classes)}{at}: {counts}"

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the page and the index.

        Raises:
            InputError: a file cannot be written.
        """
        to = GalleryFolder(Path(folder))
        claim_folder(to.root)
        content = GalleryContent(self.gallery, self.card, self.method, self.images)
        write_gallery_page(to.page, content)
        write_record(to.index, self.gallery)


def gallery(
    model: Model | str | os.PathLike[str],
    data: Manifest,
    *,
    split: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: GalleryOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> GalleryReport:
    """Shows heat maps of the most and the least confident true and false results of a bundle.

    A result is positive or negative by the bundle's decision rule; and for each class, by whether
    it has the highest probability. Images that the model was trained or chosen on take no part and
    are counted, unless `split` names the training or the validation. An access to a test is
    recorded next to the bundle.

    Args:
        model: the bundle.
        data: labelled images.
        split: the split of them that is taken; all if None.
        output: the folder for page and index; None writes none of them.
        options: which images and which maps.
        on_progress: called with a stage, the images done and the images in all.

    Raises:
        UsageError: there is no such split or class, the run is not the model's, or a bundle cannot
            serve the method.
        InputError: no image is chosen, is unseen or can be read, or a file cannot be used.
        RefusedError: images are of a modality that the model was not trained on.
    """
    way, label = read_method(options.method), options.label
    if not isinstance(model, Model):
        model = load(model)
    predictor = model.predictor
    way.check(predictor)
    if label is not None:
        check_label(model.card, label)
    chosen = EvaluateOptions(views=options.views, modalities=options.modalities, run=options.run)
    images = choose_images(model, data, split, chosen)
    if output is not None:
        claim_folder(Path(output))
    recorded = record_use(model, data, images, options.run)
    predicting = of_stage(on_progress, PREDICTING)
    predictions = predict_manifest(predictor, images.chosen, on_progress=predicting)
    labelled = predictions.labelled()
    provenance = Provenance(
        ModelName.from_predictor(predictor),
        images.chosen.sha256,
        images.split,
        predictions.failed,
        None if recorded is None else recorded.times,
        images.excluded,
        views=options.views,
        modalities=options.modalities,
    )
    asked = [one for one in questions_of(labelled) if label is None or one.classes == (label,)]
    picked = [select_examples(labelled, one, options.most) for one in asked]
    drawn = _drawn(predictor, asked, picked, way, on_progress)
    questions = [
        _question(one, rows, maps, labelled)
        for one, rows, maps in zip(asked, picked, drawn, strict=True)
    ]
    report = GalleryReport(
        _gallery(predictions, labelled, provenance, way, questions),
        model.card,
        way,
        tuple(tuple(one.drawing for one in maps) for maps in drawn),
        (*images.notices, *(recorded.failures if recorded else ())),
    )
    if output is not None:
        report.save(output)
    return report


class _Drawn(NamedTuple):
    """What is kept of a heat map: its drawing, and what it says of the lungs."""

    drawing: bytes
    share_in_lungs: float | None


def _drawn(
    predictor: Predictor,
    asked: Sequence[Asked],
    picked: Sequence[pd.DataFrame],
    method: Method,
    on_progress: OnProgress,
) -> list[list[_Drawn]]:
    """Returns the maps of the rows of each question; each file is read once."""
    wanted = [
        [(str(row["path"]), _explained(one, row)) for _, row in rows.iterrows()]
        for one, rows in zip(asked, picked, strict=True)
    ]
    labels: dict[str, list[str]] = {}
    for path, label in dict.fromkeys(pair for each in wanted for pair in each):
        labels.setdefault(path, []).append(label)
    found: dict[tuple[str, str], _Drawn] = {}
    for done, (path, each) in enumerate(labels.items(), start=1):
        result = described_result(predictor, Path(path))
        for label in each:
            drawn = result.heatmap(label, method)
            found[path, label] = _Drawn(drawn.pair(), drawn.share_in_lungs)
        on_progress(DRAWING, done, len(labels))
    return [[found[pair] for pair in each] for each in wanted]


def _explained(asked: Asked, row: pd.Series) -> str:
    """Returns the class whose evidence is shown: of several that are asked for the likeliest."""
    return max(asked.classes, key=lambda label: float(row[f"p_{label}"]))


def _question(
    asked: Asked, rows: pd.DataFrame, maps: Sequence[_Drawn], labelled: Predictions
) -> Question:
    counts = Counter(asked.kinds.tolist())
    sources = source_names(rows).astype("string").fillna("not stated")
    examples = [
        Example(
            file=file_name(str(row["path"])),
            sha256=str(row["sha256"]),
            kind=row["kind"],
            confidence=row["confidence"],
            probability=float(row["probability"]),
            truth=str(row["truth"]),
            decision=str(row["decision"]),
            positive=bool(row["positive"]),
            probabilities={label: float(row[f"p_{label}"]) for label in labelled.rule.classes},
            source=source,
            explained=_explained(asked, row),
            share_in_lungs=one.share_in_lungs,
        )
        for (_, row), source, one in zip(rows.iterrows(), sources, maps, strict=True)
    ]
    return Question(
        classes=asked.classes,
        threshold=asked.threshold,
        counts={kind: counts[kind] for kind in KINDS},
        examples=tuple(examples),
    )


def _gallery(
    predictions: Predictions,
    labelled: Predictions,
    provenance: Provenance,
    method: Method,
    questions: Sequence[Question],
) -> Gallery:
    rows = labelled.frame.assign(**{"class": labelled.classes})
    data = evaluated_data(predictions, labelled, effective_sources(rows), provenance)
    return Gallery(
        model=provenance.model,
        method=str(method),
        data=data,
        warnings=list_image_warnings(data, rows),
        questions=tuple(questions),
    )
