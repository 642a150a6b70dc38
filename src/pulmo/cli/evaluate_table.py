"""pulmo evaluate, of a table of predictions without the model that made them."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pulmo.cli.evaluate_labels import evaluate_findings
from pulmo.cli.evaluate_summary import tell_evaluation
from pulmo.cli.output import claim_folder
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.evaluate.evaluation import ModelName

TABLES: Final = (".parquet", ".csv")
"""How the name of a table of predictions ends."""


class TableOptions(NamedTuple):
    """What the user says of a table that its columns do not.

    Attributes:
        positive: classes that count as positive.
        threshold: summed probability of these from which a result is positive; where a film has
            several findings, probability from which each is called.
        prevalence: share of positive pictures where the model would be used.
    """

    positive: tuple[str, ...]
    threshold: float | None
    prevalence: float | None


def evaluate_table(path: Path, output: Path, options: TableOptions) -> None:
    """Judges a table of predictions, writes predictions, figures and page, and prints a summary.

    Raises:
        InputError: the table cannot be read or judged, or a file cannot be written.
        UsageError: an option does not fit the table.
    """
    from pulmo.evaluate.evaluate import Provenance
    from pulmo.evaluate.multilabel.table import is_multilabel, labels_table
    from pulmo.evaluate.table import read_table
    from pulmo.evaluate.told import model_of

    table = read_table(path)
    model = model_of(path)
    if not is_multilabel(table):
        _evaluate_classes(table, model, output, options)
        return
    if options.positive:
        raise UsageError(
            f"{path} has several findings a film (its y_ columns), and each is positive where it "
            "is there; leave --positive."
        )
    if options.prevalence is not None:
        raise UsageError(
            f"{path} has several findings a film (its y_ columns), and one share does not fit all "
            "of them; leave --prevalence."
        )
    provenance = Provenance(model, model.sha256)
    evaluate_findings(labels_table(table, options.threshold), provenance, output)


def _evaluate_classes(
    table: "pd.DataFrame", model: "ModelName", output: Path, options: TableOptions
) -> None:
    """Judges a table of one class a film."""
    import numpy as np

    from pulmo.core.record import write_record
    from pulmo.core.tables import write_predictions
    from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
    from pulmo.evaluate.table import complete
    from pulmo.evaluate.told import tell
    from pulmo.report.page import ReportContent, write_report

    if options.prevalence is not None and not options.positive:
        raise UsageError("--prevalence needs --positive: which classes it is the share of.")
    told = tell(table, model, options.positive, options.threshold)
    rows = complete(told.table, told.terms)
    provenance = Provenance(model, model.sha256)
    resampling = Resampling(np.random.default_rng(0))
    evaluation = evaluate(rows, told.terms, provenance, resampling, prevalence=options.prevalence)
    claim_folder(output)
    write_predictions(rows, output / "predictions.parquet")
    write_record(output / "evaluation.json", evaluation)
    write_report(output / "report.html", ReportContent(evaluation, None))
    tell_evaluation(evaluation, output)
