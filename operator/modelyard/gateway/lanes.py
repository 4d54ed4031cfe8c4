"""Where requests for a version go: its pods, what is under way, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

from modelyard.gateway.route import Address, Model, Table, Version
from modelyard.gateway.series import Book, Name, Series
from modelyard.gateway.settings import Settings
from modelyard.gateway.upstream import Pod, least_busy
from modelyard.http1.outbox import Outbox


class Load:
    """What is under way of one model."""

    __slots__ = ("in_flight",)

    def __init__(self) -> None:
        self.in_flight = 0


class Lane:
    """The way to one version of a model, as it is in the present table."""

    __slots__ = (
        "_turn",
        "head",
        "load",
        "model",
        "name",
        "namespace",
        "path",
        "pods",
        "series",
        "serves",
        "version",
    )

    def __init__(self, model: Model, version: Version, load: Load, series: Series, pods: list[Pod]) -> None:
        self.namespace, self.model, self.name, self.version = (
            model.namespace,
            model.name,
            version.label,
            version,
        )
        self.load, self.series, self.pods = load, series, pods
        self.serves = model.serving == version.label
        """Whether it is the version for whoever names none. Of another one without pods the table does not tell whether
        they are about to start, or it was refused, or has had its time."""

        self.path = f"{version.url_prefix}/predict_no_state/"
        self.head = (
            f"POST {self.path} HTTP/1.1\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        ).encode()
        self._turn = 0

    def choose(self, *, but: Pod | None = None) -> Pod | None:
        """The pod to ask next; None: there is none (other than `but`)."""
        pods = self.pods
        if len(pods) == 1 and but is None:
            return pods[0]
        self._turn += 1
        return least_busy(pods, monotonic(), self._turn, but)


class Lanes:
    """All ways there are. What lasts longer than a table (connections, counts) is kept here between two."""

    def __init__(self, settings: Settings, book: Book) -> None:
        self.pods: dict[Address, Pod] = {}
        self.loads: dict[tuple[str, str], Load] = {}
        self.known: frozenset[Name] | None = None
        """All models and versions of the table; None before the first."""

        self._settings, self._book = settings, book
        self._outbox = Outbox()
        self._lanes: dict[tuple[str, str, str], Lane] = {}

    def follow(self, table: Table) -> None:
        """Another table: pods that are in it no longer get nothing new."""
        self._lanes.clear()
        there = set(_addresses(table))
        for address in [address for address in self.pods if address not in there]:
            self.pods.pop(address).leave()
        for key in [
            key for key, load in self.loads.items() if key not in table.models and not load.in_flight
        ]:
            del self.loads[key]
        self.known = frozenset(_names(table))
        self._book.forget_but(self.known)

    def lane(self, model: Model, version: Version) -> Lane:
        """The way to a version of the present table."""
        key = (model.namespace, model.name, version.label)
        found = self._lanes.get(key)
        if found is None:
            load = self.loads.setdefault(key[:2], Load())
            series = self._book.series((*key, "infer"))
            pods = [self._pod(address) for address in version.pods]
            found = self._lanes[key] = Lane(model, version, load, series, pods)
        return found

    def close_idle(self) -> None:
        """Close connections that have not been used for long."""
        for pod in self.pods.values():
            pod.close_idle()

    def close(self) -> None:
        """Close all connections."""
        for pod in self.pods.values():
            pod.close()

    def _pod(self, address: Address) -> Pod:
        found = self.pods.get(address)
        if found is None:
            found = self.pods[address] = Pod(address, self._settings, self._outbox)
        return found


def _addresses(table: Table) -> Iterator[Address]:
    for model in table.models.values():
        for version in model.versions.values():
            yield from version.pods


def _names(table: Table) -> Iterator[Name]:
    for key, model in table.models.items():
        yield (*key, "")
        for label in model.versions:
            yield (*key, label)
