"""Our reflectors and the operator that they wake on the real API server, over a wire that breaks."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import CONFIG_MAP, CUSTOM_MODEL, EXECUTION_ENVIRONMENT, EXECUTION_ENVIRONMENT_VERSION
from modelyard.handlers.process import Operator, Setup
from modelyard.kube.access import Access, from_kubeconfig
from modelyard.kube.backoff import Backoff
from modelyard.kube.cache import Cache
from modelyard.kube.lists import Scope, list_into
from modelyard.kube.reflector import Reflector, Timing
from modelyard.kube.session import Session
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled
from tests.apiserver.kube import in_thread, wired
from tests.apiserver.server import ApiServer
from tests.support.eventually import eventually
from tests.support.objects import as_applied, make_environment

Manifest = dict[str, Any]
OURS = f"{labels.MANAGED_BY}={labels.MANAGED_BY_VALUE}"
# Stopping gives up connections wherever they are, and asyncio leaks those whose TLS is just being set up.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

TIMING = Timing(backoff=Backoff(base=0.05, cap=0.1))


async def make(server: ApiServer, namespace: str, name: str, *, ours: bool = True) -> None:
    own = {labels.MANAGED_BY: labels.MANAGED_BY_VALUE} if ours else {}
    body = {"metadata": {"name": name, "labels": own}, "data": {"a": "b"}}
    answer = await in_thread(lambda: server.request("POST", CONFIG_MAP.path(namespace), body))
    assert answer.status == 201, answer.message


async def delete(server: ApiServer, path: str) -> None:
    answer = await in_thread(lambda: server.request("DELETE", path))
    assert answer.status == 200, answer.message


async def merge(server: ApiServer, path: str, body: Manifest) -> None:
    kind = "application/merge-patch+json"
    answer = await in_thread(lambda: server.request("PATCH", path, body, content_type=kind))
    assert answer.status == 200, answer.message


@pytest.fixture(scope="module", autouse=True)
def own_garbage() -> Iterator[None]:
    """What these tests leave to the garbage collector is collected here."""
    yield
    gc.collect()


@asynccontextmanager
async def reflecting(access: Access, namespace: str) -> AsyncIterator[tuple[Reflector, Cache]]:
    cache, session = Cache(), Session(access)
    reflector = Reflector(session, cache, Scope(CONFIG_MAP, namespace, OURS), timing=TIMING)
    task = asyncio.create_task(reflector.run())
    try:
        async with asyncio.timeout(10):
            await reflector.synced.wait()
        yield reflector, cache
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await session.close()


async def test_real_pages_make_one_list(server: ApiServer, namespace: str) -> None:
    for number in range(7):
        await make(server, namespace, f"c{number}")
    cache, session = Cache(), Session(from_kubeconfig(server.kubeconfig))

    version = await list_into(session, cache, Scope(CONFIG_MAP, namespace, OURS), page=2)

    await session.close()
    assert cache.count(CONFIG_MAP) == 7
    assert version.isdigit()


async def test_what_is_ours_is_seen_and_what_is_not_is_not(server: ApiServer, namespace: str) -> None:
    await make(server, namespace, "before")
    await make(server, namespace, "theirs", ours=False)
    async with reflecting(from_kubeconfig(server.kubeconfig), namespace) as (_, cache):
        assert [name for _, name in cache.names(CONFIG_MAP)] == ["before"]
        await make(server, namespace, "after")
        await eventually(lambda: cache.count(CONFIG_MAP) == 2)
        await delete(server, CONFIG_MAP.path(namespace, "before"))
        await eventually(lambda: [name for _, name in cache.names(CONFIG_MAP)] == ["after"])


async def test_a_child_that_loses_our_label_leaves_and_comes_back_with_it(
    server: ApiServer, namespace: str
) -> None:
    await make(server, namespace, "c")
    path = CONFIG_MAP.path(namespace, "c")
    async with reflecting(from_kubeconfig(server.kubeconfig), namespace) as (_, cache):
        await merge(server, path, {"metadata": {"labels": {labels.MANAGED_BY: None}}})
        await eventually(lambda: cache.count(CONFIG_MAP) == 0)
        await merge(server, path, {"metadata": {"labels": {labels.MANAGED_BY: labels.MANAGED_BY_VALUE}}})
        await eventually(lambda: cache.count(CONFIG_MAP) == 1)


async def test_a_broken_watch_goes_on_where_it_was_and_misses_nothing(
    server: ApiServer, namespace: str
) -> None:
    await make(server, namespace, "goes")
    async with wired(server) as (access, wire), reflecting(access, namespace) as (_, cache):
        wire.cut()
        await delete(server, CONFIG_MAP.path(namespace, "goes"))
        await make(server, namespace, "comes")
        await asyncio.sleep(0.3)
        assert [name for _, name in cache.names(CONFIG_MAP)] == ["goes"]

        wire.mend()

        await eventually(lambda: [name for _, name in cache.names(CONFIG_MAP)] == ["comes"])


async def test_a_watch_that_is_too_far_behind_lists_again_and_leaves_no_ghost(
    server: ApiServer, namespace: str
) -> None:
    """The real server's own 410: version 1 is long gone from its window."""
    await make(server, namespace, "ghost")
    async with wired(server) as (access, wire), reflecting(access, namespace) as (reflector, cache):
        wire.cut()
        await delete(server, CONFIG_MAP.path(namespace, "ghost"))
        reflector._version = "1"

        wire.mend()

        await eventually(lambda: cache.count(CONFIG_MAP) == 0, within=10)
        assert int(reflector._version or 0) > 1


def recording(access: Access, namespace: str) -> tuple[Setup, list[str]]:
    """An operator over one namespace, with passes that write down what they pass over."""
    passed: list[str] = []

    async def passing(cluster: Any, settings: Settings, namespace: str, name: str, now: Any) -> Outcome:
        passed.append(name)
        return Settled()

    settings = Settings(namespaces=(namespace,), port=0)
    kinds = (EXECUTION_ENVIRONMENT, EXECUTION_ENVIRONMENT_VERSION, CUSTOM_MODEL)
    return Setup(access, settings, dict.fromkeys(kinds, passing), host="127.0.0.1"), passed


@asynccontextmanager
async def operating(access: Access, namespace: str) -> AsyncIterator[tuple[Operator, list[str]]]:
    """Such an operator, once it is ready; at the end it is stopped in good order."""
    setup, passed = recording(access, namespace)
    operator = Operator(setup)
    task = asyncio.create_task(operator.run())
    try:
        async with asyncio.timeout(20):
            await operator.ready.wait()
        yield operator, passed
    finally:
        operator.stop()
        assert await asyncio.wait_for(task, 20)


def path(namespace: str, name: str = "python") -> str:
    return EXECUTION_ENVIRONMENT.path(namespace, name)


async def create(server: ApiServer, namespace: str, manifest: Manifest) -> None:
    body = as_applied(manifest)
    body["metadata"]["namespace"] = namespace
    kind = CUSTOM_MODEL if manifest["kind"] == "CustomModel" else EXECUTION_ENVIRONMENT
    answer = await in_thread(lambda: server.request("POST", kind.path(namespace), body))
    assert answer.status == 201, answer.message


async def test_the_engine_brings_every_change_of_our_kinds(server: ApiServer, namespace: str) -> None:
    await create(server, namespace, make_environment("before"))
    async with operating(from_kubeconfig(server.kubeconfig), namespace) as (operator, passed):
        await eventually(lambda: "before" in passed)
        await create(server, namespace, make_environment())
        await eventually(lambda: "python" in passed, within=20)
        passed.clear()
        await merge(server, path(namespace), {"spec": {"label": "changed"}})
        await eventually(lambda: "python" in passed)
        passed.clear()
        await delete(server, path(namespace))
        await eventually(lambda: "python" in passed)
        assert operator.cache.get(EXECUTION_ENVIRONMENT, namespace, "python") is None


async def test_nothing_is_written_on_the_objects_of_users(server: ApiServer, namespace: str) -> None:
    """No annotation, no finalizer, no status of the engine's own, no Event."""
    await create(server, namespace, make_environment())
    made = await in_thread(lambda: server.request("GET", path(namespace)).body)
    async with operating(from_kubeconfig(server.kubeconfig), namespace) as (operator, passed):
        await eventually(lambda: passed)
        await merge(server, path(namespace), {"metadata": {"labels": {"touched": "yes"}}})
        await eventually(lambda: len(passed) > 1, within=20)
        exposed = operator.metrics.text().decode().splitlines()
        verbs = {re.findall('verb="([a-z]+)"', line)[0] for line in exposed if "_api_requests_total{" in line}
        assert verbs == {"list", "watch"}

    after = await in_thread(lambda: server.request("GET", path(namespace)).body)
    assert after["metadata"].keys() == made["metadata"].keys() | {"labels"}
    assert after["status"] == made["status"]


async def test_other_namespaces_are_not_even_cached(server: ApiServer, namespace: str) -> None:
    other = f"{namespace}-other"
    await in_thread(lambda: server.request("POST", "/api/v1/namespaces", {"metadata": {"name": other}}))
    await create(server, other, make_environment("theirs"))
    await create(server, namespace, make_environment("ours"))
    async with operating(from_kubeconfig(server.kubeconfig), namespace) as (operator, _):
        await eventually(lambda: operator.cache.count(EXECUTION_ENVIRONMENT) == 1)
        assert list(operator.cache.names(EXECUTION_ENVIRONMENT)) == [(namespace, "ours")]


async def test_nothing_is_passed_over_before_every_kind_is_listed(
    server: ApiServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a pass would take what is not listed yet for what does not exist."""
    await create(server, namespace, make_environment())
    gate = asyncio.Event()

    async def late(self: Reflector) -> None:
        if self.scope.kind == CONFIG_MAP:
            await gate.wait()
        await run(self)

    run = Reflector.run
    monkeypatch.setattr(Reflector, "run", late)
    access = from_kubeconfig(server.kubeconfig)
    setup, passed = recording(access, namespace)
    operator = Operator(setup)
    task = asyncio.create_task(operator.run())
    await eventually(lambda: operator.queue.depth == 1)
    await asyncio.sleep(0.3)
    assert not operator.ready.is_set()
    assert passed == []

    gate.set()

    await eventually(lambda: passed == ["python"])
    operator.stop()
    assert await asyncio.wait_for(task, 20)


async def test_when_a_watch_ends_for_good_the_operator_ends_and_says_so(
    server: ApiServer, namespace: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Blind, it would go on to look healthy; a new process sees again."""

    def fail(self: Reflector, line: bytes) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(Reflector, "_take", fail)
    setup, _ = recording(from_kubeconfig(server.kubeconfig), namespace)

    operator = Operator(setup)
    task = asyncio.create_task(operator.run())
    await operator.ready.wait()
    await create(server, namespace, make_environment("seen"))

    assert not await asyncio.wait_for(task, 20)

    (record,) = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert record.getMessage() == "A part of the operator ended; so does the operator"
    assert vars(record)["part"].startswith("watch of ")


async def test_a_broken_wire_is_survived_by_everything(
    server: ApiServer, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An API server that is away is no reason to die: what happened meanwhile is seen afterwards."""
    await create(server, namespace, make_environment("goes"))
    async with wired(server) as (access, wire), operating(access, namespace) as (operator, _):
        await eventually(lambda: operator.cache.count(EXECUTION_ENVIRONMENT) == 1)
        await operator.ready.wait()
        wire.cut()
        await delete(server, path(namespace, "goes"))
        await create(server, namespace, make_environment("comes"))
        await asyncio.sleep(1)
        wire.mend()

        def seen() -> list[tuple[str, str]]:
            return list(operator.cache.names(EXECUTION_ENVIRONMENT))

        await eventually(lambda: seen() == [(namespace, "comes")], within=60)


async def test_probes_and_metrics_answer_while_it_runs(server: ApiServer, namespace: str) -> None:
    async with operating(from_kubeconfig(server.kubeconfig), namespace) as (operator, _):
        await operator.ready.wait()
        for check in operator._health().live:
            assert check() is None
        assert operator._check_ready() is None
        assert all(reflector.silent_for() < 30 for reflector in operator._reflectors)
    assert operator._check_ready() is not None
