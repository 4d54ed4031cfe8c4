"""What the real API server makes of our writes: ownership, drift, preconditions, status, events."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CUSTOM_MODEL,
    EVENT,
    EXECUTION_ENVIRONMENT,
    NETWORK_POLICY,
    SERVICE,
    kind_of,
)
from modelyard.kube.cache import compacted
from modelyard.kube.drift import has_drifted, stamped
from modelyard.kube.errors import AlreadyExists, Conflict, Invalid, NameTaken
from modelyard.kube.live import LiveCluster
from tests.apiserver.kube import client
from tests.apiserver.server import ApiServer
from tests.support.objects import as_applied, make_dataset, make_environment, make_model, make_version
from tests.support.world import World

Manifest = dict[str, Any]


def service(namespace: str, *, owner: str = "u-m", **spec: Any) -> Manifest:
    reference = {
        "apiVersion": labels.API_VERSION,
        "kind": "CustomModel",
        "name": "hello",
        "uid": owner,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "hello",
            "namespace": namespace,
            "labels": {labels.MANAGED_BY: labels.MANAGED_BY_VALUE},
            "ownerReferences": [reference],
        },
        "spec": {"selector": {"a": "b"}, "ports": [{"name": "http", "port": 80, "protocol": "TCP"}], **spec},
    }


def patch(server: ApiServer, path: str, body: Manifest, *, manager: str = "somebody") -> Manifest:
    """Somebody else's change."""
    answer = server.request(
        "PATCH", f"{path}?fieldManager={manager}", body, content_type="application/merge-patch+json"
    )
    assert answer.status == 200, answer.message
    return answer.body


async def every_child(monkeypatch: pytest.MonkeyPatch) -> list[Manifest]:
    """All manifests that the passes apply for models of all sorts, as they apply them."""
    applied: dict[tuple[str, str], Manifest] = {}
    apply = LiveCluster.apply

    async def spying(self: LiveCluster, manifest: Manifest) -> Manifest:
        applied[manifest["kind"], manifest["metadata"]["name"]] = copy.deepcopy(manifest)
        return await apply(self, manifest)

    monkeypatch.setattr(LiveCluster, "apply", spying)
    world = World()
    gate = {"tests": [{"name": "rows", "dataset": make_dataset(), "configuration": {}}]}
    callers = [
        {"podSelector": {"matchLabels": {"role": "caller"}}},
        {"namespaceSelector": {"matchLabels": {"team": "b"}}, "podSelector": {"matchLabels": {"role": "x"}}},
    ]
    variables = [{"name": "EMPTY", "value": ""}, {"name": "FULL", "value": "ä\n"}]
    world.user.apply(make_environment(), make_model(), make_version())
    world.user.apply(make_model("rich", gate=gate, callers=callers))
    world.user.apply(
        make_version(
            "rich-1",
            modelRef={"name": "rich"},
            replicas=3,
            requiresHa=True,
            networkEgressPolicy="PUBLIC",
            environmentVariables=variables,
            maximumMemory="1536Mi",
            desiredMemory="0.5Gi",
            cpu="0.25",
        )
    )
    await world.settle()
    await world.pass_time(60)
    return list(applied.values())


async def test_no_child_of_ours_drifts_by_what_the_api_server_makes_of_it(
    server: ApiServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every pass would write. All children that the passes make are tried, twice, with a cold cache."""
    children = await every_child(monkeypatch)
    kinds = {manifest["kind"] for manifest in children}
    assert {"Deployment", "Service", "NetworkPolicy", "ConfigMap", "ControllerRevision", "Job"} <= kinds
    assert {"PodDisruptionBudget", "ModelTest", "ExecutionEnvironmentVersion"} <= kinds

    async with client(server) as first, client(server) as second:
        for manifest in children:
            manifest["metadata"]["namespace"] = namespace
            answer = await first.live.apply(manifest)
            kind = kind_of(manifest["apiVersion"], manifest["kind"])
            assert not has_drifted(compacted(kind, answer), stamped(manifest)), manifest["kind"]
        first.writes()
        for manifest in children:
            await first.live.apply(manifest)
            await second.live.apply(manifest)

        assert first.writes() == []
        assert second.writes() == []


async def test_network_policies_state_both_directions_even_when_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not stated is not ours: somebody's added rule would stay, unseen."""
    children = await every_child(monkeypatch)
    policies = [manifest["spec"] for manifest in children if manifest["kind"] == "NetworkPolicy"]

    assert len(policies) > 2
    assert all({"podSelector", "policyTypes", "ingress", "egress"} <= policy.keys() for policy in policies)


async def test_our_fields_are_ours_alone_and_a_field_given_up_is_gone(
    server: ApiServer, namespace: str
) -> None:
    async with client(server) as ours:
        made = await ours.live.apply(service(namespace, sessionAffinity="ClientIP"))
        assert [(entry["manager"], entry["operation"]) for entry in made["metadata"]["managedFields"]] == [
            ("modelyard", "Apply")
        ]

        changed = await ours.live.apply(service(namespace))

    assert changed["spec"]["sessionAffinity"] == "None"


async def test_what_others_change_is_put_right_and_what_they_add_stays(
    server: ApiServer, namespace: str
) -> None:
    path = SERVICE.path(namespace, "hello")
    async with client(server) as ours:
        await ours.live.apply(service(namespace))
        edit = {"metadata": {"labels": {"team": "b"}}, "spec": {"selector": {"a": "stolen"}}}
        ours.cache.put(SERVICE, patch(server, path, edit))

        mended = await ours.live.apply(service(namespace))

    assert mended["spec"]["selector"] == {"a": "b"}
    assert mended["metadata"]["labels"] == {labels.MANAGED_BY: labels.MANAGED_BY_VALUE, "team": "b"}


@pytest.mark.parametrize(
    "edit",
    [
        {"egress": [{}]},
        {"podSelector": {"matchLabels": {"only": "me"}}},
        {"ingress": [{"from": [{"podSelector": {}}]}]},
        {"ingress": None},
        {"policyTypes": ["Ingress"]},
    ],
    ids=[
        "egress opened",
        "fewer pods selected",
        "ingress widened",
        "ingress removed",
        "egress no longer a type",
    ],
)
async def test_a_network_policy_that_somebody_edits_is_put_right(
    server: ApiServer, namespace: str, edit: Manifest
) -> None:
    """An edited policy is a hole. `egress: []` is stated, else what somebody adds there would not be ours."""
    peers = [{"podSelector": {"matchLabels": {"role": "caller"}}}]
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers, "ports": [{"port": 8080, "protocol": "TCP"}]}],
        "egress": [],
    }
    manifest = {
        **service(namespace),
        "apiVersion": NETWORK_POLICY.api_version,
        "kind": "NetworkPolicy",
        "spec": spec,
    }
    async with client(server) as ours:
        made = await ours.live.apply(manifest)
        ours.cache.put(NETWORK_POLICY, patch(server, NETWORK_POLICY.path(namespace, "hello"), {"spec": edit}))

        mended = await ours.live.apply(manifest)

    assert mended["spec"] == made["spec"]
    assert mended["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]


async def test_an_object_that_somebody_else_made_is_left_alone(server: ApiServer, namespace: str) -> None:
    theirs = service(namespace)
    del theirs["metadata"]["ownerReferences"]
    answer = server.request("POST", SERVICE.path(namespace), theirs)
    assert answer.status == 201

    async with client(server) as ours:
        with pytest.raises(
            NameTaken, match=r"^Service 'hello' in namespace '.*' exists and was not made by Modelyard"
        ):
            await ours.live.apply(service(namespace))
        assert ours.writes() == []

    after = server.request("GET", SERVICE.path(namespace, "hello")).body
    assert after["metadata"]["resourceVersion"] == answer.body["metadata"]["resourceVersion"]


async def test_whatever_its_kind_an_object_that_somebody_else_made_is_left_as_it_is(
    server: ApiServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by an apply that would not meet any field of theirs: what creates must not touch what exists."""
    for manifest in await every_child(monkeypatch):
        manifest["metadata"]["namespace"] = namespace
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        theirs = {**manifest, "metadata": {"name": manifest["metadata"]["name"], "labels": {"by": "them"}}}
        answer = server.request("POST", kind.path(namespace), theirs)
        assert answer.status == 201, answer.message

        async with client(server) as ours:
            with pytest.raises(NameTaken):
                await ours.live.apply(manifest)

        after = server.request("GET", kind.path(namespace, manifest["metadata"]["name"])).body
        assert after["metadata"]["resourceVersion"] == answer.body["metadata"]["resourceVersion"]


async def test_a_child_of_the_deleted_model_of_that_name_is_waited_for(
    server: ApiServer, namespace: str
) -> None:
    async with client(server) as ours:
        await ours.live.apply(service(namespace, owner="u-former"))

        with pytest.raises(Conflict, match="still belongs to a deleted CustomModel"):
            await ours.live.apply(service(namespace))


async def test_what_the_server_refuses_names_the_field(server: ApiServer, namespace: str) -> None:
    async with client(server) as ours:
        with pytest.raises(
            Invalid, match=r"^apply Service .*/hello: .*spec\.ports\[0\]\.port.*must be between"
        ):
            await ours.live.apply(service(namespace, ports=[{"port": 70000, "protocol": "TCP"}]))


async def test_creating_twice_and_replacing_the_old(server: ApiServer, namespace: str) -> None:
    async with client(server) as ours:
        made = await ours.live.create(service(namespace))
        with pytest.raises(AlreadyExists):
            await ours.live.create(service(namespace))
        made["spec"]["selector"] = {"c": "d"}
        newer = await ours.live.replace(made)
        with pytest.raises(Conflict):
            await ours.live.replace(made)

    assert newer["spec"]["selector"] == {"c": "d"}


async def test_a_status_is_written_whole_once_and_leaves_the_spec_alone(
    server: ApiServer, namespace: str
) -> None:
    made = create(server, namespace, make_model())
    status = {
        "observedGeneration": 1,
        "versions": 2,
        "conditions": [condition("Ready"), condition("Available")],
    }
    async with client(server) as ours:
        ours.cache.put(CUSTOM_MODEL, made)
        await ours.live.apply_status(CUSTOM_MODEL, namespace, "hello", status)
        assert ours.writes() == [f"apply CustomModel {namespace}/hello status"]
        await ours.live.apply_status(CUSTOM_MODEL, namespace, "hello", status)
        assert ours.writes() == []
        del status["versions"]
        await ours.live.apply_status(CUSTOM_MODEL, namespace, "hello", status)

    after = server.request("GET", CUSTOM_MODEL.path(namespace, "hello")).body
    assert after["status"] == status
    assert after["spec"] == made["spec"]
    assert after["metadata"]["generation"] == 1
    assert {"annotations", "finalizers", "ownerReferences"}.isdisjoint(after["metadata"])


def condition(type: str) -> Manifest:
    return {
        "type": type,
        "status": "True",
        "reason": "AsDesired",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def create(server: ApiServer, namespace: str, manifest: Manifest) -> Manifest:
    body = as_applied(manifest)
    body["metadata"]["namespace"] = namespace
    kind = kind_of(body["apiVersion"], body["kind"])
    answer = server.request("POST", kind.path(namespace), body)
    assert answer.status == 201, answer.message
    return answer.body


async def test_a_status_does_not_bring_a_deleted_object_back(server: ApiServer, namespace: str) -> None:
    made = create(server, namespace, make_environment())
    path = EXECUTION_ENVIRONMENT.path(namespace, "python")
    server.request("DELETE", path)
    async with client(server) as ours:
        ours.cache.put(EXECUTION_ENVIRONMENT, made)
        await ours.live.apply_status(EXECUTION_ENVIRONMENT, namespace, "python", {"observedGeneration": 1})
        assert ours.writes() == []
        assert [request.verb for request in ours.refused] == ["apply"]

    assert server.request("GET", path).status == 404


async def test_a_status_is_not_given_to_another_object_of_that_name(
    server: ApiServer, namespace: str
) -> None:
    former = create(server, namespace, make_environment())
    path = EXECUTION_ENVIRONMENT.path(namespace, "python")
    server.request("DELETE", path)
    create(server, namespace, make_environment())
    async with client(server) as ours:
        ours.cache.put(EXECUTION_ENVIRONMENT, former)
        status = {"observedGeneration": 7}
        await ours.live.apply_status(EXECUTION_ENVIRONMENT, namespace, "python", status)

    assert server.request("GET", path).body["status"]["observedGeneration"] == -1


async def test_a_status_is_written_over_a_change_of_the_spec_that_we_have_not_seen(
    server: ApiServer, namespace: str
) -> None:
    seen = create(server, namespace, make_environment())
    path = EXECUTION_ENVIRONMENT.path(namespace, "python")
    patch(server, path, {"spec": {"label": "newer"}})
    async with client(server) as ours:
        ours.cache.put(EXECUTION_ENVIRONMENT, seen)
        status = {"observedGeneration": 1}
        await ours.live.apply_status(EXECUTION_ENVIRONMENT, namespace, "python", status)

    after = server.request("GET", path).body
    assert (after["spec"]["label"], after["status"]["observedGeneration"]) == ("newer", 1)


async def test_only_the_very_object_is_deleted(server: ApiServer, namespace: str) -> None:
    path = SERVICE.path(namespace, "hello")
    async with client(server) as ours:
        made = await ours.live.apply(service(namespace))
        await ours.live.delete(SERVICE, namespace, "hello", uid="another")
        assert server.request("GET", path).status == 200

        await ours.live.delete(SERVICE, namespace, "hello", uid=made["metadata"]["uid"])
        assert server.request("GET", path).status == 404
        assert ours.live.get(SERVICE, namespace, "hello") is None
        await ours.live.delete(SERVICE, namespace, "hello", uid=made["metadata"]["uid"])


async def test_a_deleted_child_can_be_made_again_at_once(server: ApiServer, namespace: str) -> None:
    async with client(server) as ours:
        first = await ours.live.apply(service(namespace))
        await ours.live.delete(SERVICE, namespace, "hello", uid=first["metadata"]["uid"])
        second = await ours.live.apply(service(namespace))

        found = ours.live.get(SERVICE, namespace, "hello")

    assert found is not None
    assert found["metadata"]["uid"] == second["metadata"]["uid"] != first["metadata"]["uid"]


async def test_events_are_accepted_once_even_by_a_second_process(server: ApiServer, namespace: str) -> None:
    about = create(server, namespace, make_model())
    for _ in range(2):
        async with client(server) as ours:
            await ours.live.event(about, reason="Promoted", message="é" * 2000)
            await ours.live.event(about, reason="Promoted", message="é" * 2000)
            await ours.live.event(about, reason="Refused", message="no", type="Warning")

    found = server.request("GET", EVENT.path(namespace)).body["items"]
    assert sorted((event["reason"], event["type"]) for event in found) == [
        ("Promoted", "Normal"),
        ("Refused", "Warning"),
    ]


async def test_contents_are_read_from_the_server_while_the_cache_has_digests(
    server: ApiServer, namespace: str
) -> None:
    made = create(server, namespace, make_version())
    kind = kind_of(made["apiVersion"], made["kind"])
    async with client(server) as ours:
        ours.cache.put(kind, made)
        cached, full = (
            ours.live.get(kind, namespace, "hello-1"),
            await ours.live.read(kind, namespace, "hello-1"),
        )

    assert cached is not None
    assert full is not None
    assert cached["spec"]["source"]["inline"][0]["content"].startswith("\0sha256:")
    assert full["spec"]["source"]["inline"][0]["content"].startswith("#!/bin/sh")
