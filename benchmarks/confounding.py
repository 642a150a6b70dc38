"""Inspects the public sets for facts that predict their classes without the pixels; writes a table.

Then it measures how long the inspection of a manifest with 100,000 rows takes, and how often it
flags manifests whose facts have nothing to do with their classes.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd

from pulmo.core.files import write_atomically
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.inspect.inspection import Inspection, read_inspection
from pulmo.datasets.manifest import Manifest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results" / "confounding.md"
SETS = {
    "darkcovidnet": ("darkcovidnet", "darkcovidnet"),
    "kermany": ("kermany", "chest_xray"),
    "radiography": ("radiography", "COVID-19_Radiography_Dataset"),
    "cohen": ("cohen", "covid-chestxray-dataset"),
}
SHOWN = ("file", "size", "bytes", "source", "origin", "view", "modality", "age", "sex")


def pulmo(*arguments: str | Path) -> None:
    """Runs the command, showing what it prints; files that it could not read are named there."""
    print("$ pulmo", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "pulmo", *arguments], check=False)


def inspect(manifest: Path, out: Path, *options: str | Path) -> Inspection:
    """Inspects a manifest and returns the values."""
    pulmo("data", "inspect", manifest, "-o", out, *options)
    return read_inspection(out / "inspection.json")


def inspect_sets(data: Path, out: Path) -> dict[str, Inspection]:
    """Imports the sets and inspects each, and two of them together."""
    for name, (source, folder) in SETS.items():
        pulmo("data", "import", source, data / folder, "-o", out / f"{name}.parquet")
    pool = [out / f"{name}.parquet" for name in ("kermany", "radiography")]
    pulmo("data", "merge", *pool, "-o", out / "pool.parquet")
    facts = data / "darkcovidnet" / "published_files.csv"
    dark = out / "darkcovidnet.parquet"
    return {
        "darkcovidnet, files as published": inspect(dark, out / "published", "--facts", facts),
        "darkcovidnet, re-encoded": inspect(dark, out / "darkcovidnet"),
        "kermany": inspect(out / "kermany.parquet", out / "kermany"),
        "kermany and radiography": inspect(out / "pool.parquet", out / "pool"),
        "cohen": inspect(out / "cohen.parquet", out / "cohen"),
    }


def unrelated(n: int, seed: int) -> pd.DataFrame:
    """Makes a manifest of n images whose facts have nothing to do with their classes."""
    generator = np.random.default_rng(seed)
    patient = np.sort(generator.integers(0, 3 * n // 4, n))
    columns = {
        "path": [f"/{number}.png" for number in range(n)],
        "sha256": [f"{number:064x}" for number in range(n)],
        "pixels_sha256": [f"{number:064x}" for number in range(n)],
        "label": generator.choice(["covid", "bacterial", "normal"], n)[patient],
        "patient": patient.astype(str),
        "group": [f"s:{number}" for number in patient],
        "origin": generator.integers(0, 30, n).astype(str),
        "age": generator.integers(1, 90, n).astype(float),
        "width": generator.integers(200, 3000, n),
        "height": generator.integers(200, 3000, n),
        "bytes": generator.integers(5_000, 900_000, n),
        "bits": generator.choice([8, 16], n),
    }
    words = {"source": "ew", "view": "PA", "modality": "XC", "sex": "FM", "format": "JP"}
    drawn = {name: generator.choice(list(letters), n) for name, letters in words.items()}
    return Manifest(pd.DataFrame(columns | drawn)).frame


def false_flags(n: int, times: int) -> tuple[int, int]:
    """Returns how many clues were flagged wrongly, and how many were tried."""
    flagged = tried = 0
    for seed in range(times):
        inspection = inspect_manifest(Manifest(unrelated(n, seed)), "m", seed)
        for clue in inspection.confounding.clues.values():
            tried += bool(clue.classes)
            flagged += clue.flagged
    return flagged, tried


def seconds(out: Path, n: int) -> float:
    """Returns the processor time that the command takes for n rows, without samples."""
    Manifest(unrelated(n, 0)).save(out / "many.parquet")
    before = os.times()
    inspect(out / "many.parquet", out / "many", "--samples", "0")
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def section(name: str, inspection: Inspection) -> str:
    """Returns what is said of one set."""
    rows = []
    for clue in (inspection.confounding.clues[shown] for shown in SHOWN):
        if clue.classes and clue.commonest is not None and clue.chance is not None:
            v = "" if clue.v.value is None else str(clue.v)
            plain, balanced = f"{clue.commonest:.3f}", f"{clue.chance:.3f}"
            values = [v, str(clue.accuracy), plain, str(clue.balanced_accuracy), balanced]
            title = {"file": "all facts of the file", "bytes": "file size"}.get(
                clue.name, clue.name
            )
            n = f"{clue.accuracy.n} of {', '.join(clue.classes)}"
            rows.append([title, n, *values, "**flagged**" if clue.flagged else ""])
    head = [
        *("clue", "images", "Cramer's V", "accuracy", "most frequent class"),
        *("balanced accuracy", "chance", "flagged"),
    ]
    said = (inspection.verdict, *(warning.text for warning in inspection.warnings))
    sentences = "\n".join(f"- {text}" for text in said)
    return f"## {name}\n\n{sentences}\n\n{table(head, rows)}\n"


def report(inspections: dict[str, Inspection], false: tuple[int, int], duration: float) -> str:
    """Returns the document."""
    rule = next(iter(inspections.values())).confounding.rule
    sections = "\n".join(section(*item) for item in inspections.items())
    return f"""# What predicts the class without the pixels

Made by `python benchmarks/confounding.py --data ...`, which runs `pulmo data inspect`. A decision
tree of depth 3, cross-validated in five folds by group, predicts the class from one clue;
intervals are 95 %, over groups.

{fill(rule, 100)}

{sections}
## Without confounding, and speed

Of {false[1]} clues in manifests of 600 synthetic images whose facts have nothing to do with their
classes, {false[0]} were flagged. Inspecting 100,000 rows, without samples, took {duration:.0f} s of
processor time.
"""


def main() -> None:
    """Runs it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument("--out", type=Path, default=Path("out/confounding"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    inspections = inspect_sets(arguments.data, arguments.out)
    duration = seconds(arguments.out, 100_000)
    text = report(inspections, false_flags(600, 20), duration)
    write_atomically(RESULTS, text.encode())


if __name__ == "__main__":
    main()
