"""A Ray cluster as an executor (https://docs.ray.io, version 2.54 or later).

Only the description of a run is sent: folder, images and results are files that every machine of
the cluster must see under the same path. A worker that dies costs the steps since the run's last
checkpoint, because the next worker that gets the run continues from there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import torch

from pulmo.core.errors import PulmoError
from pulmo.core.ray_session import ray_session
from pulmo.experiments.executor import Executor, LocalExecutor, Work
from pulmo.train.callbacks import Callbacks

_RETRIES: Final = 10
_POLL_SECONDS: Final = 1.0


class Share(NamedTuple):
    """What one run takes of a cluster.

    Attributes:
        threads: processor cores, and threads of torch.
        device: auto, cpu or cuda; a run that may use a GPU takes a whole one, where there are any.
    """

    threads: int = 1
    device: str = "auto"


class Cluster:
    """The workers of a Ray cluster; see `Executor`."""

    def __init__(self, ray: Any, share: Share) -> None:  # noqa: ANN401 - the module, if installed
        """Uses the cluster that this process has joined."""
        self._ray = ray
        self._share = share
        self._running: dict[Any, str] = {}

    @property
    def size(self) -> int:
        """How many runs fit on the cluster as it is now."""
        has = self._ray.cluster_resources()
        fit = has.get("CPU", 0) / self._share.threads
        return max(1, int(min(fit, has["GPU"]) if self._gpus else fit))

    def submit(self, name: str, work: Work) -> None:
        """Gives the cluster a run; one whose worker dies is given to another."""
        task = self._ray.remote(_do).options(
            name=name,
            num_cpus=self._share.threads,
            num_gpus=self._gpus,
            max_retries=_RETRIES,
        )
        self._running[task.remote(work, self._share.threads)] = name

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        """Waits a second, or until a run is done; see `Executor`."""
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_POLL_SECONDS)
        on_news()
        return [self._finished(reference) for reference in done]

    def close(self) -> None:
        """Cuts off what is still running."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()

    @property
    def _gpus(self) -> int:
        has = self._ray.cluster_resources().get("GPU", 0)
        return int(self._share.device != "cpu" and has > 0)

    def _finished(self, reference: Any) -> str:  # noqa: ANN401 - Ray's ObjectRef
        """Returns the name of a run that is done, or raises what it raised."""
        name = self._running.pop(reference)
        try:
            self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, PulmoError) else error) from None
        except self._ray.exceptions.RayError as error:
            raise PulmoError(
                "ray-workers-died",
                f"The workers that were to do {name} died, the last with: {error}. Perhaps the "
                "memory is too small. The runs that are done are kept.",
            ) from error
        return name


@contextmanager
def open_executor(
    address: str | None, callbacks: Callbacks, *, threads: int = 0, device: str = "auto"
) -> Iterator[Executor]:
    """Gives what does the runs: a Ray cluster, or without an address this process.

    Args:
        address: see `joined_cluster`; None for this process.
        callbacks: called by runs in this process.
        threads: threads of torch; 0 takes one in a cluster, and leaves them as they are here.
        device: auto, cpu or cuda.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be joined.
    """
    if address is None:
        if threads:
            torch.set_num_threads(threads)
        yield LocalExecutor(callbacks)
        return
    with joined_cluster(address, Share(threads or 1, device)) as cluster:
        yield cluster


@contextmanager
def joined_cluster(address: str, share: Share, cpus: int | None = None) -> Iterator[Cluster]:
    """Joins a Ray cluster in the block; one that this process has joined already is used as it is.

    Args:
        address: host:port of a cluster, or `local` to start one on this machine.
        share: what one run takes.
        cpus: cores of a cluster that is started; None takes all.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be joined.
    """
    with ray_session(address, cpus) as ray:
        cluster = Cluster(ray, share)
        try:
            yield cluster
        finally:
            cluster.close()


def _do(work: Work, threads: int) -> None:
    """Does a run in a worker, in silence: its driver reads the folder."""
    torch.set_num_threads(threads)
    work(Callbacks())
