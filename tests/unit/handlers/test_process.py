"""How an operator is put together: what the parts alone cannot show."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION
from modelyard.handlers.process import Operator, Setup
from modelyard.handlers.routing import Key
from modelyard.kube.access import Access
from modelyard.kube.cluster import Manifest
from modelyard.settings import Settings


def made(name: str, spec: Manifest) -> Manifest:
    return {"metadata": {"name": name, "namespace": "ns", "uid": name, "resourceVersion": "1"}, "spec": spec}


async def taken(operator: Operator) -> list[str]:
    """The keys that are ready, in order, each passed over at once."""
    names = []
    while operator.queue.depth:
        key = await operator.queue.take()
        operator.queue.done(key)
        names.append(key.name)
    return names


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    """It runs not: its queue is looked at."""
    access = Access("http://127.0.0.1:9", None, lambda: None)
    made = Operator(Setup(access, Settings(), {}))
    yield made
    await made._session.close()


@pytest.mark.parametrize("first", ["model", "version"])
async def test_a_version_waits_for_its_model(operator: Operator, first: str) -> None:
    spec = {"modelRef": {"name": "m"}, "environmentRef": {"name": "e"}}
    operator.cache.put(CUSTOM_MODEL_VERSION, made("v", spec))
    keys = [Key(CUSTOM_MODEL, "ns", "m"), Key(CUSTOM_MODEL_VERSION, "ns", "v")]

    for key in keys if first == "model" else reversed(keys):
        operator.queue.wake(key)

    assert await taken(operator) == ["m", "v"]


async def test_what_the_cache_is_told_of_is_counted(operator: Operator) -> None:
    model = {**made("m", {}), "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    operator.cache.put(CUSTOM_MODEL, model)

    line = 'modelyard_conditions{kind="CustomModel",status="False",type="Ready"} 1.0'
    assert line in operator.metrics.text().decode().splitlines()
