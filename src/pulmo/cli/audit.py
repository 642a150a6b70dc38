"""pulmo audit."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pulmo.cli.audit_table import table_to_audit
from pulmo.cli.console import progress, say, say_notes
from pulmo.cli.model import ModelOption, one_model, open_model
from pulmo.cli.output import claim_folder
from pulmo.cli.table_options import TABLES, Decision, Merge, Score, Truth, merges, tell_notes
from pulmo.cli.test_access import lists_of, record
from pulmo.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pulmo.audit.finding import Audit
    from pulmo.workflows.audited import Audited

_Model = Annotated[
    Path | None,
    typer.Argument(
        metavar="BUNDLE|FOLDS|PREDICTIONS",
        help="A bundle, a folder of cross-validation, or a table of any model's predictions, "
        ".parquet or .csv, with path, label, p_<class> and what else is known.",
    ),
]
_Data = Annotated[
    Path | None, typer.Option(help="A manifest; folds have their own, a table may do without.")
]
_Output = Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")]
_Split = Annotated[
    str | None, typer.Option(help="The split to ask about; without it, all but train and val.")
]
_Run = Annotated[
    Path | None,
    typer.Option(
        help="The bundle's run: tells what it was trained on, and keeps accesses to a test too."
    ),
]
_Seed = Annotated[int | None, typer.Option(help="Of folds, which seed; without it, the first.")]
_Positive = Annotated[
    list[str] | None, typer.Option(help="Of a table: a class that is positive; may be repeated.")
]
_Threshold = Annotated[
    float | None, typer.Option(help="Of a table: probability from which that is called.")
]
_Lungs = Annotated[
    Path | None, typer.Option(help="A folder of lung masks, PNG files named like the images.")
]
_Facts = Annotated[
    Path | None, typer.Option(help="A CSV table of the published files' width, height and bytes.")
]
_Published = Annotated[
    float | None,
    typer.Option(help="An accuracy published for these images, to hold floors against."),
]
_Only = Annotated[
    list[str] | None, typer.Option(metavar="CHECK", help="Make this check; may be repeated.")
]
_Accept = Annotated[
    list[str] | None,
    typer.Option(metavar="CHECK", help="Open the gate though it fails; may be repeated."),
]
_Images = Annotated[int, typer.Option(help="Images at most for a check that changes them.", min=20)]
_Threads = Annotated[int, typer.Option(help="Threads; 0 takes all cores.", min=0)]


class _Asked(NamedTuple):
    """What an audit is made with, as the options name it."""

    lungs: Path | None
    facts: Path | None
    published: float | None
    only: Sequence[str]
    accept: Sequence[str]
    images: int


def audit(
    output: _Output,
    model: _Model = None,
    data: _Data = None,
    split: _Split = None,
    run: _Run = None,
    seed: _Seed = None,
    positive: _Positive = None,
    threshold: _Threshold = None,
    merge: Merge = None,
    truth: Truth = None,
    score: Score = None,
    decision: Decision = None,
    lungs: _Lungs = None,
    facts: _Facts = None,
    published: _Published = None,
    only: _Only = None,
    accept: _Accept = None,
    images: _Images = 500,
    threads: _Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    named: ModelOption = None,
) -> None:
    """Say what a model has been shown to do, and what it has not.

    Looks for leaks, shortcuts, gaps between groups and more; of a table of predictions, as far as
    these tell. Writes audit.json and audit.html. Ends with status 5 if a check fails that --accept
    does not name. The gate is open only if leakage, shortcuts, sources and external could look;
    else it is undecided, which the first line says, with status 0.
    """
    model = one_model(model, named)
    from pulmo.predictions.reading.options import Options
    from pulmo.workflows.audited import is_folds

    columns = {"--truth": truth, "--decision": decision, "--score": score}
    decided: dict[str, object] = {
        "--positive": positive,
        "--threshold": threshold,
        "--merge": merge,
    }
    decided |= columns
    if model.suffix.lower() in TABLES:
        _refuse("a table of predictions", {"--run": run, "--seed": seed})
        if data is None:
            floors = {"--lungs": lungs, "--facts": facts, "--published": published}
            _refuse("a table without the manifest of its images (--data)", floors)
        options = Options(
            tuple(positive or ()), threshold, merges(merge or ()), truth, decision, score
        )
        audited = table_to_audit(model, data, split, options)
    elif is_folds(model):
        _refuse("folds", {"--data": data, "--split": split, "--run": run} | decided)
        audited = _folds(model, seed, threads)
    else:
        _refuse("a bundle", {"--seed": seed} | decided)
        audited = _bundle(model, data, split, run, threads)
    for doubt in audited.doubts:
        say(f"warning: {doubt}")
    claim_folder(output)
    asked = _Asked(lungs, facts, published, only or (), accept or (), images)
    found = _as_read(_ask(audited, split, asked), audited, columns)
    _write(found, audited, output)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _tell(found, output)
    tell_notes(audited.notes)
    say_notes(found.data.image_notes or {}, found.data.n)
    _close(found)


def _as_read(found: "Audit", audited: "Audited", columns: Mapping[str, str | None]) -> "Audit":
    """Returns an audit that says how the table was read, if it is one of a table."""
    if found.external is None:
        return found
    named = {option: name for option, name in columns.items() if name}
    external = found.external.model_copy(update={"notes": audited.notes, "columns": named})
    return found.model_copy(update={"external": external})


def _refuse(kind: str, options: Mapping[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"{name} does not go with {kind}; leave it out.")


def _folds(model: Path, seed: int | None, threads: int) -> "Audited":
    from pulmo.core.folders import RepeatsFolder
    from pulmo.workflows.audited import audited_folds

    return audited_folds(RepeatsFolder(model), seed, threads)


def _bundle(
    model: Path, data: Path | None, split: str | None, run: Path | None, threads: int
) -> "Audited":
    """Opens a bundle and its images, and records an access to a test."""
    from pulmo.core.folders import RunFolder
    from pulmo.datasets.manifest import Manifest, check_split_name, read_manifest
    from pulmo.evaluate.test_access import access_of
    from pulmo.workflows.audited import audited_bundle

    if data is None:
        raise UsageError("An audit of a bundle needs images: --data MANIFEST.")
    check_split_name(split)
    predictor = open_model(model, threads)
    manifest = read_manifest(data)
    audited = audited_bundle(predictor, manifest, split, RunFolder(run) if run else None)
    lists = lists_of(model, run)
    judged = Manifest.from_rows(audited.parts[0].judged)
    record(access_of(predictor, manifest, judged, split, lists), lists)
    return audited._replace(doubts=(*audited.doubts, *map(str, predictor.notes)))


def _ask(audited: "Audited", split: str | None, asked: _Asked) -> "Audit":
    from pulmo.audit.audit import audit as ask
    from pulmo.audit.context import AuditContext
    from pulmo.audit.lungs import find_masks
    from pulmo.audit.parts import AuditOptions
    from pulmo.datasets.cache import cache_folder
    from pulmo.datasets.inspect.facts import read_facts

    with progress("decoding", "checks") as (decoding, checks):
        options = AuditOptions(
            cache=cache_folder(),
            lungs=find_masks(asked.lungs) if asked.lungs else None,
            facts=read_facts(asked.facts) if asked.facts else None,
            published=asked.published,
            limit=asked.images,
            on_progress=decoding,
        )
        return ask(
            AuditContext(audited.parts, options),
            split=split,
            only=asked.only,
            accepted=asked.accept,
            on_progress=checks,
        )


def _write(found: "Audit", audited: "Audited", output: Path) -> None:
    from pulmo.core.folders import AuditFolder
    from pulmo.core.record import write_record
    from pulmo.report.audit_page import AuditContent, write_audit

    card = audited.parts[0].model.card
    folder = AuditFolder(output)
    write_audit(folder.page, AuditContent(found, card, audited.doubts))
    write_record(folder.index, found)


def _tell(found: "Audit", output: Path) -> None:
    from pulmo.core.folders import AuditFolder
    from pulmo.report.audit_page import VERDICTS

    typer.echo(f"{found.headline}\n")
    for finding in found.findings:
        typer.echo(f"{VERDICTS[finding.verdict]:14} {finding.check}: {finding.sentence}")
    for title, sentences in (
        ("What the model has been shown to do, on these images:", found.shown),
        ("What the model has not been shown to do:", found.not_shown),
    ):
        typer.echo(f"\n{title}")
        for sentence in sentences or ("Nothing.",):
            typer.echo(f"- {sentence}")
    typer.echo(f"\n{AuditFolder(output).page}")


def _close(found: "Audit") -> None:
    """Ends with the status of a gate that is closed, if it is."""
    failed = [
        finding.check
        for finding in found.findings
        if finding.verdict == "fails" and finding.check not in found.accepted
    ]
    if failed:
        raise RefusedError(f"The gate is closed; these checks fail: {', '.join(failed)}.")
