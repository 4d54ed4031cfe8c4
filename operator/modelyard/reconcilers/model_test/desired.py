"""The Job of a test, made once, when everything that it asks is there. Pure."""

from __future__ import annotations

from modelyard.api.check_plan import CheckConfiguration, CheckPlan, Replica
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.pod_template import PORT, url_prefix
from modelyard.manifests.service import SERVICE_PORT
from modelyard.manifests.test_job import TestRun, objects
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.verdict import is_inconclusive
from modelyard.settings import Settings


def desired(facts: Facts, settings: Settings) -> list[Manifest]:
    """What a test that can start needs; nothing while it waits, runs or is over."""
    run = _run(facts)
    return objects(run, settings) if run else []


def _run(facts: Facts) -> TestRun | None:
    if facts.is_over or facts.frozen is None or facts.model is None:
        return None
    another = is_inconclusive(facts)
    if facts.job and not another:
        return None
    if not facts.can_start or facts.data.reason:
        return None
    return TestRun(
        test=facts.owner,
        model=facts.frozen.model,
        key=facts.frozen.key,
        workload=facts.frozen.workload,
        plan=_plan(facts),
        data=facts.data.text,
        attempt=facts.attempt + 1 if another else facts.attempt,
    )


def _plan(facts: Facts) -> CheckPlan:
    test, frozen, model = facts.test, facts.frozen, facts.model
    assert frozen is not None
    assert model is not None
    positive, negative = model.spec.labels()
    configuration = test.spec.configuration
    return CheckPlan(
        test=f"{test.metadata.namespace}/{test.metadata.name}",
        model=frozen.model,
        version=frozen.label,
        url_prefix=url_prefix(test.metadata.namespace, frozen.model),
        service=_endpoint(facts.address or "", SERVICE_PORT),
        replicas=tuple(_replica(pod) for pod in facts.targets),
        target_type=model.spec.target_type,
        target_name=model.spec.target_name,
        positive_class_label=positive,
        negative_class_label=negative,
        class_labels=tuple(model.spec.class_labels or ()),
        configuration=CheckConfiguration.model_validate(configuration.model_dump()),
        dataset=facts.data.name,
        dataset_format=test.spec.dataset.format if test.spec.dataset else "json",
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
