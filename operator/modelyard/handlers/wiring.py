"""Which pass goes with which kind: the one place that names the reconcilers."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.api import kinds
from modelyard.api.kinds import Kind
from modelyard.handlers.loop import Pass
from modelyard.reconcilers.custom_model.reconcile import reconcile as custom_model
from modelyard.reconcilers.custom_model_version.reconcile import reconcile as custom_model_version
from modelyard.reconcilers.execution_environment.reconcile import reconcile as execution_environment
from modelyard.reconcilers.execution_environment_version.reconcile import (
    reconcile as execution_environment_version,
)
from modelyard.reconcilers.model_test.reconcile import reconcile as model_test

PASSES: Mapping[Kind, Pass] = {
    kinds.EXECUTION_ENVIRONMENT: execution_environment,
    kinds.EXECUTION_ENVIRONMENT_VERSION: execution_environment_version,
    kinds.CUSTOM_MODEL: custom_model,
    kinds.CUSTOM_MODEL_VERSION: custom_model_version,
    kinds.MODEL_TEST: model_test,
}
"""A ModelLedger has no pass of its own: a change of it wakes its model and the model's versions."""
