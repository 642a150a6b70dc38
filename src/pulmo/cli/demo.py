"""pulmo demo."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli import evaluate, explain, export, predict, train
from pulmo.cli.console import say
from pulmo.cli.data.importing import import_
from pulmo.cli.data.phantom import phantom
from pulmo.cli.data.split import split
from pulmo.core.errors import InputError, InterruptedRunError, UsageError
from pulmo.core.output import claim_folder

_IMAGES, _NEW, _SEED = 1200, 4, 7
# Says that a folder was made by the demo, whole or not, and is the demo's to replace.
_MARKER = ".pulmo-demo"

_NEXT = """
Look at
  {out}/evaluation/report.html   figures with intervals, curves, hits and misses with heat maps
  {out}/heat-maps                what spoke for each decision on {new} new images
  {out}/bundle/MODEL_CARD.md     what the model is and what it does not show
These are drawings: the figures say that the program works, nothing about patients.

With your own images, one folder a class (covid, normal, ...) below IMAGES:
  pulmo data import folder IMAGES -o all.parquet
  pulmo data split all.parquet -o split.parquet
  pulmo train starter --data split.parquet -o run --set 'labels.order=["covid","normal"]'
  pulmo export run -o bundle
  pulmo evaluate bundle --data split.parquet --split test -o evaluation
  pulmo predict FILE --model bundle --heatmap maps
If you know the patients, use the source csv, so that no patient is on two sides of the split."""


def demo(
    out: Annotated[
        Path, typer.Option(help="The folder to write: a new one, or an earlier demo's to replace.")
    ] = Path("out/demo"),
    count: Annotated[int, typer.Option(help="How many images to draw and train on.", min=80)] = (
        _IMAGES
    ),
) -> None:
    """See everything work on drawn images, offline.

    Draws images, trains on them, evaluates, explains and predicts.
    """
    _claim(out)
    try:
        _everything(out, count)
    except InterruptedRunError:
        raise InterruptedRunError(
            "interrupted", f"Interrupted; {out} is incomplete and may be removed."
        ) from None
    typer.echo(_NEXT.format(out=out, new=_NEW))


def _claim(out: Path) -> None:
    """Makes the demo's folder, or empties the one that a demo made before.

    Raises:
        UsageError: it is there, and no demo made it.
        InputError: it cannot be made or emptied.
    """
    marker = out / _MARKER
    if out.exists() and not marker.is_file():
        raise UsageError(
            "demo-folder-foreign",
            f"{out} exists already and is no demo's; remove it or choose another with --out.",
        )
    claim_folder(out)
    try:
        marker.touch()
        for path in out.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != marker:
                path.unlink()
    except OSError as error:
        raise InputError(
            "folder-not-emptied", f"{out} could not be emptied: {error.strerror or error}."
        ) from error


def _everything(out: Path, count: int) -> None:
    manifest, bundle = out / "images.parquet", out / "bundle"
    _step(f"1/6 drawing {count} chest X-rays")
    phantom(out / "images", count, _SEED)
    _step("2/6 reading them, and a split that keeps each patient on one side")
    import_("csv", out / "images" / "phantoms.csv", manifest, name="phantom")
    split(manifest, manifest)
    _step("3/6 training the recipe demo")
    train.train("demo", manifest, out / "run")
    _step("4/6 exporting the bundle, checked against the trained network")
    export.export(out / "run", bundle)
    _step("5/6 evaluating the bundle on images of patients that it never saw")
    evaluate.evaluate(bundle, out / "evaluation", data=manifest, split="test")
    _step(f"6/6 classifying and explaining {_NEW} new images")
    phantom(out / "new", _NEW, _SEED + 1)
    images = sorted((out / "new" / "images").iterdir())
    names = [str(image) for image in images]
    predict.predict(names, bundle)
    explain.explain(names, out / "heat-maps", model=bundle)


def _step(text: str) -> None:
    say(f"\n{text}")
