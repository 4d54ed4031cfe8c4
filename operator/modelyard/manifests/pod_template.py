"""The pod template of a version: rendered once, then frozen in a ControllerRevision and never again changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.api import labels
from modelyard.api.custom_model import CustomModelSpec
from modelyard.api.custom_model_version import CustomModelVersionSpec
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersionSpec
from modelyard.manifests.code import START_SCRIPT, CodeFile, volume_items
from modelyard.manifests.security import container_security, isolated_pod, pod_security
from modelyard.manifests.told import told
from modelyard.settings import Settings

CONTAINER = "model"
PORT = 8080
PORT_NAME = "http"
CODE_DIR = "/opt/modelyard/code"
HOME = "/tmp"
SCRATCH_LIMIT = "1Gi"
"""Size limit of /tmp, the only place that a model can write to."""

STARTUP_PERIOD = 2
READINESS_PERIOD = 10
READINESS_FAILURES = 6
"""A busy model is not a broken one: 60 s of silence before a pod is taken out."""

PROBE_TIMEOUT = 5
PRESTOP_SECONDS = 5
"""How long a pod goes on answering after it was told to end: proxies need time to notice."""

GRACE_SECONDS = 45


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything that a version's pods are made of. Equal renderings give equal templates."""

    namespace: str
    model_name: str
    model: CustomModelSpec
    key: str
    label: str
    version: CustomModelVersionSpec
    environment: ExecutionEnvironmentVersionSpec
    image: str
    code: Sequence[CodeFile]
    code_map: str
    """Name of the ConfigMap that holds the code."""


def url_prefix(namespace: str, model: str) -> str:
    """Path under which a model answers: the same for all its versions, so clients survive a promotion."""
    return f"/models/{namespace}/{model}"


def render(rendering: Rendering, settings: Settings) -> dict[str, Any]:
    """The pod template, without the label of its Deployment (whose name is a hash of this)."""
    return {
        "metadata": {"labels": _labels(rendering)},
        "spec": {
            **isolated_pod(),
            "securityContext": pod_security(settings),
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "containers": [_container(rendering, settings)],
            "volumes": [
                {
                    "name": "code",
                    "configMap": {"name": rendering.code_map, "items": volume_items(rendering.code)},
                },
                {"name": "tmp", "emptyDir": {"sizeLimit": SCRATCH_LIMIT}},
            ],
            **_pull_secrets(rendering),
            **_spread(rendering),
        },
    }


def _pull_secrets(rendering: Rendering) -> dict[str, Any]:
    names = [{"name": ref.name} for ref in rendering.environment.image_pull_secrets]
    return {"imagePullSecrets": names} if names else {}


def _labels(rendering: Rendering) -> dict[str, str]:
    return {
        labels.MANAGED_BY: labels.MANAGED_BY_VALUE,
        labels.MODEL: rendering.model_name,
        labels.SERVES: rendering.key,
        labels.EGRESS: rendering.version.network_egress_policy.lower(),
    }


def _container(rendering: Rendering, settings: Settings) -> dict[str, Any]:
    start = rendering.environment.start_command
    return {
        "name": CONTAINER,
        "image": rendering.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(start) if start else [f"{CODE_DIR}/{START_SCRIPT}"],
        "workingDir": CODE_DIR,
        # Doubled, because Kubernetes would expand $(NAME) and halve $$.
        "env": [
            {"name": name, "value": value.replace("$", "$$")}
            for name, value in environment(rendering).items()
        ],
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "resources": _resources(rendering.version, settings),
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "startupProbe": _probe(rendering, STARTUP_PERIOD, _startup_tries(rendering.version)),
        "readinessProbe": _probe(rendering, READINESS_PERIOD, READINESS_FAILURES),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRESTOP_SECONDS}}},
        "volumeMounts": [
            {"name": "code", "mountPath": CODE_DIR, "readOnly": True},
            {"name": "tmp", "mountPath": HOME},
        ],
    }


def environment(rendering: Rendering) -> Mapping[str, str]:
    """The environment of a model's process: the contract's variables, then the user's."""
    places = {
        "PORT": str(PORT),
        "URL_PREFIX": url_prefix(rendering.namespace, rendering.model_name),
        "CODE_DIR": CODE_DIR,
        "HOME": HOME,
    }
    users = {variable.name: variable.value for variable in rendering.version.environment_variables}
    return places | told(rendering.model_name, rendering.label, rendering.model) | users


def _resources(version: CustomModelVersionSpec, settings: Settings) -> dict[str, Any]:
    cpu_limit = {"cpu": settings.cpu_limit} if settings.cpu_limit else {}
    return {
        "requests": {"cpu": version.cpu, "memory": version.desired_memory or version.maximum_memory},
        "limits": {"memory": version.maximum_memory, **cpu_limit},
    }


def _startup_tries(version: CustomModelVersionSpec) -> int:
    return max(1, -(-version.startup.timeout_seconds // STARTUP_PERIOD))


def _probe(rendering: Rendering, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {
            "path": f"{url_prefix(rendering.namespace, rendering.model_name)}/",
            "port": PORT_NAME,
            "scheme": "HTTP",
        },
        "periodSeconds": period,
        "timeoutSeconds": PROBE_TIMEOUT,
        "failureThreshold": failures,
    }


def _spread(rendering: Rendering) -> dict[str, Any]:
    return {"affinity": apart({labels.SERVES: rendering.key})} if rendering.version.requires_ha else {}


def apart(pods: Mapping[str, str]) -> dict[str, Any]:
    """The affinity of pods that each want a node without another of them."""
    term = {"labelSelector": {"matchLabels": dict(pods)}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
