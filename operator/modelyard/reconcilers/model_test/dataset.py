"""Read the data set of a test that is about to wait for its turn, or to start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelyard.api import labels
from modelyard.api.check_plan import CheckConfiguration
from modelyard.api.dataset import DatasetSource
from modelyard.api.kinds import CONFIG_MAP, MODEL_TEST
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.manifests.test_job import job_name
from modelyard.reconcilers.model_test.facts import DataFacts, Facts

MAXIMUM_DATA = 900 * 1024
"""Bytes of a data set that fit into the ConfigMap which the Job mounts."""


def data_file(dataset: DatasetSource) -> str:
    """Name of the data set's file in the Job, whatever it was called before."""
    return f"rows.{dataset.format}"


async def read_data(cluster: Cluster, test: ModelTest) -> DataFacts:
    """The data, or why there is none; nothing for a test that needs none."""
    dataset = test.spec.dataset
    if dataset is None or not _is_needed(test):
        return DataFacts()
    namespace, name = test.metadata.namespace, test.metadata.name
    if dataset.config_map:
        found = await cluster.read(CONFIG_MAP, namespace, dataset.config_map.name)
        return _from_config_map(found, dataset, namespace)
    full = await cluster.read(MODEL_TEST, namespace, name)
    inline = ModelTest.model_validate(full).spec.dataset if full else None
    return DataFacts(data_file(dataset), inline.inline[0].content if inline and inline.inline else "")


async def is_mended(cluster: Cluster, facts: Facts) -> bool:
    """Whether the ConfigMap of a test that could not use its data holds something else by now."""
    dataset = facts.test.spec.dataset
    if dataset is None or dataset.config_map is None:
        return False
    return (await read_data(cluster, facts.test)).text != await _mounted(cluster, facts, data_file(dataset))


async def _mounted(cluster: Cluster, facts: Facts, name: str) -> str | None:
    """The data that the latest Job was given; None once that is gone."""
    ours = {labels.WORKLOAD: job_name(facts.owner, facts.latest.number)} if facts.latest else {}
    for child in facts.children:
        if child["kind"] == CONFIG_MAP.name and ours and ours.items() <= child["metadata"]["labels"].items():
            found = await cluster.read(CONFIG_MAP, facts.owner.namespace, child["metadata"]["name"])
            text: str | None = ((found or {}).get("data") or {}).get(name)
            return text
    return None


def _is_needed(test: ModelTest) -> bool:
    return CheckConfiguration.model_validate(test.spec.configuration.model_dump()).needs_data


def _from_config_map(found: Manifest | None, dataset: DatasetSource, namespace: str) -> DataFacts:
    ref = dataset.config_map
    assert ref is not None
    if found is None:
        message = (
            f'ConfigMap "{ref.name}" of spec.dataset does not exist in namespace "{namespace}"; create it'
        )
        return DataFacts(reason=Reason.CONFIG_MAP_NOT_FOUND, message=message)
    data: dict[str, str] = found.get("data") or {}
    keys = [*sorted(data), *sorted(found.get("binaryData") or {})]
    key = ref.key or (keys[0] if len(keys) == 1 else None)
    problem = _problem(data, keys, key)
    if key is None or problem:
        message = f'ConfigMap "{ref.name}" of spec.dataset {problem}'
        return DataFacts(reason=Reason.INVALID_DATASET, message=message)
    return DataFacts(data_file(dataset), data[key])


def _problem(data: Mapping[str, str], keys: Sequence[str], key: str | None) -> str | None:
    """Why a ConfigMap holds no rows under a key, with the next step; what the rows are worth is for the runner."""
    listed = ", ".join(keys) or "none"
    if key is None and keys:
        step = "leave one of them in it, or name one where the test is declared"
        return f"has the keys {listed}, and configMap.key names none. Next: {step}"
    if key is None:
        return "is empty. Next: put the rows into it"
    if key not in keys:
        step = "add it, or name another where the test is declared"
        return f'has no key "{key}" (it has: {listed}). Next: {step}'
    if key not in data:
        return f'holds no text under the key "{key}". Next: write the file as UTF-8'
    size = len(data[key].encode())
    if size > MAXIMUM_DATA:
        limit = f"a test takes at most {MAXIMUM_DATA}"
        return f'holds {size} bytes under the key "{key}"; {limit}. Next: put fewer rows into it'
    return None
