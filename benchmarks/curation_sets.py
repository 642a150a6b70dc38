"""Curates the public sets and prints what was found, as the part of a report in Markdown.

`benchmarks/curation.py` runs it; progress goes to stderr.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from pulmo.core.parallel import in_threads
from pulmo.datasets.curate.copies import components
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.radiograph import read_radiograph
from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import wilson

if TYPE_CHECKING:
    import resource

HASH_LIMIT: Final = 10
SETS: Final = {
    "kermany": ("kermany", "chest_xray"),
    "kermany-512": ("kermany", "chest_xray_512"),
    "radiography": ("radiography", "COVID-19_Radiography_Dataset"),
    "cohen": ("cohen", "covid-chestxray-dataset"),
    "darkcovidnet": ("darkcovidnet", "darkcovidnet"),
    "devindatt": ("folder", "devindatt/dataset"),
    # As a folder: its own reader leaves out the image that is known to be another set's.
    "figure1": ("folder", "Figure1-COVID-chestxray-dataset", "--map", "images=covid"),
    "adult-normals": ("folder", "adult-normals"),
}
MISLABELLED: Final = "COVID-00020"
LOOKED_AT: Final = (
    "Of the pairs between kermany, radiography, cohen, darkcovidnet and figure1 the 24 with the "
    "fewest matching features (24 to 93) were looked at by a person: each shows one image."
)


def pulmo(*arguments: str | Path) -> tuple[str, float, "resource.struct_rusage"]:
    """Runs the command; returns its output, the seconds it took and what it used."""
    print("$ pulmo", *arguments, file=sys.stderr, flush=True)
    start = time.perf_counter()
    command = [sys.executable, "-m", "pulmo", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        output = process.stdout.read()
        _, _, used = os.wait4(process.pid, 0)
    return output, time.perf_counter() - start, used


def curate_sets(data: Path, work: Path) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Imports and curates; returns the manifest before, the report, and what was used."""
    manifests = []
    for name, (source, folder, *options) in SETS.items():
        manifests.append(work / f"{name}.parquet")
        pulmo(
            "data", "import", source, data / folder, "-o", manifests[-1], "--name", name, *options
        )
    output, wall, used = pulmo("data", "curate", *manifests, "-o", work / "curated.parquet")
    print(output, file=sys.stderr)
    table = Manifest.concat([read_manifest(path) for path in manifests]).frame
    seconds = used.ru_utime + used.ru_stime
    cost = (
        f"{len(table)} images took {seconds:.0f} s of processor time "
        f"({seconds / len(table) * 1000:.0f} ms an image), {wall:.0f} s by the clock of a busy "
        f"machine with {os.cpu_count()} cores, and {used.ru_maxrss / 1024:.0f} MB of memory."
    )
    return table, pd.read_csv(work / "curated.curation.csv"), cost


def image_numbers(table: pd.DataFrame, pairs: pd.DataFrame) -> NDArray[np.intp]:
    """Returns a number for each image: equal for those that were found to be one image."""
    place = pd.Series(table.index, table["path"])
    ties = zip(place[pairs["path"]], place[pairs["other_path"]], strict=True)
    return components(len(table), ties)


def hash_pairs(table: pd.DataFrame) -> NDArray[np.intp]:
    """Returns the pairs [n, 2] of images that a perceptual hash alone takes for copies."""

    def of(path: str) -> NDArray[np.uint64]:
        pixels = read_radiograph(Path(path)).pixels
        image = Image.fromarray(np.asarray(pixels * 255, np.uint8))
        return np.packbits(imagehash.phash(image).hash).view(np.uint64)

    hashes = np.concatenate(list(in_threads(of, table["path"])))
    found = []
    for start in range(0, len(hashes), 512):
        distances = np.bitwise_count(hashes[start : start + 512, None] ^ hashes)
        first, second = np.nonzero(distances <= HASH_LIMIT)
        kept = first + start < second
        found.append(np.stack([first[kept] + start, second[kept]], axis=1))
    return np.concatenate(found)


def shared(table: pd.DataFrame, images: NDArray[np.intp], close: NDArray[np.intp]) -> Iterator[str]:
    """Yields a line for every two sets that share images."""
    yield "| sets | images in both | found by pHash alone | its pairs that are no copies |"
    yield "| --- | --- | --- | --- |"
    source = table["source"].to_numpy(str)
    same = images[close[:, 0]] == images[close[:, 1]]
    for one, other in combinations(sorted(SETS), 2):
        both = np.intersect1d(images[source == one], images[source == other])
        ends = np.sort(source[close], axis=1)
        between = (ends[:, 0] == one) & (ends[:, 1] == other)
        by_hash = np.unique(images[close[between & same, 0]])
        if len(both):
            wrong = int((between & ~same).sum())
            yield f"| {one}, {other} | {len(both)} | {len(by_hash)} | {wrong} |"


def known_copies(
    table: pd.DataFrame, images: NDArray[np.intp], close: NDArray[np.intp]
) -> Iterator[str]:
    """Yields what is known by name: the images that are in both of Kermany's sets."""
    name = table["path"].str.extract(r"chest_xray(?:_512)?/(.*)$")[0]
    large = table.index[table["source"] == "kermany-512"].to_numpy()
    small = table.index[table["source"] == "kermany"]
    place = pd.Series(small, name[small])
    truth = np.stack([place[name[large]].to_numpy(), large], axis=1)
    found = int((images[truth[:, 0]] == images[truth[:, 1]]).sum())
    hashed = len({*map(tuple, close.tolist())} & {*map(tuple, truth.tolist())})
    yield (
        f"The {len(large)} images of `chest_xray_512` are in `chest_xray` under the same name, "
        f"squashed to a square. Recall: {share(found, len(large))}; "
        f"pHash alone: {share(hashed, len(large))}."
    )


def same_patients(table: pd.DataFrame, images: NDArray[np.intp]) -> Iterator[str]:
    """Yields how many pairs of images of one patient were taken for copies."""
    for source in ("darkcovidnet", "kermany"):
        rows = table[(table["source"] == source) & table["patient"].notna()]
        pairs = [
            pair for _, each in rows.groupby("patient") for pair in combinations(each.index, 2)
        ]
        called = sum(images[one] == images[other] for one, other in pairs)
        yield f"- {source}: {called} of {len(pairs)} pairs of images of one patient"


def share(hits: int, n: int) -> str:
    """Returns a proportion with Wilson's interval."""
    return f"{hits} of {n}, {Estimate(hits / n, *wilson(hits / n, n), n)}"


def mislabelled(report: pd.DataFrame) -> Iterator[str]:
    """Yields the rows about the image of Figure 1 that is Kermany's."""
    rows = report[report["path"].str.contains(MISLABELLED, regex=False)]
    columns = ["action", "reason", "label", "other_label", "inliers", "correlation", "displacement"]
    yield f"| image | other | {' | '.join(columns)} |"
    yield f"| {' | '.join(['---'] * (len(columns) + 2))} |"
    for _, row in rows.iterrows():
        names = (re.sub(r".*/", "", row[name]) for name in ("path", "other_path"))
        yield f"| {' | '.join([*names, *(str(row[name]) for name in columns)])} |"


def lines(data: Path, work: Path) -> Iterable[str]:
    """Yields the report."""
    table, report, cost = curate_sets(data, work)
    pairs = report[report["action"] == "grouped"]
    removed = report[report["action"] == "removed"]
    images = image_numbers(table, pairs)
    close = hash_pairs(table)
    same = images[close[:, 0]] == images[close[:, 1]]
    kinds = ", ".join(f"{n} {kind}" for kind, n in pairs["reason"].value_counts().items())
    yield "## The public sets"
    yield ""
    yield f"{cost} {len(pairs)} pairs of copies were found: {kinds}."
    yield f"{len(removed)} were removed because a copy has a label that contradicts theirs."
    yield ""
    yield from shared(table, images, close)
    yield ""
    yield f"In all, pHash alone gives {len(close)} pairs, of which {int(same.sum())} are copies."
    yield ""
    yield from known_copies(table, images, close)
    yield ""
    yield LOOKED_AT
    yield ""
    yield "Images of one patient that were taken for copies:"
    yield ""
    yield from same_patients(table, images)
    yield ""
    yield f"The image `{MISLABELLED}`, which Figure 1 calls COVID-19:"
    yield ""
    yield from mislabelled(report)


def main() -> None:
    """Prints the report of the sets in the folder that is named."""
    with tempfile.TemporaryDirectory() as work:
        print("\n".join(lines(Path(sys.argv[1]), Path(work))))


if __name__ == "__main__":
    main()
