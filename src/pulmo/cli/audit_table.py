"""pulmo audit, of a table of predictions without the model that made them."""

from pathlib import Path
from typing import TYPE_CHECKING

from pulmo.cli.table_options import recognised
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.predictions.reading.options import Options
    from pulmo.workflows.audited import Audited


def table_to_audit(
    path: Path, data: Path | None, split: str | None, options: "Options"
) -> "Audited":
    """Reads a table of predictions, and the manifest of its images if one is named.

    Raises:
        InputError: one cannot be read, or they do not fit each other.
        UsageError: an option does not fit the table.
    """
    from pulmo.datasets.manifest import check_split_name, read_manifest
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.predictions.external import external_predictions
    from pulmo.workflows.audited_table import audited_table

    if split is not None and data is None:
        raise UsageError("--split is of a manifest; name it with --data.")
    check_split_name(split)
    found = recognised(path, options)
    if found.findings:
        raise UsageError(
            f"{path} has several findings (its y_ columns), and an audit is of one. Type: "
            f"pulmo evaluate {path} -o DIR; then, of each finding: pulmo audit "
            "DIR/labels/FINDING/predictions.parquet --positive FINDING -o AUDIT."
        )
    external = external_predictions(found, options.threshold, options.merge)
    manifest = None if data is None else read_manifest(data)
    return audited_table(external, ModelName.from_table(path), manifest, split)
