"""Options of `pulmo serve`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pulmo.core.flags import PYTHON_ONLY, flag

MIB: Final = 2**20


@dataclass(frozen=True)
class DataOptions:
    """Where the server keeps its results, its log and its tokens.

    Attributes:
        data: the folder of the results, the log and the tokens. Default: pulmo/serve in the user's
            data folder, such as ~/.local/share.
    """

    data: Path | None = field(default=None, metadata=flag(metavar="DIR"))


@dataclass(frozen=True)
class ServeOptions(DataOptions):
    """How the server is reached, and what it accepts.

    Attributes:
        model: a bundle's folder or its model.onnx; the first is the one that is asked where a
            request names none. Default: the model of `pulmo predict`.
        host: the address to listen at; 0.0.0.0 is every address of this machine.
        port: the port to listen at; 0 takes a free one.
        workers: processes that read and classify. Default: one a processor core.
        timeout: seconds that an image may take.
        memory: MiB that a worker process may take.
        queue: requests that are worked on or wait; more are refused for the moment.
        max_mib: MiB of a request's body.
        body_timeout: seconds that a request's body may take to arrive.
        header_timeout: seconds that a request's header may take to arrive, that a client may take
            nothing of its answer, and that a body holds its place against others.
        connections: connections at once; one more closes the one that has been idle for longest.
        keep: minutes for which an image is kept in memory after its result, for the viewer; 0
            keeps none.
        keep_mib: MiB of all images that are kept; the oldest are dropped first.
        results: a folder of runs, evaluations, audits and comparisons, which the page lists.
        tls_certificate: the certificate for TLS, a PEM file.
        tls_key: the key of the certificate, a PEM file.
        behind_proxy: state that a proxy in front of the server speaks TLS with the world.
        require_token: ask for a token on this machine too.
        allow_host: a name by which the server is called. Default: those of this machine where only
            it can reach the server, else any.
    """

    model: Sequence[Path] = field(default=(), metadata=flag(metavar="BUNDLE"))
    host: str = "127.0.0.1"
    port: int = field(default=8000, metadata=flag(least=0))
    workers: int | None = field(default=None, metadata=flag(least=1))
    timeout: int = field(default=60, metadata=flag(metavar="SECONDS", least=1))
    memory: int = field(default=4096, metadata=flag(metavar="MIB", least=512))
    queue: int = field(default=16, metadata=flag(metavar="REQUESTS", least=1))
    max_mib: int = field(default=64, metadata=flag(metavar="MIB", least=1))
    body_timeout: int = field(default=60, metadata=flag(metavar="SECONDS", least=1))
    header_timeout: int = field(default=10, metadata=flag(metavar="SECONDS", least=1))
    connections: int = field(default=512, metadata=flag(metavar="CONNECTIONS", least=1))
    keep: int = field(default=30, metadata=flag(metavar="MINUTES", least=0))
    keep_mib: int = field(default=1024, metadata=PYTHON_ONLY)
    results: Path | None = field(default=None, metadata=flag(metavar="DIR"))
    tls_certificate: Path | None = field(default=None, metadata=flag(metavar="FILE"))
    tls_key: Path | None = field(default=None, metadata=flag(metavar="FILE"))
    behind_proxy: bool = False
    require_token: bool = False
    allow_host: Sequence[str] = field(default=(), metadata=flag(metavar="NAME"))
