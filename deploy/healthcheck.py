"""Ends with status 0 if `pulmo serve` answers on this machine, for the health check of a container.

Usage: healthcheck.py [PORT]
"""

import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection

SECONDS = 5
# The server's certificate names another machine than this one, and nothing secret is sent.
TRUST = ssl._create_unverified_context()  # noqa: S323, SLF001 - see above


def answers(port: int) -> bool:
    """Tells whether it answers, with TLS or without; 421 if it only answers to other names."""
    for connection in (
        HTTPConnection("127.0.0.1", port, timeout=SECONDS),
        HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=TRUST),
    ):
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status in {200, 421}:
                return True
        except (OSError, HTTPException):
            continue
        finally:
            connection.close()
    return False


if __name__ == "__main__":
    sys.exit(not answers(int(sys.argv[1]) if sys.argv[1:] else 8000))
