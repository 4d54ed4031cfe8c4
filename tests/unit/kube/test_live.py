"""What LiveCluster sends, and when it sends nothing; the API server's part is played by a script."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import CUSTOM_MODEL, POD, SERVICE
from modelyard.kube.cache import Cache
from modelyard.kube.cluster import Cluster
from modelyard.kube.drift import stamped
from modelyard.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    NameTaken,
    NotFound,
    Unavailable,
)
from modelyard.kube.live import LiveCluster

Manifest = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Script:
    """Answers requests in turn, or raises; `sent` is what was asked. An answer may be made when it is its turn."""

    def __init__(self, *answers: Manifest | Exception | Callable[[], Manifest | Exception]) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, Mapping[str, str], Any, str]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        self.sent.append((method, path, params or {}, copy.deepcopy(body), content_type))
        answer = self.answers.pop(0)
        answer = answer() if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return copy.deepcopy(answer)

    async def text(self, path: str, *, params: Mapping[str, str], limit: int, seconds: float) -> str:
        answer = await self.request("GET", path, params=params)
        return str(answer["text"])[:limit]

    @property
    def lines(self) -> list[str]:
        return [f"{method} {path.rpartition('/namespaces/')[2]}" for method, path, *_ in self.sent]


def wanted(**spec: Any) -> Manifest:
    owner = {
        "apiVersion": labels.API_VERSION,
        "kind": "CustomModel",
        "name": "hello",
        "uid": "u-m",
        "controller": True,
    }
    metadata = {
        "name": "hello",
        "namespace": "ns",
        "labels": {labels.MANAGED_BY: labels.MANAGED_BY_VALUE},
        "ownerReferences": [owner],
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": spec or {"type": "ClusterIP"},
    }


def born(manifest: Manifest, version: int = 5, **more: Any) -> Manifest:
    """The manifest as the API server answers it."""
    stamp = stamped(manifest)
    metadata = {**stamp["metadata"], "uid": "u-1", "resourceVersion": str(version), "managedFields": [{}]}
    return {**stamp, "metadata": metadata, **more}


def cluster(script: Script, *known: Manifest) -> LiveCluster:
    cache = Cache()
    for manifest in known:
        cache.put(CUSTOM_MODEL if manifest["kind"] == "CustomModel" else SERVICE, manifest)
    return LiveCluster(script, cache, now=lambda: NOW, instance="pod-1")


def model(version: int = 1, **status: Any) -> Manifest:
    metadata = {"name": "hello", "namespace": "ns", "uid": "u-m", "resourceVersion": str(version)}
    return {
        "apiVersion": labels.API_VERSION,
        "kind": "CustomModel",
        "metadata": metadata,
        "spec": {},
        "status": status,
    }


def test_the_live_cluster_is_a_cluster() -> None:
    found: Cluster = cluster(Script())

    assert found.get(SERVICE, "ns", "hello") is None


async def test_the_first_apply_creates_or_does_nothing() -> None:
    """One request, whose version no object has: where one of that name exists, it is a conflict."""
    script = Script(born(wanted()))
    live = cluster(script)

    answer = await live.apply(wanted())

    assert script.lines == ["PATCH ns/services/hello"]
    ((_, _, params, body, content_type),) = script.sent
    assert params == {"fieldManager": "modelyard", "force": "true"}
    assert body["metadata"].pop("resourceVersion") == "1"
    assert body == stamped(wanted())
    assert content_type == "application/apply-patch+yaml"
    assert answer == born(wanted())
    assert live.get(SERVICE, "ns", "hello") is not None


async def test_a_second_apply_sends_nothing() -> None:
    script = Script(born(wanted()))
    live = cluster(script)
    await live.apply(wanted())
    script.sent.clear()

    answer = await live.apply(wanted())

    assert script.sent == []
    assert answer["metadata"]["uid"] == "u-1"


async def test_a_changed_wish_and_a_changed_child_are_applied_without_a_look() -> None:
    drifted = born(wanted())
    drifted["spec"] = {"type": "NodePort"}
    script = Script(born(wanted(), 6), born(wanted(type="LoadBalancer"), 7))
    live = cluster(script, drifted)

    await live.apply(wanted())
    await live.apply(wanted(type="LoadBalancer"))

    assert script.lines == ["PATCH ns/services/hello"] * 2


async def test_a_child_that_stands_there_already_is_not_written_again() -> None:
    """After a restart whose watch has not brought it yet."""
    script = Script(Conflict("modified"), born(wanted()))
    live = cluster(script)

    await live.apply(wanted())

    assert script.lines == ["PATCH ns/services/hello", "GET ns/services/hello"]
    assert live.get(SERVICE, "ns", "hello") is not None


async def test_a_child_that_lost_our_label_is_known_again_even_if_it_cannot_be_mended() -> None:
    """The watch told its loss as a delete at the very version that is read back."""
    stripped = born(wanted(), 7)
    stripped["metadata"]["labels"] = {}
    cache = Cache()
    cache.put(SERVICE, born(wanted(), 5))
    cache.remove(SERVICE, born(wanted(), 7))
    script = Script(Conflict("modified"), stripped, Invalid("data is immutable"))
    live = LiveCluster(script, cache, now=lambda: NOW, instance="pod-1")

    with pytest.raises(Invalid):
        await live.apply(wanted())

    assert script.lines == ["PATCH ns/services/hello", "GET ns/services/hello", "PATCH ns/services/hello"]
    found = live.get(SERVICE, "ns", "hello")
    assert found is not None
    assert found["metadata"]["resourceVersion"] == "7"


async def test_what_stood_in_the_way_and_is_gone_by_now_is_for_the_next_pass() -> None:
    """To apply by force now could meet what somebody else makes in this moment."""
    script = Script(Conflict("modified"), NotFound("no"))
    live = cluster(script)

    with pytest.raises(Conflict):
        await live.apply(wanted())

    assert script.lines == ["PATCH ns/services/hello", "GET ns/services/hello"]


@pytest.mark.parametrize("kept", ["as sent", "wider"])
async def test_a_policy_that_the_server_keeps_differently_is_told_of(
    kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    policy = wanted(podSelector={"matchLabels": {"a": "b"}}, ingress=[])
    policy.update(apiVersion="networking.k8s.io/v1", kind="NetworkPolicy")
    answer = born(policy)
    if kept == "wider":
        answer["spec"] = {"podSelector": {}, "ingress": [{}]}
    live = cluster(Script(answer))

    await live.apply(policy)

    assert ("another policy" in caplog.text) is (kept == "wider")


async def test_somebody_elses_object_is_left_alone_and_not_cached() -> None:
    foreign = born(wanted())
    foreign["metadata"]["ownerReferences"] = []
    script = Script(Conflict("modified"), foreign)
    live = cluster(script)

    with pytest.raises(NameTaken):
        await live.apply(wanted())

    assert script.lines == ["PATCH ns/services/hello", "GET ns/services/hello"]
    assert live.get(SERVICE, "ns", "hello") is None


async def test_a_child_of_the_deleted_model_of_that_name_has_to_go_first() -> None:
    former = born(wanted())
    former["metadata"]["ownerReferences"][0]["uid"] = "u-former"
    script = Script()

    with pytest.raises(Conflict):
        await cluster(script, former).apply(wanted())

    assert script.sent == []


async def test_a_status_is_applied_whole_to_this_very_object() -> None:
    script = Script(model(2, a=1))
    live = cluster(script, model())

    await live.apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})
    await live.apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})

    ((_, path, params, body, _),) = script.sent
    assert path.endswith("/custommodels/hello/status")
    assert params == {"fieldManager": "modelyard", "force": "true"}
    assert body == {
        "apiVersion": labels.API_VERSION,
        "kind": "CustomModel",
        "metadata": {"name": "hello", "namespace": "ns", "resourceVersion": "1"},
        "status": {"a": 1},
    }


async def test_the_status_of_an_object_that_is_gone_is_no_error() -> None:
    script = Script(NotFound("gone"))

    await cluster(script, model()).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})
    await cluster(script).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})

    assert len(script.sent) == 1, "nothing is sent for what the cache does not have"


async def test_the_status_of_an_object_that_was_made_again_is_not_written() -> None:
    again = model(9)
    again["metadata"]["uid"] = "u-again"
    script = Script(Conflict("version"), again)

    await cluster(script, model()).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})

    assert [method for method, *_ in script.sent] == ["PATCH", "GET"]


async def test_a_status_is_written_over_somebodys_change_of_the_spec() -> None:
    script = Script(Conflict("version"), model(9), model(10, a=1))

    await cluster(script, model()).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})

    assert [method for method, *_ in script.sent] == ["PATCH", "GET", "PATCH"]
    assert script.sent[2][3]["metadata"]["resourceVersion"] == "9"


async def test_a_change_that_the_watch_told_of_meanwhile_is_not_read_once_more() -> None:
    cache = Cache()

    def told() -> Conflict:
        cache.put(CUSTOM_MODEL, model(9))
        return Conflict("version")

    script = Script(told, model(10, a=1))
    cache.put(CUSTOM_MODEL, model())

    await LiveCluster(script, cache, now=lambda: NOW).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})

    assert [method for method, *_ in script.sent] == ["PATCH", "PATCH"]
    assert script.sent[1][3]["metadata"]["resourceVersion"] == "9"


async def test_an_object_that_the_watch_told_of_as_made_again_is_left_alone() -> None:
    cache, again = Cache(), model(9)
    again["metadata"]["uid"] = "u-again"

    def told() -> Conflict:
        cache.put(CUSTOM_MODEL, again)
        return Conflict("version")

    script = Script(told)
    cache.put(CUSTOM_MODEL, model())

    await LiveCluster(script, cache, now=lambda: NOW).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})

    assert [method for method, *_ in script.sent] == ["PATCH"]


async def test_a_status_of_an_object_that_changes_for_ever_is_a_conflict() -> None:
    answers: list[Manifest | Exception] = [Conflict("version"), model(9)]
    script = Script(*answers * 3)

    with pytest.raises(Conflict):
        await cluster(script, model()).apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1})


async def test_create_and_replace_are_cached_and_raise_what_the_server_says() -> None:
    script = Script(born(wanted()), born(wanted(), 6), AlreadyExists("no"), Conflict("no"))
    live = cluster(script)

    await live.create(wanted())
    await live.replace(born(wanted()))

    assert script.lines == ["POST ns/services", "PUT ns/services/hello"]
    assert live.list(SERVICE, "ns")[0]["metadata"]["resourceVersion"] == "6"
    with pytest.raises(AlreadyExists):
        await live.create(wanted())
    with pytest.raises(Conflict):
        await live.replace(born(wanted()))


async def test_replace_without_a_version_would_overwrite_blindly() -> None:
    with pytest.raises(ValueError, match="precondition"):
        await cluster(Script()).replace(wanted())


@pytest.mark.parametrize(
    "answer",
    [{"kind": "Status", "status": "Success"}, born(wanted())],
    ids=["a Status", "the last state, as Services answer"],
)
async def test_delete_is_of_this_very_object_in_the_background(answer: Manifest) -> None:
    script = Script(answer)
    live = cluster(script, born(wanted()))

    await live.delete(SERVICE, "ns", "hello", uid="u-1")

    ((method, _, _, body, _),) = script.sent
    assert method == "DELETE"
    assert body["preconditions"] == {"uid": "u-1"}
    assert body["propagationPolicy"] == "Background"
    assert live.get(SERVICE, "ns", "hello") is None


@pytest.mark.parametrize(
    "answers",
    [
        [NotFound("gone")],
        [Conflict("another uid"), {"metadata": {"name": "hello", "uid": "u-2"}}],
        [Conflict("another uid"), NotFound("gone")],
    ],
    ids=["gone", "another of its name", "another that is gone by now"],
)
async def test_deleting_what_is_gone_is_no_error(answers: list[Manifest | Exception]) -> None:
    live = cluster(Script(*answers), born(wanted()))

    await live.delete(SERVICE, "ns", "hello", uid="u-1")

    assert live.get(SERVICE, "ns", "hello") is None


async def test_what_may_not_be_deleted_now_stays_known() -> None:
    """A conflict need not be about the uid: a webhook may answer with one."""
    live = cluster(Script(Conflict("not now"), born(wanted())), born(wanted()))

    with pytest.raises(Conflict, match="not now"):
        await live.delete(SERVICE, "ns", "hello", uid="u-1")

    assert live.get(SERVICE, "ns", "hello") is not None


async def test_an_object_that_takes_its_time_to_go_stays_in_the_cache() -> None:
    going = born(wanted(), 6)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    live = cluster(Script(going), born(wanted()))

    await live.delete(SERVICE, "ns", "hello", uid="u-1")

    found = live.get(SERVICE, "ns", "hello")
    assert found is not None
    assert "deletionTimestamp" in found["metadata"]


async def test_read_asks_the_server_and_absent_is_none() -> None:
    live = cluster(Script(born(wanted()), NotFound("no")))

    assert await live.read(SERVICE, "ns", "hello") == born(wanted())
    assert await live.read(POD, "ns", "p") is None
    assert live.list(SERVICE, "ns") == [], "what is read on use is not kept"


async def test_an_event_is_sent_once_for_the_same_news() -> None:
    script = Script({"kind": "Event"}, {"kind": "Event"})
    live = cluster(script)

    for message in ("one", "one", "two"):
        await live.event(model(), reason="Promoted", message=message)

    assert [body["note"] for _, _, _, body, _ in script.sent] == ["one", "two"]
    assert script.sent[0][3]["reportingInstance"] == "pod-1"
    assert script.lines[0] == "POST ns/events"


@pytest.mark.parametrize("error", [AlreadyExists("known"), Forbidden("no"), Unavailable("busy")])
async def test_an_event_that_fails_fails_nothing(error: Exception) -> None:
    script = Script(error)

    await cluster(script).event(model(), reason="R", message="m", type="Warning")

    assert len(script.sent) == 1


async def test_once_closed_no_write_leaves_and_reads_go_on() -> None:
    script = Script(NotFound("no"))
    live = cluster(script, model(1))
    live.close()

    writes = [
        live.create(wanted()),
        live.replace(born(wanted())),
        live.apply_status(CUSTOM_MODEL, "ns", "hello", {"a": 1}),
        live.delete(SERVICE, "ns", "hello", uid="u"),
    ]
    refused = await asyncio.gather(*writes, return_exceptions=True)
    await live.event(model(), reason="R", message="m")

    assert [type(error) for error in refused] == [Unavailable] * 4
    assert script.sent == []
    assert await live.read(SERVICE, "ns", "hello") is None


async def test_several_are_applied_at_once_and_each_error_stands_in_its_place() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()
    script = Script()

    async def request(method: str, path: str, **rest: Any) -> Manifest:
        script.sent.append((method, path, {}, rest.get("body"), ""))
        if len(script.sent) == 3:
            asked.set()
        await answer.wait()
        if path.endswith("/b"):
            raise Invalid("no")
        return born(rest["body"])

    script.request = request  # type: ignore[method-assign]
    manifests = [{**wanted(), "metadata": {**wanted()["metadata"], "name": name}} for name in "abc"]
    task = asyncio.create_task(cluster(script).apply_each(manifests))
    async with asyncio.timeout(5):
        await asked.wait()  # all of them are under way, and none has its answer
    answer.set()

    first, second, third = await task
    assert (first, third) == (None, None)
    assert isinstance(second, Invalid)


async def test_a_bug_in_one_of_several_is_no_answer_of_the_server() -> None:
    script = Script()

    async def request(*_: Any, **__: Any) -> Manifest:
        raise KeyError("bug")

    script.request = request  # type: ignore[method-assign]
    with pytest.raises(KeyError):
        await cluster(script).apply_each([wanted()])
