"""What the service tells of itself, for Prometheus: how much was asked, how it ended, how long it took, what waits.

No text and no label of a text is ever among it.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from trainer.serve.batcher import Batcher

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counters of one service; its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "goemo_requests", "Requests by route and status", ["route", "code"], registry=self.registry
        )
        self._seconds = Histogram(
            "goemo_request_seconds", "From a request's head to the end of its answer", ["route"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._batches = Histogram(
            "goemo_batch_texts", "Texts that were computed together", buckets=TEXTS, registry=self.registry
        )
        self._computing = Counter("goemo_model_seconds", "Time in which the model computed", registry=self.registry)
        self._texts = Counter("goemo_texts", "Texts that were computed", registry=self.registry)

    def watch(self, batcher: Batcher) -> None:
        """Tell what waits there, whenever somebody asks."""
        queue = Gauge("goemo_queue_texts", "Texts that wait", registry=self.registry)
        queue.set_function(lambda: batcher.queued)
        Gauge("goemo_queue_limit_texts", "Texts that may wait", registry=self.registry).set(batcher.limits.queue)
        ready = Gauge("goemo_ready", "1 while the service takes texts", registry=self.registry)
        ready.set_function(lambda: float(batcher.state == "ready"))

    def batch(self, texts: int, seconds: float) -> None:
        """A round was computed."""
        self._batches.observe(texts)
        self._texts.inc(texts)
        self._computing.inc(seconds)

    def request(self, route: str, code: int, seconds: float) -> None:
        """A request was answered. `route` is one of ours, never what a stranger sent."""
        self._requests.labels(route, str(code)).inc()
        self._seconds.labels(route).observe(seconds)

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
