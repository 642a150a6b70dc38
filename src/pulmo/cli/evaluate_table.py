"""pulmo evaluate, of a table of predictions without the model that made them."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pulmo.cli.output import claim_folder
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.evaluate.evaluation import Evaluation

TABLES: Final = (".parquet", ".csv")
"""How the name of a table of predictions ends."""


class TableOptions(NamedTuple):
    """What the user says of a table that its columns do not.

    Attributes:
        positive: classes that count as positive.
        threshold: summed probability of these from which a result is positive.
        prevalence: share of positive pictures where the model would be used.
    """

    positive: tuple[str, ...]
    threshold: float | None
    prevalence: float | None


def evaluate_table(path: Path, output: Path, options: TableOptions) -> "Evaluation":
    """Judges a table of predictions and writes predictions, figures and page.

    Raises:
        InputError: the table cannot be read or judged, or a file cannot be written.
        UsageError: an option does not fit the table.
    """
    import numpy as np

    from pulmo.core.files import write_atomically
    from pulmo.core.tables import write_predictions
    from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
    from pulmo.evaluate.table import complete
    from pulmo.evaluate.told import read_told
    from pulmo.report.page import ReportContent, write_report

    if options.prevalence is not None and not options.positive:
        raise UsageError("--prevalence needs --positive: which classes it is the share of.")
    told = read_told(path, options.positive, options.threshold)
    table = complete(told.table, told.terms)
    evaluation = evaluate(
        table,
        told.terms,
        Provenance(told.model, told.model.sha256),
        Resampling(np.random.default_rng(0)),
        prevalence=options.prevalence,
    )
    claim_folder(output)
    write_predictions(table, output / "predictions.parquet")
    figures = evaluation.model_dump_json(indent=2).encode() + b"\n"
    write_atomically(output / "evaluation.json", figures)
    write_report(output / "report.html", ReportContent(evaluation, None))
    return evaluation
