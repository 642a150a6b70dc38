"""pulmo predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pulmo.cli.console import print_json, progress, say
from pulmo.cli.heatmaps import MapFolder
from pulmo.core.errors import InputError, PartialError, PulmoError, RefusedError, UsageError

if TYPE_CHECKING:
    from pulmo.bundle.card import Card
    from pulmo.bundle.predictor import Predictor

ModelOption = Annotated[
    Path | None,
    typer.Option(envvar="PULMO_MODEL", help="A bundle's folder, or its model.onnx."),
]


def predict(
    files: Annotated[list[Path], typer.Argument(help="PNG, JPEG, TIFF or DICOM films.")],
    model: ModelOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    heatmap: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write a heat map of each film.")
    ] = None,
) -> None:
    """Classify films with a bundle. For research, not diagnosis."""
    predictor = open_model(model)
    maps = None if heatmap is None else MapFolder.of(heatmap, files)
    if as_json:
        results = []
        with progress("predicting") as (report,):
            for file in files:
                results.append(_result(predictor, file, maps))
                report(len(results), len(files))
        print_json(results)
    else:
        results = _print_each(predictor, files, maps)
    failed = sum(result["status"] != "ok" for result in results)
    if failed == len(files):
        raise InputError(
            "There is no result: the file could not be used."
            if failed == 1
            else f"There is no result: none of the {failed} files could be used."
        )
    if failed:
        raise PartialError(f"{failed} of {len(files)} files could not be used.")


def open_model(model: Path | None, threads: int = 0) -> "Predictor":
    """Opens the bundle that the user named; `threads` are those of its network, 0 all cores.

    Raises:
        UsageError: none was named.
        InputError: it is missing or damaged, or is a run.
    """
    if model is None:
        raise UsageError(
            "No model was named: add --model BUNDLE, or set PULMO_MODEL. `pulmo train` and "
            "`pulmo export` make a bundle."
        )
    from pulmo.bundle.predictor import CARD, MODEL, Predictor
    from pulmo.core.run_folder import RunFolder

    if RunFolder(model).recipe.exists() and not (model / MODEL).exists():
        raise InputError(
            f"{model} is a training run, not a bundle; export it first: "
            f"pulmo export {model} -o BUNDLE"
        )
    if model.is_dir() and not (model / CARD).exists():
        raise InputError(
            f"{model} is not a bundle: it has no {CARD}. `pulmo export` makes a bundle of a run."
        )
    return Predictor.open(model, threads)


def _result(predictor: "Predictor", file: Path, maps: MapFolder | None) -> dict[str, Any]:
    """Returns one file's object of `--json`."""
    from pulmo.radiograph import read_radiograph

    card = predictor.card
    result: dict[str, Any] = {
        "file": str(file),
        "sha256": None,
        "status": "ok",
        "reason": None,
        "probabilities": None,
        "decision": None,
        "positive": None,
        "band": None,
        "classes": None,
        "threshold": card.decision.threshold,
        "model": {"name": card.name, "version": card.created, "sha256": predictor.sha256},
    }
    try:
        radiograph = read_radiograph(file)
        outcome = predictor.predict(radiograph, str(file))
        if maps is not None:
            maps.write(file, predictor, radiograph, outcome, outcome.decision)
    except PulmoError as error:
        status = "refused" if isinstance(error, RefusedError) else "error"
        return result | {"status": status, "reason": str(error)}
    return result | {
        "sha256": radiograph.sha256,
        "probabilities": outcome.probabilities,
        "decision": outcome.decision,
        "positive": outcome.positive,
        "band": outcome.band,
        "classes": None if outcome.classes is None else list(outcome.classes),
    }


def _print_each(
    predictor: "Predictor", files: list[Path], maps: MapFolder | None
) -> list[dict[str, Any]]:
    """Prints each result as soon as it is there, and then how to read them."""
    card = predictor.card
    width = max(len(str(file)) for file in files)
    results = []
    for file in files:
        results.append(_result(predictor, file, maps))
        _print_row(card, results[-1], width)
    if any(result["status"] == "ok" for result in results):
        decision = card.decision
        say(
            f"positive: probability of {' or '.join(decision.positive)} at least "
            f"{decision.threshold:.3f}, which found {decision.sensitivity} of such validation "
            f"pictures. {card.notice}"
        )
    return results


def _print_row(card: "Card", result: dict[str, Any], width: int) -> None:
    """Prints a result: the class with its probability, then what the threshold is compared with."""
    if result["status"] != "ok":
        say(f"{result['status']}: {result['reason']}")
        return
    longest = max(len(label) for label in card.labels.order)
    decision, table = result["decision"], result["probabilities"]
    named = card.decision.positive
    typer.echo(
        f"{result['file']:{width}}  {decision:{longest}} {table[decision]:.3f}  "
        f"{' or '.join(named)} {sum(table[label] for label in named):.3f} "
        f"{'positive' if result['positive'] else 'negative'}"
    )
