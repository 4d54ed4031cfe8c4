"""The event engine: what it is told to leave alone, and that its end is noticed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import kopf
import pytest

from modelyard.api.kinds import OWN_KINDS
from modelyard.handlers import watches
from modelyard.handlers.watches import Activity, Engine, WatchEngineFailed
from modelyard.kube.access import Access
from modelyard.kube.cache import Cache
from modelyard.kube.session import ignore

ACCESS = Access("http://127.0.0.1:9", None, lambda: None)


def engine(*namespaces: str) -> Engine:
    return Engine(
        ACCESS, Cache(), namespaces, activity=Activity(lambda scope: None, lambda: 0.0), observe=ignore
    )


def spawning(monkeypatch: pytest.MonkeyPatch, *parts: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Let these run in kopf's place; what kopf was given."""
    given: dict[str, Any] = {}

    async def spawn(**options: Any) -> list[asyncio.Task[None]]:
        given.update(options)
        return [asyncio.create_task(part()) for part in parts]  # type: ignore[arg-type]

    monkeypatch.setattr(kopf, "spawn_tasks", spawn)
    return given


async def forever() -> None:
    await asyncio.Event().wait()


async def test_the_end_of_any_part_of_the_engine_is_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = asyncio.Event()

    async def fails() -> None:
        raise RuntimeError("no more events")

    async def goes_with_it() -> None:
        try:
            await forever()
        finally:
            stopped.set()

    spawning(monkeypatch, goes_with_it, fails)
    with pytest.raises(WatchEngineFailed, match="the event engine ended: no more events") as caught:
        await engine().run()

    assert isinstance(caught.value.__cause__, RuntimeError)
    assert stopped.is_set()


async def test_an_end_without_an_error_is_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends() -> None:
        return None

    spawning(monkeypatch, ends, forever)

    with pytest.raises(WatchEngineFailed, match="no reason given"):
        await engine().run()


async def test_cancelling_the_engine_stops_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    spawning(monkeypatch, forever, forever)
    started = asyncio.Event()
    task = asyncio.create_task(engine().run(started.set))
    await started.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("namespaces", [(), ("a", "b")])
async def test_the_engine_watches_our_kinds_where_it_is_told_to_and_keeps_no_state(
    namespaces: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends() -> None:
        return None

    given = spawning(monkeypatch, ends)
    with pytest.raises(WatchEngineFailed):
        await engine(*namespaces).run()

    assert (given["clusterwide"], given["namespaces"]) == (not namespaces, namespaces)
    assert given["standalone"] is True
    registry, settings = given["registry"], given["settings"]
    watched = {
        (found.selector.group, found.selector.plural) for found in registry._watching.get_all_handlers()
    }
    assert watched == {(kind.group, kind.plural) for kind in OWN_KINDS}
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()
    assert settings.posting.enabled is False
    assert settings.scanning.disabled is True
    body = {
        "metadata": {"annotations": {"kopf.zalando.org/last-handled-configuration": "{}"}},
        "spec": {"a": 1},
    }
    assert settings.persistence.diffbase_storage.fetch(body=body) is None
    assert settings.persistence.diffbase_storage.build(body=body) == {}


def test_requests_of_the_engine_are_tried_for_ever_and_ever_more_slowly() -> None:
    delays = list(itertools.islice(watches._Endless(), 200))

    assert isinstance(watches._engine_settings().networking.error_backoffs, watches._Endless)
    assert delays[0] <= 0.5
    assert 15 <= delays[-1] <= 30


async def test_a_refused_login_is_tried_again_with_a_new_session_but_not_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    (handler,) = engine()._registry._activities.get_all_handlers()
    sessions = [(await handler.fn()).aiohttp_session for _ in range(3)]  # type: ignore[call-arg, misc]
    for session in sessions:
        await session.close()

    assert len(set(map(id, sessions))) == 3
    assert len(slept) == 2
    assert slept[0] <= 0.5 <= slept[1] <= 1
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


async def test_events_go_into_the_cache() -> None:
    cache = Cache()
    kind = OWN_KINDS[0]
    take = watches._handler(kind, cache)
    found = {"metadata": {"name": "a", "namespace": "ns", "uid": "u", "resourceVersion": "1"}, "spec": {}}

    await take(event={"type": None, "object": found}, logger=None)
    assert cache.get(kind, "ns", "a") is not None

    gone = {**found, "metadata": {**found["metadata"], "resourceVersion": "2"}}
    await take(event={"type": "DELETED", "object": gone}, logger=None)
    assert cache.get(kind, "ns", "a") is None
