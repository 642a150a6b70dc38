"""Measures what training gains when it starts from the model that comes with pulmo.

The images are those of the NIH set whose patients the shipped model was not trained on, fold 0 of
benchmarks/flagship.py. Networks learn pneumonia against no finding on four fifths of them, about
160 images, and are asked about the rest. They differ in nothing but the weights they start from.
The shipped model as it is, which knows other patients of the same hospital, is asked about all.
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
from pulmo.stats.estimate import Estimate

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "starts.md"
FOLDS: Final = 5
SEEDS: Final = 2

SETTINGS: Final[dict[str, Any]] = {
    "labels.order": '["pneumonia","normal"]',
    "labels.merge": "{}",
    "decision.positive": '["pneumonia"]',
    "model.backbone": "resnet18-layer3",
    "image.size": 96,
    "image.region": "lungs",
    "image.frame": "moments",
    "image.normalise": "lungs",
    "image.outside": "mean",
    "image.margin": 0.0,
    "image.aspect": "squash",
    "augment.flip": 0.5,
    "train.epochs": 12,
    "train.patience": 12,
}
"""What all runs change in the recipe `starter`; the input is that of the shipped model."""


def main() -> None:
    """Trains what is not trained, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True, help="that of benchmarks/flagship.py")
    parser.add_argument("--imagenet", type=Path, required=True, help="weights of resnet18")
    parser.add_argument("--out", type=Path, default=Path("out/starts"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    manifest = make_manifest(asked.pool, asked.out)
    starts = {
        "pulmo": ["--set", "model.weights=pulmo"],
        "ImageNet": [
            "--set", f"model.weights={asked.imagenet}", "--set", "model.weights_partial=true",
        ],
        "random": ["--from-scratch"],
    }  # fmt: skip
    tables = {name: train(name, words, asked.out) for name, words in starts.items()}
    write_atomically(asked.output, "\n".join(report(manifest, tables)).encode())


def make_manifest(pool: Path, out: Path) -> Manifest:
    """Deals the images that the shipped model was not trained on to folds of patients."""
    path = out / "folds.parquet"
    if not path.exists():
        whole = read_manifest(pool)
        frame = whole.frame
        held = frame["source"].eq("darkcovidnet") & frame["fold"].eq(0).fillna(value=False)
        found = whole.select(held & frame["label"].isin(["pneumonia", "normal"]))
        rows = len(found)
        bare = found.with_columns(
            split=pd.array([None] * rows, "string"), fold=pd.array([None] * rows, "Int64")
        )
        out.mkdir(parents=True, exist_ok=True)
        draw(bare, Plan(test=0.0, folds=FOLDS)).manifest.save(path)
    return read_manifest(path)


def train(name: str, words: list[str], out: Path) -> pd.DataFrame:
    """Trains all folds and seeds from a start; returns the mean predictions of held-out images."""
    runs, manifest = out / name, out / "folds.parquet"
    if not (runs / "summary.json").exists():
        settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
        pulmo(
            "train", "starter", "--data", manifest, "-o", runs, "--folds", "--seeds", str(SEEDS),
            *settings, *words, "--threads", "1", *(["--resume"] if runs.exists() else []),
        )  # fmt: skip
    whole = read_manifest(manifest)
    found = []
    for fold in range(FOLDS):
        held = whole.select(whole.frame["fold"].eq(fold))
        for seed in range(SEEDS):
            predictor = Predictor.open(runs / f"fold-{fold}-seed-{seed}" / "bundle", threads=1)
            found.append(predict_manifest(predictor, held).frame)
    both = pd.concat(found)
    rows = both.drop_duplicates("path").set_index("path")
    rows["p_pneumonia"] = both.groupby("path")["p_pneumonia"].mean()
    return rows.sort_index()


def report(manifest: Manifest, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Yields the page."""
    ours = predict_manifest(Predictor.open(FOLDER, threads=1), manifest).frame
    ours = ours.set_index("path").sort_index()
    scores = {name: table["p_pneumonia"] for name, table in tables.items()}
    scores["the shipped model, not trained further"] = 1 - ours["p_normal"]
    truth, groups = ours["label"].eq("pneumonia"), ours["group"]
    first = "pulmo"
    yield "# What training gains from the model that comes with pulmo\n"
    yield (
        "Made by `python benchmarks/starts.py --pool ... --imagenet ...` at commit "
        f"{commit()}. " + " ".join((__doc__ or "").split("\n\n")[1].split())
    )
    yield (
        f"\n{len(ours)} images in {groups.nunique()} groups of patients and copies, {FOLDS} folds, "
        f"the mean of {SEEDS} seeds; resnet18-layer3, 96 px, the lungs only. Intervals are 95 %, "
        "over groups.\n"
    )
    yield "| start | AUC | accuracy at 0.5 | AUC, pulmo minus this |"
    yield "|---|---|---|---|"
    for name, score in scores.items():
        auc = stats.auc(truth, score, groups)
        right = stats.proportion(score.ge(0.5) == truth, groups)
        pair = [scores[first], score]
        gain = stats.auc_difference(truth, pair, groups).estimate if name != first else None
        yield f"| {name} | {auc} | {right} | {_signed(gain)} |"
    yield ""
    yield (
        "Not tried: other diseases and hospitals. The two sets here that the shipped model does "
        "not know have one class each, so that any network separates them by their source."
    )
    yield ""


def _signed(gain: Estimate | None) -> str:
    return "" if gain is None else str(gain)


if __name__ == "__main__":
    main()
