"""The run that a test is about to begin: what the Job is told, and which pods it may reach. Pure."""

from __future__ import annotations

from modelyard.api.check_plan import CheckConfiguration, CheckPlan, Replica
from modelyard.api.custom_model import CustomModel
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.pod_template import PORT, url_prefix
from modelyard.manifests.service import SERVICE_PORT
from modelyard.manifests.test_job import TestRun
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.unusable import can_be_mended


def test_run(facts: Facts) -> TestRun | None:
    """The next attempt, once every pod under test is ready and the data is there."""
    tested, model = facts.tested, facts.model
    if tested is None or model is None or facts.workload is None:
        return None
    if not facts.is_ready or facts.data.reason:
        return None
    return TestRun(
        test=facts.owner,
        model=tested.model,
        tested=tested.key if facts.is_of_gate else facts.workload,
        workload=facts.workload,
        plan=_plan(facts, tested, model),
        data=facts.data.text,
        attempt=facts.latest.number + 1 if facts.latest else 1,
    )


def _plan(facts: Facts, tested: Frozen, model: CustomModel) -> CheckPlan:
    test = facts.test
    positive, negative = model.spec.labels()
    return CheckPlan(
        test=f"{test.metadata.namespace}/{test.metadata.name}",
        model=tested.model,
        version=tested.label,
        url_prefix=url_prefix(test.metadata.namespace, tested.model),
        service=_endpoint(facts.address or "", SERVICE_PORT),
        replicas=tuple(_replica(pod) for pod in facts.targets),
        target_type=model.spec.target_type,
        target_name=model.spec.target_name,
        positive_class_label=positive,
        negative_class_label=negative,
        class_labels=tuple(model.spec.class_labels or ()),
        configuration=CheckConfiguration.model_validate(test.spec.configuration.model_dump()),
        dataset=facts.data.name,
        dataset_format=test.spec.dataset.format if test.spec.dataset else "json",
        data_can_change=can_be_mended(test),
        timeout_seconds=test.spec.timeout_seconds,
    )


def _replica(pod: Manifest) -> Replica:
    return Replica(
        name=pod["metadata"]["name"],
        uid=pod["metadata"]["uid"],
        address=_endpoint(pod["status"]["podIP"], PORT),
    )


def _endpoint(address: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
