"""pulmo predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pulmo.cli.console import print_json, say
from pulmo.core.errors import InputError, PartialError, PulmoError, RefusedError, UsageError

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Outcome, Predictor
    from pulmo.radiograph import Radiograph

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
    results = [_result(predictor, file, heatmap) for file in files]
    if as_json:
        print_json(results)
    else:
        _print_table(predictor, results)
    failed = sum(result["status"] != "ok" for result in results)
    if failed == len(files):
        raise InputError(
            "There is no result: the file could not be used."
            if failed == 1
            else f"There is no result: none of the {failed} files could be used."
        )
    if failed:
        raise PartialError(f"{failed} of {len(files)} files could not be used.")


def open_model(model: Path | None) -> "Predictor":
    """Opens the bundle that the user named.

    Raises:
        UsageError: none was named.
        InputError: it is missing or damaged.
    """
    if model is None:
        raise UsageError(
            "No model was named: add --model BUNDLE, or set PULMO_MODEL. `pulmo train` and "
            "`pulmo export` make a bundle."
        )
    from pulmo.bundle.predictor import Predictor

    return Predictor.open(model)


def draw_heatmap(
    predictor: "Predictor", radiograph: "Radiograph", outcome: "Outcome", label: str
) -> bytes:
    """Returns the PNG of a film with the evidence for a class painted on it."""
    from pulmo.explain.overlay import draw_overlay

    card = predictor.card
    return draw_overlay(
        radiograph.pixels,
        outcome.activation[card.labels.order.index(label)],
        aspect=card.input.aspect,
        scale=card.activation.scale,
        label=label,
        caption=", ".join(f"{name} {p:.3f}" for name, p in outcome.probabilities.items()),
    )


def _result(predictor: "Predictor", file: Path, heatmap: Path | None) -> dict[str, Any]:
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
        "threshold": card.decision.threshold,
        "model": {"name": card.name, "version": card.created, "sha256": predictor.sha256},
    }
    try:
        radiograph = read_radiograph(file)
        outcome = predictor.predict(radiograph)
        if heatmap is not None:
            write_heatmap(predictor, radiograph, outcome, heatmap / f"{file.stem}.png")
    except PulmoError as error:
        status = "refused" if isinstance(error, RefusedError) else "error"
        return result | {"status": status, "reason": str(error)}
    return result | {
        "sha256": radiograph.sha256,
        "probabilities": outcome.probabilities,
        "decision": outcome.decision,
        "positive": outcome.positive,
    }


def write_heatmap(
    predictor: "Predictor", radiograph: "Radiograph", outcome: "Outcome", path: Path
) -> None:
    """Writes the evidence for the decided class, painted on the film."""
    from pulmo.core.files import write_atomically

    write_atomically(path, draw_heatmap(predictor, radiograph, outcome, outcome.decision))


def _print_table(predictor: "Predictor", results: list[dict[str, Any]]) -> None:
    decision = predictor.card.decision
    done = [result for result in results if result["status"] == "ok"]
    width = max((len(result["file"]) for result in done), default=4)
    for result in done:
        probability = result["probabilities"][result["decision"]]
        sign = "positive" if result["positive"] else "negative"
        typer.echo(f"{result['file']:{width}}  {result['decision']:9}  {probability:.3f}  {sign}")
    for result in results:
        if result["status"] != "ok":
            say(f"{result['status']}: {result['reason']}")
    if done:
        say(
            f"positive: probability of {' or '.join(decision.positive)} at least "
            f"{decision.threshold:.3f}, which found {decision.sensitivity} of the validation "
            f"pictures. {predictor.card.notice}"
        )
