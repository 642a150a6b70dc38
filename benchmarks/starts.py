"""Measures what training gains when it starts from the model that comes with pulmo.

The images are those of Kermany's official test, which the shipped model was neither trained nor
chosen on. Networks learn bacterial and viral pneumonia and normal on four fifths of them, and are
asked about the rest. They differ in nothing but the weights they start from. The shipped model as
it is, which knows other patients of the same hospital, is asked about all.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
from commands import commit, pulmo

from pulmo import stats
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.files import write_atomically
from pulmo.core.shipped import FOLDER
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.split.plan import Plan, draw

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "starts.md"
FOLDS: Final = 5
KINDS: Final = ("bacterial", "viral", "normal")
FIRST: Final = "pulmo"
AS_IS: Final = "the shipped model, not trained further"

SETTINGS: Final[dict[str, Any]] = {
    "labels.order": '["bacterial","viral","normal"]',
    "labels.merge": "{}",
    "decision.positive": '["bacterial","viral"]',
    "model.backbone": "resnet18-layer3",
    "image.size": 96,
    "image.region": "lungs",
    "image.frame": "moments",
    "image.normalise": "lungs",
    "image.outside": "mean",
    "image.margin": 0.0,
    "image.aspect": "squash",
    "augment.flip": 0.5,
    "train.epochs": 8,
    "train.patience": 8,
}
"""What all runs change in the recipe `starter`; the input is that of the shipped model."""


def main() -> None:
    """Trains what is not trained, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", type=Path, required=True, help="that of benchmarks/flagship.py")
    parser.add_argument("--imagenet", type=Path, required=True, help="weights of resnet18")
    parser.add_argument("--out", type=Path, default=Path("out/starts"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    manifest = make_manifest(asked.test, asked.out)
    starts = {
        "pulmo": ["--set", "model.weights=pulmo"],
        "ImageNet": [
            "--set", f"model.weights={asked.imagenet}", "--set", "model.weights_partial=true",
        ],
        "random": ["--from-scratch"],
    }  # fmt: skip
    tables = {name: train(name, words, asked.out) for name, words in starts.items()}
    write_atomically(asked.output, "\n".join(report(manifest, tables)).encode())


def make_manifest(test: Path, out: Path) -> Manifest:
    """Deals the images that the shipped model does not know to folds of patients."""
    path = out / "folds.parquet"
    if not path.exists():
        found = read_manifest(test).filter(source="kermany")
        rows = len(found)
        bare = found.with_columns(
            split=pd.array([None] * rows, "string"), fold=pd.array([None] * rows, "Int64")
        )
        out.mkdir(parents=True, exist_ok=True)
        draw(bare, Plan(test=0.0, folds=FOLDS)).manifest.save(path)
    return read_manifest(path)


def train(name: str, words: list[str], out: Path) -> pd.DataFrame:
    """Trains all folds from a start; returns the predictions of the held-out images."""
    runs, manifest = out / name, out / "folds.parquet"
    if not (runs / "summary.json").exists():
        settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
        pulmo(
            "train", "starter", "--data", manifest, "-o", runs, "--folds", *settings, *words,
            "--threads", "1", *(["--resume"] if runs.exists() else []),
        )  # fmt: skip
    whole = read_manifest(manifest)
    found = []
    for fold in range(FOLDS):
        predictor = Predictor.open(runs / f"fold-{fold}-seed-0" / "bundle", threads=1)
        held = whole.select(whole.frame["fold"].eq(fold))
        found.append(predict_manifest(predictor, held).frame)
    return pd.concat(found).set_index("path").sort_index()


def report(manifest: Manifest, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Yields the page."""
    ours = predict_manifest(Predictor.open(FOLDER, threads=1), manifest).frame
    found = {**tables, AS_IS: ours.set_index("path").sort_index()}
    label, groups = found[FIRST]["label"], found[FIRST]["group"]
    abnormal = label.ne("normal")
    kinds = label[abnormal]
    scores = {name: 1 - table["p_normal"] for name, table in found.items()}
    yield "# What training gains from the model that comes with pulmo\n"
    yield (
        f"Made by `python benchmarks/starts.py --test ... --imagenet ...` at commit {commit()}. "
        + " ".join((__doc__ or "").split("\n\n")[1].split())
    )
    yield (
        f"\n{len(label)} images in {groups.nunique()} groups of patients and copies, {FOLDS} "
        f"folds, one seed, {SETTINGS['train.epochs']} epochs; resnet18-layer3, 96 px, the lungs "
        "only. Intervals are 95 %, over groups.\n"
    )
    yield (
        "| start | pneumonia against normal: AUC | pulmo minus this | "
        "bacterial against viral: AUC | accuracy of three classes |"
    )
    yield "|---|---|---|---|---|"
    for name, table in found.items():
        pair = [scores[FIRST], scores[name]]
        gain = stats.auc_difference(abnormal, pair, groups).estimate if name != FIRST else ""
        share = table["p_bacterial"] / (table["p_bacterial"] + table["p_viral"])
        columns = table[[f"p_{kind}" for kind in KINDS]].set_axis(list(KINDS), axis=1)
        right = stats.proportion(columns.idxmax(axis=1) == label, groups)
        area = stats.auc(kinds.eq("bacterial"), share[abnormal], groups[abnormal])
        whole = stats.auc(abnormal, scores[name], groups)
        yield f"| {name} | {whole} | {gain} | {area} | {right} |"
    yield ""
    yield (
        "Not tried: other diseases and hospitals. The other sets here that the shipped model does "
        "not know have one class each, so that any network separates them by their source."
    )
    yield ""


if __name__ == "__main__":
    main()
