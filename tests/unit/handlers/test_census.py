"""How many objects say what of themselves, as they come, change and go."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, DEPLOYMENT, Kind
from modelyard.handlers.census import Census
from modelyard.kube.cache import Cache


class Counted:
    """A cache, and what is counted of it."""

    def __init__(self) -> None:
        self.registry, self.cache, self._version = CollectorRegistry(), Cache(), 0
        self.cache.listen(Census(self.registry).changed)

    def put(self, name: str, kind: Kind = CUSTOM_MODEL, **conditions: str) -> None:
        self.cache.put(kind, self._state(name, conditions))

    def remove(self, name: str, kind: Kind = CUSTOM_MODEL) -> None:
        self.cache.remove(kind, self._state(name, {}))

    def count(self, type: str, status: str, kind: Kind = CUSTOM_MODEL) -> float | None:
        labels = {"kind": kind.name, "type": type, "status": status}
        return self.registry.get_sample_value("modelyard_conditions", labels)

    def _state(self, name: str, conditions: dict[str, str]) -> dict[str, Any]:
        self._version += 1
        metadata = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": str(self._version)}
        found = [{"type": type, "status": status} for type, status in conditions.items()]
        spec = {"modelRef": {"name": "hello"}}
        return {"metadata": metadata, "spec": spec, "status": {"conditions": found} if found else {}}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_objects_are_counted_by_kind_and_by_what_they_say(counted: Counted) -> None:
    counted.put("a", Ready="True", Available="True")
    counted.put("b", Ready="False", Available="True")
    counted.put("v", CUSTOM_MODEL_VERSION, Ready="True")

    assert [counted.count("Ready", status) for status in ("True", "False")] == [1, 1]
    assert counted.count("Available", "True") == 2
    assert counted.count("Ready", "True", CUSTOM_MODEL_VERSION) == 1


def test_an_object_is_counted_by_what_it_said_last(counted: Counted) -> None:
    counted.put("a")
    counted.put("a", Ready="Unknown")
    counted.put("a", Ready="True")
    counted.put("a", Ready="True")

    assert (counted.count("Ready", "Unknown"), counted.count("Ready", "True")) == (0, 1)


def test_what_is_gone_counts_no_more_and_its_series_stays(counted: Counted) -> None:
    counted.put("a", Ready="False", Stalled="True")
    counted.remove("a")

    assert (counted.count("Ready", "False"), counted.count("Stalled", "True")) == (0, 0)


def test_children_and_what_nobody_is_to_watch_are_not_counted(counted: Counted) -> None:
    counted.put("a", DEPLOYMENT, Available="True")
    counted.put("b", Reconciling="True")

    assert next(iter(counted.registry.collect())).samples == []
