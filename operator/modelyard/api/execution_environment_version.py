"""ExecutionEnvironmentVersion: one image of an environment, kept."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from modelyard.api.execution_environment import ImageReference, PullSecrets, StartCommand
from modelyard.api.immutability import frozen_fields
from modelyard.api.kinds import EXECUTION_ENVIRONMENT_VERSION, Kind
from modelyard.api.markers import Column, Rule
from modelyard.api.meta import ApiModel, Conditions, ObjectRef, Resource
from modelyard.api.names import LABEL_NAME


class ExecutionEnvironmentVersionSpec(ApiModel):
    """What the environment said when this version was made. It cannot be changed."""

    environment_ref: ObjectRef
    """The ExecutionEnvironment that this is a version of."""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    """Which version: 1 for the first image of the environment, then counting up."""

    image: ImageReference
    """The image as the environment named it."""

    image_pull_secrets: PullSecrets = []
    """Names of the Secrets to pull the image with."""

    start_command: StartCommand = []
    """The command that starts the server; absent means the model's own `start_server.sh`."""

    label: Annotated[str, Field(max_length=50)] = ""
    """The environment's label at that time."""


ExecutionEnvironmentVersionSpec.rules = frozen_fields(
    ExecutionEnvironmentVersionSpec,
    advice="change the ExecutionEnvironment instead, which makes a new version",
)


class ExecutionEnvironmentVersionStatus(ApiModel):
    """What the operator knows about this version."""

    observed_generation: int = -1
    """The metadata.generation that this status describes; -1 until the operator has seen the object."""

    conditions: Conditions = []
    """Ready: model versions may use it. Pinned: its image is known by digest."""

    image: str | None = None
    """The image that pods run: by digest, or by tag where the digest is not known."""

    digest: str | None = None
    """The image's digest, sha256:...; absent while it is used by tag."""


class ExecutionEnvironmentVersion(Resource):
    """One image of an ExecutionEnvironment, numbered and kept unchanged. The operator makes these, as a
    Deployment makes ReplicaSets."""

    kind: ClassVar[Kind] = EXECUTION_ENVIRONMENT_VERSION
    rules: ClassVar[tuple[Rule, ...]] = (LABEL_NAME,)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Environment", ".spec.environmentRef.name"),
        Column("Number", ".spec.number", "integer"),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
        Column("Pinned", '.status.conditions[?(@.type=="Pinned")].status'),
        Column("Image", ".status.image", priority=1),
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message'),
    )

    spec: ExecutionEnvironmentVersionSpec
    """What this version is; it cannot be changed."""

    status: ExecutionEnvironmentVersionStatus = ExecutionEnvironmentVersionStatus()
    """What is; written by the operator."""
