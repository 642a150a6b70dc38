"""What a worker process may not do: take more memory than stated, or write to the log."""

import os
from contextlib import suppress


def limit_memory(mebibytes: int) -> None:
    """Limits what this process may allocate, where the system can do that."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        most = mebibytes * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def silence() -> None:
    """Keeps what decoders write to the terminal, which may quote a file, out of the log."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
