"""Everything that one pass over a test knows. Nothing is read after this was gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.kinds import MODEL_TEST
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.status.pods import is_ready


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The data set, or why there is none."""

    name: str | None = None
    text: str | None = None
    reason: Reason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The world around one test at one moment."""

    now: datetime
    test: ModelTest
    version: CustomModelVersion | None
    model: CustomModel | None
    frozen: Frozen | None
    deployment: Manifest | None
    service: Manifest | None
    pods: tuple[Manifest, ...]
    """The pods under test."""

    job: Manifest | None
    """The Job of the latest attempt."""

    runners: tuple[Manifest, ...]
    """The Job's pods."""

    attempt: int = 1
    """Which attempt `job` is, or would be."""

    data: DataFacts = field(default_factory=DataFacts)

    @property
    def owner(self) -> Owner:
        """The test as the owner of its Job."""
        meta = self.test.metadata
        return Owner(MODEL_TEST, meta.namespace, meta.name, meta.uid)

    @property
    def is_over(self) -> bool:
        """Whether the test has ended; it never runs again."""
        return self.test.status.completed_at is not None

    @property
    def targets(self) -> list[Manifest]:
        """The ready pods of the version."""
        return [pod for pod in self.pods if is_ready(pod) and pod["status"].get("podIP")]

    @property
    def address(self) -> str | None:
        """The address of the version's own Service."""
        address: str | None = (self.service or {}).get("spec", {}).get("clusterIP")
        return address

    @property
    def can_start(self) -> bool:
        """Whether all that the Deployment asks for is ready to be tested."""
        wanted = (self.deployment or {}).get("spec", {}).get("replicas", 0)
        return bool(wanted and self.address and len(self.targets) >= wanted)
