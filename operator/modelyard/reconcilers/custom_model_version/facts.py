"""Everything that one pass over a version knows. Nothing is read after this was gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from modelyard.api.custom_model import CustomModel, GateTest
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import CONFIG_MAP, CUSTOM_MODEL
from modelyard.api.model_ledger import ModelLedgerSpec, VersionFact
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.manifests.code import CodeFile, code_map_name
from modelyard.manifests.environment_version import is_current
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.roles.gate import hash_of_gate
from modelyard.roles.roles import Role, fact_of, is_draining, may_promote, roles


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

    children: tuple[Manifest, ...]
    """What was made for this version, as far as it belongs to the model as it is now; pods and tests apart."""

    peopled: frozenset[str] = frozenset()
    """Names of workloads of this version that have pods still."""

    source: SourceFacts = field(default_factory=SourceFacts)
    gate: tuple[GateTest, ...] | None = None
    """The gate with its contents, when tests are about to be made."""

    @cached_property
    def role(self) -> Role:
        """What this version is to its model."""
        if self.model is None:
            return Role.UNLABELLED
        return roles(gate=hash_of_gate(self.model.spec), live=self.live, ledger=self.ledger)[self.key]

    @property
    def is_switched(self) -> bool:
        """Whether the model's Service was seen to send to the version that serves."""
        serving = self.ledger.serving
        return serving is not None and serving.switched_at is not None

    @property
    def may_promote(self) -> bool:
        """Whether it passed its tests, and those of the gate as it is now."""
        if self.fact is None or self.frozen is None or self.model is None:
            return False
        return may_promote(self.fact, self.frozen.template_hash, hash_of_gate(self.model.spec))

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
        """The environment version to run in: the one that is named, else the newest, which must be what the
        environment says now: applied together with a new image, a version waits for that image."""
        number = self.version.spec.environment_ref.version
        asked = [v for v in self.environment_versions if number in (None, v.spec.number)]
        chosen = max(asked, key=lambda version: version.spec.number, default=None)
        if self.environment is None or chosen is None or chosen.status.image is None:
            return None
        is_asked_for = number is not None or is_current(chosen.spec, self.environment.spec)
        return chosen if is_asked_for else None

    @property
    def code_map(self) -> str | None:
        """Name of the ConfigMap that the frozen code is mounted from."""
        if self.frozen is None:
            return None
        return code_map_name(self.frozen.version, key=self.key, digest=self.frozen.code_digest)

    @property
    def code_exists(self) -> bool:
        """Whether the frozen code is there to be mounted."""
        return any(
            child["kind"] == CONFIG_MAP.name and child["metadata"]["name"] == self.code_map
            for child in self.children
        )

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
