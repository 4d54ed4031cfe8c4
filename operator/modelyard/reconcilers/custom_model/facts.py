"""Everything that one pass over a model knows. Nothing is read after this was gathered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from modelyard.api import labels
from modelyard.api.custom_model import CustomModel, GateTest
from modelyard.api.kinds import CUSTOM_MODEL
from modelyard.api.meta import Condition
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.api.model_test import ModelTest
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.roles.gate import hash_of_gate, tests_of
from modelyard.roles.ledger import Declared
from modelyard.roles.roles import Role, is_draining, roles


@dataclass(frozen=True, slots=True)
class Workload:
    """One version's pods as they stand: what was frozen, and what runs."""

    frozen: Frozen
    deployment: Manifest | None
    pods: tuple[Manifest, ...]
    endpoints: tuple[Manifest, ...]
    """EndpointSlices of the version's own Service."""


@dataclass(frozen=True)
class Facts:
    """The world around one model at one moment."""

    now: datetime
    model: CustomModel
    ledger: ModelLedgerSpec
    ledger_object: Manifest | None
    declared: tuple[Declared, ...]
    waiting: Mapping[str, Condition]
    """By version key what a candidate said, as `Ready`, that it waits for in vain, or that its server ends."""

    workloads: Mapping[str, Workload]
    """By version key."""

    tests: tuple[ModelTest, ...]
    """The gate's tests of all versions of this model."""

    open_tests: tuple[ModelTest, ...]
    """All tests of versions of this model that have not ended, and the one whose turn it is."""

    begun: frozenset[str]
    """uids of tests that have a Job or a copy of a version."""

    stable_endpoints: tuple[Manifest, ...]
    """EndpointSlices of the stable Service."""

    children: tuple[Manifest, ...]
    """All objects of versions of this model, as far as they belong to it."""

    @property
    def gate(self) -> tuple[GateTest, ...]:
        """The tests that a version must pass."""
        return tests_of(self.model.spec)

    @property
    def gate_hash(self) -> str:
        """The gate as facts know it."""
        return hash_of_gate(self.model.spec)

    @cached_property
    def live(self) -> frozenset[str]:
        """Keys of the declared versions."""
        return frozenset(version.key for version in self.declared)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Who is what, by version key."""
        return roles(gate=self.gate_hash, live=self.live, ledger=self.ledger)

    @property
    def owner(self) -> Owner:
        """The model as the owner of children."""
        meta = self.model.metadata
        return Owner(CUSTOM_MODEL, meta.namespace, meta.name, meta.uid)

    def tests_for(self, key: str) -> list[ModelTest]:
        """The gate's tests of one version."""
        return [test for test in self.tests if test.metadata.labels.get(labels.OF_VERSION) == key]

    def is_draining(self, key: str) -> bool:
        """Whether this version served until just now and its pods stay a while yet."""
        return is_draining(self.ledger, key, self.now)


def ready_pods(slices: tuple[Manifest, ...]) -> set[str]:
    """uids of the pods that a Service's EndpointSlices list as ready."""
    return {
        endpoint["targetRef"]["uid"]
        for item in slices
        for endpoint in item.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready") and endpoint.get("targetRef")
    }
