"""Pictures a second of pulmo's training loop beside a bare loop over the same network.

The bare loop repeats one batch that lies in memory: no data, no augmentation, no schedule. Both
take turns in one run, so that a busy machine slows both, and the median of the turns counts.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from pulmo.core.recipe import load_recipe
from pulmo.datasets.cache import Pictures
from pulmo.models.classifier import make_classifier
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine, begin_stage
from pulmo.train.loop import train_epoch
from pulmo.train.material import Material
from pulmo.train.watch import Watch


def drawn_material(count: int, size: int, classes: int, folder: Path) -> Material:
    """Returns `count` random pictures, mapped from disk as the cache maps them."""
    generator = np.random.default_rng(0)
    np.save(folder / "p.npy", generator.integers(0, 256, (count, size, size), dtype=np.uint8))
    rows = np.arange(count)
    shard = np.load(folder / "p.npy", mmap_mode="r")
    pictures = Pictures((shard,), np.zeros_like(rows), rows)
    truth = np.arange(count, dtype=np.int64) % classes
    return Material(pd.DataFrame(index=rows), pictures, truth, rows, rows[:1])


def bare_loop(engine: Engine) -> Callable[[], None]:
    """Returns a function that makes an epoch's steps on one batch in memory."""
    section, size = engine.recipe.train, engine.recipe.image.size
    films = torch.rand(section.batch, 1, size, size, device=engine.device)
    films = films.contiguous(memory_format=torch.channels_last)
    truth = torch.arange(section.batch, device=engine.device) % len(engine.recipe.labels.order)

    def epoch() -> None:
        engine.classifier.train()
        for _ in range(engine.steps):
            with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
                logits = engine.classifier(films)
            loss = cross_entropy(logits.float(), truth)
            engine.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            engine.optimiser.step()
            loss.item()

    return epoch


def timed(work: Callable[[], object]) -> float:
    """Returns the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measures and prints the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="starter")
    parser.add_argument("--steps", type=int, default=8, help="steps a turn")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    arguments = parser.parse_args()
    torch.set_flush_denormal(True)
    recipe = load_recipe(arguments.recipe, ["model.weights=none", *arguments.settings])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    labels = recipe.labels.order
    classifier = make_classifier(recipe.model, labels, seed=0).classifier.to(device)
    classifier.to(memory_format=torch.channels_last)
    count = arguments.steps * recipe.train.batch
    with tempfile.TemporaryDirectory() as folder:
        material = drawn_material(count, recipe.image.size, len(labels), Path(folder))
        engine = begin_stage(recipe, recipe.train.plan[0], material, classifier)
        bare = bare_loop(engine)

        def pulmo() -> None:
            progress = Progress(recipe_sha256="", manifest_sha256="", weights="none")
            train_epoch(engine, progress, Watch())

        bare()
        pulmo()
        pairs = [(timed(bare), timed(pulmo)) for _ in range(arguments.turns)]
    rates = [count / statistics.median(column) for column in zip(*pairs, strict=True)]
    ratio = statistics.median(first / second for first, second in pairs)
    print(
        f"{recipe.name}: {recipe.model.backbone}, {recipe.image.size} px, batch "
        f"{recipe.train.batch}, {'bf16' if engine.bfloat16 else 'fp32'}, {device}, "
        f"{torch.get_num_threads()} threads\n"
        f"bare loop {rates[0]:.1f} pictures/s, pulmo {rates[1]:.1f} pictures/s, "
        f"pulmo / bare {ratio:.2f} (median of {arguments.turns} turns)"
    )


if __name__ == "__main__":
    main()
