"""Compares the opacity of the lungs with severity scores that radiologists gave.

The scores are of 94 images of the covid-chestxray-dataset (Cohen et al. 2020, arXiv:2005.11856):
the mean of three raters of how much of the lungs is involved (0 to 8) and how opaque it is (0 to
6). No score was used to make the measure.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pulmo import stats
from pulmo.core.files import write_atomically
from pulmo.datasets.rows import numbered_rows
from pulmo.lungs import LungMask, shipped_finder
from pulmo.lungs.opacity import opacity
from pulmo.radiograph import Radiograph, read_radiograph

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "severity.md"
SCORES: Final = {"geographic_mean": "extent (0 to 8)", "opacity_mean": "opacity (0 to 6)"}
"""Column -> what was scored."""


def main() -> None:
    """Writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="covid-chestxray-dataset")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    finder = shipped_finder()
    scored, without = [], 0
    for row in _scores(asked.data / "annotations" / "covid-severity-scores.csv"):
        radiograph = read_radiograph(asked.data / "images" / row["filename"])
        found = _measures(radiograph, finder.find(radiograph))
        without += found is None
        if found is not None:
            scored.append((row, found))
    patients = _patients(asked.data / "metadata.csv")
    groups = [patients[row["filename"]] for row, _ in scored]
    made = (
        "Made by `python benchmarks/severity.py --data covid-chestxray-dataset`. Spearman's rank "
        "correlation of what is measured on an image with the mean score of three radiologists "
        f"(Cohen et al. 2020), {len(scored)} images of {len(set(groups))} patients; {without} "
        "images have no measure. Intervals are 95 %, over patients. The lungs are those that the "
        "network of pulmo finds. It was trained on masks of images of this data set, but on no "
        "score."
    )
    chosen = (
        "The opacity of both lungs is the one that pulmo gives: it was chosen among eleven "
        "measures of grey values, which were compared on these very scores with other masks of "
        "the lungs, so its correlation is a little too high for a new data set. All images show "
        "COVID-19 of the first months of 2020, from publications, so mild cases are rare."
    )
    table = f"| measure | {' | '.join(SCORES.values())} |\n| --- | --- | --- |"
    for name in scored[0][1]:
        values = [found[name] for _, found in scored]
        cells = [
            str(stats.spearman(values, [float(row[column]) for row, _ in scored], groups))
            for column in SCORES
        ]
        table += f"\n| {name} | {' | '.join(cells)} |"
    write_atomically(asked.output, f"# Severity\n\n{made}\n\n{chosen}\n\n{table}\n".encode())


def _measures(radiograph: Radiograph, lungs: LungMask) -> dict[str, float] | None:
    """Returns what is measured on an image; None where it has no opacity."""
    found = opacity(radiograph.pixels, lungs)
    if found is None:
        return None
    zones = [value for value in found.zones.values() if value is not None]
    return {
        "opacity of both lungs": found.both,
        "opacity of the lightest zone": max(zones),
        "mean grey value of the lungs": float(radiograph.pixels[lungs.mask].mean()),
        "mean grey value of the image": float(radiograph.pixels.mean()),
        "area of the lungs": lungs.area,
    }


def _scores(path: Path) -> Iterator[Mapping[str, str]]:
    """Yields the rows of the table, below its comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader(line for line in lines if not line.startswith("##"))


def _patients(path: Path) -> dict[str, str]:
    """Returns file -> patient."""
    rows = numbered_rows(path, ("filename", "patientid"), None)
    return {row["filename"] or "": row["patientid"] or "" for _, row in rows}


if __name__ == "__main__":
    main()
