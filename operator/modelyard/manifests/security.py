"""What makes every pod of ours fit Pod Security `restricted`."""

from __future__ import annotations

from typing import Any

from modelyard.settings import Settings


def pod_security(settings: Settings) -> dict[str, Any]:
    """The pod's securityContext; without a uid where the cluster chooses one (OpenShift)."""
    user = settings.run_as_user
    ids = {} if user is None else {"runAsUser": user, "runAsGroup": user, "fsGroup": user}
    return {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **ids}


def container_security() -> dict[str, Any]:
    """The securityContext of every container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }


def isolated_pod() -> dict[str, Any]:
    """Fields of a pod spec that keep it away from the API server and from other pods' names."""
    return {"automountServiceAccountToken": False, "enableServiceLinks": False}
