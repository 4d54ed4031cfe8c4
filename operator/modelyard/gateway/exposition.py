"""What the workers of a gateway counted, in the words of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from modelyard.gateway.series import MEASURED, Report, Tally, total

_MODEL = ("namespace", "model", "version")
_PREFIX = "modelyard_gateway"
_MEASURED = {
    "own_seconds": "Time that the gateway itself took for a prediction",
    "upstream_seconds": "Time from sending a prediction to a pod to the end of its answer",
    "request_bytes": "Bodies of requests for predictions",
    "response_bytes": "Bodies of answers to them",
}
_COUNTED = {
    "abandoned": "Requests whose client went before it had its answer",
    "retried": "Predictions that were sent to a pod once more",
    "refused_connections": "Connections of clients that were closed at once, for there were too many and none was idle",
}


_OF_HEALTH = {
    "worker_restarts": "Workers that ended and were started again",
    "missed_beats": "Times that a worker was asked whether it lives and had not answered the time before",
    "failed_probes": "Probes of readiness that were answered with 503",
}


class Health(NamedTuple):
    """What is counted beside the requests."""

    worker_restarts: int = 0
    missed_beats: int = 0
    failed_probes: int = 0


GAUGES = {
    "client_connections": "Connections of clients",
    "upstream_connections": "Connections to pods",
    "upstream_idle_connections": "Those of them that wait for a request",
    "models": "Models that are known",
    "unreadable_routes": "Models of which routes cannot be read; of a file of routes 1 if it cannot",
}
_KNOWN_TO_ALL = frozenset({"models", "unreadable_routes"})
"""What each worker knows by itself of the same things."""


def exposition(reports: list[Report], rest: Tally, health: Health) -> bytes:
    """The exposition format of all workers together; `rest` is what those counted that do not report."""
    registry = CollectorRegistry()
    registry.register(_Families(reports, rest, health))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Families(Collector):
    """The families, made when they are asked for."""

    def __init__(self, reports: list[Report], rest: Tally, health: Health) -> None:
        self._reports, self._health = reports, health
        self._tally = total([rest, *(report.tally for report in reports)])

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        yield self._requests()
        yield from self._distributions()
        for name, text in _COUNTED.items():
            yield CounterMetricFamily(f"{_PREFIX}_{name}", text, value=self._tally.counts.get(name, 0))
        for (name, text), count in zip(_OF_HEALTH.items(), self._health, strict=True):
            yield CounterMetricFamily(f"{_PREFIX}_{name}", text, value=count)
        yield from self._gauges()

    def _requests(self) -> Metric:
        family = CounterMetricFamily(
            f"{_PREFIX}_requests", "Answers by model, version and code", labels=(*_MODEL, "endpoint", "code")
        )
        for key, count in self._tally.requests.items():
            family.add_metric(key, count)
        return family

    def _distributions(self) -> Iterator[Metric]:
        for name, text in _MEASURED.items():
            family = HistogramMetricFamily(f"{_PREFIX}_{name}", text, labels=_MODEL)
            for (of, *labels), (*counts, amount) in self._tally.measured.items():
                if of == name:
                    bounds = (*map(str, MEASURED[name]), "+Inf")
                    family.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), amount)
            yield family

    def _gauges(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"{_PREFIX}_workers", "Workers that answer", value=len(self._reports))
        for name, text in GAUGES.items():
            values = [report.gauges.get(name, 0) for report in self._reports]
            value = max(values, default=0) if name in _KNOWN_TO_ALL else sum(values)
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", text, value=value)
        family = GaugeMetricFamily(f"{_PREFIX}_in_flight", "Predictions under way", labels=_MODEL[:2])
        under_way = total([Tally(requests=report.in_flight) for report in self._reports]).requests
        for key, count in under_way.items():
            family.add_metric(key, count)
        yield family
