"""What the benchmark of predictions measured, for a machine and for people."""

from typing import Any, NamedTuple


class Ratio(NamedTuple):
    """A ratio of two speeds within a round.

    Attributes:
        value: its median over the rounds.
        low: the lower end of a 95 % interval of the median, by order statistics.
        high: the upper end.
    """

    value: float
    low: float
    high: float


class Line(NamedTuple):
    """What was measured of one way or engine.

    Attributes:
        name: what it is.
        milliseconds: wall time an image, the median; None if it was not measured.
        processor: milliseconds of the processor an image, the median; those of other processes,
            which a DataLoader may have, are not in it.
        ratio: how many times as fast pulmo is, with maps where this is with maps; of an engine, its
            share of the rate at which matrices are multiplied, both by the processor's time.
        absent: why it was not measured.
    """

    name: str
    milliseconds: float | None = None
    processor: float | None = None
    ratio: Ratio | None = None
    absent: str = ""


class PredictSpeed(NamedTuple):
    """What was measured.

    Attributes:
        model: the bundle's name.
        network: its network.
        size: side of its input in pixels.
        threads: cores that everything could use.
        files: different files that were read.
        rounds: in each of which everything had its turn.
        matrix_rate: operations of a product of float32 matrices in a second of the processor, the
            median; None if onnx is not installed.
        ways: from files to probabilities.
        engines: the network alone.
    """

    model: str
    network: str
    size: int
    threads: int
    files: int
    rounds: int
    matrix_rate: float | None
    ways: list[Line]
    engines: list[Line]


def speed_record(report: PredictSpeed) -> dict[str, Any]:
    """Returns a report for a machine, as JSON can hold it."""
    lines = {
        part: [
            line._asdict() | {"ratio": line.ratio and line.ratio._asdict()}
            for line in getattr(report, part)
        ]
        for part in ("ways", "engines")
    }
    return report._asdict() | lines


def speed_text(report: PredictSpeed) -> str:
    """Returns a report for people, as lines."""
    used = "1 core" if report.threads == 1 else f"{report.threads} cores"
    what = f"{report.model}: {report.network}, {report.size} px; {report.files} files, {used}"
    lines = [
        f"{what}, {report.rounds} rounds in which all take turns",
        f"{'':42}{'images/s':>10}{'ms CPU':>9}  pulmo is so many times as fast [95 %]",
        *(_text(line, "x") for line in report.ways),
        "",
        f"{'the network alone':42}{'images/s':>10}{'ms CPU':>9}  share of the bound [95 %]",
        *(_text(line, "") for line in report.engines),
    ]
    if report.matrix_rate is not None:
        lines.append(
            "The bound is the rate of products of float32 matrices, "
            f"{report.matrix_rate / 1e9:,.0f} GFLOP in a second of a core; bf16 can exceed it."
        )
    lines.append("The networks of the other ways start at random: no speed depends on the weights.")
    return "\n".join(lines)


def _text(line: Line, unit: str) -> str:
    if line.milliseconds is None:
        return f"{line.name:42}{line.absent}"
    row = f"{line.name:42}{1000 / line.milliseconds:10,.1f}{line.processor:9,.1f}"
    if line.ratio is None:
        return row
    value, low, high = line.ratio
    return f"{row}  {value:.2f}{unit} [{low:.2f}, {high:.2f}]"
