"""Read the data set of a test that is about to wait for its turn, or to start."""

from __future__ import annotations

from modelyard.api.custom_model import TestConfiguration
from modelyard.api.dataset import DatasetSource
from modelyard.api.kinds import CONFIG_MAP, MODEL_TEST
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.reconcilers.model_test.facts import DataFacts

MAXIMUM_DATA = 900 * 1024
"""Bytes of a data set that fit into the ConfigMap which the Job mounts."""


def data_file(dataset: DatasetSource) -> str:
    """Name of the data set's file in the Job, whatever it was called before."""
    return f"rows.{dataset.format}"


async def read_data(cluster: Cluster, test: ModelTest) -> DataFacts:
    """The data, or why there is none; nothing for a test that needs none."""
    dataset = test.spec.dataset
    if dataset is None or not _needs_data(test.spec.configuration):
        return DataFacts()
    namespace, name = test.metadata.namespace, test.metadata.name
    if dataset.config_map:
        found = await cluster.read(CONFIG_MAP, namespace, dataset.config_map.name)
        return _from_config_map(found, dataset, namespace)
    full = await cluster.read(MODEL_TEST, namespace, name)
    inline = ModelTest.model_validate(full).spec.dataset if full else None
    return DataFacts(data_file(dataset), inline.inline[0].content if inline and inline.inline else "")


def _needs_data(asked: TestConfiguration) -> bool:
    checks = (asked.error_check, asked.null_value_imputation, asked.side_effects)
    return any(severity != "skip" for severity in checks)


def _from_config_map(found: Manifest | None, dataset: DatasetSource, namespace: str) -> DataFacts:
    ref = dataset.config_map
    assert ref is not None
    if found is None:
        message = (
            f'ConfigMap "{ref.name}" of spec.dataset does not exist in namespace "{namespace}"; create it'
        )
        return DataFacts(reason=Reason.CONFIG_MAP_NOT_FOUND, message=message)
    data: dict[str, str] = found.get("data") or {}
    keys = ", ".join(sorted(data)) or "none"
    if ref.key is None and len(data) != 1:
        message = f'spec.dataset.configMap.key must be set: ConfigMap "{ref.name}" has the keys {keys}'
        return DataFacts(reason=Reason.INVALID_DATASET, message=message)
    key = ref.key or next(iter(data))
    if key not in data:
        return DataFacts(
            reason=Reason.INVALID_DATASET,
            message=f'ConfigMap "{ref.name}" has no key "{key}" (it has: {keys})',
        )
    size = len(data[key].encode())
    if size > MAXIMUM_DATA:
        message = (
            f'ConfigMap "{ref.name}" key "{key}" holds {size} bytes; a test takes at most {MAXIMUM_DATA}'
        )
        return DataFacts(reason=Reason.INVALID_DATASET, message=message)
    return DataFacts(data_file(dataset), data[key])
