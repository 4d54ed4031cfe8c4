"""Everything that one pass over a test knows. Nothing is read after this was gathered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from modelyard.api import labels
from modelyard.api.check_plan import CheckName, CheckOutcome
from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.kinds import CUSTOM_MODEL, MODEL_TEST
from modelyard.api.model_ledger import TestingFact
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.manifests.dedicated import copy_name, overridden
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.roles.turns import Contender
from modelyard.status.pods import is_ready


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The data set, or why there is none."""

    name: str | None = None
    text: str | None = None
    reason: Reason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One Job of the test, and its pods."""

    number: int
    job: Manifest
    runners: tuple[Manifest, ...]

    @property
    def begun(self) -> datetime:
        """When the Job was made."""
        return datetime.fromisoformat(self.job["metadata"]["creationTimestamp"])


@dataclass(frozen=True, slots=True)
class Facts:
    """The world around one test at one moment."""

    now: datetime
    test: ModelTest
    version: CustomModelVersion | None = None
    model: CustomModel | None = None
    frozen: Frozen | None = None
    """What the version runs, as it was frozen."""

    code_exists: bool = False
    """Whether the frozen code is there to be mounted."""

    testing: TestingFact | None = None
    """Whose turn it is."""

    rivals: tuple[Contender, ...] = ()
    """The tests of the model that have not ended, this one too."""

    deployment: Manifest | None = None
    """What is under test: the candidate's own, or the test's copy of a version."""

    service: Manifest | None = None
    pods: tuple[Manifest, ...] = ()
    """The pods under test."""

    attempts: tuple[Attempt, ...] = ()
    """Those that were made, the latest last."""

    children: tuple[Manifest, ...] = ()
    """All that was made for this test, pods apart."""

    peopled: frozenset[str] = frozenset()
    """Names of this test's workloads that have pods which have not ended."""

    heard: Mapping[CheckName, CheckOutcome] = field(default_factory=dict)
    """Checks that had ended when the test was canceled."""

    data: DataFacts = field(default_factory=DataFacts)

    @property
    def owner(self) -> Owner:
        """The test as the owner of its Job."""
        meta = self.test.metadata
        return Owner(MODEL_TEST, meta.namespace, meta.name, meta.uid)

    @property
    def is_of_gate(self) -> bool:
        """Whether it was made for the gate of its model; any other test runs on a copy of its own."""
        return any(
            owner.controller and (owner.kind, owner.api_version) == (CUSTOM_MODEL.name, labels.API_VERSION)
            for owner in self.test.metadata.owner_references
        )

    @property
    def is_over(self) -> bool:
        """Whether the test has ended; it never runs again."""
        return self.test.status.completed_at is not None

    @property
    def has_turn(self) -> bool:
        """Whether this very test may run now."""
        return self.testing is not None and self.testing.uid == self.test.metadata.uid

    @property
    def latest(self) -> Attempt | None:
        """The latest attempt, if one was made."""
        return self.attempts[-1] if self.attempts else None

    @property
    def runners(self) -> tuple[Manifest, ...]:
        """The pods of the latest attempt."""
        return self.latest.runners if self.latest else ()

    @property
    def tested(self) -> Frozen | None:
        """What runs under this test: the version's record, with the overrides of a test by hand."""
        if self.frozen is None or self.is_of_gate:
            return self.frozen
        return overridden(self.frozen, self.test.spec, self.owner)

    @property
    def workload(self) -> str | None:
        """Name of the Deployment under test."""
        if not self.is_of_gate:
            return copy_name(self.owner)
        return self.frozen.workload if self.frozen else None

    @property
    def targets(self) -> list[Manifest]:
        """The ready pods under test."""
        return [pod for pod in self.pods if is_ready(pod) and pod["status"].get("podIP")]

    @property
    def address(self) -> str | None:
        """The address of the Service in front of the pods under test."""
        address: str | None = (self.service or {}).get("spec", {}).get("clusterIP")
        return address

    @property
    def is_ready(self) -> bool:
        """Whether all that the Deployment asks for is ready to be tested."""
        wanted = (self.deployment or {}).get("spec", {}).get("replicas", 0)
        return bool(wanted and self.address and len(self.targets) >= wanted)

    @property
    def timeout(self) -> timedelta:
        """How long the test may take, and how long it may wait for its pods before."""
        return timedelta(seconds=self.test.spec.timeout_seconds)
