"""What the operator measures of itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from modelyard.api.kinds import Kind
from modelyard.kube.lists import Scope
from modelyard.kube.requests import OTHER, Request

_PASS_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 120)


class Metrics:
    """All metrics of one operator, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._passes = Counter(
            "modelyard_passes", "Passes by kind and outcome", ("kind", "outcome"), registry=self.registry
        )
        self._seconds = Histogram(
            "modelyard_pass_seconds",
            "Duration of passes",
            ("kind",),
            buckets=_PASS_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "modelyard_api_requests",
            "Requests to the API server; code 0 means no answer",
            ("verb", "kind", "code"),
            registry=self.registry,
        )
        self._restarts = Counter(
            "modelyard_watch_restarts", "Watches that ended and began anew", ("kind",), registry=self.registry
        )
        self.unanswered = 0
        self.gauge("api_requests_unanswered", "Requests that wait for an answer", lambda: self.unanswered)
        ProcessCollector(registry=self.registry)

    def passed(self, kind: Kind, outcome: str, seconds: float) -> None:
        """A pass ended."""
        self._passes.labels(kind.name, outcome).inc()
        self._seconds.labels(kind.name).observe(seconds)

    def requested(self, request: Request, code: int | None, seconds: float) -> None:
        """An observer of HTTP sessions."""
        self.unanswered += 1 if code is None else -1
        if code is not None:
            kind = request.kind.name if request.kind else OTHER
            self._requests.labels(request.verb, kind, str(code)).inc()

    def watch_restarted(self, scope: Scope) -> None:
        """A watch of the reflector ended."""
        self._restarts.labels(scope.kind.name).inc()

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Measure `modelyard_<name>` whenever asked."""
        Gauge(f"modelyard_{name}", text, registry=self.registry).set_function(read)

    def gauge_by_kind(
        self, name: str, text: str, kinds: Iterable[Kind], read: Callable[[Kind], float]
    ) -> None:
        """Measure `modelyard_<name>` for each kind whenever asked."""
        gauge = Gauge(f"modelyard_{name}", text, ("kind",), registry=self.registry)
        for kind in kinds:
            gauge.labels(kind.name).set_function(partial(read, kind))

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
