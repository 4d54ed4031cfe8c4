"""ExecutionEnvironment: where model code runs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.kinds import EXECUTION_ENVIRONMENT, Kind
from modelyard.api.markers import Column, Rule, as_list_map, atomic, checked
from modelyard.api.meta import ApiModel, Conditions, LocalRef, Resource
from modelyard.api.names import LABEL_NAME

ProgrammingLanguage = Literal["python", "r", "java", "julia", "legacy", "other"]

ImageReference = Annotated[
    str,
    Field(min_length=1, max_length=512),
    checked(
        Rule(
            r"!self.matches('\\s') && !self.contains('://')",
            "must be an image reference such as registry.example/team/image:tag, without blanks and without"
            " https://",
        )
    ),
]
PullSecrets = Annotated[list[LocalRef], Field(max_length=4), as_list_map("name")]
StartCommand = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=4096)]], Field(max_length=64), atomic("list")
]


class ExecutionEnvironmentSpec(ApiModel):
    """The image that model code runs in, and how it is started."""

    image: ImageReference
    """The container image, by tag or digest. A tag is resolved to a digest once; a change makes a new
    ExecutionEnvironmentVersion."""

    image_pull_secrets: PullSecrets = []
    """Names of Secrets of type kubernetes.io/dockerconfigjson to pull the image with; at most 4."""

    start_command: StartCommand = []
    """The command that starts the server, in place of the model's own `start_server.sh`; run in the model's
    directory; at most 64 words."""

    programming_language: ProgrammingLanguage = "other"
    """What the image is made for: python, r, java, julia, legacy or other (the default). Information only
    for readers and tools."""

    label: Annotated[str, Field(max_length=50)] = ""
    """A short label of your own for the current image, at most 50 characters; it is copied to the version
    that is made from it."""

    description: Annotated[str, Field(max_length=10000)] = ""
    """What this environment is for, at most 10000 characters."""


class EnvironmentVersionSummary(ApiModel):
    """The newest version of an environment."""

    name: str
    """Name of the ExecutionEnvironmentVersion."""

    number: int
    """Its number: 1, 2, 3 and so on."""

    image: str
    """The image that pods run, by digest where it is known."""

    digest: str | None = None
    """The image's digest, sha256:...; absent while it is used by tag."""


class ExecutionEnvironmentStatus(ApiModel):
    """What the operator knows about the environment."""

    observed_generation: int = -1
    """The metadata.generation that this status describes; -1 until the operator has seen the object."""

    conditions: Conditions = []
    """Ready: models may use it. Pinned: its image is known by digest."""

    latest_version: EnvironmentVersionSummary | None = None
    """The newest version, which new model versions use unless they ask for another."""


class ExecutionEnvironment(Resource):
    """Where model code runs: a container image and, optionally, the command that starts the server. Every
    change of the image is kept as an ExecutionEnvironmentVersion."""

    kind: ClassVar[Kind] = EXECUTION_ENVIRONMENT
    rules: ClassVar[tuple[Rule, ...]] = (LABEL_NAME,)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
        Column("Pinned", '.status.conditions[?(@.type=="Pinned")].status'),
        Column("Version", ".status.latestVersion.number", "integer"),
        Column("Image", ".spec.image"),
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message'),
    )

    spec: ExecutionEnvironmentSpec
    """What you want."""

    status: ExecutionEnvironmentStatus = ExecutionEnvironmentStatus()
    """What is; written by the operator."""
