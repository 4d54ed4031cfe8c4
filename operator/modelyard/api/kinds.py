"""The kinds that the operator reads or writes: where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass

from modelyard.api.labels import GROUP, VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of object: its group ("" for core), version, name and plural. There is one instance for each."""

    group: str
    version: str
    name: str
    plural: str
    short: str = ""

    @property
    def api_version(self) -> str:
        """The `apiVersion` of a manifest of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Path on the API server: of all objects, of a namespace's, or of one object."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        rest = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{scope}/{self.plural}{rest}"


EXECUTION_ENVIRONMENT = Kind(GROUP, VERSION, "ExecutionEnvironment", "executionenvironments", "exenv")
EXECUTION_ENVIRONMENT_VERSION = Kind(
    GROUP, VERSION, "ExecutionEnvironmentVersion", "executionenvironmentversions", "exenvv"
)
CUSTOM_MODEL = Kind(GROUP, VERSION, "CustomModel", "custommodels", "cmodel")
CUSTOM_MODEL_VERSION = Kind(GROUP, VERSION, "CustomModelVersion", "custommodelversions", "cmv")
MODEL_LEDGER = Kind(GROUP, VERSION, "ModelLedger", "modelledgers", "mledger")
MODEL_TEST = Kind(GROUP, VERSION, "ModelTest", "modeltests", "mtest")

OWN_KINDS = (
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    MODEL_LEDGER,
    MODEL_TEST,
)
"""Watched whole."""

DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
CONTROLLER_REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
SERVICE = Kind("", "v1", "Service", "services")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
POD = Kind("", "v1", "Pod", "pods")
SECRET = Kind("", "v1", "Secret", "secrets")
JOB = Kind("batch", "v1", "Job", "jobs")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
POD_DISRUPTION_BUDGET = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
EVENT = Kind("events.k8s.io", "v1", "Event", "events")

CHILD_KINDS = (
    DEPLOYMENT,
    CONTROLLER_REVISION,
    SERVICE,
    CONFIG_MAP,
    POD,
    JOB,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    ENDPOINT_SLICE,
)
"""Watched by our reflector with the managed-by label. EndpointSlices carry the labels of their Service."""

ALL_KINDS = (*OWN_KINDS, *CHILD_KINDS, SECRET, EVENT)


def kind_of(api_version: str, name: str) -> Kind:
    """The kind with this apiVersion and name; KeyError if it is none of those we know."""
    return _BY_NAME[api_version, name]


_BY_NAME = {(kind.api_version, kind.name): kind for kind in ALL_KINDS}
