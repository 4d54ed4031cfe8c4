"""CustomModelVersion: code, environment and resources, together and unchangeable."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.immutability import frozen_fields
from modelyard.api.kinds import CUSTOM_MODEL_VERSION, Kind
from modelyard.api.markers import Column, Marker, Rule, as_list_map, checked, no_nul
from modelyard.api.meta import ApiModel, Conditions, DnsLabel, ObjectRef, Resource
from modelyard.api.names import LABEL_NAME
from modelyard.api.quantities import Quantity
from modelyard.api.source import Source

EgressPolicy = Literal["NONE", "PUBLIC"]

RESERVED_VARIABLES = (
    "CLASS_LABELS",
    "CODE_DIR",
    "HOME",
    "MODEL_NAME",
    "MODEL_VERSION",
    "NEGATIVE_CLASS_LABEL",
    "PORT",
    "POSITIVE_CLASS_LABEL",
    "PREDICTION_THRESHOLD",
    "TARGET_NAME",
    "TARGET_TYPE",
    "URL_PREFIX",
)
"""Environment variables that the platform sets itself."""

RESERVED_PREFIXES = ("LD_", "KUBERNETES_")
"""Variables that change how programs are loaded, and those of the kubelet."""

VERSION_LABEL = checked(
    Rule(
        "self.matches('^(0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})$')",
        "must be major.minor, two whole numbers of at most 9 digits without leading zeros, for example '1.0'",
    )
)
VARIABLE_NAME = checked(
    Rule(
        "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",
        "must be letters, digits and '_', not starting with a digit, for example LOG_LEVEL",
    ),
    Rule(
        f"!(self in {list(RESERVED_VARIABLES)}) && "
        + " && ".join(f"!self.startsWith('{prefix}')" for prefix in RESERVED_PREFIXES),
        "is reserved: the platform sets "
        + ", ".join(RESERVED_VARIABLES)
        + " and everything that starts with "
        + " or ".join(RESERVED_PREFIXES)
        + "; choose another name",
    ),
)


def _range(least: str, most: str, example: str) -> Marker:
    value = "quantity(string(self))"
    return checked(
        Rule(
            f"isQuantity(string(self)) && {value}.compareTo(quantity('{least}')) >= 0"
            f" && {value}.compareTo(quantity('{most}')) <= 0",
            f"must be a quantity from {least} to {most}, for example {example}",
        )
    )


Memory = Annotated[Quantity, _range("128Mi", "14Gi", "512Mi")]
ReplicaCount = Annotated[int, Field(ge=1, le=8)]
Cpu = Annotated[Quantity, _range("1m", "64", "250m")]


class EnvironmentVersionRef(ApiModel):
    """The environment that the code runs in."""

    name: DnsLabel
    """Name of the ExecutionEnvironment, in the same namespace."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """Number of its version, from 1; absent means the newest at the time this version is first deployed."""


class EnvironmentVariable(ApiModel):
    """One environment variable of the model's process."""

    name: Annotated[str, Field(min_length=1, max_length=256), VARIABLE_NAME]
    """Name of the variable, at most 256 characters: letters, digits and '_'. Names that the platform sets are
    refused."""

    value: Annotated[str, Field(max_length=32768), no_nul()] = ""
    """Its value, at most 32768 characters (default empty). It is passed as it stands."""


class Startup(ApiModel):
    """How long the server may take to start."""

    timeout_seconds: Annotated[int, Field(ge=5, le=3600)] = 300
    """Seconds from the container's start until it must answer, 5 to 3600 (default 300)."""


class CustomModelVersionSpec(ApiModel):
    """Code, environment and resources of one version. Only the description can be changed."""

    model_ref: ObjectRef
    """The CustomModel that this is a version of."""

    label: Annotated[str, Field(max_length=19), VERSION_LABEL] | None = None
    """The version's label, "major.minor", in quotes; the highest label is the newest version. Absent means
    the next free one: 1.0 first, then as isMajorUpdate says. Set it where versions are applied together or
    kept in Git."""

    is_major_update: bool = True
    """When the label is allocated: true (the default) raises the major number, false the minor one."""

    description: Annotated[str, Field(max_length=10000)] = ""
    """What is new in this version, at most 10000 characters. The only field that can be changed."""

    source: Source
    """The files of the model."""

    environment_ref: EnvironmentVersionRef
    """The environment that the code runs in."""

    replicas: ReplicaCount = 1
    """How many pods serve, 1 to 8 (default 1)."""

    requires_ha: bool = False
    """Whether every replica must run on a node of its own (default false)."""

    maximum_memory: Memory = "1Gi"
    """Memory limit of one replica, 128Mi to 14Gi (default 1Gi). A process that takes more is killed."""

    desired_memory: Memory | None = None
    """Memory that the scheduler sets aside for one replica, 128Mi up to maximumMemory (default:
    maximumMemory)."""

    cpu: Cpu = "250m"
    """CPU that the scheduler sets aside for one replica, in cores, 1m to 64 (default 250m). Fractions are
    written in quotes, as "0.5" or "500m"."""

    network_egress_policy: EgressPolicy = "NONE"
    """What the model may connect to. NONE (the default): nothing, DNS included. PUBLIC: DNS and the
    internet, but no private, link-local or cluster address."""

    environment_variables: Annotated[
        list[EnvironmentVariable], Field(max_length=100), as_list_map("name")
    ] = []
    """Environment variables of the model's process, at most 100, values only."""

    startup: Startup = Startup()
    """How long the server may take to start."""


CustomModelVersionSpec.rules = (
    Rule(
        "!has(self.desiredMemory) || !isQuantity(string(self.desiredMemory))"
        " || !isQuantity(string(self.maximumMemory))"
        " || quantity(string(self.desiredMemory)).compareTo(quantity(string(self.maximumMemory))) <= 0",
        "desiredMemory must not be more than maximumMemory; lower it, or raise maximumMemory",
        ".desiredMemory",
    ),
    *frozen_fields(
        CustomModelVersionSpec,
        but=["description"],
        advice="of a version only the description can be; create a new CustomModelVersion instead",
    ),
)


class CustomModelVersionStatus(ApiModel):
    """How far this version has come, and why not further."""

    observed_generation: int = -1
    """The metadata.generation that this status describes; -1 until the operator has seen the object."""

    conditions: Conditions = []
    """Ready: this version is where it should be. Serving: it answers the model's callers."""

    label: str | None = None
    """The label in effect, major.minor."""

    key: str | None = None
    """Ten hex digits that stand for the version's name and content; also a label on its pods."""

    role: str | None = None
    """The part this version plays now, for example Candidate, Serving, Superseded or Rejected."""

    image: str | None = None
    """The image that its pods run: by digest, or by tag where the digest is not known."""

    code_digest: str | None = None
    """Digest of its files, sha256:...."""

    template_hash: str | None = None
    """Hash of the pod template that was rendered for it and is kept unchanged."""

    workload: str | None = None
    """Name of its Deployment."""

    ready_replicas: int = 0
    """How many of its pods are ready."""

    replicas: int = 0
    """How many pods it has."""


class CustomModelVersion(Resource):
    """One version of a model: code, environment and resources, together and unchangeable. It is started,
    tested and, if it passes and is the newest, serves."""

    kind: ClassVar[Kind] = CUSTOM_MODEL_VERSION
    rules: ClassVar[tuple[Rule, ...]] = (LABEL_NAME,)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Model", ".spec.modelRef.name"),
        Column("Label", ".status.label"),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
        Column("Replicas", ".status.readyReplicas", "integer", priority=1),
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message'),
    )

    spec: CustomModelVersionSpec
    """What this version is; only the description can be changed."""

    status: CustomModelVersionStatus = CustomModelVersionStatus()
    """What is; written by the operator."""
