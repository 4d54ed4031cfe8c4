"""Everything that one pass over a version knows. Nothing is read after this was gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from modelyard.api.custom_model import CustomModel, GateTest
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import CUSTOM_MODEL
from modelyard.api.model_ledger import ModelLedgerSpec, VersionFact
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.manifests.code import CodeFile
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.roles.gate import gate_hash, tests_of
from modelyard.roles.roles import Role, fact_of, is_draining, roles


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A version's code as far as it was needed: files, or why there are none."""

    files: tuple[CodeFile, ...] | None = None
    reason: Reason | None = None
    message: str = ""


@dataclass(frozen=True)
class Facts:
    """The world around one version at one moment."""

    now: datetime
    version: CustomModelVersion
    key: str
    model: CustomModel | None
    ledger: ModelLedgerSpec
    live: frozenset[str]
    """Keys of the model's versions that are declared, this one too."""

    label_conflict: str | None
    environment: ExecutionEnvironment | None
    environment_versions: tuple[ExecutionEnvironmentVersion, ...]
    frozen: Frozen | None
    deployment: Manifest | None
    pods: tuple[Manifest, ...]
    tests: tuple[ModelTest, ...]
    """The gate's tests of this version."""

    budgets: tuple[Manifest, ...]
    code_exists: bool
    source: SourceFacts = field(default_factory=SourceFacts)
    gate: tuple[GateTest, ...] | None = None
    """The gate with its contents, when tests are about to be made."""

    @cached_property
    def role(self) -> Role:
        """What this version is to its model."""
        if self.model is None:
            return Role.UNLABELLED
        gate = gate_hash(tests_of(self.model.spec))
        return roles(gate=gate, live=self.live, ledger=self.ledger)[self.key]

    @property
    def draining(self) -> bool:
        """Whether it served until just now and its pods stay a while yet."""
        return is_draining(self.ledger, self.key, self.now)

    @property
    def fact(self) -> VersionFact | None:
        """What the ledger says of this version."""
        return fact_of(self.ledger, self.key)

    @cached_property
    def chosen_environment(self) -> ExecutionEnvironmentVersion | None:
        """The environment version to run in: the one that is named, else the newest that is usable."""
        number = self.version.spec.environment_ref.version
        usable = [
            version
            for version in self.environment_versions
            if version.status.image and number in (None, version.spec.number)
        ]
        return max(usable, key=lambda version: version.spec.number, default=None)

    @property
    def owner(self) -> Owner:
        """The model as the owner of children; only called where there is a model."""
        assert self.model is not None
        meta = self.model.metadata
        return Owner(CUSTOM_MODEL, meta.namespace, meta.name, meta.uid)

    @property
    def wanted(self) -> int:
        """How many pods there should be."""
        if self.frozen is None:
            return 0
        runs = self.role in (Role.CANDIDATE, Role.SERVING) or self.draining
        return self.frozen.replicas if runs else 0

    @property
    def ready(self) -> int:
        """How many pods are ready, as the Deployment's controller last said."""
        return int((self.deployment or {}).get("status", {}).get("readyReplicas", 0))

    @property
    def available(self) -> bool:
        """Whether every wanted pod of the present template is ready."""
        if self.deployment is None or self.wanted == 0:
            return False
        status = self.deployment.get("status", {})
        seen = status.get("observedGeneration", 0) >= self.deployment["metadata"].get("generation", 0)
        return bool(seen and status.get("updatedReplicas", 0) >= self.wanted and self.ready >= self.wanted)
