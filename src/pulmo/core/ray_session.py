"""Joining a Ray cluster (https://docs.ray.io, version 2.54 or later)."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from pulmo.core.errors import UsageError

LOCAL: Final = "local"
"""The address that starts a cluster on this machine, for as long as it is needed."""

# The least that Ray takes. Work is passed by name, images, weights and results through files.
_STORE_BYTES: Final = 80 * 2**20


@contextmanager
def ray_session(address: str, cpus: int | None = None) -> Iterator[Any]:
    """Gives Ray, joined to a cluster in the block; one that is joined already is used as it is.

    Ray's token authentication is on unless the variable RAY_AUTH_MODE says otherwise, and nothing
    is reported to Ray's makers unless RAY_USAGE_STATS_ENABLED says so.

    Args:
        address: host:port of a cluster, or `local` to start one on this machine.
        cpus: cores of a cluster that is started; None takes all.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be joined.
    """
    ray = load_ray()
    ours = not ray.is_initialized()
    if ours:
        _join(ray, address, cpus)
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def load_ray() -> Any:  # noqa: ANN401 - the module, if installed
    """Returns Ray, with its settings made before it reads them."""
    if "ray" not in sys.modules:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return import_module("ray")
    except ModuleNotFoundError:
        raise UsageError(
            "package-missing",
            "A cluster needs Ray, which is not installed. Install it with: pip install "
            "'pulmo[ray]'.",
        ) from None


def _join(ray: Any, address: str, cpus: int | None) -> None:  # noqa: ANN401 - the module
    """Starts or joins a cluster, and leaves the handling of SIGTERM as it was."""
    local = {"num_cpus": cpus, "object_store_memory": _STORE_BYTES} if address == LOCAL else {}
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address,
            include_dashboard=False if local else None,
            log_to_driver=False,
            logging_level="ERROR",
            **local,
        )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise UsageError(
            "ray-cluster-unreachable",
            f"The Ray cluster {address!r} could not be joined: {error} Its token is expected in "
            "RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names, or in ~/.ray/auth_token; "
            "a cluster without tokens needs RAY_AUTH_MODE=disabled.",
        ) from error
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)
