"""Bench predict: how fast files become probabilities, beside other ways to do it."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from pulmo.core.errors import InputError, UsageError
from pulmo.core.parallel import cores
from pulmo.workflows.bench_engines import Engine, engines, matrix_rate
from pulmo.workflows.bench_predict_result import Line, PredictSpeed, Ratio
from pulmo.workflows.bench_ways import Way, ways
from pulmo.workflows.found import Found, images_of
from pulmo.workflows.model import load
from pulmo.workflows.options.speed import PredictBenchOptions

_LEAST_ROUNDS: Final = 6
"""The fewest values of which an interval of 95 % of their median is known."""
_MOST_FILES: Final = 32
_DRAWN: Final = 16


class _Time(NamedTuple):
    """Seconds an image, by the clock and of the processor."""

    wall: float
    processor: float


def bench_predict(
    model: str | os.PathLike[str],
    images: Sequence[str | os.PathLike[str]] = (),
    options: PredictBenchOptions | None = None,
) -> PredictSpeed:
    """Measures how fast a bundle classifies files, beside other ways.

    All of them have the same files and the same cores. Each has its turn in each round, and another
    one begins each round, so that whatever else the machine does slows all alike.

    Args:
        model: the bundle.
        images: files and folders, of which the first 32 images are used; none: images are drawn.
        options: how long is measured.

    Raises:
        InputError: the bundle cannot be used, or there is no image.
        UsageError: there are fewer cores than threads.
    """
    options = options or PredictBenchOptions()
    threads = options.threads
    if threads > cores():
        raise UsageError(
            "threads-too-many", f"This machine has {cores()} cores; {threads} were asked for."
        )
    with _on_cores(threads), _files(images) as files:
        predictor = load(model, threads=1).predictor
        compared, network = ways(predictor, threads, files), engines(predictor, threads)
        multiply = matrix_rate(threads) if find_spec("onnx") else None
        begun: dict[str, Callable[[], _Time]] = {
            name: _turn(way, files) for name, way in compared.items() if way.run is not None
        } | {each.name: _runs_of(each) for each in network}
        rounds = list(_rounds(begun, multiply, options.seconds))
    card, rates = predictor.card, [rate for _, rate in rounds if rate is not None]
    times = [found for found, _ in rounds]
    return PredictSpeed(
        model=card.name,
        network=card.network.backbone,
        size=card.input.size,
        threads=threads,
        files=len(files),
        rounds=len(rounds),
        matrix_rate=statistics.median(rates) if rates else None,
        ways=[_line_of_way(name, way, times) for name, way in compared.items()],
        engines=[_line_of_engine(each, times, rates) for each in network],
    )


@contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Lets this process and all that it starts run on so many cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _files(images: Sequence[str | os.PathLike[str]]) -> Iterator[list[Path]]:
    """Gives the files that are read; drawn ones if none are named."""
    if images:
        found = [
            each.path
            for each in images_of(images, None)
            if isinstance(each, Found) and each.problem is None
        ]
        if not found:
            raise InputError("images-missing", "There is no result: no image was found.")
        yield found[:_MOST_FILES]
        return
    from pulmo.datasets.phantom import write_phantoms

    with tempfile.TemporaryDirectory() as folder:
        # Half of the phantoms, since the other ways read no DICOM.
        write_phantoms(Path(folder), 2 * _DRAWN, seed=0)
        drawn = sorted(Path(folder, "images").iterdir())
        yield [path for path in drawn if path.suffix != ".dcm"][:_DRAWN]


def _turn(way: Way, files: Sequence[Path]) -> Callable[[], _Time]:
    run = way.run
    assert run is not None  # noqa: S101 - for mypy
    return lambda: _timed(lambda: run(files), len(files))


def _runs_of(engine: Engine) -> Callable[[], _Time]:
    def run() -> None:
        for _ in range(max(1, 8 // engine.images)):
            engine.run()

    return lambda: _timed(run, max(8, engine.images))


def _timed(run: Callable[[], None], images: int) -> _Time:
    begun, used = time.perf_counter(), time.process_time()
    run()
    wall, processor = time.perf_counter() - begun, time.process_time() - used
    return _Time(wall / images, processor / images)


def _rounds(
    turns: dict[str, Callable[[], _Time]], multiply: Callable[[], float] | None, seconds: float
) -> Generator[tuple[dict[str, _Time], float | None], None, None]:
    """Yields the times of each round, and the rate at which matrices were multiplied in it."""
    for turn in turns.values():
        turn()
    names, begun, done = list(turns), time.monotonic(), 0
    while done < _LEAST_ROUNDS or time.monotonic() - begun < seconds:
        first = done % len(names)
        rate = multiply() if multiply else None
        yield {name: turns[name]() for name in names[first:] + names[:first]}, rate
        done += 1


def _line_of_way(name: str, way: Way, rounds: Sequence[dict[str, _Time]]) -> Line:
    if way.run is None:
        return Line(way.name, absent=way.absent)
    ours = "pulmo-maps" if name.endswith("-maps") else "pulmo"
    ratio = None if name == ours else _ratio([each[name].wall / each[ours].wall for each in rounds])
    return _line(way.name, [each[name] for each in rounds], ratio)


def _line_of_engine(
    engine: Engine, rounds: Sequence[dict[str, _Time]], rates: Sequence[float]
) -> Line:
    times, flops = [each[engine.name] for each in rounds], engine.flops
    ratio = None
    if flops is not None and rates:
        pairs = zip(times, rates, strict=True)
        ratio = _ratio([flops / each.processor / rate for each, rate in pairs])
    return _line(engine.name, times, ratio)


def _line(name: str, times: Sequence[_Time], ratio: Ratio | None) -> Line:
    wall, processor = (
        1000 * statistics.median(getattr(each, field) for each in times) for field in _Time._fields
    )
    return Line(name, wall, processor, ratio)


def _ratio(values: Sequence[float]) -> Ratio:
    """Returns the median with its interval by order statistics (Conover 1999, section 3.2)."""
    from scipy.stats import quantile_test

    ends: Any = quantile_test(values).confidence_interval(0.95)
    return Ratio(statistics.median(values), float(ends.low), float(ends.high))
