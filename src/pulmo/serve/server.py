"""Serve: the service at an address, from the first check to the graceful stop."""

import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import platformdirs
import uvicorn

from pulmo.core.errors import InputError, InterruptedRunError, RefusedError, UsageError
from pulmo.core.parallel import cores
from pulmo.daemon.addresses import is_here
from pulmo.daemon.job_pool import JobPool
from pulmo.daemon.json_log import log, take_over_logging
from pulmo.daemon.tls import TlsFiles
from pulmo.serve.app import make_app
from pulmo.serve.connections import bounded_protocol
from pulmo.serve.database import ServeDatabase
from pulmo.serve.models import ServedModel, open_models
from pulmo.serve.options import DataOptions, ServeOptions
from pulmo.serve.service import Service
from pulmo.serve.tokens import has_token
from pulmo.serve.worker import READY, Job, Setup, worker

_LAST_PORT: Final = 65535
_BACKLOG: Final = 128
"""Connections that wait until they are taken."""
_HERE: Final = ("localhost", "127.0.0.1", "::1")
"""The names of this machine for itself."""


def data_folder(options: DataOptions) -> Path:
    """Returns the folder of the results, the log and the tokens."""
    return options.data or platformdirs.user_data_path("pulmo") / "serve"


def open_database(options: DataOptions) -> ServeDatabase:
    """Opens the database of a server.

    Raises:
        InputError: it cannot be used.
        PulmoError: it is locked, or the disk is full.
    """
    return ServeDatabase(data_folder(options))


def serve(
    models: Sequence[Path], options: ServeOptions, on_ready: Callable[[str], None] = lambda _: None
) -> None:
    """Answers requests until a signal ends it; what was begun is finished.

    Args:
        models: the bundles; the first is the default.
        options: how the server is reached, and what it accepts.
        on_ready: called with the server's address when it answers.

    Raises:
        InputError: a model, the data folder, a file of TLS or the address cannot be used.
        RefusedError: others could reach the server without a token or without TLS.
        UsageError: options contradict each other.
        InterruptedRunError: Ctrl-C ended it.
    """
    is_open = options.behind_proxy or not is_here(options.host)
    with open_database(options) as database:
        _check_exposure(options, database, is_open=is_open)
        tls = TlsFiles(options.tls_certificate, options.tls_key).server_context() is not None
        if options.results is not None and not options.results.is_dir():
            raise InputError("results-missing", f"{options.results} is not a folder.")
        opened = open_models(models)
        with _listening(options) as listener:
            needs_token = is_open or options.require_token
            pool, at_once = _pool(opened, options), False
            try:
                pool.wait()
                service = Service(opened, database, options, pool, needs_token=needs_token)
                hosts = options.allow_host or (() if is_open else _HERE)
                server = _run(service, hosts, listener, tls, on_ready)
                at_once = server.force_exit
            finally:
                # Else the end of this process ends the workers, whatever they do.
                if not at_once:
                    pool.close()
        if server.signal == signal.SIGINT:
            raise InterruptedRunError("serve-interrupted", "The server was stopped.")


def _pool(models: Mapping[str, ServedModel], options: ServeOptions) -> JobPool[Job]:
    paths = [model.path for model in models.values()]
    return JobPool(
        partial(worker, Setup(paths, list(models), options.memory)),
        READY,
        workers=options.workers or cores(),
        seconds=options.timeout,
    )


def _check_exposure(options: ServeOptions, database: ServeDatabase, *, is_open: bool) -> None:
    """Refuses to let others in without a token, or to send images without TLS."""
    if (is_open or options.require_token) and not has_token(database):
        raise RefusedError(
            "serve-without-token",
            "The server would ask for a token, and none has been made. Whoever reaches it could "
            "not be told apart.",
        )
    if is_open and not (options.behind_proxy or options.tls_certificate):
        raise RefusedError(
            "serve-without-tls",
            f"Other machines can reach {options.host}, and images and tokens would be sent "
            "without TLS.",
        )


def http_config(service: Service, hosts: Sequence[str]) -> uvicorn.Config:
    """Returns how HTTP is spoken for a service that answers to these names."""
    options = service.options
    return uvicorn.Config(
        make_app(service, hosts),
        http=bounded_protocol(options.header_timeout, options.connections),
        ws="none",
        # So many connections are taken at once, whatever their limit is.
        backlog=_BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=options.tls_certificate,
        ssl_keyfile=options.tls_key,
    )


@contextmanager
def _listening(options: ServeOptions) -> Iterator[socket.socket]:
    """Gives a socket that listens at the address."""
    if options.port > _LAST_PORT:
        raise UsageError(
            "port-invalid", f"There is no port {options.port}; the last one is {_LAST_PORT}."
        )
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(
            (options.host, options.port), family=family, backlog=_BACKLOG
        )
    except OSError as error:
        said = error.strerror or error
        raise InputError(
            "address-unusable",
            f"The port {options.port} of {options.host} cannot be listened at: {said}.",
        ) from error
    with listener:
        yield listener


def _run(
    service: Service,
    hosts: Sequence[str],
    listener: socket.socket,
    tls: bool,  # noqa: FBT001 - the fifth thing that a run needs
    on_ready: Callable[[str], None],
) -> "_Server":
    take_over_logging("uvicorn", "python_multipart")
    config = http_config(service, hosts)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    address = f"{'https' if tls else 'http'}://{shown}:{port}/"
    server = _Server(config, service, lambda: on_ready(address))
    log("start", models=list(service.models), needs_token=service.needs_token)
    server.run([listener])
    log("stop")
    return server


class _Server(uvicorn.Server):
    """Lets what was begun end before it stops; a second signal stops it at once.

    Attributes:
        signal: the first signal that it got; None without one.
    """

    def __init__(
        self, config: uvicorn.Config, service: Service, on_started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._service, self._on_started = service, on_started
        self.signal: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says when it answers."""
        await super().startup(sockets)
        self._on_started()

    async def on_tick(self, counter: int) -> bool:
        """Tells, ten times a second, whether it is over."""
        if counter % 100 == 0:
            self._service.kept.expire()
        if self._service.stopping and not self._service.in_work:
            self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes a signal: nothing is begun any more."""
        if self.signal is None:
            self.signal = sig
            self._service.stopping = True
            return
        self.should_exit = self.force_exit = True
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles signals, which are not raised again afterwards."""
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
