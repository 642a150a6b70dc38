"""Measures how far the estimate of an external AUC is from the AUC found; writes the report.

Networks tell images with a disease from normal ones, each trained on one public set, or on all but
one, and asked about the sets that it was not trained on. The estimate is that of the audit's check
`external`, which sees no image of these. What is finished is not made again.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from commands import pulmo

from pulmo.audit.check_result import CheckResult, read_audit
from pulmo.core.files import write_atomically
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.split.plan import Plan, draw
from pulmo.stats.estimate import Estimate

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "external.md"

SETS: Final = {
    "kermany": "chest_xray",
    "radiography": "COVID-19_Radiography_Dataset",
    "cohen": "covid-chestxray-dataset",
    "darkcovidnet": "darkcovidnet",
}
"""Source -> its folder. Each has images with a disease and normal ones."""

MAX_IMAGES: Final = 1500
"""Images that are taken of a set at most, drawn by group."""

LATERAL: Final = "lateral"

SETTINGS: Final = (
    'labels.order=["normal","pneumonia"]',
    'labels.merge={"covid"="pneumonia","bacterial"="pneumonia","viral"="pneumonia"}',
    'decision.positive=["pneumonia"]',
    "image.size=128",
    "train.epochs=5",
)

HEAD: Final = f"""# Error of the expected external AUC

Made by `python benchmarks/external.py --data ... --weights ...`: MobileNetV2 from ImageNet
weights, 128 px, 5 epochs, classifies images as diseased or normal. It is trained on one public
set, or on all but one (at most {MAX_IMAGES} images of each; copies of an image in one set only),
and tested on the others. The expected AUC of the audit's check `external` (after Ong Ly et al.
2024) uses internal images only: the AUC on a test from the sources of the training, minus that of
a support vector machine on the grey histogram, plus one half."""

COLUMNS: Final = (
    "trained on",
    "tested on",
    "n",
    "internal AUC",
    "histogram AUC",
    "expected AUC",
    "found AUC",
    "expected minus found",
)


class Trial(NamedTuple):
    """A network, and where it is asked.

    Attributes:
        inside: the sources that it is trained on.
        outside: those that it is asked about besides.
    """

    inside: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its folder."""
        return "+".join(self.inside)


def trials() -> Iterator[Trial]:
    """Yields one set against the others, then all but one against that one."""
    for count in (1, len(SETS) - 1):
        for inside in itertools.combinations(SETS, count):
            yield Trial(inside, tuple(name for name in SETS if name not in inside))


def main() -> None:
    """Trains and asks what is missing, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--weights", type=Path, required=True, help="of MobileNetV2")
    parser.add_argument("--out", type=Path, default=Path("out/external"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    table = pool(arguments.data, arguments.out)
    found = [
        (trial, ask(trial, table, arguments.weights, arguments.out / trial.name))
        for trial in trials()
    ]
    write_atomically(arguments.output, "\n".join(report(found)).encode())


def pool(data: Path, out: Path) -> pd.DataFrame:
    """Imports and curates the sets; returns at most `MAX_IMAGES` frontal images of each."""
    whole = out / "whole.parquet"
    if not whole.exists():
        manifests = [out / f"{name}.parquet" for name in SETS]
        for (name, folder), manifest in zip(SETS.items(), manifests, strict=True):
            pulmo("data", "import", name, data / folder, "-o", manifest)
        pulmo("data", "curate", *manifests, "-o", whole, "--drop-copies")
    table = read_manifest(whole)
    used = (
        (table.frame["modality"] == "X-ray")
        & ~table.frame["view"].isin([LATERAL])
        & (table.frame["label"] != "other")
    )
    generator = np.random.default_rng(0)
    parts = [_some(rows, generator) for _, rows in table.frame[used].groupby("source")]
    return pd.concat(parts, ignore_index=True)


def _some(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Returns whole groups in random order, up to `MAX_IMAGES` rows."""
    groups = rows["group"].unique()
    order = dict(zip(generator.permutation(groups), range(len(groups)), strict=True))
    return rows.iloc[np.argsort(rows["group"].map(order), kind="stable")].head(MAX_IMAGES)


def ask(trial: Trial, table: pd.DataFrame, weights: Path, out: Path) -> CheckResult:
    """Trains a network, if it was not, and asks what may be expected outside."""
    manifest, run, bundle, answer = (out / name for name in ("m.parquet", "run", "bundle", "audit"))
    if not manifest.exists():
        out.mkdir(parents=True, exist_ok=True)
        inside = draw(
            Manifest(table[table["source"].isin(trial.inside)]), Plan(val=0.15, test=0.25)
        ).manifest
        outside = table[table["source"].isin(trial.outside)].assign(split="test")
        outside = outside[~outside["group"].isin(inside.frame["group"])]
        Manifest(pd.concat([inside.frame, outside], ignore_index=True)).save(manifest)
    if not bundle.exists():
        settings = [word for each in SETTINGS for word in ("--set", each)]
        settings += ["--set", f"model.weights={weights}", "--threads", "1"]
        resume = ["--resume"] if run.exists() else []
        pulmo("train", "starter", "--data", manifest, "-o", run, *settings, *resume)
        pulmo("export", run, "-o", bundle)
    if not answer.exists():
        words = ("--data", manifest, "--split", "test", "--only", "external", "-o", answer)
        pulmo("audit", bundle, *words, closed=True)
    (result,) = read_audit(answer / "audit.json").checks
    return result


def report(found: Sequence[tuple[Trial, CheckResult]]) -> Iterator[str]:
    """Yields the report."""
    yield HEAD
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "| --- " * len(COLUMNS) + "|"
    errors: dict[int, list[float]] = {}
    held = []
    for trial, result in found:
        values = result.metrics
        estimate = values["expected"]
        # A set with images from an origin of the training's is not outside.
        for source in (name for name in trial.outside if name in values):
            auc = values[source]
            cells: list[object] = [", ".join(trial.inside), source, auc.n]
            cells += [values.get("internal", "-"), values.get("histogram", "-"), estimate, auc, "-"]
            if estimate.value is not None and auc.value is not None:
                error = estimate.value - auc.value
                errors.setdefault(len(trial.inside), []).append(error)
                held.append(_overlap(estimate, auc))
                cells[-1] = f"{error:+.3f}"
            yield f"| {' | '.join(map(str, cells))} |"
    yield ""
    for count, differences in errors.items():
        off = np.abs(differences)
        yield (
            f"- Trained on {count} of the sets, {len(differences)} pairs: mean absolute error "
            f"{off.mean():.3f} ({off.min():.3f} to {off.max():.3f}), mean error "
            f"{np.mean(differences):+.3f}."
        )
    yield (
        f"- The intervals of the expected and the found AUC overlap in {sum(held)} of "
        f"{len(held)} pairs."
    )
    yield ""


def _overlap(first: Estimate, second: Estimate) -> bool:
    low, high = (first.low, second.low), (first.high, second.high)
    ends = [end for end in (*low, *high) if end is not None]
    return len(ends) == 4 and max(ends[:2]) <= min(ends[2:])


if __name__ == "__main__":
    main()
