"""The copy of a version that a test by hand runs on: Deployment, Service and NetworkPolicy of its own.

It is made from the version's frozen record, with what the test overrides. No Service but its own sends to its
pods, since they carry neither `serves` nor `model`, and nobody but the test's own Job may call them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from modelyard.api import labels
from modelyard.api.digests import canonical_hash
from modelyard.api.kinds import DEPLOYMENT, NETWORK_POLICY, SERVICE, Kind
from modelyard.api.model_test import ModelTestSpec
from modelyard.api.quantities import parse_quantity
from modelyard.manifests.deployment import running
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name
from modelyard.manifests.network_policy import copy_policy
from modelyard.manifests.pod_template import CONTAINER, apart
from modelyard.manifests.service import workload_service
from modelyard.settings import Settings


def copy_name(test: Owner) -> str:
    """Name of a test's own Deployment, Service and policy; a test that is made again has others."""
    return child_name(test.name, canonical_hash([test.uid, "copy"]))


def dedicated(test: Owner, frozen: Frozen, spec: ModelTestSpec, settings: Settings) -> list[Manifest]:
    """In the order of applying: the wall, then the pods."""
    copied = overridden(frozen, spec, test)
    return [
        copy_wall(test, frozen, spec, settings),
        workload_service(_child(SERVICE, test, frozen)),
        running(copied, _child(DEPLOYMENT, test, frozen), replicas=copied.replicas),
    ]


def copy_wall(test: Owner, frozen: Frozen, spec: ModelTestSpec, settings: Settings) -> Manifest:
    """The policy around a copy."""
    egress = overridden(frozen, spec, test).egress
    return copy_policy(_child(NETWORK_POLICY, test, frozen), egress=egress, settings=settings)


def overridden(frozen: Frozen, spec: ModelTestSpec, test: Owner) -> Frozen:
    """What the copy runs: the version's record, but for what the test asks to be different."""
    changed = replace(
        frozen,
        replicas=frozen.replicas if spec.replicas is None else spec.replicas,
        requires_ha=frozen.requires_ha if spec.requires_ha is None else spec.requires_ha,
        egress=spec.network_egress_policy or frozen.egress,
    )
    return replace(changed, template=_template(changed, spec.maximum_memory, test))


def _child(kind: Kind, test: Owner, frozen: Frozen) -> Child:
    return Child(kind, copy_name(test), test, {labels.OF_MODEL: frozen.model, labels.OF_TEST: test.name})


def _template(frozen: Frozen, memory: str | None, test: Owner) -> dict[str, Any]:
    pods = {field: value for field, value in frozen.template["spec"].items() if field != "affinity"}
    containers = [_container(container, memory) for container in pods["containers"]]
    spread = {"affinity": apart({labels.WORKLOAD: copy_name(test)})} if frozen.requires_ha else {}
    return {
        "metadata": {"labels": _pod_labels(frozen, test)},
        "spec": {**pods, "containers": containers, **spread},
    }


def _pod_labels(frozen: Frozen, test: Owner) -> dict[str, str]:
    return {
        labels.MANAGED_BY: labels.MANAGED_BY_VALUE,
        labels.OF_TEST: test.name,
        labels.EGRESS: frozen.egress.lower(),
    }


def _container(container: dict[str, Any], memory: str | None) -> dict[str, Any]:
    if memory is None or container["name"] != CONTAINER:
        return container
    resources = container["resources"]
    requests = {**resources["requests"], "memory": _request(resources, memory)}
    return {
        **container,
        "resources": {"requests": requests, "limits": {**resources["limits"], "memory": memory}},
    }


def _request(resources: dict[str, Any], limit: str) -> str:
    """The request follows the limit where it was the limit; one of its own stays, unless the limit is lower."""
    asked: str = resources["requests"]["memory"]
    is_own = parse_quantity(asked) != parse_quantity(resources["limits"]["memory"])
    return _lower(asked, limit) if is_own else limit


def _lower(*quantities: str) -> str:
    return min(quantities, key=parse_quantity)


def memory_limit(frozen: Frozen) -> str:
    """The memory limit of a version's container."""
    containers: Iterable[dict[str, Any]] = frozen.template["spec"]["containers"]
    return next(str(c["resources"]["limits"]["memory"]) for c in containers if c["name"] == CONTAINER)


def code_map_of(frozen: Frozen) -> str | None:
    """Name of the ConfigMap that the frozen template mounts the code from."""
    volumes: Iterable[dict[str, Any]] = frozen.template["spec"]["volumes"]
    return next((volume["configMap"]["name"] for volume in volumes if volume["name"] == "code"), None)
