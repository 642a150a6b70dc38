"""Counters for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """What a server counts; each server has its own.

    Attributes:
        requests: by route, method and status.
        seconds: that requests took, by route.
        predictions: by model and status.
    """

    def __init__(
        self,
        in_work: Callable[[], float],
        kept: Callable[[], float],
        lost: Callable[[], float],
    ) -> None:
        """Counts nothing yet.

        Args:
            in_work: returns how many requests are worked on or wait.
            kept: returns the bytes of the images that are kept.
            lost: returns how many images a worker ended over.
        """
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "pulmo_requests",
            "Requests that were answered.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "pulmo_request_seconds",
            "Seconds until a request was answered.",
            ("route",),
            registry=self._registry,
        )
        self.predictions = Counter(
            "pulmo_predictions",
            "Images by what became of them.",
            ("model", "status"),
            registry=self._registry,
        )
        for name, words, read in (
            ("pulmo_requests_in_work", "Requests that are worked on or wait.", in_work),
            ("pulmo_kept_bytes", "Bytes of the images that are kept in memory.", kept),
            ("pulmo_workers_lost", "Workers that ended over an image and were replaced.", lost),
        ):
            Gauge(name, words, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """Returns all values in the text format of Prometheus."""
        return generate_latest(self._registry)
