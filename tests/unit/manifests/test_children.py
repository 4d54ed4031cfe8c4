"""What every child has in common, whatever it is made from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.manifests.metadata import Manifest, Owner, is_of_another, is_owned_by
from modelyard.manifests.workload import children
from modelyard.settings import Settings
from tests.unit.manifests.builders import MODEL, SETTINGS, make_frozen
from tests.unit.manifests.test_golden import MANIFESTS

ALL = {name: build() for name, build in MANIFESTS.items()}


def _templates() -> Iterator[tuple[str, Manifest]]:
    for name, manifest in ALL.items():
        if manifest["kind"] in ("Deployment", "Job"):
            yield name, manifest["spec"]["template"]


TEMPLATES = dict(_templates())


@pytest.mark.parametrize("name", ALL)
def test_every_child_says_that_it_is_ours_and_whose(name: str) -> None:
    metadata = ALL[name]["metadata"]
    (owner,) = metadata["ownerReferences"]
    assert metadata["labels"][labels.MANAGED_BY] == labels.MANAGED_BY_VALUE
    assert owner["controller"] is True
    assert owner["blockOwnerDeletion"] is False, "a user's foreground delete must not wait for us"
    assert metadata["namespace"] == "team-a"


@pytest.mark.parametrize("name", ALL)
def test_every_child_carries_our_labels_only_and_a_version_s_service_its_route(name: str) -> None:
    metadata = ALL[name]["metadata"]
    assert all(label.startswith(f"{labels.GROUP}/") for label in metadata["labels"])
    says_its_route = name.startswith("service-of-a-version")
    assert metadata.get("annotations", {}).keys() == ({labels.ROUTE} if says_its_route else set())


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.startswith("job")])
def test_no_pod_of_a_test_can_get_traffic(name: str) -> None:
    assert not {labels.SERVES, labels.MODEL} & TEMPLATES[name]["metadata"]["labels"].keys()
    assert not {labels.SERVES, labels.MODEL} & ALL[name]["metadata"]["labels"].keys()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_pod_says_its_workload_and_its_egress(name: str) -> None:
    found = TEMPLATES[name]["metadata"]["labels"]
    assert found[labels.MANAGED_BY] == labels.MANAGED_BY_VALUE
    assert found[labels.WORKLOAD] == ALL[name]["metadata"]["name"]
    assert found[labels.EGRESS] in ("none", "public", "test")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_container_sets_requests_and_limits(name: str) -> None:
    for container in TEMPLATES[name]["spec"]["containers"]:
        resources = container["resources"]
        assert resources["requests"].keys() == {"cpu", "memory"}
        assert "memory" in resources["limits"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_pod_fits_pod_security_restricted(name: str) -> None:
    spec = TEMPLATES[name]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "hostUsers", "serviceAccountName"}
    assert all(volume.keys() - {"name"} <= {"configMap", "emptyDir"} for volume in spec["volumes"])
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        }
        assert all("hostPort" not in port for port in container.get("ports", []))


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_pod_may_write_is_limited(name: str) -> None:
    spec = TEMPLATES[name]["spec"]
    scratch = {volume["name"]: volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume}
    assert all(volume.get("sizeLimit") for volume in scratch.values())
    for mount in spec["containers"][0]["volumeMounts"]:
        assert mount["name"] in scratch or mount["readOnly"] is True


@pytest.mark.parametrize(
    ("replicas", "serves", "budget"),
    [(1, True, False), (2, True, True), (2, False, False), (8, True, True)],
)
def test_a_disruption_budget_is_for_what_serves_twice(replicas: int, serves: bool, budget: bool) -> None:
    made = children(
        make_frozen(replicas=replicas),
        MODEL,
        replicas=replicas,
        serves=serves,
        callers=[],
        columns=[],
        settings=SETTINGS,
    )
    assert ("PodDisruptionBudget" in [child["kind"] for child in made]) == budget


def test_the_record_comes_first_and_the_pods_come_last() -> None:
    made = children(
        make_frozen(replicas=2),
        MODEL,
        replicas=2,
        serves=True,
        callers=[],
        columns=[],
        settings=SETTINGS,
    )
    assert [child["kind"] for child in made] == [
        "ControllerRevision",
        "NetworkPolicy",
        "Service",
        "PodDisruptionBudget",
        "Deployment",
    ]
    assert len({child["metadata"]["name"] for child in made}) == 1


@pytest.mark.parametrize(
    ("replicas", "requires_ha", "surge", "unavailable"),
    [(1, False, 1, 0), (1, True, 1, 0), (2, False, 1, 0), (2, True, 0, 1), (8, True, 0, 1)],
)
def test_with_a_pod_a_node_one_goes_before_another_comes(
    replicas: int, requires_ha: bool, surge: int, unavailable: int
) -> None:
    made = children(
        make_frozen(replicas=replicas, requiresHa=requires_ha),
        MODEL,
        replicas=replicas,
        serves=False,
        callers=[],
        columns=[],
        settings=SETTINGS,
    )
    strategy = made[-1]["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": surge, "maxUnavailable": unavailable}


@pytest.mark.parametrize("user", [None, 1001])
def test_the_user_is_the_clusters_choice_or_ours_everywhere(user: int | None) -> None:
    made = make_frozen(Settings(run_as_user=user)).template["spec"]["securityContext"]
    ids = {name: made.get(name) for name in ("runAsUser", "runAsGroup", "fsGroup")}
    assert set(ids.values()) == {user}


def _owned(*uids: str) -> dict[str, Any]:
    return {"metadata": {"ownerReferences": [{"uid": uid} for uid in uids]} if uids else {}}


@pytest.mark.parametrize(
    ("owners", "owned", "of_another"),
    [((), False, False), (("a",), True, False), (("b",), False, True), (("b", "a"), True, False)],
)
def test_an_object_without_an_owner_is_nobodys(
    owners: tuple[str, ...], owned: bool, of_another: bool
) -> None:
    assert is_owned_by(_owned(*owners), "a") is owned
    assert is_of_another(_owned(*owners), "a") is of_another


def test_names_of_different_children_of_one_kind_differ() -> None:
    of_kind: dict[str, list[str]] = {}
    frozen = [
        make_frozen(),
        make_frozen(replicas=2),
        make_frozen(environmentVariables=[{"name": "A", "value": "1"}]),
        make_frozen(environmentVariables=[{"name": "A", "value": "2"}]),
        make_frozen(model={"targetName": "z"}),
        make_frozen(environment={"startCommand": ["x"]}),
        make_frozen(Settings(cpu_limit="1")),
    ]
    for one in frozen:
        of_kind.setdefault("Deployment", []).append(one.workload)
    for a, b in itertools.combinations(of_kind["Deployment"], 2):
        assert a != b


def test_an_owner_is_told_by_its_uid() -> None:
    other = Owner(MODEL.kind, MODEL.namespace, MODEL.name, "another")
    assert MODEL.reference() | {"uid": "another"} == other.reference()
