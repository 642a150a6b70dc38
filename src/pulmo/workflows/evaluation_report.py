"""An evaluation with what it was made of: shown, as a table, and written to a folder."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from pulmo.bundle.card import Card
from pulmo.bundle.model_card import point_sentence
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically
from pulmo.core.folders import EvaluationFolder
from pulmo.core.message import texts
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.evaluate.evaluate import SEED, Provenance, Resampling
from pulmo.evaluate.evaluate import evaluate as compute
from pulmo.evaluate.evaluation import Contrast, Evaluation
from pulmo.predictions.predictions import Failure, Predictions
from pulmo.radiograph.notes import ABOUT_MODEL
from pulmo.report.evaluation_page import ReportContent, write_report
from pulmo.report.gallery import Shown, select_gallery
from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate
from pulmo.workflows.image_result import described_result


@dataclass(frozen=True, eq=False)
class EvaluationReport:
    """How a model did on labelled images; in a notebook it shows itself.

    Attributes:
        evaluation: all values, with their intervals.
        predictions: what they were computed from.
        predictor: the model; None if only its predictions are known.
        notices: what a user must know of how the evaluation went, as sentences.
    """

    evaluation: Evaluation
    predictions: Predictions = field(repr=False)
    predictor: Predictor | None = field(default=None, repr=False)
    notices: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the values do not show, as sentences."""
        return texts(self.evaluation.warnings)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The images that could not be used, each with the reason."""
        return self.evaluation.data.failed

    @property
    def card(self) -> Card | None:
        """The card of the model; None if only its predictions are known."""
        return None if self.predictor is None else self.predictor.card

    @property
    def image_notes(self) -> dict[str, int]:
        """Kind of note -> images that have one; notes on the model are among the warnings."""
        counts = self.evaluation.data.image_notes or {}
        return {kind: n for kind, n in counts.items() if kind not in ABOUT_MODEL}

    def require_all(self) -> None:
        """Refuses an evaluation that lacks images.

        Raises:
            InputError: an image could not be used.
        """
        if self.failed:
            total = len(self.predictions) + len(self.failed)
            raise InputError(
                "images-unreadable",
                f"{len(self.failed)} of {total} images could not be evaluated. The first: "
                f"{self.failed[0].reason}",
            )

    def text(self) -> str:
        """Returns the main values and the warnings as lines."""
        found = self.evaluation
        lines = [f"{found.data.n} images in {found.data.groups} groups"]
        lines += value_lines(found.overall)
        widest = max(len(str(metrics["recall"])) for metrics in found.classes.values())
        for label, metrics in found.classes.items():
            recall = str(metrics["recall"])
            lines.append(f"  Recall of {label:10} {recall:{widest}}  AUC {metrics['auc']}")
        if found.fitted is not None:
            decision = found.decision
            lines.append(point_sentence(found.fitted))
            lines.append(
                f"  here: sensitivity {decision.sensitivity}, specificity {decision.specificity}"
            )
        lines += [f"warning: {sentence}" for sentence in self.warnings]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Returns a row a value: `class` (null over all classes), `metric`, `value` and the rest.

        The other columns are the ends of the 95 % interval, `low` and `high`, the number of images
        `n`, and the `reason` why a value is undefined.
        """
        overall = [(None, name, value) for name, value in self.evaluation.overall.items()]
        classes = [
            (label, name, value)
            for label, values in self.evaluation.classes.items()
            for name, value in values.items()
        ]
        return estimates_frame([*overall, *classes])

    def within_sources(self) -> pd.DataFrame:
        """Returns a row for each two sides of classes that one source has images of.

        Only there the source does not predict the class. It is empty where no source is known.
        The columns are `source`, `positive`, `negative`, and the AUC as in `to_frame`.
        """
        return contrasts_frame(self.evaluation.contrasts)

    def save(self, folder: str | os.PathLike[str], *, page: bool = True) -> None:
        """Writes predictions, values, the model's card and the page; the index comes last.

        Args:
            folder: the folder to write to; it is made if need be.
            page: whether the page for people is written too.

        Raises:
            InputError: a file cannot be written, or an image of the page cannot be read any more.
        """
        to = EvaluationFolder(Path(folder))
        claim_folder(to.root)
        self.predictions.save(to.predictions)
        if self.card is not None:
            write_atomically(to.card, self.card.to_json().encode())
        if page:
            write_report(to.page, ReportContent(self.evaluation, self.card, self._gallery()))
        write_record(to.index, self.evaluation)

    def _gallery(self) -> list[Shown]:
        if self.predictor is None:
            return []
        rows = select_gallery(self.predictions)
        return [_shown(row, self.predictor) for _, row in rows.iterrows()]

    def _repr_html_(self) -> str:
        data, name = self.evaluation.data, self.evaluation.model.name
        title = f"{name}: {data.n:,} images in {data.groups:,} groups"
        return report_html(title, self.to_frame(), self.warnings)


def report_of(
    predictions: Predictions, provenance: Provenance, prevalence: float | None = None
) -> EvaluationReport:
    """Computes the evaluation of predictions.

    Args:
        predictions: images whose label counts as no class are left out and counted.
        provenance: where they come from.
        prevalence: share of positive images where the model would be used, between 0 and 1.

    Raises:
        InputError: no image has a label that the model knows.
        UsageError: the prevalence is no share.
    """
    found = compute(predictions, provenance, resampling(), prevalence=prevalence)
    return EvaluationReport(found, predictions)


def resampling() -> Resampling:
    """Returns how the intervals of every evaluation are resampled."""
    return Resampling(np.random.default_rng(SEED))


def estimates_frame(rows: Sequence[tuple[str | None, str, Estimate]]) -> pd.DataFrame:
    """Returns a row a value: class, metric, value, low, high, n, reason."""
    return pd.DataFrame(
        [
            (label, metric, value.value, value.low, value.high, value.n, value.reason)
            for label, metric, value in rows
        ],
        columns=["class", "metric", "value", "low", "high", "n", "reason"],
    )


def value_lines(values: Mapping[str, Estimate]) -> list[str]:
    """Returns a line for each metric."""
    width = max(20, *(len(metric_title(name)) for name in values))
    return [f"  {metric_title(name):{width}} {estimate}" for name, estimate in values.items()]


def contrasts_frame(contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """Returns a row a contrast: source, positive, negative, value, low, high, n, reason."""
    sides = [
        (one.source, " or ".join(one.positive), " or ".join(one.negative)) for one in contrasts
    ]
    values = estimates_frame([(None, "auc", one.auc) for one in contrasts])
    named = pd.DataFrame(sides, columns=["source", "positive", "negative"])
    return named.join(values.drop(columns="class"))


def report_html(title: str, frame: pd.DataFrame, warnings: tuple[str, ...]) -> str:
    """Returns what a notebook shows: a title, the warnings and a table, escaped."""
    listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in warnings)
    table = frame.to_html(index=False, na_rep="", float_format="{:.3f}".format)
    return f"<p><b>{escape(title)}</b></p><ul>{listed}</ul>{table}"


def _shown(row: "pd.Series", predictor: Predictor) -> Shown:
    """Returns an image of the gallery with its heat map."""
    result = described_result(predictor, Path(str(row["path"])))
    return Shown.from_row(row, predictor.card, result.heatmap().pair())
