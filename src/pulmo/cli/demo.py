"""pulmo demo."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import say
from pulmo.cli.evaluation_text import print_report
from pulmo.cli.training import training_progress
from pulmo.core.errors import InterruptedRunError

_NEXT = """
Look at
  {out}/evaluation/report.html   values with intervals, curves, hits and misses with heat maps
  {out}/heat-maps                the evidence for each decision on {new} new images
  {out}/bundle/MODEL_CARD.md     what the model is and what it does not show
These are drawings: the values say that the program works, nothing about patients.

With your own images, one folder a class (covid, normal, ...) below IMAGES:
  pulmo data import folder IMAGES -o all.parquet
  pulmo data split all.parquet -o split.parquet
  pulmo train starter --data split.parquet -o run --set 'labels.order=["covid","normal"]'
  pulmo export run -o bundle
  pulmo evaluate bundle --data split.parquet --split test -o evaluation
  pulmo predict FILE --model bundle --heatmap maps
If you know the patients, use the source csv, so that no patient is on two sides of the split."""


def demo(
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The folder to write: a new one, or an earlier demo's to replace.",
        ),
    ] = Path("out/demo"),
    count: Annotated[int, typer.Option(help="How many images to draw and train on.", min=80)] = (
        1200
    ),
) -> None:
    """See everything work on drawn images, offline.

    Draws images, trains on them, evaluates, explains and predicts.
    """
    from pulmo.workflows.demo import demo as run_demo

    try:
        with training_progress() as callbacks:
            done = run_demo(output, count, callbacks, lambda title: say(f"\n{title}"))
    except InterruptedRunError:
        raise InterruptedRunError(
            "interrupted", f"Interrupted; {output} is incomplete and may be removed."
        ) from None
    print_report(done.report, done.folder.evaluation)
    for result in done.predictions:
        if result.decision is not None and result.probabilities is not None:
            typer.echo(
                f"{result.file}  {result.decision} {result.probabilities[result.decision]:.3f}"
            )
    typer.echo(_NEXT.format(out=output, new=len(done.predictions)))
