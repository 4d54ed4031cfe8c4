"""The reflector against a real HTTP server: pages, resumption, bookmarks, 410, silence, trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from modelyard.api.kinds import POD
from modelyard.kube.backoff import Backoff
from modelyard.kube.cache import Cache
from modelyard.kube.errors import Expired
from modelyard.kube.lists import Scope, list_into
from modelyard.kube.reflector import Reflector, Timing
from tests.support.eventually import eventually
from tests.unit.kube.api_server import ApiServer, Watch, bookmark, event, failure, listed, pod, serving

SCOPE = Scope(POD, "ns", "modelyard.dev/managed-by=modelyard")
TIMING = Timing(silence=0.2, shortest_watch=0.0, backoff=Backoff(base=0.01, cap=0.02))


def names(cache: Cache) -> list[str]:
    return [found["metadata"]["name"] for found in cache.select(POD, "ns")]


def versions(cache: Cache) -> list[str]:
    return [found["metadata"]["resourceVersion"] for found in cache.select(POD, "ns")]


@asynccontextmanager
async def reflecting(api: ApiServer, cache: Cache, timing: Timing = TIMING) -> AsyncIterator[Reflector]:
    async with serving(api) as session:
        reflector = Reflector(session, cache, SCOPE, timing=timing)
        task = asyncio.create_task(reflector.run())
        try:
            yield reflector
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_list_comes_in_pages_with_the_selector_on_each() -> None:
    api, cache = ApiServer(lists=[listed(7, pod(1, "a"), proceed="go"), listed(7, pod(2, "b"))]), Cache()
    async with serving(api) as session:
        assert await list_into(session, cache, SCOPE, page=1) == "7"

    selector = {"labelSelector": SCOPE.selector, "limit": "1"}
    assert api.queries(watch=False) == [selector, {**selector, "continue": "go"}]
    assert api.seen[0].path == "/api/v1/namespaces/ns/pods"
    assert names(cache) == ["a", "b"]


async def test_a_list_that_expires_half_way_begins_anew_and_leaves_no_ghost() -> None:
    api = ApiServer(
        lists=[listed(7, pod(1, "gone"), proceed="go"), failure(410, "Expired"), listed(9, pod(8, "b"))]
    )
    cache = Cache()
    async with serving(api) as session:
        assert await list_into(session, cache, SCOPE) == "9"

    assert names(cache) == ["b"]


async def test_a_list_that_always_expires_gives_up() -> None:
    async with serving(ApiServer(lists=[failure(410, "Expired")])) as session:
        with pytest.raises(Expired):
            await list_into(session, Cache(), SCOPE)


async def test_a_watch_begins_where_the_list_ended_and_brings_every_change() -> None:
    api = ApiServer(
        lists=[listed(7, pod(1, "a"), pod(2, "b"))],
        watches=[
            Watch(
                [
                    event("ADDED", pod(8, "c")),
                    event("MODIFIED", pod(9, "a", x=1)),
                    event("DELETED", pod(10, "b")),
                ],
                hangs=True,
            )
        ],
    )
    cache = Cache()
    async with reflecting(api, cache) as reflector:
        await reflector.synced.wait()
        await eventually(lambda: names(cache) == ["a", "c"])

    (query,) = api.queries(watch=True)
    assert (query["resourceVersion"], query["allowWatchBookmarks"]) == ("7", "true")
    assert query["labelSelector"] == SCOPE.selector
    assert 200 <= int(query["timeoutSeconds"]) <= 290
    assert cache.get(POD, "ns", "a")["x"] == 1  # type: ignore[index]


async def test_a_watch_that_ends_goes_on_from_the_last_bookmark_without_a_list() -> None:
    api = ApiServer(watches=[Watch([event("ADDED", pod(8, "c")), bookmark(20)]), Watch(hangs=True)])
    async with reflecting(api, Cache()):
        await eventually(lambda: len(api.queries(watch=True)) == 2)

    assert [query["resourceVersion"] for query in api.queries(watch=True)] == ["1", "20"]
    assert len(api.queries(watch=False)) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Watch([bookmark(20)], breaks=True),
        Watch([bookmark(20), b'{"type": "ADD'], breaks=True),
        Watch([bookmark(20)], hangs=True),
        Watch([bookmark(20), event("ERROR", failure(500, "InternalError"))]),
    ],
    ids=["broken off", "broken off in an event", "silent", "an error in the stream"],
)
async def test_trouble_is_no_reason_to_list_again(broken: Watch) -> None:
    api = ApiServer(watches=[broken, Watch([event("ADDED", pod(21, "late"))], hangs=True)])
    cache = Cache()
    async with reflecting(api, cache):
        await eventually(lambda: names(cache) == ["late"])

    assert [query["resourceVersion"] for query in api.queries(watch=True)][:2] == ["1", "20"]
    assert len(api.queries(watch=False)) == 1


@pytest.mark.parametrize(
    "expired",
    [Watch([event("ERROR", failure(410, "Expired"))]), Watch(code=410)],
    ids=["in the stream", "refused"],
)
async def test_what_is_too_old_is_listed_again_and_ghosts_go(expired: Watch) -> None:
    """Objects that were deleted while the watch was away are in no event: the list must bury them."""
    api = ApiServer(
        lists=[listed(7, pod(1, "ghost"), pod(2, "stays")), listed(30, pod(2, "stays"), pod(29, "new"))],
        watches=[expired, Watch(hangs=True)],
    )
    cache = Cache()
    async with reflecting(api, cache):
        await eventually(lambda: names(cache) == ["new", "stays"])
        await eventually(lambda: len(api.queries(watch=True)) == 2)

    assert api.queries(watch=True)[1]["resourceVersion"] == "30"


async def test_a_server_that_was_set_back_to_a_backup_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    """Its versions are lower than those that are known, whose history is gone."""
    api = ApiServer(
        lists=[listed(90, pod(80, "a", x=1), pod(81, "b")), listed(40, pod(30, "a", x=2), pod(31, "d"))],
        watches=[
            Watch(
                [
                    event("ADDED", pod(91, "c")),
                    *(event("DELETED", pod(92, name)) for name in ("d", "e")),
                    event("ERROR", failure(410, "Expired")),
                ]
            ),
            Watch([event("MODIFIED", pod(41, "a", x=3)), event("ADDED", pod(42, "e"))], hangs=True),
        ],
    )
    cache = Cache()
    async with reflecting(api, cache):
        await eventually(lambda: names(cache) == ["a", "d", "e"])
    assert versions(cache) == ["41", "31", "42"]
    assert "set back" in caplog.text


async def test_a_watch_that_tells_of_what_was_before_is_of_a_server_that_was_set_back() -> None:
    api = ApiServer(
        lists=[listed(90, pod(80, "a", x=1)), listed(45, pod(30, "a", x=2))],
        watches=[Watch([event("ADDED", pod(41, "b"))]), Watch(hangs=True)],
    )
    cache = Cache()
    async with reflecting(api, cache):
        await eventually(lambda: versions(cache) == ["30"])


async def test_silence_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing ever happens to some kinds: no reason to warn every minute, nor to wait longer and longer."""
    api = ApiServer(watches=[Watch(hangs=True)])
    timing = Timing(silence=0.05, backoff=Backoff(base=10, cap=10))
    async with reflecting(api, Cache(), timing):
        await eventually(lambda: len(api.queries(watch=True)) == 4)

    assert caplog.records == []


async def test_a_server_that_ends_every_watch_at_once_is_not_stormed() -> None:
    timing = Timing(shortest_watch=1.0, backoff=Backoff(base=0.1, cap=10.0))
    api = ApiServer(watches=[Watch()])
    async with reflecting(api, Cache(), timing):
        await asyncio.sleep(0.5)

    assert 1 <= len(api.queries(watch=True)) <= 5


async def test_a_server_that_refuses_is_asked_again_until_it_serves() -> None:
    api = ApiServer(lists=[failure(403, "Forbidden"), failure(500, "InternalError"), listed(7, pod(1, "a"))])
    cache = Cache()
    async with reflecting(api, cache) as reflector:
        await asyncio.wait_for(reflector.synced.wait(), 5)

    assert names(cache) == ["a"]


async def test_nothing_is_synced_before_the_whole_list_is_there() -> None:
    api = ApiServer(lists=[listed(7, pod(1, "a"), proceed="go"), failure(500, "InternalError")])
    cache = Cache()
    async with reflecting(api, cache) as reflector:
        await eventually(lambda: len(api.seen) > 3)
        assert not reflector.synced.is_set()


async def test_a_living_reflector_shows_it_though_nothing_happens() -> None:
    async with reflecting(ApiServer(watches=[Watch([bookmark(9)], hangs=True)]), Cache()) as reflector:
        await asyncio.sleep(0.5)
        assert reflector.silent_for() < 0.4, "a failed try is a sign of life too"


async def test_a_kind_that_is_not_installed_is_asked_for_until_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    missing = failure(404, "NotFound", "the server could not find the requested resource")
    api = ApiServer(lists=[missing, missing, missing, listed(7)], watches=[Watch(hangs=True)])
    async with reflecting(api, Cache()) as reflector:
        await asyncio.wait_for(reflector.synced.wait(), 5)

    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["Watch failed; it will be repeated; are the CRDs of Modelyard installed?"]


@pytest.mark.parametrize(("times", "told"), [(1, 0), (2, 1)])
async def test_a_server_that_says_when_to_come_back_is_believed_once(
    times: int, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    busy = failure(429, "TooManyRequests", "storage is (re)initializing")
    busy["details"] = {"retryAfterSeconds": 1}
    api = ApiServer(lists=[*[busy] * times, listed(7)], watches=[Watch(hangs=True)])
    async with reflecting(api, Cache()) as reflector:
        await asyncio.wait_for(reflector.synced.wait(), 5)

    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == told


async def test_a_watch_that_never_begins_is_trouble_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Something between that keeps an answer back until it is whole gives lists, and no watch at all."""
    api = ApiServer(watches=[Watch(withheld=True)])
    timing = Timing(silence=0.05, backoff=Backoff(base=0.01, cap=0.02))
    async with reflecting(api, Cache(), timing):
        await eventually(lambda: len(api.queries(watch=True)) == 3)

    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert warning.getMessage() == "Watch failed; it will be repeated"


async def test_what_happened_beside_watches_that_say_nothing_is_seen_by_a_list() -> None:
    api, cache = ApiServer(lists=[listed(7, pod(1, "ghost")), listed(9, pod(8, "new"))]), Cache()
    async with reflecting(api, cache, Timing(silence=0.05, backoff=Backoff(base=0.01, cap=0.02))):
        await eventually(lambda: names(cache) == ["new"])

    assert len(api.queries(watch=True)) >= 3


async def test_a_reflector_that_hangs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> str:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    monkeypatch.setattr("modelyard.kube.reflector.list_into", never)
    async with reflecting(ApiServer(), Cache()) as reflector:
        before = reflector.silent_for()
        await eventually(lambda: reflector.silent_for() > before + 0.2)


async def test_each_page_of_a_long_list_is_a_sign_of_life() -> None:
    pages = [listed(7, pod(n, f"p{n}"), proceed="go") for n in range(1, 4)]
    told: list[int] = []
    async with serving(ApiServer(lists=[*pages, listed(7)])) as session:
        await list_into(session, Cache(), SCOPE, page=1, on_page=lambda: told.append(1))

    assert len(told) == 4


async def test_a_list_whose_pages_expire_again_and_again_is_asked_for_whole() -> None:
    expired = failure(410, "Expired")
    api = ApiServer(lists=[expired, expired, listed(9, pod(8, "b"))])
    cache = Cache()
    async with serving(api) as session:
        assert await list_into(session, cache, SCOPE, page=1) == "9"

    assert [query.get("limit") for query in api.queries(watch=False)] == ["1", "1", None]
    assert names(cache) == ["b"]


async def test_what_is_no_event_is_trouble_and_not_the_end() -> None:
    api = ApiServer(watches=[Watch([b'{"kind": "Status"}\n']), Watch([b"[1]\n"]), Watch(hangs=True)])
    async with reflecting(api, Cache()):
        await eventually(lambda: len(api.queries(watch=True)) == 3)
