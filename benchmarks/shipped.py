"""Makes the model that comes with pulmo out of a run, and writes down what its small weights cost.

The bundle has 8-bit weights and leaves out the network of the lungs, which pulmo has already. With
it come its licence, a datasheet, what an audit showed and did not show, and golden outputs for a
few drawings. What the weights cost is measured on the validation images of the run.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import pandas as pd
from commands import commit, pulmo

from pulmo import stats
from pulmo.audit.check_result import Audit, read_audit
from pulmo.bundle.card import FINDER_KEY, Card
from pulmo.bundle.export import export_run
from pulmo.bundle.golden import Golden, golden_images
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.model_card import model_card
from pulmo.bundle.predictor import CARD_KEY, Predictor
from pulmo.core.files import sha256, write_atomically
from pulmo.core.folders import AuditFolder, RunFolder, ShippedFolder
from pulmo.core.record import write_record
from pulmo.core.shipped import FOLDER
from pulmo.datasets.manifest import read_manifest
from pulmo.datasets.phantom import write_phantoms
from pulmo.datasets.source import SOURCES
from pulmo.lungs import shipped_finder
from pulmo.workflows.selftest import PACKAGES

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "shipped.md"
MOST_BYTES: Final = 12_000_000
DRAWINGS: Final = 3
SEED: Final = 3

LICENCE: Final = """\
The weights in this folder: {licence}

They are not under the licence of pulmo's code. They were trained on images of others, whose terms
may bind whoever uses the weights:

{terms}

For research, not diagnosis. The model is no medical device. No authority has cleared it. It was not
tested in a hospital, and nobody may decide about a patient by its results. It comes without any
warranty.
"""


def main() -> None:
    """Makes the folder and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("--name", help="what the model is called; by default as its recipe")
    parser.add_argument("--description", help="what it is, in a sentence")
    parser.add_argument("--licence", required=True, help="of the weights, such as CC-BY-NC-SA-4.0")
    parser.add_argument("--weight-format", default="int8", choices=("fp16", "int8"))
    parser.add_argument("--data", type=Path, help="the manifest that it is audited on")
    parser.add_argument("--split", default="test", help="of that manifest")
    parser.add_argument(
        "--out", type=Path, default=FOLDER, help="it takes the place of what is there"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    run = RunFolder(asked.run)
    with tempfile.TemporaryDirectory() as place:
        draft = ShippedFolder(Path(place, "shipped"))
        card = make_bundle(run, draft, asked)
        audit = evaluate(run, draft, asked, Path(place)) if asked.data else None
        write_texts(draft, card, audit, asked.licence)
        write_golden(draft)
        if (size := size_of(draft.root)) > MOST_BYTES:
            raise SystemExit(f"The folder has {size:,} bytes; {MOST_BYTES:,} are allowed.")
        export_run(run, Path(place, "full"))
        found = "\n".join(page(run, draft, Path(place, "full")))
        shutil.rmtree(asked.out, ignore_errors=True)
        shutil.copytree(draft.root, asked.out)
    write_atomically(asked.results, found.encode())
    pulmo("selftest", "--model", asked.out)
    print(f"{asked.out}: {size:,} bytes")


def make_bundle(run: RunFolder, draft: ShippedFolder, asked: argparse.Namespace) -> Card:
    """Exports a run with small weights, and renames the model."""
    card = export_run(run, draft.root, asked.weight_format)
    network = onnx.load(draft.model)
    changed = card.model_copy(
        update={
            "files": {},
            "name": asked.name or card.name,
            "description": asked.description or card.description,
            "license": asked.licence,
        }
    )
    metadata = {each.key: each.value for each in network.metadata_props}
    if card.input.lungs == shipped_finder().sha256:
        del metadata[FINDER_KEY]
    onnx.helper.set_model_props(network, metadata | {CARD_KEY: changed.to_json()})
    write_atomically(draft.model, network.SerializeToString())
    write_card(draft, changed)
    return changed


def write_card(draft: ShippedFolder, card: Card, text: str | None = None) -> None:
    """Writes the model card and the card, which vouches for the other files."""
    write_atomically(draft.text, (text or model_card(card)).encode())
    files = {
        path.name: sha256(path.read_bytes())
        for path in (draft.model, draft.text, draft.seen, draft.test)
    }
    write_atomically(draft.card, card.model_copy(update={"files": files}).to_json().encode())


def evaluate(run: RunFolder, draft: ShippedFolder, asked: argparse.Namespace, place: Path) -> Audit:
    """Evaluates and audits the bundle, and fills in its datasheet."""
    images = ["--data", asked.data, "--split", asked.split]
    pulmo("evaluate", draft.root, *images, "-o", place / "evaluation")
    pulmo("audit", draft.root, *images, "--run", run.root, "-o", place / "audit", closed=True)
    known: list[str | Path] = [
        "--evaluation", place / "evaluation", "--audit", place / "audit",
    ]  # fmt: skip
    pulmo(
        "card", draft.root, "--data", run.manifest, "--run", run.root, *known,
        "-o", place / "cards",
    )  # fmt: skip
    shutil.copy(place / "cards" / draft.datasheet.name, draft.datasheet)
    draft.test_access.unlink(missing_ok=True)
    return read_audit(AuditFolder(place / "audit").index)


def write_texts(draft: ShippedFolder, card: Card, audit: Audit | None, licence: str) -> None:
    """Writes the licence, and the model card with what an audit showed and did not show."""
    sources = sorted({name for each in card.training.sources.values() for name in each})
    terms = "\n".join(f"- {name}: {terms_of(name)}" for name in sources)
    write_atomically(draft.licence, LICENCE.format(licence=licence, terms=terms).encode())
    write_card(draft, card, f"{model_card(card).rstrip()}\n\n{audit_section(audit)}\n")


def terms_of(source: str) -> str:
    """Returns the terms of a public set, as its publisher states them."""
    name = source.split(" ", maxsplit=1)[0]
    return SOURCES[name].about.licence if name in SOURCES else "not stated"


def audit_section(audit: Audit | None) -> str:
    """Returns what an audit showed and did not show, in sentences."""
    if audit is None:
        return "## What an audit found\n\nNo audit was made: nothing has been shown of this model."
    parts = [f"## What an audit found\n\n{audit.summary}"]
    for title, sentences in (("Not shown", audit.not_shown), ("Shown", audit.shown)):
        listed = "\n".join(f"- {sentence}" for sentence in sentences or ("Nothing.",))
        parts.append(f"### {title}\n\n{listed}")
    return "\n\n".join(parts)


def write_golden(draft: ShippedFolder) -> None:
    """Draws images, and writes what the bundle gives for them."""
    draft.images.mkdir()
    with tempfile.TemporaryDirectory() as place:
        write_phantoms(Path(place, "drawn"), DRAWINGS, SEED)
        for path in Path(place, "drawn", "images").iterdir():
            shutil.copy(path, draft.images)
    predictor = Predictor.open(draft.root, threads=1)
    images = golden_images(predictor, sorted(draft.images.iterdir()))
    versions = {name: version(name) for name in PACKAGES}
    write_record(
        draft.golden, Golden(model_sha256=predictor.sha256, versions=versions, images=images)
    )


def page(run: RunFolder, draft: ShippedFolder, full: Path) -> Iterator[str]:
    """Yields what the small weights cost."""
    models = {"float32": Predictor.open(full, 1), "shipped": Predictor.open(draft.root, 1)}
    images = read_manifest(run.manifest).split("val")
    tables = {name: predict_manifest(model, images).frame for name, model in models.items()}
    card = models["shipped"].card
    yield "# What the weights of the shipped model cost\n"
    yield (
        f"Made by `python benchmarks/shipped.py` at commit {commit()}, of {card.name}, "
        f"{card.network.backbone} with {card.network.weight_format} weights, on the "
        f"{len(images):,} validation images of its run. One thread.\n"
    )
    yield f"| | {' | '.join(models)} |\n|---|---|---|"
    yield _row("bytes of the folder", [f"{size_of(full):,}", f"{size_of(draft.root):,}"])
    yield _row("bytes of model.onnx", [f"{len(model.model):,}" for model in models.values()])
    times = [f"{_milliseconds(model):.1f}" for model in models.values()]
    yield _row("milliseconds of the network, an image", times)
    for label in card.labels.order:
        areas = [str(_auc(table, label, card)) for table in tables.values()]
        yield _row(f"AUC of {label}", areas)
    rights = [str(_accuracy(table, card)) for table in tables.values()]
    yield _row("accuracy", rights)
    off = np.abs(
        tables["float32"].set_index("path")[f"p_{card.labels.order[0]}"]
        - tables["shipped"].set_index("path")[f"p_{card.labels.order[0]}"]
    )
    yield ""
    yield (
        f"The probability of {card.labels.order[0]} differs by {off.mean():.3f} on average and by "
        f"{off.max():.3f} at most."
    )
    yield ""


def _row(name: str, values: list[str]) -> str:
    return f"| {name} | {' | '.join(values)} |"


def _auc(table: pd.DataFrame, label: str, card: Card) -> stats.Estimate:
    known = table[table["label"].isin(card.labels.order)]
    return stats.auc(known["label"].eq(label), known[f"p_{label}"], known["group"])


def _accuracy(table: pd.DataFrame, card: Card) -> stats.Estimate:
    known = table[table["label"].isin(card.labels.order)]
    return stats.proportion(known["label"].eq(known["decision"]), known["group"])


def _milliseconds(predictor: Predictor) -> float:
    size = predictor.card.input.size
    image = np.zeros((1, size, size), np.uint8)
    times = []
    for _ in range(30):
        begun = time.perf_counter()
        predictor.run(image)
        times.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(times)


def size_of(folder: Path) -> int:
    """Returns the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
