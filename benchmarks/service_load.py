"""Many clients that ask a server, and the same predictor without a server."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

import cv2
from service_process import PREDICT, Answer, Sample, Server, answer_of, closed, request

from pulmo.core.shipped import FOLDER
from pulmo.radiograph import decode_radiograph
from pulmo.serve.models import open_models

_LONGEST_RETRY: Final = 5.0


@dataclass
class Load:
    """What became of the requests of some clients.

    Attributes:
        statuses: how many requests had which status.
        seconds: that each prediction took, from the first byte sent to the last one received.
        wall: seconds of the whole.
        own: processor seconds of the clients themselves.
        late: requests that could not begin when they were due, for the client still waited.
        samples: of the server, one a second.
        without_retry: answers 429 or 503 that did not say when to ask again.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    own: float = 0.0
    late: int = 0
    samples: list[Sample] = field(default_factory=list)
    without_retry: int = 0

    @property
    def rate(self) -> float:
        """Predictions a second."""
        return len(self.seconds) / self.wall

    def percentile(self, share: float) -> float:
        """Returns the time within which so many predictions came, in ms."""
        ranked = sorted(self.seconds)
        return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]


async def run_load(
    server: Server, images: Sequence[bytes], clients: int, seconds: float, rate: float | None
) -> Load:
    """Has clients post images for some time, each on a connection that it keeps.

    Args:
        server: that is asked.
        images: what is posted.
        clients: how many.
        seconds: for which requests are begun.
        rate: requests a second of all clients together, which begin at random times (a Poisson
            process of each client); None to post one after the other without a pause.
    """
    load, began, own = Load(), time.perf_counter(), time.process_time()
    requests = [request(PREDICT, image) for image in images]
    pause = clients / rate if rate else 0.0
    async with asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(_watch(load, server))
        work = [
            tasks.create_task(_client(load, server.port, requests, pause, seconds, number))
            for number in range(clients)
        ]
        await asyncio.wait(work)
        watcher.cancel()
    load.wall, load.own = time.perf_counter() - began, time.process_time() - own
    return load


async def _client(
    load: Load, port: int, requests: Sequence[bytes], pause: float, seconds: float, number: int
) -> None:
    """Posts images at its times; after a 429 it waits as long as it is told."""
    chance = random.Random(number)  # noqa: S311 - not a secret
    connection = _Connection(port)
    due = time.perf_counter() + (chance.expovariate(1 / pause) if pause else 0)
    end = time.perf_counter() + seconds
    while due < end and time.perf_counter() < end:
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        elif pause:
            load.late += 1
        await _note(load, *await connection.post(chance.choice(requests)))
        due = due + chance.expovariate(1 / pause) if pause else time.perf_counter()
    await connection.close()


class _Connection:
    """A connection that is made anew where the server has closed it, as it does with idle ones."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, data: bytes) -> tuple[Answer, float]:
        """Sends a request; returns the answer and its seconds."""
        for _ in range(2):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            begin = time.perf_counter()
            reader, writer = self._streams
            writer.write(data)
            answer = await answer_of(reader)
            if answer.status:
                break
            await self.close()
        return answer, time.perf_counter() - begin

    async def close(self) -> None:
        """Closes it."""
        if self._streams is not None:
            await closed(self._streams[1])
        self._streams = None


async def _note(load: Load, answer: Answer, seconds: float) -> None:
    load.statuses[answer.status] += 1
    if answer.status == 201:
        load.seconds.append(seconds)
    elif answer.status in {429, 503}:
        told = answer.headers.get("retry-after", "")
        load.without_retry += not told.isdecimal()
        await asyncio.sleep(min(float(told or 1), _LONGEST_RETRY))


async def _watch(load: Load, server: Server) -> None:
    began = time.perf_counter()
    while True:
        load.samples.append(server.sample(time.perf_counter() - began))
        await asyncio.sleep(1)


def loop_rate(images: Sequence[bytes], processes: int, seconds: float) -> float:
    """Returns the images a second of the same predictor, called in so many processes."""
    context = get_context("spawn")
    ready, go = context.Barrier(processes + 1), context.Barrier(processes + 1)
    counts = context.SimpleQueue()
    values = (list(images), seconds, ready, go, counts)
    started = [context.Process(target=_loop, args=values) for _ in range(processes)]
    for each in started:
        each.start()
    ready.wait()
    go.wait()
    total: float = sum(counts.get() for _ in started)
    for each in started:
        each.join()
    return total


def _loop(images: list[bytes], seconds: float, ready: object, go: object, counts: object) -> None:
    """Classifies images one after the other, as a worker process of the server does."""
    cv2.setNumThreads(1)
    (model,) = open_models([FOLDER]).values()
    predictor = model.predictor
    predictor.predict(decode_radiograph(images[0], "The image"), "The image")
    ready.wait()  # type: ignore[attr-defined] # of multiprocessing
    go.wait()  # type: ignore[attr-defined] # likewise
    done, began = 0, time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        predictor.predict(decode_radiograph(images[done % len(images)], "The image"), "The image")
        done += 1
    counts.put(done / (now - began))  # type: ignore[attr-defined] # likewise
