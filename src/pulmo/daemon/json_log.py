"""The log on stderr: a JSON object a line, which names nothing of an image or a patient."""

import json
import logging
import sys
from typing import Any

from pulmo.daemon.database import now


def log(event: str, level: str = "info", **values: object) -> None:
    """Writes a line.

    Args:
        event: what happened, such as `request`.
        level: info, warning or error.
        values: what else is said of it.
    """
    line: dict[str, Any] = {"at": now(), "level": level, "event": event, **values}
    sys.stderr.write(f"{json.dumps(line)}\n")
    sys.stderr.flush()


class _Lines(logging.Handler):
    """Writes what a library logs in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record without what it was about."""
        # Arguments and tracebacks may quote a request.
        log("server", record.levelname.lower(), message=str(record.msg))


def take_over_logging(*libraries: str) -> None:
    """Has the warnings of libraries written as JSON."""
    for name in libraries:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_Lines()], False
        logger.setLevel(logging.WARNING)
