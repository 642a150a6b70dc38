"""Export: a finished run becomes a bundle, which is what ships."""

from pathlib import Path
from typing import NamedTuple

from pulmo.bundle.card import Card, WeightFormat
from pulmo.core.begun import check_finished
from pulmo.core.folders import BundleFolder, RunFolder


class Exported(NamedTuple):
    """A bundle that was made."""

    folder: BundleFolder
    card: Card


def default_bundle(run: Path) -> Path:
    """Returns the folder of a run's bundle where none is named: RUN-bundle, in the same folder."""
    return run.with_name(f"{run.resolve().name}-bundle")


def export(
    run: str | Path, output: str | Path | None = None, weight_format: WeightFormat = "fp32"
) -> Exported:
    """Makes a bundle of a run, and checks that its network equals the trained one.

    Args:
        run: a finished run's folder.
        output: the bundle's folder, which must be new. None: see `default_bundle`.
        weight_format: how the weights are stored.

    Raises:
        InputError: there is no run, its training is not finished, or the bundle's folder exists.
        RefusedError: the exported network differs from the trained one.
    """
    run = Path(run)
    check_finished(RunFolder(run))
    # torch takes seconds to import, which a refusal need not cost.
    from pulmo.bundle.export import export_run

    folder = default_bundle(run) if output is None else Path(output)
    return Exported(BundleFolder(folder), export_run(RunFolder(run), folder, weight_format))
