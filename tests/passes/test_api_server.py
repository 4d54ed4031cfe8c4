"""What a world's API server makes of a write, whichever it is: the one in memory must do as the real one does.

Each of these was once different, or would go unnoticed if it became so.
"""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    MODEL_LEDGER,
    NETWORK_POLICY,
    SERVICE,
    Kind,
)
from modelyard.kube.errors import AlreadyExists, Conflict, Invalid, NotFound
from tests.support.objects import NAMESPACE, as_applied, make_ledger, make_model, make_version
from tests.support.world import World

Manifest = dict[str, Any]

NAME = "thing"
OTHER_UID = "00000000-0000-0000-0000-0000000000ff"


def _thing(kind: Kind, **fields: Any) -> Manifest:
    metadata = {"name": NAME, "namespace": NAMESPACE, **fields.pop("metadata", {})}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **fields}


async def _applied(world: World, kind: Kind, **fields: Any) -> Manifest:
    return await world.api.request("PATCH", kind.path(NAMESPACE, NAME), body=_thing(kind, **fields))


async def _with_status(world: World, status: Manifest, **metadata: Any) -> Manifest:
    body = {**_thing(CUSTOM_MODEL, metadata=metadata), "status": status}
    return await world.api.request("PATCH", CUSTOM_MODEL.path(NAMESPACE, NAME, "status"), body=body)


def _model(world: World, **spec: Any) -> Manifest:
    return world.api.create(CUSTOM_MODEL, as_applied(make_model(NAME, **spec)))


# --- what it fills in and leaves out ---------------------------------------------------------------------------


async def test_a_new_object_gets_its_identity_and_a_status_that_nobody_has_seen() -> None:
    world = World()
    made = _model(world)
    metadata = made["metadata"]
    assert metadata["uid"] == "00000000-0000-0000-0000-000000000001"
    assert (metadata["generation"], metadata["creationTimestamp"]) == (1, "2026-01-01T12:00:00Z")
    assert made["status"] == {"observedGeneration": -1}


async def test_our_schemas_fill_in_what_is_absent() -> None:
    made = _model(World(), predictionThreshold=None)
    assert made["spec"]["predictionThreshold"] == 0.5


async def test_a_ledger_has_no_status() -> None:
    made = World().api.create(MODEL_LEDGER, as_applied(make_ledger(NAME)))
    assert "status" not in made


async def test_a_service_gets_an_address() -> None:
    made = await _applied(World(), SERVICE, spec={"selector": {"a": "b"}, "ports": [{"port": 80}]})
    assert made["spec"]["clusterIP"] == "10.96.0.3"


async def test_empty_rules_and_endpoints_are_not_spelled_out() -> None:
    world = World()
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": []}
    assert "egress" not in (await _applied(world, NETWORK_POLICY, spec=spec))["spec"]
    slice = _thing(ENDPOINT_SLICE, addressType="IPv4", endpoints=[])
    assert world.api.create(ENDPOINT_SLICE, slice)["endpoints"] is None


# --- apply -----------------------------------------------------------------------------------------------------


async def test_apply_takes_back_what_it_no_longer_says_and_leaves_what_others_said() -> None:
    world = World()
    await _applied(world, CONFIG_MAP, data={"a": "1", "b": "2"})
    world.user.edit(CONFIG_MAP, NAME, data={"c": "3"})
    found = await _applied(world, CONFIG_MAP, data={"a": "1"})
    assert found["data"] == {"a": "1", "c": "3"}


async def test_apply_of_the_same_is_no_write() -> None:
    world = World()
    first = await _applied(world, CONFIG_MAP, data={"a": "1"})
    assert await _applied(world, CONFIG_MAP, data={"a": "1"}) == first
    assert [str(write) for write in world.api.writes] == ["create ConfigMap thing"]


async def test_a_status_is_applied_whole_and_leaves_the_spec() -> None:
    world = World()
    made = _model(world)
    await _with_status(world, {"observedGeneration": 1, "versions": 3})
    found = await _with_status(world, {"observedGeneration": 1})
    assert found["status"] == {"observedGeneration": 1}
    assert (found["spec"], found["metadata"]["generation"]) == (made["spec"], 1)


async def test_a_status_for_another_version_conflicts() -> None:
    world = World()
    _model(world)
    with pytest.raises(Conflict):
        await _with_status(world, {"observedGeneration": 1}, resourceVersion="1")
    assert len(world.api.writes) == 1


async def test_a_uid_alone_protects_no_status() -> None:
    """So the version has to be named: a status is else given to whoever has the name now."""
    world = World()
    _model(world)
    found = await _with_status(world, {"observedGeneration": 1}, uid=OTHER_UID)
    assert found["status"] == {"observedGeneration": 1}


async def test_a_status_of_nothing_is_not_found() -> None:
    with pytest.raises(NotFound):
        await _with_status(World(), {"observedGeneration": 1})


# --- replace ---------------------------------------------------------------------------------------------------


async def _replaced(world: World, kind: Kind, manifest: Manifest) -> Manifest:
    return await world.api.request("PUT", kind.path(NAMESPACE, NAME), body=manifest)


async def test_replace_drops_what_it_does_not_say_but_never_the_status() -> None:
    world = World()
    made = _model(world, targetName="z")
    world.user.edit(CUSTOM_MODEL, NAME, metadata={"annotations": {"by": "hand"}})
    found = await _with_status(world, {"observedGeneration": 1})
    body = {**as_applied(make_model(NAME)), "status": {"observedGeneration": 7}}
    body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
    after = await _replaced(world, CUSTOM_MODEL, body)
    assert "annotations" not in after["metadata"]
    assert (after["spec"]["targetName"], after["metadata"]["generation"]) == ("y", 2)
    assert after["status"] == {"observedGeneration": 1}
    assert after["metadata"]["uid"] == made["metadata"]["uid"]


async def test_replace_of_an_older_version_conflicts() -> None:
    world = World()
    made = _model(world)
    world.user.edit(CUSTOM_MODEL, NAME, spec={"targetName": "z"})
    with pytest.raises(Conflict):
        await _replaced(world, CUSTOM_MODEL, made)


async def test_replace_of_another_object_of_the_name_conflicts() -> None:
    world = World()
    made = _model(world)
    other = {**made, "metadata": {**made["metadata"], "uid": OTHER_UID}}
    with pytest.raises(Conflict):
        await _replaced(world, CUSTOM_MODEL, other)


async def test_labels_are_no_new_generation() -> None:
    world = World()
    _model(world)
    world.user.edit(CUSTOM_MODEL, NAME, metadata={"labels": {"a": "b"}})
    assert world.get(CUSTOM_MODEL, NAME)["metadata"]["generation"] == 1


# --- refusals --------------------------------------------------------------------------------------------------


async def test_what_exists_is_not_created_again() -> None:
    world = World()
    _model(world)
    with pytest.raises(AlreadyExists):
        _model(world)


async def test_a_versions_code_cannot_be_changed_but_its_description_can() -> None:
    world = World()
    world.api.create(CUSTOM_MODEL_VERSION, as_applied(make_version(NAME)))
    world.user.edit(CUSTOM_MODEL_VERSION, NAME, spec={"description": "better words"})
    with pytest.raises(Invalid):
        world.user.edit(CUSTOM_MODEL_VERSION, NAME, spec={"replicas": 2})


async def test_an_immutable_config_map_cannot_be_changed() -> None:
    world = World()
    await _applied(world, CONFIG_MAP, immutable=True, data={"a": "1"})
    with pytest.raises(Invalid):
        await _applied(world, CONFIG_MAP, immutable=True, data={"a": "2"})


# --- the end of an object --------------------------------------------------------------------------------------


async def test_a_finalizer_keeps_an_object_until_it_is_taken_away() -> None:
    world = World()
    _model(world)
    world.user.delete_while_held(CUSTOM_MODEL, NAME)
    assert world.get(CUSTOM_MODEL, NAME)["metadata"]["deletionTimestamp"] == "2026-01-01T12:00:00Z"
    world.user.edit(CUSTOM_MODEL, NAME, metadata={"finalizers": []})
    with pytest.raises(NotFound):
        world.get(CUSTOM_MODEL, NAME)


async def test_another_object_of_the_name_is_not_deleted() -> None:
    world = World()
    _model(world)
    body = {"preconditions": {"uid": OTHER_UID}}
    with pytest.raises(Conflict):
        await world.api.request("DELETE", CUSTOM_MODEL.path(NAMESPACE, NAME), body=body)
    assert world.get(CUSTOM_MODEL, NAME)["metadata"]["name"] == NAME


async def test_what_a_deleted_object_owned_goes_with_it() -> None:
    world = World()
    owner = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "CustomModel", "name": NAME}
    owner["uid"] = _model(world)["metadata"]["uid"]
    await _applied(world, CONFIG_MAP, metadata={"ownerReferences": [owner]})
    world.user.delete(CUSTOM_MODEL, NAME)
    assert world.api.objects == {}
    assert [write.actor for write in world.api.writes[-2:]] == ["user", "collector"]


async def test_a_name_can_be_used_again_and_what_was_applied_before_is_forgotten() -> None:
    world = World()
    first = await _applied(world, CONFIG_MAP, data={"a": "1"})
    world.user.delete(CONFIG_MAP, NAME)
    world.api.create(CONFIG_MAP, _thing(CONFIG_MAP, data={"a": "1"}))
    found = await _applied(world, CONFIG_MAP, data={"b": "2"})
    assert found["data"] == {"a": "1", "b": "2"}
    assert found["metadata"]["uid"] != first["metadata"]["uid"]


async def test_a_workload_counts_its_generations() -> None:
    world = World()
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "model", "image": "one:1"}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await _applied(world, DEPLOYMENT, spec=spec)
    found = await _applied(world, DEPLOYMENT, spec={**spec, "replicas": 2})
    assert found["metadata"]["generation"] == 2
