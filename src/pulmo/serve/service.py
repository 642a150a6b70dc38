"""The service: images become answers, in worker processes, and are kept and logged."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulmo.core.errors import InputError, PulmoError
from pulmo.core.files import sha256
from pulmo.daemon.audit_log import Entry
from pulmo.daemon.database import Database
from pulmo.daemon.job_pool import JobPool
from pulmo.serve import results
from pulmo.serve.answers import NAME, answer_of
from pulmo.serve.body import ArrivingBodies
from pulmo.serve.kept import KeptImages
from pulmo.serve.metrics import Metrics
from pulmo.serve.models import ServedModel
from pulmo.serve.options import MIB, ServeOptions
from pulmo.serve.tokens import Holder, holder_of
from pulmo.serve.worker import Job, Kind, Predicted
from pulmo.workflows.predict import failed_prediction

if TYPE_CHECKING:
    # matplotlib, for which the start does not wait.
    from pulmo.serve.views import DrawnMap

_MAPS: Final = 16
"""Heat maps that are kept, of a few hundred KiB each."""


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        name: of the token, or `local`.
        request_id: of the request.
        sees_all: whether they see the results of all, and not their own alone.
    """

    name: str
    request_id: str
    sees_all: bool

    @property
    def sees(self) -> str | None:
        """Whose results they see; None for those of all."""
        return None if self.sees_all else self.name


class Service:
    """Everything that the routes need.

    Attributes:
        models: id -> model; the first is the default.
        database: results, tokens and the log.
        options: how the server was started.
        pool: the worker processes.
        needs_token: whether every call needs a token.
        stopping: whether no request is begun any more.
        in_work: requests that are worked on or wait.
        arriving: the bodies of requests that are awaited.
    """

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        database: Database,
        options: ServeOptions,
        pool: JobPool[Job],
        *,
        needs_token: bool,
    ) -> None:
        """Takes what it works with.

        Args:
            models: id -> model, opened.
            database: of the server.
            options: how it is started.
            pool: of workers that have these models.
            needs_token: whether every call needs a token.
        """
        self.models, self.database, self.options, self.pool = models, database, options, pool
        self.needs_token, self.stopping, self.in_work = needs_token, False, 0
        self.arriving = ArrivingBodies(options.header_timeout)
        self.kept = KeptImages(options.keep, options.keep_mib * MIB)
        self._maps: OrderedDict[tuple[Any, ...], DrawnMap] = OrderedDict()
        self.metrics = Metrics(
            lambda: self.in_work, lambda: self.kept.bytes, lambda: self.pool.lost
        )

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Takes a place of the queue, before the body of a request is read.

        Raises:
            PulmoError: there is none.
        """
        # Bodies that drip in hold their places against others for a short time alone.
        if self.in_work >= self.options.queue and not self.arriving.give_up_one():
            raise PulmoError(
                "server-busy",
                f"{self.options.queue} requests are worked on or wait. Ask again later.",
            )
        self.in_work += 1
        try:
            yield
        finally:
            self.in_work -= 1

    async def holder(self, token: str) -> Holder | None:
        """Returns the holder of a token; None if the token is not valid."""
        return await asyncio.to_thread(holder_of, self.database, token)

    async def classify(
        self, model: ServedModel, images: list[bytes], caller: Caller
    ) -> list[tuple[dict[str, Any], PulmoError | None]]:
        """Returns the answer on each image, and the error of the server, if it had one.

        Raises:
            PulmoError: a worker cannot start, or the answers cannot be kept and logged.
        """
        jobs = [Job("predict", model.id, sha256(data), data) for data in images]
        found = await asyncio.gather(*map(self._done, jobs))
        answers = [self._answer(job, each) for job, each in zip(jobs, found, strict=True)]
        entries = [
            Entry.of(caller.name, "predict", caller.request_id, answer) for answer in answers
        ]
        await asyncio.to_thread(results.add, self.database, answers, entries)
        for answer, data in zip(answers, images, strict=True):
            if answer["image_until"] is not None:
                self.kept.keep(answer["id"], data)
            self.metrics.predictions.labels(model.id, answer["status"]).inc()
        errors = [each if isinstance(each, PulmoError) else None for each in found]
        return list(zip(answers, errors, strict=True))

    async def find(self, key: str, caller: Caller) -> dict[str, Any]:
        """Returns a result as it is now.

        Raises:
            InputError: there is none with this id that the caller may see.
        """
        answer = await asyncio.to_thread(results.find, self.database, key, caller.sees)
        if answer is None:
            raise InputError("prediction-unknown", "There is no such prediction.")
        return self.current(answer)

    def current(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Returns an answer that says whether its image is still kept."""
        kept = self.kept.get(answer["id"]) is not None
        return answer if kept else answer | {"image_until": None}

    async def delete(self, key: str, caller: Caller) -> None:
        """Deletes a result and its image; the log keeps what was answered.

        Raises:
            InputError: there is none with this id that the caller may see.
        """
        answer = await self.find(key, caller)
        entry = Entry.of(caller.name, "delete", caller.request_id, answer)
        await asyncio.to_thread(results.delete, self.database, key, entry)
        self.kept.drop(key)
        for name in [name for name in self._maps if name[0] == key]:
            del self._maps[name]

    async def view(self, key: str, kind: Kind, options: Mapping[str, Any], caller: Caller) -> Any:  # noqa: ANN401 - of the kind
        """Returns what a viewer wants of an image.

        Raises:
            InputError: the caller may see no such result, or its image is not kept any more.
            PulmoError: the result has nothing of the kind, or no worker could make it.
        """
        job = self._job(await self.find(key, caller), kind, options)
        if kind != "heatmap":
            return await self._value(job)
        # A viewer asks for the layer, and then for what it shows.
        name = (key, *sorted(options.items()))
        if name not in self._maps:
            self._maps[name] = await self._value(job)
            while len(self._maps) > _MAPS:
                self._maps.popitem(last=False)
        return self._maps[name]

    def _job(self, answer: Mapping[str, Any], kind: Kind, options: Mapping[str, Any]) -> Job:
        model = self.models.get(answer["model"]["id"])
        data = self.kept.get(answer["id"])
        if kind != "image" and answer["status"] != "done":
            raise InputError(
                "prediction-without-result", "The model gave no result for this image."
            )
        if data is None or model is None:
            raise InputError(
                "image-not-kept", "The image is not kept any more. Send it again to see it."
            )
        more = {"answer": answer} if kind == "report" else {}
        return Job(kind, model.id, answer["sha256"], data, {**options, **more})

    async def _value(self, job: Job) -> Any:  # noqa: ANN401 - of the kind of the job
        found = await self._done(job)
        if isinstance(found, PulmoError):
            raise found
        return found

    async def _done(self, job: Job) -> Any:  # noqa: ANN401 - of the kind of the job
        return await asyncio.wrap_future(self.pool.submit(job))

    def _answer(self, job: Job, found: Predicted | PulmoError) -> dict[str, Any]:
        if isinstance(found, PulmoError):
            found = Predicted(failed_prediction(NAME, found), None)
        model = self.models[job.model]
        return answer_of(model, job.image, found.prediction, found.facts, self.options.keep)
