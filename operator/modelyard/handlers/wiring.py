"""Which pass goes with which kind: the one place that names the reconcilers."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.api import kinds
from modelyard.api.kinds import Kind
from modelyard.handlers.loop import Pass
from modelyard.handlers.resolving import resolver
from modelyard.images.lazy import Registries
from modelyard.reconcilers.custom_model.reconcile import reconcile as custom_model
from modelyard.reconcilers.custom_model_version.reconcile import reconcile as custom_model_version
from modelyard.reconcilers.execution_environment.reconcile import reconcile as execution_environment
from modelyard.reconcilers.execution_environment_version.reconcile import Reconciler
from modelyard.reconcilers.model_test.reconcile import reconcile as model_test


def passes(registries: Registries) -> Mapping[Kind, Pass]:
    """The pass over each kind. A ModelLedger has none: its model and the model's versions pass when it changes."""
    return {
        kinds.EXECUTION_ENVIRONMENT: execution_environment,
        kinds.EXECUTION_ENVIRONMENT_VERSION: Reconciler(resolver(registries)),
        kinds.CUSTOM_MODEL: custom_model,
        kinds.CUSTOM_MODEL_VERSION: custom_model_version,
        kinds.MODEL_TEST: model_test,
    }
