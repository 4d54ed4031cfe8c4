"""Everything that one pass over an environment version knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion


@dataclass(frozen=True, slots=True)
class Resolved:
    """The registry, or the reference itself, told the digest."""

    image: str
    """The reference by digest: what pods run."""

    digest: str


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The digest can't be had from a registry; the kubelet may still find the image."""

    message: str
    may_answer_later: bool
    """Whether the registry could not be asked (and may answer later), or answered that it has no such image."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not an image reference."""

    message: str


Resolution = Resolved | Unresolved | Malformed


@dataclass(frozen=True, slots=True)
class Facts:
    """A version and what is known of its image at one moment; `resolution` is None when it was settled before."""

    now: datetime
    version: ExecutionEnvironmentVersion
    resolution: Resolution | None
