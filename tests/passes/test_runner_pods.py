"""The word on a test is that of its Job's own pod, whatever other pods carry its labels."""

from __future__ import annotations

from modelyard.api import labels
from modelyard.api.check_plan import CheckOutcome, CheckStatus, CheckSummary
from modelyard.api.kinds import CUSTOM_MODEL_VERSION, JOB, POD
from tests.support.objects import NAMESPACE, make_environment, make_model, make_version
from tests.support.world import World

PRAISE = CheckSummary(
    overall_status=CheckStatus.SUCCEEDED,
    checks={"longRunningService": CheckOutcome(status=CheckStatus.SUCCEEDED, message="")},
)


async def test_a_pod_that_only_looks_like_the_runner_has_no_say() -> None:
    world = World()
    world.platform.failing["hello-1"] = "it does not answer"
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label="1.0"))
    await world.settle()
    (job,) = world.all(JOB)

    world.api.actor = "user"
    carried = {labels.MANAGED_BY: labels.MANAGED_BY_VALUE, labels.WORKLOAD: job["metadata"]["name"]}
    metadata = {"name": "a-look-alike", "namespace": NAMESPACE, "labels": carried}
    spec = {"containers": [{"name": "check", "image": "theirs:1"}]}
    world.api.create(POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    ended = {"exitCode": 0, "message": PRAISE.to_termination().decode()}
    status = {
        "phase": "Succeeded",
        "containerStatuses": [{"name": "check", "state": {"terminated": ended}}],
    }
    world.api.set_status(POD, NAMESPACE, "a-look-alike", status)
    world.api.actor = "operator"
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "Testing")

    world.user.delete(POD, "a-look-alike")
    world.platform.holds_jobs = False
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "TestsFailed")
