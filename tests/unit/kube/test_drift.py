"""Drift is what an apply would change: not defaults, not another spelling, not what others added.

The manifests below are as a real API server gives them back; tests/apiserver checks that against one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.digests import without_contents
from modelyard.kube.drift import Agreed, has_drifted, is_same_status, stamped

Manifest = dict[str, Any]
Edit = Callable[[Manifest], object]

DEPLOYMENT: Manifest = stamped(
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "hello-1",
            "namespace": "ns",
            "labels": {labels.MANAGED_BY: labels.MANAGED_BY_VALUE},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u", "controller": True}
            ],
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {
                    "automountServiceAccountToken": False,
                    "containers": [
                        {
                            "name": "model",
                            "image": "repo@sha256:1",
                            "command": ["start"],
                            "env": [{"name": "PORT", "value": "8080"}, {"name": "EMPTY", "value": ""}],
                            "ports": [{"name": "http", "containerPort": 8080}],
                            "resources": {
                                "requests": {"cpu": "0.25", "memory": "1024Mi"},
                                "limits": {"memory": "1024Mi"},
                            },
                            "volumeMounts": [
                                {"name": "code", "mountPath": "/opt/modelyard/code", "readOnly": True},
                                {"name": "tmp", "mountPath": "/tmp"},
                            ],
                            "securityContext": {"capabilities": {"drop": ["ALL"]}},
                        }
                    ],
                    "volumes": [
                        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
                        {"name": "code", "configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}},
                    ],
                    "affinity": {
                        "podAntiAffinity": {
                            "requiredDuringSchedulingIgnoredDuringExecution": [
                                {
                                    "labelSelector": {"matchLabels": {"a": "b"}},
                                    "topologyKey": "kubernetes.io/hostname",
                                }
                            ]
                        }
                    },
                },
            },
        },
    }
)


def live_deployment() -> Manifest:
    """DEPLOYMENT as it comes back: defaults filled in, quantities canonical, status added."""
    live = copy.deepcopy(DEPLOYMENT)
    live["metadata"].update(
        uid="1", resourceVersion="5", generation=1, creationTimestamp="2026-01-01T00:00:00Z"
    )
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    live["spec"].update(progressDeadlineSeconds=600, strategy={"type": "RollingUpdate"})
    pod = live["spec"]["template"]["spec"]
    pod.update(dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    container = pod["containers"][0]
    container.update(imagePullPolicy="IfNotPresent", terminationMessagePath="/dev/termination-log")
    container["env"][1] = {"name": "EMPTY"}
    container["ports"][0]["protocol"] = "TCP"
    container["resources"] = {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    pod["volumes"][1]["configMap"]["defaultMode"] = 420
    live["status"] = {"replicas": 2}
    return live


def container_of(live: Manifest) -> Manifest:
    found: Manifest = live["spec"]["template"]["spec"]["containers"][0]
    return found


POLICY: Manifest = stamped(
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "ns"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": {"a": "b"}}}], "ports": [{"port": 8080}]},
            ],
            "egress": [],
        },
    }
)


def live_policy() -> Manifest:
    live = copy.deepcopy(POLICY)
    live["spec"]["ingress"][0]["ports"][0]["protocol"] = "TCP"
    del live["spec"]["egress"]
    return live


def test_what_the_api_server_fills_in_is_no_drift() -> None:
    assert not has_drifted(live_deployment(), DEPLOYMENT)
    assert not has_drifted(live_policy(), POLICY)


@pytest.mark.parametrize(
    "edit",
    [
        lambda live: live["metadata"]["labels"].update(team="a"),
        lambda live: live["metadata"]["annotations"].update(note="x"),
        lambda live: live["metadata"]["ownerReferences"].insert(0, {"uid": "other"}),
        lambda live: live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "sidecar"}),
        lambda live: live["spec"]["template"]["spec"]["volumes"].append({"name": "more"}),
        lambda live: container_of(live)["env"].insert(0, {"name": "INJECTED", "value": "1"}),
        lambda live: container_of(live)["volumeMounts"].append({"name": "code", "mountPath": "/elsewhere"}),
        lambda live: container_of(live)["env"].reverse(),
        lambda live: live["status"].update(replicas=0),
    ],
)
def test_what_others_add_stays(edit: Edit) -> None:
    live = live_deployment()
    edit(live)

    assert not has_drifted(live, DEPLOYMENT)


@pytest.mark.parametrize(
    "edit",
    [
        lambda live: live["metadata"]["labels"].clear(),
        lambda live: live["metadata"].pop("labels"),
        lambda live: live["metadata"]["ownerReferences"].clear(),
        lambda live: live["metadata"]["annotations"].pop(labels.APPLIED),
        lambda live: live["spec"].update(replicas=3),
        lambda live: live["spec"]["template"]["spec"].update(automountServiceAccountToken=True),
        lambda live: live["spec"]["template"]["spec"]["containers"].clear(),
        lambda live: container_of(live).update(image="repo@sha256:2"),
        lambda live: container_of(live).update(command=["start", "--debug"]),
        lambda live: container_of(live).pop("command"),
        lambda live: container_of(live)["env"][0].update(value="9090"),
        lambda live: container_of(live)["env"][1].update(value="full"),
        lambda live: container_of(live)["env"].pop(0),
        lambda live: container_of(live)["ports"][0].update(containerPort=9090),
        lambda live: container_of(live)["resources"]["limits"].update(memory="2Gi"),
        lambda live: container_of(live)["resources"]["requests"].pop("cpu"),
        lambda live: container_of(live)["volumeMounts"][0].update(readOnly=False),
        lambda live: container_of(live)["securityContext"]["capabilities"].update(drop=[]),
        lambda live: live["spec"]["template"]["spec"]["volumes"][1]["configMap"]["items"].append(
            {"key": "z"}
        ),
        lambda live: live["spec"]["selector"]["matchLabels"].update(more="x"),
        lambda live: live["spec"]["template"]["spec"].pop("affinity"),
    ],
)
def test_what_was_changed_or_taken_away_is_drift(edit: Edit) -> None:
    live = live_deployment()
    edit(live)

    assert has_drifted(live, DEPLOYMENT)


@pytest.mark.parametrize(
    "edit",
    [
        lambda spec: spec.update(podSelector={"matchLabels": {"only": "me"}}),
        lambda spec: spec.update(egress=[{}]),
        lambda spec: spec.update(policyTypes=["Ingress"]),
        lambda spec: spec["ingress"].append({}),
        lambda spec: spec["ingress"].clear(),
        lambda spec: spec["ingress"][0].pop("ports"),
        lambda spec: spec["ingress"][0].pop("from"),
        lambda spec: spec["ingress"][0]["from"].append({"podSelector": {}}),
        lambda spec: spec["ingress"][0]["from"][0].update(namespaceSelector={}),
        lambda spec: spec["ingress"][0]["from"][0]["podSelector"]["matchLabels"].update(c="d"),
        lambda spec: spec["ingress"][0]["ports"][0].update(endPort=9000),
        lambda spec: spec["ingress"][0]["ports"][0].update(protocol="UDP"),
    ],
)
def test_a_network_policy_that_was_widened_or_narrowed_is_drift(edit: Edit) -> None:
    """An addition inside a rule changes whom it lets in: a subset comparison would not see it."""
    live = live_policy()
    edit(live["spec"])

    assert has_drifted(live, POLICY)


def test_a_field_that_we_stop_sending_is_drift_by_the_hash() -> None:
    before = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"a": 1, "b": 2}}
    after = {**before, "spec": {"a": 1}}

    assert has_drifted(stamped(before), stamped(after))
    assert not has_drifted(stamped(before), stamped(before))


def test_stamping_keeps_other_annotations_and_changes_nothing_in_place() -> None:
    manifest: Manifest = {"kind": "X", "metadata": {"name": "x", "annotations": {"a": "b"}}}

    assert stamped(manifest)["metadata"]["annotations"].keys() == {"a", labels.APPLIED}
    assert manifest["metadata"]["annotations"] == {"a": "b"}


def test_the_data_of_a_config_map_is_known_by_the_hash_alone() -> None:
    """The cache drops it, and ours are immutable."""
    first: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "immutable": True,
        "metadata": {"name": "c"},
        "data": {"a": "1"},
    }
    cached = {key: value for key, value in stamped(first).items() if key != "data"}

    assert not has_drifted(cached, stamped(first))
    assert has_drifted(cached, stamped({**first, "data": {"a": "2"}}))


def test_contents_are_compared_by_their_digests() -> None:
    """The cache has digests; tests of a gate are children with inline data."""

    def made(content: str) -> Manifest:
        spec = {"dataset": {"inline": [{"path": "rows.json", "content": content}]}}
        return stamped(
            {"apiVersion": labels.API_VERSION, "kind": "ModelTest", "metadata": {"name": "t"}, "spec": spec}
        )

    assert not has_drifted(without_contents(made("a")), made("a"))
    assert not has_drifted(made("a"), made("a"))
    edited = without_contents({**made("a"), "spec": made("b")["spec"]})
    assert has_drifted(edited, made("a"))


def test_numbers_and_texts_are_no_quantities_outside_of_resources() -> None:
    wanted: Manifest = {"apiVersion": "v1", "kind": "X", "metadata": {}, "spec": {"version": "1.0"}}

    assert has_drifted({**wanted, "spec": {"version": "1"}}, wanted)


def test_a_status_is_the_same_whatever_the_order_of_its_conditions() -> None:
    ready, stalled = {"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}

    assert is_same_status({"conditions": [ready, stalled]}, {"conditions": [stalled, ready], "gone": None})
    assert not is_same_status({"conditions": [ready]}, {"conditions": [ready, stalled]})
    assert not is_same_status({"conditions": [ready, stalled]}, {"conditions": [ready]})
    assert not is_same_status({"conditions": [ready], "old": 1}, {"conditions": [ready]})
    assert not is_same_status(None, {"observedGeneration": 1})


def state(uid: str, version: str) -> dict[str, object]:
    return {"metadata": {"uid": uid, "resourceVersion": version}}


def test_what_is_known_to_be_as_wanted_holds_for_this_state_and_this_wish_alone() -> None:
    wish, other = stamped({"kind": "Service", "metadata": {}}), stamped({"kind": "Pod", "metadata": {}})
    agreed = Agreed(size=2)
    agreed.add(state("u", "1"), wish)

    assert agreed.holds(state("u", "1"), wish)
    assert not agreed.holds(state("u", "1"), other)
    assert not agreed.holds(state("u", "2"), wish)
    assert not agreed.holds(state("v", "1"), wish)

    agreed.add(state("u", "2"), wish)
    assert [agreed.holds(state("u", version), wish) for version in "12"] == [False, True]


def test_of_so_many_children_the_last_state_is_known() -> None:
    wish = stamped({"kind": "Service", "metadata": {}})
    agreed = Agreed(size=2)
    for uid in "uvuw":
        agreed.add(state(uid, "1"), wish)
    assert [agreed.holds(state(uid, "1"), wish) for uid in "uvw"] == [True, False, True]
