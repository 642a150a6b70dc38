"""Worker processes, of which some crash and hang, and bodies that come slowly."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from fixtures.refuses import refuses
from fixtures.served import CRASH, CRASH_ONCE, HANG, client_of, faulty_worker, make_service
from pulmo.core.errors import PulmoError
from pulmo.daemon.job_pool import JobPool
from pulmo.radiograph import Radiograph, decode_radiograph
from pulmo.radiograph.limits import Limits
from pulmo.serve.body import ArrivingBodies, BodyLimits, read_images
from pulmo.serve.models import ServedModel
from pulmo.serve.service import Service
from pulmo.serve.worker import READY, Job, Setup, worker, worker_of

pytestmark = pytest.mark.usefixtures("unmeasured_workers")


@pytest.fixture(scope="module")
def pool(
    served: dict[str, ServedModel],
    tmp_path_factory: pytest.TempPathFactory,
    unmeasured_workers: None,  # noqa: ARG001 - it comes first
) -> Iterator[JobPool[Job]]:
    """Two worker processes."""
    paths = [model.path for model in served.values()]
    trace = tmp_path_factory.mktemp("trace") / "trace"
    make = partial(faulty_worker, Setup(paths, list(served), 4096), trace)
    # Longer than any image takes on a machine that does much else.
    made = JobPool(make, READY, workers=2, seconds=6)
    made.wait()
    assert made.ready
    yield made
    made.close()


@pytest.fixture
def service(
    pool: JobPool[Job], served: dict[str, ServedModel], tmp_path: Path
) -> Iterator[Service]:
    made = make_service(served, tmp_path / "data", pool)
    yield made
    made.database.close()


def test_a_crash_and_a_hang_cost_one_request_each(service: Service, image: Path) -> None:
    client, data = client_of(service), image.read_bytes()
    bodies = [CRASH, data, HANG, data, CRASH_ONCE, data]
    ask = partial(client.post, "/v1/predictions")
    with ThreadPoolExecutor(len(bodies)) as threads:
        answers = list(threads.map(lambda body: ask(content=body), bodies))
    assert [each.status_code for each in answers] == [500, 201, 504, 201, 201, 201]
    assert answers[0].json()["error"]["code"] == "image-crashes-reader"
    assert answers[2].json()["error"]["code"] == "image-too-slow"
    assert [answers[number].json()["status"] for number in (1, 3, 4, 5)] == [
        "done",
        "done",
        "failed",
        "done",
    ]
    # What was not answered is in the log, and in the list as failed.
    listed = client.get("/v1/predictions?status=failed").json()["predictions"]
    assert {each["code"] for each in listed} == {
        "image-crashes-reader",
        "image-too-slow",
        "image-format-unknown",
    }
    assert "pulmo_workers_lost 2.0" in client.get("/metrics").text
    assert service.in_work == 0


def test_in_a_form_it_costs_one_image(service: Service, image: Path) -> None:
    files = [("file", ("x", body)) for body in (image.read_bytes(), CRASH, image.read_bytes())]
    response = client_of(service).post("/v1/predictions", files=files)
    assert response.status_code == 201
    found = [(each["status"], each["code"]) for each in response.json()["predictions"]]
    assert found == [("done", None), ("failed", "image-crashes-reader"), ("done", None)]


def test_workers_do_what_this_process_does(
    pool: JobPool[Job], served: dict[str, ServedModel], image: Path
) -> None:
    here, model, data = worker_of(served), next(iter(served)), image.read_bytes()
    shown = {"form": "png", "side": None}
    for job in (Job("predict", model, "x", data), Job("image", model, "x", data, shown)):
        assert pool.submit(job).result() == here(job)


def test_a_model_that_changed_is_not_asked(served: dict[str, ServedModel]) -> None:
    (model,) = served.values()
    make = partial(worker, Setup([model.path], ["0" * 16], 4096))
    pool = JobPool(make, READY, workers=1, seconds=5)
    with refuses("model-changed"):
        pool.wait()
    assert not pool.ready
    pool.close()


def test_memory_is_limited() -> None:
    code = (
        "from pulmo.daemon.confined import limit_memory\n"
        "limit_memory(1024)\n"
        "kept = bytearray(2**28)\n"
        "try:\n    bytearray(2**31)\nexcept MemoryError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "refused\n"


def test_a_want_of_memory_is_told_from_a_fault(
    served: dict[str, ServedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job("predict", next(iter(served)), "x", b"any")
    from_reader = PulmoError("image-memory", "Too much.")
    for error, code in (
        (MemoryError(), "image-memory"),
        (from_reader, "image-memory"),
        (ValueError("ZQX"), "internal-error"),
    ):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("pulmo.serve.worker.decode_radiograph", fail)
        found = worker_of(served)(job)
        assert found.code == code
        assert "ZQX" not in str(found)


def test_an_image_that_is_open_is_soon_forgotten(
    served: dict[str, ServedModel], image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[Callable[[], None]] = []

    class Clock:
        """A timer whose time comes when the test says so."""

        daemon = False

        def __init__(self, _seconds: float, call: Callable[[], None]) -> None:
            self.call = call

        def start(self) -> None:
            timers.append(self.call)

        def cancel(self) -> None:
            timers.clear()

    read: list[str] = []

    def decode(data: bytes, name: str, limits: Limits) -> Radiograph:
        read.append(name)
        return decode_radiograph(data, name, limits)

    monkeypatch.setattr("pulmo.serve.worker.Timer", Clock)
    monkeypatch.setattr("pulmo.serve.worker.decode_radiograph", decode)
    work, model = worker_of(served), next(iter(served))
    work(Job("predict", model, "x", image.read_bytes()))
    view = Job("boxes", model, "x", image.read_bytes(), {"label": None})
    shown = work(view)
    assert len(read) == 1
    (forget,) = timers
    forget()
    assert work(view) == shown
    assert len(read) == 2


class TestBody:
    """Bodies that do not come."""

    @staticmethod
    def read(receive: Callable[[], Any]) -> object:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        limits = BodyLimits(size=100, seconds=0.05, arriving=ArrivingBodies(1))
        return asyncio.run(read_images(Request(scope, receive), limits))

    def test_one_that_takes_too_long_is_left(self) -> None:
        async def never() -> None:
            await asyncio.Event().wait()

        with refuses("body-too-slow"):
            self.read(never)

    def test_one_that_drips_is_left_too(self) -> None:
        async def drip() -> dict[str, object]:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"", "more_body": True}

        with refuses("body-too-slow"):
            self.read(drip)

    def test_one_that_is_cut_off_is_no_image(self) -> None:
        async def gone() -> dict[str, object]:
            await asyncio.sleep(0)
            return {"type": "http.disconnect"}

        with refuses("body-cut"):
            self.read(gone)
