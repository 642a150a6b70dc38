"""Evaluate: a table of any model's predictions, without the model."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.files import sha256
from pulmo.core.folders import EvaluationFolder
from pulmo.core.message import texts
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.core.tables import write_parquet
from pulmo.evaluate.evaluate import Provenance
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.multilabel.evaluate import evaluate_labels
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.evaluate.multilabel.table import LabelsTable, labels_table
from pulmo.predictions.external import external_predictions
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import Recognised, recognise
from pulmo.predictions.reading.table_file import TableFile, read_table
from pulmo.report.evaluation_page import ReportContent, write_report
from pulmo.report.labels_page import label_folders, write_labels_report
from pulmo.workflows.evaluation_report import (
    EvaluationReport,
    contrasts_frame,
    estimates_frame,
    report_html,
    report_of,
    resampling,
    value_lines,
)
from pulmo.workflows.options.evaluation import TableOptions
from pulmo.workflows.progress import OnProgress, no_progress, of_stage

EVALUATING: Final = "evaluating"
"""The stage of an evaluation of several findings: so many findings are done."""

PredictionTable = pd.DataFrame | str | os.PathLike[str]
"""A table of predictions, or its file: .csv, .tsv, .txt, .xlsx or .parquet."""


DEFAULTS: Final = TableOptions()


@dataclass(frozen=True, eq=False)
class FindingsReport:
    """How a model did where an image may have several findings; in a notebook it shows itself.

    Attributes:
        evaluation: all values: over all findings, and of each finding.
        table: the predictions.
    """

    evaluation: LabelsEvaluation
    table: LabelsTable = field(repr=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the values do not show, as sentences."""
        return texts(self.evaluation.warnings)

    def text(self) -> str:
        """Returns the values over all findings, a line for each finding, and the warnings."""
        found = self.evaluation
        wide = max(len(label) for label in found.labels)
        return "\n".join(
            [
                f"{found.n} images in {found.groups} groups, {len(found.labels)} findings",
                *value_lines(found.overall),
                *(
                    f"  {label:{wide}}  {f'{one.data.labels[label]:,} of {one.data.n:,}':>16}  "
                    f"AUC {one.decision.auc}"
                    for label, one in found.labels.items()
                ),
                *(f"warning: {sentence}" for sentence in self.warnings),
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """Returns a row a value: `class` (the finding; null over all), `metric`, `value` and more.

        The other columns are those of `EvaluationReport.to_frame`.
        """
        overall = [(None, name, value) for name, value in self.evaluation.overall.items()]
        findings = [
            (finding, name, value)
            for finding, one in self.evaluation.labels.items()
            for name, value in one.classes[finding].items()
        ]
        return estimates_frame([*overall, *findings])

    def within_sources(self) -> pd.DataFrame:
        """Returns the contrasts of each finding, as `EvaluationReport.within_sources`."""
        contrasts = [one for each in self.evaluation.labels.values() for one in each.contrasts]
        return contrasts_frame(contrasts)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes predictions, values and pages; each finding has an evaluation's folder of its own.

        Raises:
            InputError: a file cannot be written.
        """
        whole = EvaluationFolder(Path(folder))
        claim_folder(whole.root)
        write_parquet(self.table.rows, whole.predictions)
        for label, name in label_folders(self.evaluation.labels).items():
            own, part = self.evaluation.labels[label], EvaluationFolder(whole.root / name)
            self.table.of_label(self.table.labels.index(label)).save(part.predictions)
            write_report(part.page, ReportContent(own, None))
            write_record(part.index, own)
        write_labels_report(whole.page, self.evaluation)
        write_record(whole.index, self.evaluation)

    def _repr_html_(self) -> str:
        found = self.evaluation
        title = f"{found.model.name}: {found.n:,} images, {len(found.labels)} findings"
        return report_html(title, self.to_frame(), self.warnings)


def evaluate_predictions(
    table: PredictionTable,
    *,
    positive: Sequence[str] = (),
    groups: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: TableOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> EvaluationReport | FindingsReport:
    """Evaluates a table of predictions.

    Args:
        table: a row an image: its `path`, its `label` and the probability `p_<class>` of each class
            or, where an image may have several findings, `y_<finding>` and `p_<finding>`; and what
            else is known. Other names of columns are read where they are plain.
        positive: the classes that count as positive; those of the options if there are none.
        groups: the column that says which images belong together, such as that of the patient;
            that of the options if it is None.
        output: the folder for predictions, values and page; None writes none of them.
        options: what else the columns do not say.
        on_progress: called with a stage, the findings done and the findings in all.

    Returns:
        The evaluation; of a table of several findings per image one of each finding.

    Raises:
        InputError: the table cannot be read or evaluated, or a file cannot be written.
        UsageError: an option does not fit the table.
    """
    options = replace(
        options,
        positive=tuple(positive) or options.positive,
        group=groups or options.group,
    )
    found, model = read_predictions_of(table, options)
    provenance = Provenance(model, model.sha256, notes=found.notes)
    report: EvaluationReport | FindingsReport
    if found.findings:
        _check_findings(options)
        report = _evaluate_findings(found, provenance, options, on_progress)
    else:
        report = _evaluate_classes(found, provenance, options)
    if output is not None:
        report.save(output)
    return report


def read_predictions_of(table: PredictionTable, reading: Options) -> tuple[Recognised, ModelName]:
    """Returns a table with pulmo's columns, and what its model is called.

    Raises:
        InputError: it cannot be read, or is no table of predictions.
        UsageError: an option does not fit it.
    """
    if isinstance(table, pd.DataFrame):
        digest = sha256(table.to_csv(index=False).encode())
        name = ModelName(name="predictions", version="predictions", sha256=digest)
        return recognise(TableFile(table.reset_index(drop=True), decimal_comma=True), reading), name
    path = Path(table)
    return recognise(read_table(path), reading), ModelName.from_table(path)


def _evaluate_classes(
    found: Recognised, provenance: Provenance, options: TableOptions
) -> EvaluationReport:
    """Evaluates a table of one class an image."""
    if options.prevalence is not None and not options.positive:
        raise UsageError(
            "prevalence-without-positive",
            "A prevalence is the share of the positive classes, but no class is named as positive.",
        )
    external = external_predictions(found, options.threshold, options.merge)
    provenance = provenance._replace(notes=external.notes)
    return report_of(external.checked(), provenance, options.prevalence)


def _evaluate_findings(
    found: Recognised, provenance: Provenance, options: TableOptions, on_progress: OnProgress
) -> FindingsReport:
    """Evaluates a table of several findings per image."""
    table = labels_table(found.table, options.threshold)
    progress = of_stage(on_progress, EVALUATING)
    return FindingsReport(evaluate_labels(table, provenance, resampling(), progress), table)


def _check_findings(options: TableOptions) -> None:
    """Refuses options that are for a table of one class an image.

    Raises:
        UsageError: there is one.
    """
    stated = {
        "a positive class": options.positive,
        "a prevalence": options.prevalence,
        "a label that counts as a class": options.merge,
        "a column of the true class": options.truth,
        "a column of probabilities": options.score,
        "a column of decisions": options.decision,
    }
    for name, value in stated.items():
        if value:
            raise UsageError(
                "option-not-applicable",
                f"The table has several findings per image (its y_ columns), but {name} is only "
                "for a table of one class per image. Leave it out.",
            )
