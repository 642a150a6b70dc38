"""pulmo evaluate, of a table of predictions without the model that made them."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.cli.evaluate_labels import evaluate_findings
from pulmo.cli.evaluate_summary import tell_evaluation
from pulmo.cli.output import claim_folder
from pulmo.cli.table_options import recognised, tell_notes
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.predictions.reading.options import Options
    from pulmo.predictions.reading.recognise import Recognised


class TableOptions(NamedTuple):
    """What the user says of a table that its columns do not.

    Attributes:
        reading: of its columns and classes; the threshold is, where an image has several findings,
            the probability from which each is called.
        prevalence: share of positive images where the model would be used.
    """

    reading: "Options"
    prevalence: float | None


def evaluate_table(path: Path, output: Path, options: TableOptions) -> None:
    """Judges a table of predictions, writes predictions, figures and page, and prints a summary.

    Raises:
        InputError: the table cannot be read or judged, or a file cannot be written.
        UsageError: an option does not fit the table.
    """
    from pulmo.evaluate.evaluate import Provenance
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.evaluate.multilabel.table import labels_table

    reading = options.reading
    found, model = recognised(path, reading), ModelName.from_table(path)
    if not found.findings:
        _evaluate_classes(found, model, output, options)
        return
    for option, value in (
        ("--merge", reading.merge), ("--truth", reading.truth), ("--score", reading.score),
        ("--decision", reading.decision),
    ):  # fmt: skip
        if value:
            raise UsageError(
                f"{path} has several findings per image (its y_ columns); leave {option}."
            )
    if reading.positive:
        raise UsageError(
            f"{path} has several findings (its y_ columns), and each is positive where it "
            "is there; leave --positive."
        )
    if options.prevalence is not None:
        raise UsageError(
            f"{path} has several findings (its y_ columns), and one share does not fit all "
            "of them; leave --prevalence."
        )
    provenance = Provenance(model, model.sha256, notes=found.notes)
    evaluate_findings(labels_table(found.table, reading.threshold), provenance, output)
    tell_notes(found.notes)


def _evaluate_classes(
    found: "Recognised", model: "ModelName", output: Path, options: TableOptions
) -> None:
    """Judges a table of one class an image."""
    import numpy as np

    from pulmo.core.folders import EvaluationFolder
    from pulmo.core.record import write_record
    from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
    from pulmo.predictions.external import external_predictions
    from pulmo.report.evaluation_page import ReportContent, write_report

    if options.prevalence is not None and not options.reading.positive:
        raise UsageError("--prevalence needs --positive: which classes it is the share of.")
    reading = options.reading
    external = external_predictions(found, reading.threshold, reading.merge)
    predictions = external.checked()
    provenance = Provenance(model, model.sha256, notes=external.notes)
    resampling = Resampling(np.random.default_rng(0))
    evaluation = evaluate(predictions, provenance, resampling, prevalence=options.prevalence)
    claim_folder(output)
    folder = EvaluationFolder(output)
    predictions.save(folder.predictions)
    write_report(folder.page, ReportContent(evaluation, None))
    write_record(folder.index, evaluation)
    tell_evaluation(evaluation, output)
    tell_notes(external.notes)
