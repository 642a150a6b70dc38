"""Trains the five published systems again, and CT slices, and writes docs/results/seeds.md.

Each run is one `pulmo reproduce`, the telling ones first; what is finished is not run again, what
was cut off goes on. The processor is used by one thread, so that runs may be compared.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from commands import commit

from pulmo.core.files import write_atomically
from pulmo.reproduce.outcome import ComparedValue, Outcome
from pulmo.reproduce.outcome_text import outcomes_text
from pulmo.reproduce.system import SYSTEMS
from pulmo.stats.estimate import Estimate

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "seeds.md"

FULL: Final = "full"
"""Folder of the runs that are not cut short."""

FIRST: Final = (
    "vgg16-cli",
    "minivgg-official",
    "fabiani-vgg16",
    "fastai-resnet50",
    "capstone-baseline",
    "capstone-mobilenetv2-cs-full",
)
"""One run of each system, before all others."""

COLUMNS: Final = (
    "run",
    "network",
    "start",
    "metric",
    "published",
    "ours",
    "n",
    "file facts",
    "thumbnail",
    "thumbnail of the lungs",
    "epochs",
    "minutes",
    "commit",
)

HEAD: Final = """# The five systems and CT slices, trained again

Made by `python benchmarks/seeds.py --data ... --weights ...`. It runs `pulmo reproduce NAME
--quick` for every run, with the recipe's cheaper variant (table `quick`: fewer epochs, smaller
images), on one thread of a shared machine without a GPU. Networks without ImageNet weights in the
folder of `--weights` start from random weights with `--from-scratch` (table `scratch`). `pulmo
reproduce` never does so by itself: without published weights it stops.

*Ours* is the result on images of other patients than those of the training, with its 95 %
interval; copies of an image are in one split. *Published* is the result of the authors, with
Wilson's interval where the number of images is known. Images, their number and the split differ
from theirs: a difference in the results may not come from the network. *File facts* is a decision
tree of depth 3 that sees no pixels, only width, height, bytes and bits of the files. *Thumbnail*
is a support vector machine that sees 16 x 16 pixels. Both are fitted and tested on the same images
as the network. If they come near the network, the network is not shown to recognise a disease.
*Minutes* are the time of the epochs on a busy machine, without the features of a frozen base,
which are computed once. A frozen base with random weights cannot learn: such rows (`freeze`, `fc`)
show the value of random features. The networks of `fabiani-ct` start from random weights too, and
learn little from about 420 slices: none is better than the thumbnail."""


def main() -> None:
    """Runs what is not finished and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--weights", type=Path, help="folder with ImageNet weights")
    parser.add_argument("--out", type=Path, default=Path("out/seeds"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only write what is finished")
    parser.add_argument(
        "--full", action="append", default=[], metavar="RUN", help="only this one, not --quick"
    )
    arguments = parser.parse_args()
    runs = [(name, each.name) for name in SYSTEMS for each in SYSTEMS[name].experiments]
    runs.sort(key=lambda run: FIRST.index(run[1]) if run[1] in FIRST else len(FIRST))
    for name, run in runs:
        if not arguments.report and (run in arguments.full or not arguments.full):
            reproduce(name, run, arguments)
            write_atomically(arguments.output, "\n".join(lines(arguments.out)).encode())
    write_atomically(arguments.output, "\n".join(lines(arguments.out)).encode())


def reproduce(name: str, run: str, arguments: argparse.Namespace) -> None:
    """Makes one run, and notes the commit that it was made with next to its outcome."""
    out = arguments.out / FULL if arguments.full else arguments.out
    place = out / name / run
    stamp = place / "commit"
    if (place / "outcome.json").exists() and stamp.exists():
        return
    command = [sys.executable, "-m", "pulmo", "reproduce", name, "--only", run]
    command += [] if arguments.full else ["--quick"]
    command += ["--threads", "1", "--data", arguments.data, "-o", out]
    command += ["--weights", arguments.weights] if arguments.weights else []
    # What the folder lacks cannot be downloaded on a machine without a network.
    command += ["--from-scratch"]
    done = subprocess.run(command, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})
    if done.returncode == 0:
        write_atomically(stamp, commit().encode())


def lines(out: Path) -> Iterator[str]:
    """Yields the report of what is finished."""
    yield HEAD
    yield ""
    found = {name: list(_finished(out, name)) for name in SYSTEMS}
    yield from _table(out, found)
    full = {name: list(_finished(out / FULL, name)) for name in SYSTEMS}
    if any(full.values()):
        yield "\n## Headline runs in full\n"
        yield "Made with `--full RUN`: all epochs, and images of the published size.\n"
        yield from _table(out / FULL, full)
    absent = [
        each.name
        for name in SYSTEMS
        for each in SYSTEMS[name].experiments
        if each.name not in {outcome.experiment for outcome in found[name]}
    ]
    yield ""
    if absent:
        yield f"Not run yet: {', '.join(absent)}."
        yield ""
    for name, outcomes in found.items():
        if outcomes:
            yield outcomes_text(SYSTEMS[name].title, outcomes)


def _finished(out: Path, name: str) -> Iterator[Outcome]:
    for experiment in SYSTEMS[name].experiments:
        place = out / name / experiment.name
        if (place / "outcome.json").exists() and (place / "commit").exists():
            yield Outcome.model_validate(json.loads((place / "outcome.json").read_text()))


def _table(out: Path, found: Mapping[str, Sequence[Outcome]]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|" + "---|" * len(COLUMNS)
    for name, outcomes in found.items():
        for outcome in outcomes:
            yield _row(outcome, (out / name / outcome.experiment / "commit").read_text())


def _row(outcome: Outcome, commit: str) -> str:
    value = _main(outcome.metrics)
    cells = (
        f"`{outcome.experiment}`",
        outcome.backbone,
        _start(outcome.notes),
        value.name,
        _words(value.published),
        _words(value.ours),
        str(value.ours.n),
        _words(value.baselines.get("facts")),
        _words(value.baselines.get("thumbnail")),
        _words(value.baselines.get("lungs")),
        str(outcome.epochs),
        f"{outcome.minutes:.1f}",
        commit,
    )
    return f"| {' | '.join(cells)} |"


def _main(values: Sequence[ComparedValue]) -> ComparedValue:
    """Returns the main metric of the authors; if they state none, the mean of two."""
    led = [value for value in values if value.published]
    accuracy = [value for value in led if value.name == "accuracy"]
    return (accuracy or [values[-1]])[0]


def _start(notes: Sequence[str]) -> str:
    return "ImageNet" if any("from ImageNet" in note for note in notes) else "random"


def _words(estimate: Estimate | None) -> str:
    return "-" if estimate is None else str(estimate)


if __name__ == "__main__":
    main()
