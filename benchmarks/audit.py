"""Audits a network trained on DarkCovidNet's benchmark, and the starter; writes the report.

The network is cross-validated by patient, five folds with three seeds, and its shortcut baselines
are fitted on the same folds: with the facts of the files as they are here, and as they were
published. What is finished is not trained again. The starter is trained by benchmarks/starter.py.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from commands import commit, pulmo

from pulmo.audit.check_result import Audit, Cell, CheckResult, Table, read_audit
from pulmo.core.files import write_atomically
from pulmo.experiments.summary import read_summary
from pulmo.stats.estimate import Estimate

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "audit.md"
PUBLISHED: Final = 0.8702
"""Ozturk et al. 2020: accuracy of three classes in five folds of images."""

SEEDS: Final = 3
RECIPE: Final = (
    'labels.order=["covid","normal","pneumonia"]',
    "labels.merge={}",
    "image.size=128",
    "name=darkcovidnet",
)

HEAD: Final = """# Results of audits

Made by `python benchmarks/audit.py --data ... --weights ... --starter ...` at commit {commit}:
`pulmo audit` of two models. A *shortcut baseline* is a simple classifier that sees too little to
see the disease, on the same folds as the network: the width, height, bytes and bits of the files,
the aspect ratio, the grey histogram, or 16 x 16 pixels of the image, of its border, of the image
with black lungs or of the lungs. Intervals are 95 %, over groups of
patients and copies. *Could not run*: the check says why."""


def main() -> None:
    """Trains what is not trained, audits, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--weights", type=Path, required=True, help="of MobileNetV2")
    parser.add_argument("--starter", type=Path, required=True, help="what `make real` wrote")
    parser.add_argument("--out", type=Path, default=Path("out/audit"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    folds = train(arguments.data, arguments.weights, arguments.out)
    lungs = ("--lungs", arguments.data / "lung-masks")
    here = [
        audit(arguments.out / f"seed-{seed}", folds, *statement(seed), *lungs)
        for seed in range(SEEDS)
    ]
    facts = ("--facts", arguments.data / "darkcovidnet" / "published_files.csv")
    files = arguments.out / "published"
    published = audit(files, folds, *statement(0), *facts, "--only", "shortcuts")
    starter = arguments.starter
    manifest = starter / "pool.parquet"
    inside = audit(
        arguments.out / "starter", starter / "bundle", "--data", manifest, "--split", "test", *lungs
    )
    outside = audit(
        arguments.out / "starter-outside",
        starter / "bundle",
        *("--data", starter / "external.parquet", "--run", starter / "run", *lungs),
    )
    report = [
        HEAD.format(commit=commit()),
        *dark(here, published, folds),
        *model("The starter, internal", inside),
    ]
    report += model("The starter, external", outside)
    write_atomically(arguments.output, "\n".join(report).encode())


def statement(seed: int) -> tuple[str, ...]:
    """Returns the options of an audit of the folds with one seed."""
    return "--seed", str(seed), "--published", str(PUBLISHED)


def train(data: Path, weights: Path, out: Path) -> Path:
    """Imports, curates, deals to folds and trains; returns the folder of the folds."""
    manifest, folds = out / "dark.folds.parquet", out / "dark"
    if not manifest.exists():
        raw, whole = out / "dark.raw.parquet", out / "dark.parquet"
        pulmo("data", "import", "darkcovidnet", data / "darkcovidnet", "-o", raw)
        pulmo("data", "curate", raw, "-o", whole)
        pulmo("data", "split", whole, "--folds", "5", "--test", "0", "-o", manifest)
    if not (folds / "summary.json").exists():
        settings = [word for each in RECIPE for word in ("--set", each)]
        settings += ["--set", f"model.weights={weights}", "--threads", "1"]
        resume = ["--resume"] if folds.exists() else []
        words = ("--data", manifest, "-o", folds, "--folds", "--seeds", str(SEEDS))
        pulmo("train", "starter", *words, *settings, *resume)
    return folds


def audit(folder: Path, model: Path, *options: str | Path) -> Audit:
    """Audits a model, if it was not, and returns what was found."""
    if not (folder / "audit.json").exists():
        pulmo("audit", model, "-o", folder, "--threads", "1", *options, closed=True)
    return read_audit(folder / "audit.json")


def dark(here: Sequence[Audit], published: Audit, folds: Path) -> Iterator[str]:
    """Yields what is said of DarkCovidNet's set."""
    summary = read_summary(folds / "summary.json")
    n = here[0].data.n
    yield ""
    yield "## DarkCovidNet's benchmark"
    yield ""
    yield f"{n} images in {here[0].data.groups} groups (patients, copies), three classes,"
    yield f"{summary.folds} folds by group, seeds {', '.join(map(str, summary.seeds))}. Ozturk et"
    yield f"al. 2020 publish an accuracy of {PUBLISHED} in five folds that may separate images of"
    yield "a patient."
    yield ""
    yield "| | accuracy |"
    yield "| --- | --- |"
    yield f"| published | {PUBLISHED} |"
    for pooled in summary.pooled:
        yield f"| MobileNetV2, seed {pooled.seed} | {pooled.metrics['accuracy']} |"
    yield f"| the same, mean over folds and seeds | {summary.mean['accuracy']} |"
    for words, found in (("this copy", here[0]), ("as published", published)):
        for name, value in baselines(found):
            if words == "this copy" or "file" in name or "aspect" in name:
                yield f"| {name}, {words} | {value} |"
    yield ""
    yield f"**{shortcuts(published).conclusion}**"
    yield ""
    yield f"With the files of this copy: {shortcuts(here[0]).conclusion}"
    yield ""
    yield (
        "The audit of seed 0 (checks whose verdicts differ between the three seeds: "
        f"{differing(here) or 'none'}):"
    )
    yield from results(here[0])


def shortcuts(found: Audit) -> CheckResult:
    """Returns the result about shortcuts."""
    return next(each for each in found.checks if each.check == "shortcuts")


def baselines(found: Audit) -> Iterator[tuple[str, Estimate]]:
    """Yields the accuracy of each shortcut baseline that could be fitted."""
    (table,) = shortcuts(found).tables
    for name, _, accuracy, *_ in table.rows:
        if isinstance(accuracy, Estimate) and accuracy.value is not None:
            yield str(name), accuracy


def differing(audits: Sequence[Audit]) -> str:
    """Names the checks whose verdicts are not the same in all audits."""
    verdicts: dict[str, set[str]] = {}
    for each in audits:
        for result in each.checks:
            verdicts.setdefault(result.check, set()).add(result.verdict)
    return ", ".join(name for name, found in verdicts.items() if len(found) > 1)


def model(title: str, found: Audit) -> Iterator[str]:
    """Yields what is said of a model."""
    yield ""
    yield f"## {title}"
    yield ""
    sources = ", ".join(
        f"{name} ({', '.join(f'{n} {label}' for label, n in counts.items() if n)})"
        for name, counts in found.data.sources.items()
    )
    yield f"{found.data.n} images in {found.data.groups} groups: {sources}."
    yield from results(found)
    for each in found.checks:
        if each.check in {"shortcuts", "sources", "external"}:
            for table in each.tables:
                yield from _table(table)


def results(found: Audit) -> Iterator[str]:
    """Yields a line for each result, and the closing sentences."""
    yield ""
    yield "| check | verdict | conclusion |"
    yield "| --- | --- | --- |"
    for each in found.checks:
        verdict = each.verdict.replace("_", " ")
        yield f"| {each.check} | {verdict} | {each.conclusion} |"
    yield ""
    yield "This is shown:"
    yield ""
    yield from (f"- {sentence}" for sentence in found.shown or ("Nothing.",))


def _table(table: Table) -> Iterator[str]:
    yield ""
    yield f"### {table.title}"
    yield ""
    yield f"| {' | '.join(table.columns)} |"
    yield "| --- " * len(table.columns) + "|"
    for row in table.rows:
        yield f"| {' | '.join(_words(cell) for cell in row)} |"


def _words(cell: Cell) -> str:
    return str(cell)


if __name__ == "__main__":
    main()
