"""Everything that one pass over an environment knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import EXECUTION_ENVIRONMENT
from modelyard.manifests.metadata import Owner


@dataclass(frozen=True, slots=True)
class Facts:
    """An environment and its versions at one moment."""

    now: datetime
    environment: ExecutionEnvironment
    versions: tuple[ExecutionEnvironmentVersion, ...]
    """By number, the newest last."""

    @property
    def owner(self) -> Owner:
        """The environment as the owner of its versions."""
        meta = self.environment.metadata
        return Owner(EXECUTION_ENVIRONMENT, meta.namespace, meta.name, meta.uid)

    @property
    def newest(self) -> ExecutionEnvironmentVersion | None:
        """The version with the highest number."""
        return self.versions[-1] if self.versions else None
