"""The result of an evaluation of several findings per image, as a table and in files."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pulmo.core.folders import EvaluationFolder
from pulmo.core.message import texts
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.core.tables import write_parquet
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.evaluate.multilabel.table import LabelsTable
from pulmo.report.evaluation_page import ReportContent, write_report
from pulmo.report.labels_page import label_folders, write_labels_report
from pulmo.workflows.evaluation_report import (
    contrasts_frame,
    estimates_frame,
    report_html,
    value_lines,
)


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
