"""Trains the recipe `starter` on public images, evaluates it there and elsewhere, writes the table.

Training: Kermany's official training images and the COVID-19 Radiography Database, validation
drawn from both by group. Tests: Kermany's official one, a grouped one of Radiography, and two sets
that no training image is from, covid-chestxray-dataset (frontal images) and adult normals.
"""

import argparse
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from commands import commit, pulmo

from pulmo.bundle.card import Card, read_card
from pulmo.core.files import write_atomically
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.merge import merge
from pulmo.evaluate.evaluation import Contrast, Evaluation, read_evaluation

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results" / "starter.md"
VIEWS = ["PA", "AP", "AP supine"]


def make_manifests(data: Path, out: Path) -> tuple[Path, Path]:
    """Imports the sets; returns the manifests of the training pool and of the external test."""
    sets = {
        "kermany": ("kermany", "chest_xray"),
        "radiography": ("radiography", "COVID-19_Radiography_Dataset"),
        "cohen": ("cohen", "covid-chestxray-dataset"),
        "adult-normals": ("folder", "adult-normals"),
    }
    for name, (source, root) in sets.items():
        pulmo("data", "import", source, data / root, "-o", out / f"{name}.parquet", "--name", name)
    pool = out / "pool.parquet"
    pulmo("data", "merge", out / "kermany.parquet", out / "radiography.parquet", "-o", pool)
    pulmo("data", "split", pool, "-o", pool, "--keep-test", "--val", "0.1", "--test", "0.15")
    cohen = read_manifest(out / "cohen.parquet")
    frontal = cohen.frame[(cohen.frame["modality"] == "X-ray") & cohen.frame["view"].isin(VIEWS)]
    external = out / "external.parquet"
    merge([Manifest(frontal), read_manifest(out / "adult-normals.parquet")]).save(external)
    return pool, external


def train(pool: Path, weights: Path, out: Path) -> Path:
    """Trains, or goes on training, and exports; returns the bundle."""
    run, bundle = out / "run", out / "bundle"
    start = ["--set", f"model.weights={weights}", *(["--resume"] if run.exists() else [])]
    pulmo("train", "starter", "--data", pool, "-o", run, *start)
    if not bundle.exists():
        pulmo("export", run, "-o", bundle)
    return bundle


def evaluate(bundle: Path, manifest: Path, output: Path, *options: str) -> Evaluation:
    """Evaluates the bundle and returns the metrics."""
    pulmo("evaluate", bundle, "--data", manifest, "-o", output, *options)
    return read_evaluation(output / "evaluation.json")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def contrast(evaluation: Evaluation, source: str, positive: set[str], negative: str) -> Contrast:
    """Returns a comparison within a source."""
    return next(
        c
        for c in evaluation.contrasts
        if (c.source, set(c.positive), c.negative) == (source, positive, (negative,))
    )


def headline(card: Card, internal: Evaluation, validation: Evaluation) -> str:
    """Returns the values that the recipe is held to, with what is published."""
    kermany = contrast(internal, "kermany", {"bacterial", "viral"}, "normal")
    covid = validation.classes["covid"]["auc"]
    n = f"{kermany.n_positive} / {kermany.n_negative}"
    rows = [
        ("Kermany official test, pneumonia against normal: AUC", n, str(kermany.auc), "0.968"),
        ("the same: accuracy", n, str(kermany.accuracy), "0.928 (0.905-0.946)"),
        ("the same: sensitivity", n, str(kermany.sensitivity), "0.932"),
        ("the same: specificity", n, str(kermany.specificity), "0.901"),
        ("covid against the rest, validation: AUC", str(validation.data.n), str(covid), ""),
    ]
    best = card.training.history[card.training.best_epoch - 1]
    return (
        table(("metric", "n", "pulmo starter", "Kermany et al. 2018"), rows)
        + f"\n\nThe epoch ({best.epoch} of {len(card.training.history)}), temperature "
        f"({card.temperature:.3f}) and threshold ({card.decision.threshold:.3f}) were chosen on "
        "the validation images only."
    )


def section(title: str, evaluation: Evaluation) -> str:
    """Returns the tables of one test set, with what its metrics do not show."""
    data = evaluation.data
    overall = ((name.replace("_", " "), str(value)) for name, value in evaluation.overall.items())
    classes = (
        (
            label,
            str(data.labels[label]),
            *(str(values[m]) for m in ("recall", "specificity", "auc")),
        )
        for label, values in evaluation.classes.items()
    )
    contrasts = (
        (
            c.source,
            " + ".join(c.positive),
            " + ".join(c.negative),
            f"{c.n_positive} / {c.n_negative}",
            str(c.auc),
        )
        for c in evaluation.contrasts
    )
    return "\n\n".join(
        (
            f"## {title}",
            f"{data.n} images in {data.groups} groups of patients and copies.",
            table(("metric", "value"), overall),
            table(("class", "n", "recall", "specificity", "AUC against the rest"), classes),
            "Within one source, where the source cannot help:",
            table(("source", "positive", "negative", "n", "AUC"), contrasts),
            "\n".join(f"- {warning.text}" for warning in evaluation.warnings),
        )
    )


def setting(card: Card) -> str:
    """Returns what was trained, on what, and for how long."""
    training = card.training
    minutes = sum(epoch.seconds for epoch in training.history) / 60
    counts = (
        (label, *(str(training.counts[split][label]) for split in ("train", "val")))
        for label in card.labels.order
    )
    return (
        f"{card.network.backbone}, {card.input.size} px, started from "
        f"{card.network.weights.split(',')[0]}; {minutes:.0f} minutes of training in "
        f"{len(training.history)} epochs on two shared processor cores "
        f"({platform.machine()}), pulmo {card.pulmo} at commit {commit()}.\n\n"
        + table(("class", "train", "val"), counts)
        + "\n\nImages whose patient number recurs in Kermany's official test took no part."
    )


def main() -> None:
    """Trains, evaluates and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/starter"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    out = arguments.out
    pool, external = make_manifests(arguments.data, out)
    bundle = train(pool, arguments.weights, out)
    card = read_card(bundle / "card.json")
    validation = evaluate(bundle, pool, out / "evaluation-validation", "--split", "val")
    internal = evaluate(bundle, pool, out / "evaluation-internal", "--split", "test")
    elsewhere = evaluate(bundle, external, out / "evaluation-external")
    parts = (
        "# The starter model",
        (
            "Made by `make real DATA=... WEIGHTS=...` (`benchmarks/starter.py`); intervals are "
            "95 %, over groups."
        ),
        setting(card),
        "## Main results",
        headline(card, internal, validation),
        section("Internal test: the hospitals of the training images", internal),
        section("External test: covid-chestxray-dataset and adult normals", elsewhere),
        "",
    )
    write_atomically(arguments.results, "\n\n".join(parts).encode())
    print(f"{arguments.results}\n{out}/evaluation-external/report.html")


if __name__ == "__main__":
    main()
