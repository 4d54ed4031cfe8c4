"""Names that are part of the contract with the cluster: group, labels, annotations, field manager.

They live here once. Changing one of them orphans what older operators made.
"""

from __future__ import annotations

GROUP = "modelyard.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "modelyard"

FIELD_MANAGER = "modelyard"
"""The one field manager of everything that the operator writes."""

MANAGED_BY = f"{GROUP}/managed-by"
MANAGED_BY_VALUE = "modelyard"
"""On every object of ours: what the child watches select."""

SERVES = f"{GROUP}/serves"
"""Version key, on pods that may serve: stable and per-version Service, disruption budget, anti-affinity."""

MODEL = f"{GROUP}/model"
"""Model name, on pods that may serve. Never on the pods of tests."""

WORKLOAD = f"{GROUP}/workload"
"""Name of the Deployment or Job that owns the pod, on every pod of ours; and on what the Job of a test mounts."""

EGRESS = f"{GROUP}/egress"
"""Egress policy of the pod: none, public or test."""

OF_MODEL = f"{GROUP}/of-model"
"""Model name, on children that are not pods, to list them by model."""

OF_VERSION = f"{GROUP}/of-version"
"""Version key, on children that are not pods, to list them by version."""

OF_ENVIRONMENT = f"{GROUP}/of-environment"
"""Environment name, on ExecutionEnvironmentVersions."""

OF_TEST = f"{GROUP}/of-test"
"""ModelTest name, on the Job of a test and what it mounts, and on the Job's pods."""

REPORT_OF = f"{GROUP}/report-of"
"""ModelTest name, on the ConfigMap that keeps its report."""

TESTS = f"{GROUP}/tests"
"""Version key, on the pods of a version's tests: what the version's policy lets in."""

GATEWAY = f"{GROUP}/gateway"
GATEWAY_VALUE = "true"
"""On the pods of a gateway: what the policies of models let in, of the namespace that the settings name."""

APPLIED = f"{GROUP}/applied"
"""Annotation on children: hash of the manifest as last applied, so that a removed field is noticed."""

ROUTE = f"{GROUP}/route"
"""Annotation on a version's Service: what the gateway has to know of the version, as compact JSON."""
