"""Measures the bootstrap of every metric against a plain loop over scikit-learn; writes a table.

The loop is extrapolated from a few replicates. It computes what scikit-learn has of the same
metrics, and no intervals beyond the percentile.
"""

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn import metrics as reference

from pulmo.core.files import write_atomically
from pulmo.core.parallel import cores
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.estimates import compute, estimate_metrics
from pulmo.stats.metric import METRICS
from pulmo.stats.resampling import bootstrap

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "bootstrap.md"
CLASSES = ("bacterial", "covid", "normal", "viral")


def make_sample(n: int, generator: np.random.Generator) -> ClassifiedImages:
    """Makes predictions of n images of half as many patients."""
    truth = generator.integers(len(CLASSES), size=n)
    logits = generator.normal(size=(n, len(CLASSES)))
    logits[np.arange(n), truth] += 1.5
    raised = np.exp(logits)
    probabilities = raised / raised.sum(axis=1, keepdims=True)
    patients = generator.integers(n // 2, size=n)
    groups = np.unique(patients, return_inverse=True)[1]
    return ClassifiedImages(CLASSES, truth, probabilities.argmax(axis=1), probabilities, groups)


def loop(sample: ClassifiedImages, replicates: int, generator: np.random.Generator) -> None:
    """Draws groups and computes each metric by scikit-learn, one replicate after the other."""
    members = np.argsort(sample.groups, kind="stable")
    starts = np.searchsorted(sample.groups[members], np.arange(sample.groups.max() + 2))
    for _ in range(replicates):
        drawn = generator.integers(len(starts) - 1, size=len(starts) - 1)
        rows = np.concatenate([members[starts[group] : starts[group + 1]] for group in drawn])
        scikit_metrics(sample.truth[rows], sample.decided[rows], sample.probabilities[rows])


def scikit_metrics(
    truth: NDArray[np.intp], decided: NDArray[np.intp], probabilities: NDArray[np.float64]
) -> None:
    """Computes what scikit-learn has of the metrics."""
    overall: tuple[Callable[..., object], ...] = (
        reference.accuracy_score,
        reference.balanced_accuracy_score,
        reference.cohen_kappa_score,
        reference.matthews_corrcoef,
    )
    for metric in overall:
        metric(truth, decided)
    reference.precision_recall_fscore_support(truth, decided)
    reference.log_loss(truth, probabilities)
    reference.brier_score_loss(truth, probabilities, scale_by_half=False)
    reference.roc_auc_score(truth, probabilities, multi_class="ovr")
    reference.roc_auc_score(truth, probabilities, multi_class="ovo")
    for number in range(probabilities.shape[1]):
        side = truth == number
        reference.average_precision_score(side, probabilities[:, number])
        reference.recall_score(~side, decided != number)
        reference.precision_score(~side, decided != number)


class Seconds(NamedTuple):
    """How long work took."""

    wall: float
    processor: float

    def __str__(self) -> str:
        """Gives both as cells of the table."""
        return f"{self.wall:,.1f} | {self.processor:,.1f}"


def timed(work: Callable[[], object]) -> Seconds:
    """Measures how long work takes."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - wall, time.process_time() - processor)


def main() -> None:
    """Measures and writes the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--naive", type=int, default=5, help="replicates of the loop")
    arguments = parser.parse_args()
    n, replicates = arguments.images, arguments.replicates
    sample = make_sample(n, np.random.default_rng(0))
    names = list(METRICS)
    fast = timed(
        lambda: bootstrap(
            lambda weights: compute(sample, names, weights),
            sample.groups,
            replicates,
            np.random.default_rng(1),
        )
    )
    whole = timed(lambda: estimate_metrics(sample, replicates, np.random.default_rng(1)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    few = timed(lambda: loop(sample, arguments.naive, np.random.default_rng(1)))
    slow = Seconds(*(part / arguments.naive * replicates for part in few))
    groups = int(sample.groups.max()) + 1
    load = os.getloadavg()[0]
    lines = f"""# Speed of the bootstrap

Made by `python benchmarks/bootstrap.py`: {n:,} made-up predictions of {len(CLASSES)} classes in
{groups:,} groups, {replicates:,} resamples of groups, {cores()} cores ({platform.machine()}), load
{load:.1f} when it ended, Python {platform.python_version()}, NumPy {np.__version__}, scikit-learn
{sklearn.__version__}.

| what | seconds | of processor time |
| --- | --- | --- |
| every metric ({len(names)}, of which {sum(METRICS[name].scope == "class" for name in names)} of \
each class) on {replicates:,} resamples | {fast} |
| all estimates with their intervals (Wilson, DeLong, BCa) | {whole} |
| a loop over scikit-learn, {arguments.naive} resamples | {few} |
| the same loop, **extrapolated** to {replicates:,} | {slow} |

The loop takes {slow.processor / fast.processor:,.0f} times the processor time, though scikit-learn
has no calibration errors. A load above the number of cores means that others used them too: the
processor time, over the cores, is what an idle machine takes. Peak memory of the process before the
loop, with Python and all libraries: {memory:,.0f} MiB.
"""
    write_atomically(RESULTS, lines.encode())
    print(lines)


if __name__ == "__main__":
    main()
