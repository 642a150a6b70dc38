"""Measures `pulmo serve` under load, and shows it hostile clients and workers that fail.

A server with the model that comes with pulmo is started on this machine, and posted drawn
radiographs: PNG, JPEG and DICOM. The clients are one process of this script, whose processor time
is measured too, because it shares the cores with the server.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from commands import commit
from service_contract import Contract, keep_contract
from service_hostile import OPTIONS, Outcome, cases, run_case
from service_load import Load, loop_rate, run_load
from service_process import Sample, serving

from pulmo.core.files import write_atomically
from pulmo.core.parallel import cores
from pulmo.datasets.phantom import write_phantoms

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "service.md"
IMAGES: Final = 60
ROUNDS: Final = 3


class Rates(NamedTuple):
    """Images a second, of each round.

    Attributes:
        one: of the predictor in one process.
        many: of the predictor in as many processes as the server has workers.
        server: of the server, with two requests for each worker.
    """

    one: Sequence[float]
    many: Sequence[float]
    server: Sequence[float]


class Measured(NamedTuple):
    """Everything that was measured."""

    rates: Rates
    load: Load
    full: Load
    hostile: Sequence[Outcome]
    contract: Contract | None


def main() -> None:
    """Writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10, help="of the load")
    parser.add_argument("--share", type=float, default=0.7, help="of the rate that was measured")
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--schemathesis", type=int, default=0, help="examples for each route")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_phantoms(Path(folder, "drawn"), IMAGES, seed=0)
        images = [each.read_bytes() for each in sorted(Path(folder, "drawn/images").iterdir())]
    measured = measure(asked, images)
    write_atomically(asked.output, text(asked, images, measured).encode())


def measure(asked: argparse.Namespace, images: Sequence[bytes]) -> Measured:
    """Measures everything, one thing after the other."""
    workers, short = ("--workers", str(asked.workers)), min(10.0, 10 * asked.minutes)
    one, many, capacity = [], [], []
    # Images that are kept would take more memory by design, up to their limit.
    with serving("--keep", "0", *workers) as server:
        for _ in range(ROUNDS):
            one.append(loop_rate(images, 1, short))
            many.append(loop_rate(images, asked.workers, short))
            tried = asyncio.run(run_load(server, images, 2 * asked.workers, short, None))
            capacity.append(tried.rate)
            print(f"{one[-1]:.1f}, {many[-1]:.1f}, {capacity[-1]:.1f} images/s", flush=True)
        rate = asked.share * statistics.median(capacity)
        load = asyncio.run(run_load(server, images, asked.clients, 60 * asked.minutes, rate))
        print(f"load: {dict(load.statuses)}, {load.rate:.1f}/s", flush=True)
        full = asyncio.run(run_load(server, images, asked.clients, 3 * short, None))
        print(f"saturation: {dict(full.statuses)}, {full.rate:.1f}/s", flush=True)
    with serving(*OPTIONS, *workers) as server:
        hostile = []
        for case in cases(images[0]):
            hostile.append(asyncio.run(run_case(case, server, images[0])))
            said = "as expected" if hostile[-1].right else "NOT AS EXPECTED"
            print(f"{case.name}: {hostile[-1].found}, {said}", flush=True)
    contract = keep_contract(asked.schemathesis) if asked.schemathesis else None
    return Measured(Rates(one, many, capacity), load, full, hostile, contract)


def text(asked: argparse.Namespace, images: Sequence[bytes], found: Measured) -> str:
    """Returns the page."""
    kib = statistics.median(map(len, images)) / 1024
    return "\n".join([
        "# The server under load and under attack",
        "",
        (f"Made by `python benchmarks/service.py --clients {asked.clients} --minutes "
        f"{asked.minutes:g} --share {asked.share:g} --schemathesis {asked.schemathesis}` at commit "
        f"{commit()}, on {cores()} shared processor cores. `pulmo serve` has the model that comes "
        f"with pulmo and {asked.workers} worker processes. The {len(images)} images are drawn, "
        f"200 to 400 px a side, PNG, JPEG and DICOM, {kib:.0f} KiB in the median. Clients and "
        "server share the cores."),
        "",
        *_rates(found.rates, asked.workers),
        *_load(asked, found),
        *_memory(found.load.samples),
        *_hostile(found.hostile),
        *_contract(found.contract),
    ])  # fmt: skip


def _rates(rates: Rates, workers: int) -> list[str]:
    one, many, server = map(statistics.median, rates)
    rows = (
        ("the predictor in a loop, one process", rates.one, one),
        (f"the predictor in a loop, {workers} processes", rates.many, many),
        (f"the server, {2 * workers} clients without a pause", rates.server, server),
    )
    return [
        "## Images a second",
        "",
        f"The same files in each of {ROUNDS} rounds, one way after the other.",
        "",
        "| how | images a second, median | of each round |",
        "|---|---|---|",
        *[
            f"| {name} | {median:,.1f} | {', '.join(f'{each:,.1f}' for each in all_)} |"
            for name, all_, median in rows
        ],
        "",
        (f"The server gives {server / many:.0%} of what the predictor gives in as many processes. "
        "The rest is HTTP, the passing of images between processes, the clients, and the log, "
        "which is on the disk before an answer is given."),
        "",
    ]  # fmt: skip


def _load(asked: argparse.Namespace, found: Measured) -> list[str]:
    rows = [_load_row(f"{asked.share:.0%} of that rate", found.load)]
    rows.append(_load_row("as fast as the clients can", found.full))
    load, full = found.load, found.full
    ratio = load.percentile(0.99) / load.percentile(0.5)
    faults = sum(
        count for status, count in (load.statuses + full.statuses).items() if status >= 500
    )
    return [
        f"## {asked.clients} clients",
        "",
        (f"For {asked.minutes:g} minutes each client begins requests at random times, together "
        f"{asked.share:.0%} of the rate of the server above. Then all ask without a pause: what "
        "the server has no place for is refused with 429, and a client waits as long as "
        "`Retry-After` says. The time of an answer is that from the first byte sent to the last "
        "one received."),
        "",
        "| load | statuses | answers a second | p50, ms | p90, ms | p99, ms | the clients take |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        (f"At the first load p99 is {ratio:.1f} times p50; the aim is 3. {load.late:,} requests "
        "began late, because their client still waited for the one before. There were "
        f"{faults:,} answers of 5xx, and {load.without_retry + full.without_retry:,} of 429 "
        "without `Retry-After`."),
        "",
    ]  # fmt: skip


def _load_row(name: str, load: Load) -> str:
    statuses = _counted(load.statuses)
    times = " | ".join(f"{load.percentile(share):,.0f}" for share in (0.5, 0.9, 0.99))
    return (
        f"| {name} | {statuses} | {load.rate:,.1f} | {times} | "
        f"{load.own / load.wall:.1%} of a core |"
    )


def _counted(statuses: Counter[int]) -> str:
    return ", ".join(
        f"{count:,} x {status or 'closed'}" for status, count in sorted(statuses.items())
    )


def _memory(samples: Sequence[Sample]) -> list[str]:
    length = min(60.0, samples[-1].seconds / 3)
    early = [each for each in samples if each.seconds <= length]
    late = [each for each in samples if each.seconds >= samples[-1].seconds - length]

    def row(name: str, part: Sequence[Sample]) -> str:
        values = zip(*(each[1:] for each in part), strict=True)
        server, worker, descriptors, database = map(statistics.median, values)
        return f"| {name} | {server:,.0f} | {worker:,.0f} | {descriptors:,.0f} | {database:,.1f} |"

    return [
        "## What the server takes",
        "",
        (f"At the first load, in the median of the first and of the last {length:.0f} seconds. The "
        "server keeps no images (`--keep 0`), because these take more memory, up to their "
        "limit. Memory is the resident set. The database grows by the results and the log."),
        "",
        "| when | server, MiB | largest worker, MiB | open file descriptors | database, MiB |",
        "|---|---|---|---|---|",
        row("first", early),
        row("last", late),
        "",
    ]  # fmt: skip


def _hostile(outcomes: Sequence[Outcome]) -> list[str]:
    rows = [
        f"| {each.case.name} | {each.case.expected} | {each.found}{'' if each.right else ' **!**'} "
        f"| {_counted(each.others)} | {each.longest:.1f} |"
        for each in outcomes
    ]
    wrong = sum(not each.right for each in outcomes)
    end = "All came as expected."
    if wrong:
        end = f"{wrong} did not come as expected; they are marked **!**."
    return [
        "## Hostile clients, and workers that fail",
        "",
        (f"`pulmo serve {' '.join(OPTIONS)}`. While something hostile happens, and once after it, "
        "another client posts an image again and again, on a new connection each time. `closed`: "
        "the server closed the connection without an answer. `no result`: HTTP 201 with the status "
        "`refused` or `failed` and a reason. If a worker fails, its request fails too, "
        f"whoever sent it. There are {len(outcomes)} cases. {end}"),
        "",
        "| what | expected | what came | the other client | its longest wait, s |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]  # fmt: skip


def _contract(contract: Contract | None) -> list[str]:
    if contract is None:
        return []
    faults = "\n".join(f"- {each}" for each in contract.faults) or "All keep it."
    return [
        "## The contract",
        "",
        (f"schemathesis draws {contract.examples:,} requests for each of {contract.routes} "
        "routes from the OpenAPI description, with and without a valid token, and checks each "
        "answer against it. The same with fewer requests is a part of the tests."),
        "",
        faults,
        "",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
