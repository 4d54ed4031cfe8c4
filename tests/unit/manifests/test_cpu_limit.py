"""A quota on `limits.cpu` admits only pods that have such a limit, those of tests as well."""

from __future__ import annotations

from typing import Any

from modelyard.api.check_plan import CheckPlan, Replica
from modelyard.api.kinds import MODEL_TEST
from modelyard.manifests.metadata import Owner
from modelyard.manifests.test_job import TestRun, objects
from modelyard.settings import Settings


def limits(settings: Settings) -> dict[str, Any]:
    """The limits of a test's container."""
    plan = CheckPlan(
        test="team-a/hello-check",
        model="hello",
        version="1.0",
        url_prefix="/models/team-a/hello",
        service="10.96.0.9:80",
        replicas=(Replica(name="hello-1", uid="u-1", address="10.244.0.9:8080"),),
        target_type="Regression",
        target_name="y",
        timeout_seconds=60,
    )
    owner = Owner(MODEL_TEST, "team-a", "hello-check", "u-2")
    job = objects(TestRun(owner, "hello", "0123456789", "hello-1-01234567", plan, None), settings)[-1]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container["resources"]["limits"]
    return found


def test_the_container_of_a_test_has_the_cpu_limit_that_models_have() -> None:
    assert limits(Settings(cpu_limit="2"))["cpu"] == "2"


def test_without_the_setting_there_is_no_cpu_limit() -> None:
    assert "cpu" not in limits(Settings())
