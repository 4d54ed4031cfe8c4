"""Workers: outcomes and failures become the next pass; a bug in one pass harms no other; stopping is orderly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, DEPLOYMENT, Kind
from modelyard.handlers import loop as loop_module
from modelyard.handlers.loop import Loop, World
from modelyard.handlers.metrics import Metrics
from modelyard.handlers.queue import Queue
from modelyard.handlers.routing import Key
from modelyard.kube.cache import Cache
from modelyard.kube.errors import Unavailable
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled, Waiting
from tests.support.eventually import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Body = Callable[[str], Awaitable[Outcome]]


class Works:
    """A loop over a cache, with a pass whose body the test gives; `passed` are the names in order."""

    def __init__(self, body: Body, concurrency: int = 4) -> None:
        self.cache, self.passed = Cache(), list[str]()
        self.metrics = Metrics()
        self.queue: Queue[Key] = Queue(asyncio.get_running_loop().time)
        settings = Settings(concurrency=concurrency)

        async def passing(cluster: Any, given: Settings, namespace: str, name: str, now: datetime) -> Outcome:
            assert (given, namespace, now) == (settings, "ns", NOW)
            self.passed.append(name)
            return await body(name)

        passes = {CUSTOM_MODEL: passing, CUSTOM_MODEL_VERSION: passing}
        world = World(None, self.cache, settings, passes, lambda: NOW, lambda: 1.0)  # type: ignore[arg-type]
        self.loop = Loop(world, self.queue, self.metrics)
        self.task: asyncio.Task[None] | None = None

    def put(self, name: str, version: int = 1, kind: Kind = CUSTOM_MODEL) -> None:
        self._put(kind, name, version, spec={"v": version})

    def say(self, name: str, version: int, kind: Kind = CUSTOM_MODEL, **labels: str) -> None:
        """The first state of an object, with a status that tells of the version, and with labels."""
        self._put(kind, name, version, labels, spec={"v": 1}, status={"version": version})

    def _put(
        self,
        kind: Kind,
        name: str,
        version: int,
        labels: dict[str, str] | None = None,
        **more: dict[str, Any],
    ) -> None:
        names = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": str(version)}
        spec = {**more.pop("spec"), "modelRef": {"name": "none"}}
        self.cache.put(kind, {"metadata": {**names, "labels": labels or {}}, "spec": spec, **more})

    def is_idle(self) -> bool:
        return not self.queue.running and not self.queue.depth

    def wake(self, name: str) -> None:
        self.queue.wake(Key(CUSTOM_MODEL, "ns", name))

    def start(self) -> None:
        self.task = asyncio.create_task(self.loop.run())

    async def __aenter__(self) -> Works:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.loop.stop(1)
        if self.task:
            await self.task


async def settled(name: str) -> Outcome:
    return Settled()


async def test_a_changed_object_is_passed_over() -> None:
    async with Works(settled) as works:
        works.put("a")
        await eventually(lambda: works.passed == ["a"])
        works.put("a", 2)
        await eventually(lambda: works.passed == ["a", "a"])


async def test_objects_of_kinds_without_a_pass_wake_nothing() -> None:
    async with Works(settled) as works:
        works.put("a", kind=DEPLOYMENT)
        await asyncio.sleep(0.02)

        assert works.passed == []


async def test_what_changed_before_the_workers_start_is_passed_over_once_when_they_do() -> None:
    works = Works(settled)
    works.put("a")
    works.put("a", 2)
    async with works:
        await eventually(lambda: works.passed == ["a"])
        await asyncio.sleep(0.02)

    assert works.passed == ["a"]


async def test_a_pass_does_not_come_again_for_the_status_that_it_wrote_itself() -> None:
    async def body(name: str) -> Outcome:
        works.say(name, 2)
        return Settled()

    async with Works(body) as works:
        works.put("a")
        works.say("b", 1)
        await eventually(lambda: sorted(works.passed) == ["a", "b"])
        await eventually(works.is_idle)

        assert sorted(works.passed) == ["a", "b"]

        works.say("a", 3)
        await eventually(lambda: works.passed[2:] == ["a"])


async def test_a_pass_comes_again_for_what_else_its_answer_brought() -> None:
    async def body(name: str) -> Outcome:
        works.say(name, 2, team="blue")
        return Settled()

    async with Works(body) as works:
        works.say("a", 1)
        await eventually(lambda: works.passed == ["a", "a"])


async def test_a_pass_over_a_version_wakes_its_model_by_its_status() -> None:
    async def body(name: str) -> Outcome:
        if name == "v":
            works.say("v", 2, CUSTOM_MODEL_VERSION)
        return Settled()

    async with Works(body) as works:
        works.put("v", kind=CUSTOM_MODEL_VERSION)
        await eventually(lambda: works.passed.count("none") == 2)
        await eventually(works.is_idle)

        assert works.passed.count("v") == 1


async def test_one_key_at_a_time_and_several_keys_at_once() -> None:
    running, most = list[str](), 0
    gate = asyncio.Event()

    async def body(name: str) -> Outcome:
        nonlocal most
        assert name not in running
        running.append(name)
        most = max(most, len(running))
        await gate.wait()
        running.remove(name)
        return Settled()

    async with Works(body, concurrency=3) as works:
        for number in range(5):
            works.put(f"m{number}")
        await eventually(lambda: len(running) == 3)
        works.put("m0", 2)
        await asyncio.sleep(0.02)
        assert len(running) == 3
        gate.set()
        await eventually(lambda: len(works.passed) == 6)

    assert most == 3


async def test_a_pass_that_waits_comes_again_in_time() -> None:
    async def body(name: str) -> Outcome:
        return Waiting(timedelta(seconds=0.1)) if len(works.passed) < 3 else Settled()

    works = Works(body)
    async with works:
        works.put("a")
        await eventually(lambda: len(works.passed) == 3)


async def test_an_object_that_is_gone_is_not_looked_at_for_ever() -> None:
    async with Works(settled) as works:
        works.wake("gone")
        await eventually(lambda: works.passed == ["gone"])
        await eventually(lambda: not works.queue.running)

        assert works.queue._schedule.next_due() is None


async def test_an_object_that_is_gone_is_looked_at_again_while_its_pass_waits_for_something() -> None:
    async def body(name: str) -> Outcome:
        return Waiting(timedelta(seconds=30))

    async with Works(body) as works:
        works.wake("gone")
        await eventually(lambda: works.passed == ["gone"] and not works.queue.running)

        assert works.queue._schedule.next_due() is not None


async def test_a_failing_pass_is_repeated_and_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def body(name: str) -> Outcome:
        if name == "bad" and works.passed.count("bad") < 3:
            raise Unavailable("busy", retry_after=0.02)
        return Settled()

    works = Works(body)
    with caplog.at_level(logging.INFO):
        async with works:
            works.put("bad")
            works.put("good")
            await eventually(lambda: works.passed.count("bad") == 3)

    assert works.passed.count("good") == 1
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [("WARNING", "Pass failed; it will be repeated"), ("INFO", "Pass succeeds again")]


async def test_a_bug_in_a_pass_is_logged_with_its_place_once(caplog: pytest.LogCaptureFixture) -> None:
    async def body(name: str) -> Outcome:
        raise KeyError("a bug")

    works = Works(body)
    async with works:
        works.put("a")
        await eventually(lambda: len(works.passed) == 1)
        works.put("a", 2)
        await eventually(lambda: len(works.passed) == 2)

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    text = works.metrics.text().decode()
    assert 'modelyard_passes_total{kind="CustomModel",outcome="error"} 2.0' in text


async def test_a_pass_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "LONGEST_PASS", 0.02)

    async def body(name: str) -> Outcome:
        await asyncio.Event().wait()
        return Settled()

    works = Works(body)
    async with works:
        works.put("a")
        await eventually(lambda: works.passed and not works.queue.running)

    assert 'outcome="error"} 1.0' in works.metrics.text().decode()


async def test_stopping_lets_passes_end_and_begins_none() -> None:
    gate, ended = asyncio.Event(), list[str]()

    async def body(name: str) -> Outcome:
        await gate.wait()
        ended.append(name)
        return Settled()

    works = Works(body, concurrency=1)
    works.put("a")
    works.put("b")
    works.start()
    await eventually(lambda: works.passed == ["a"])

    stopping = asyncio.create_task(works.loop.stop(5))
    await asyncio.sleep(0.02)
    assert not stopping.done()
    gate.set()
    await stopping

    assert ended == ["a"]
    assert works.passed == ["a"]


async def test_a_pass_that_does_not_end_in_time_is_cut_off_at_the_stop() -> None:
    async def body(name: str) -> Outcome:
        await asyncio.Event().wait()
        return Settled()

    works = Works(body)
    works.put("a")
    works.start()
    await eventually(lambda: works.passed == ["a"])

    await asyncio.wait_for(works.loop.stop(0.02), 1)

    assert works.task is not None
    with pytest.raises(asyncio.CancelledError):
        await works.task


async def test_stopping_before_the_start_is_nothing() -> None:
    await Works(settled).loop.stop(1)
