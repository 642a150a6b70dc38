"""Audit: what a model has been shown to do, and what it has not.

A bundle is audited on the images of a manifest, the bundles of a cross-validation each on what it
held out, and any model by a table of its predictions.
"""

import os
from pathlib import Path
from typing import Final

from pulmo.audit.audit import audit as run_checks
from pulmo.audit.check import CHECKS
from pulmo.audit.check_result import Audit
from pulmo.audit.context import AuditContext
from pulmo.audit.found_lungs import FoundLungs
from pulmo.audit.parts import AuditOptions as CheckOptions
from pulmo.core.errors import UsageError
from pulmo.core.folders import RepeatsFolder, RunFolder
from pulmo.core.output import claim_folder
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.inspect.facts import read_facts
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.schema import check_split_name
from pulmo.evaluate.test_access import access_of, record_access
from pulmo.lungs import shipped_finder
from pulmo.lungs.mask_files import find_masks
from pulmo.predictions.external import external_predictions
from pulmo.predictions.reading.options import Options
from pulmo.workflows.audit_inputs import AuditInput, bundle_input, folds_input
from pulmo.workflows.audit_report import AuditReport
from pulmo.workflows.audit_table_inputs import table_input
from pulmo.workflows.evaluate import access_lists
from pulmo.workflows.evaluate_predictions import PredictionTable, read_predictions_of
from pulmo.workflows.evaluation_images import check_modality
from pulmo.workflows.model import Model, load
from pulmo.workflows.options.evaluation import AuditOptions
from pulmo.workflows.progress import OnProgress, no_progress, of_stage

DECODING, CHECKING = "decoding", "checks"
"""The stages of an audit."""


DEFAULTS: Final = AuditOptions()


def audit(
    model: Model | str | os.PathLike[str],
    data: Manifest,
    *,
    split: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: AuditOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> AuditReport:
    """Audits a bundle. An access to a test is recorded next to it.

    Args:
        model: the bundle.
        data: the images.
        split: the split of them that it is audited on; all but the training and the validation if
            None. What the model has seen takes no part, unless it is asked for.
        output: the folder for results and page; None writes none of them.
        options: how.
        on_progress: called with a stage, what is done of it and what there is in all.

    Raises:
        UsageError: there is no such split or check, or the run is of another model.
        InputError: no image is chosen or unseen, or a file cannot be used.
        RefusedError: images are of a modality that the model was not trained on.
    """
    if not isinstance(model, Model):
        model = load(model)
    _check_options(options, "a bundle")
    check_split_name(split)
    run = None if options.run is None else RunFolder(options.run)
    given = bundle_input(model.predictor, data, split, run)
    audited = Manifest.from_rows(given.parts[0].test)
    check_modality(audited, model.card)
    context = _context(given, options, on_progress)
    if output is not None:
        claim_folder(Path(output))
    lists = access_lists(model, options.run)
    access = access_of(model.predictor, data, audited, split, lists)
    notices = () if access is None else tuple(record_access(access, lists).failures)
    doubts = (*given.doubts, *map(str, model.predictor.notes))
    found = _run(context, split, options, on_progress)
    return _saved(AuditReport(found, model.card, doubts, notices=notices), output)


def audit_folds(
    folder: str | os.PathLike[str],
    *,
    seed: int | None = None,
    threads: int = 0,
    output: str | os.PathLike[str] | None = None,
    options: AuditOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> AuditReport:
    """Audits the bundles of a cross-validation, each on the fold that it held out.

    Args:
        folder: of a finished cross-validation.
        seed: which of its seeds; the first if None.
        threads: threads of each network; 0 takes all cores.
        output: the folder for results and page; None writes none of them.
        options: how.
        on_progress: called with a stage, what is done of it and what there is in all.

    Raises:
        UsageError: it has no such seed, or there is no such check.
        InputError: it is unfinished, damaged, or no cross-validation.
    """
    _check_options(options, "folds")
    given = folds_input(RepeatsFolder(Path(folder)), seed, threads)
    context = _context(given, options, on_progress)
    if output is not None:
        claim_folder(Path(output))
    found = _run(context, None, options, on_progress)
    return _saved(AuditReport(found, given.parts[0].model.card, given.doubts), output)


def audit_predictions(
    table: PredictionTable,
    data: Manifest | None = None,
    *,
    split: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: AuditOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> AuditReport:
    """Audits a model by a table of its predictions, as far as these tell.

    Args:
        table: the predictions, of one class an image.
        data: the manifest of its images; None if no more is known than the table says.
        split: the split of the manifest that it is audited on.
        output: the folder for results and page; None writes none of them.
        options: how.
        on_progress: called with a stage, what is done of it and what there is in all.

    Raises:
        UsageError: an option does not fit the table, or there is no such split or check.
        InputError: the table cannot be audited, or does not fit the manifest.
    """
    _check_options(options, "a table of predictions")
    check_split_name(split)
    _check_manifest(data, split, options)
    reading = options.reading or Options()
    recognised, name = read_predictions_of(table, reading)
    if recognised.findings:
        raise UsageError(
            "predictions-several-findings",
            "The table has several findings per image (its y_ columns), but an audit is of one. "
            "Evaluate the table, and audit the predictions of each finding.",
        )
    external = external_predictions(recognised, reading.threshold, reading.merge)
    given = table_input(external, name, data, split)
    context = _context(given, options, on_progress)
    if output is not None:
        claim_folder(Path(output))
    found = _with_reading(_run(context, split, options, on_progress), given, reading)
    return _saved(AuditReport(found, None, given.doubts, given.notes), output)


def _check_options(options: AuditOptions, model: str) -> None:
    """Refuses checks that there are not, and options for another kind of model.

    Raises:
        UsageError: there is one.
    """
    for name in (*options.only, *options.accept):
        CHECKS[name]  # an unknown name is refused with those that there are
    for option, used, kind in (
        ("A run", options.run is not None, "a bundle"),
        ("A choice of columns", options.reading is not None, "a table of predictions"),
    ):
        if used and model != kind:
            raise UsageError(
                "option-not-applicable",
                f"{option} is only for the audit of {kind}; this is an audit of {model}.",
            )


def _check_manifest(data: Manifest | None, split: str | None, options: AuditOptions) -> None:
    """Refuses options that need the manifest of a table's images where there is none.

    Raises:
        UsageError: there is one.
    """
    needing = {
        "a split": split,
        "lung masks": options.lungs,
        "facts of published files": options.facts,
        "a published accuracy": options.published,
    }
    if data is None:
        for name, value in needing.items():
            if value is not None:
                raise UsageError(
                    "manifest-needed",
                    f"The manifest of the images is missing, and {name} cannot be used without it.",
                )


def _context(given: AuditInput, options: AuditOptions, on_progress: OnProgress) -> AuditContext:
    """Returns what the checks ask, with the files that the options name read."""
    finder = FoundLungs(shipped_finder(), cache_folder())
    return AuditContext(
        given.parts,
        CheckOptions(
            cache=cache_folder(),
            lungs=find_masks(options.lungs) if options.lungs else finder,
            finder=finder,
            facts=read_facts(options.facts) if options.facts else None,
            published=options.published,
            limit=options.images,
            on_progress=of_stage(on_progress, DECODING),
        ),
    )


def _run(
    context: AuditContext, split: str | None, options: AuditOptions, on_progress: OnProgress
) -> Audit:
    return run_checks(
        context,
        split=split,
        only=options.only,
        accepted=options.accept,
        on_progress=of_stage(on_progress, CHECKING),
    )


def _with_reading(found: Audit, given: AuditInput, reading: Options) -> Audit:
    """Returns an audit of a table that says how the table was read."""
    named = {
        "truth": reading.truth,
        "decision": reading.decision,
        "score": reading.score,
        "groups": reading.group,
    }
    columns = {option: column for option, column in named.items() if column}
    if found.external is None:
        return found
    external = found.external.model_copy(update={"notes": given.notes, "columns": columns})
    return found.model_copy(update={"external": external})


def _saved(report: AuditReport, output: str | os.PathLike[str] | None) -> AuditReport:
    if output is not None:
        report.save(output)
    return report
