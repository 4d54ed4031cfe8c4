"""The Job that runs a ModelTest, and what it mounts.

The Job has no token, reaches the tested pods alone, and needs neither DNS nor the API server: addresses come
in a file. Its pods never carry `serves` or `model`, so that no Service sends to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelyard.api import labels
from modelyard.api.check_plan import CheckPlan
from modelyard.api.digests import canonical_hash
from modelyard.api.kinds import CONFIG_MAP, JOB
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name
from modelyard.manifests.network_policy import test_policy
from modelyard.manifests.security import container_security, isolated_pod, pod_security
from modelyard.settings import Settings

CONTAINER = "check"
PLAN_DIR = "/etc/modelyard"
PLAN_FILE = "plan.json"
DATA_DIR = "/data"
TERMINATION_LOG = "/dev/termination-log"
DEADLINE_MARGIN = 60
"""Seconds that the Job may outlive the runner's own deadline: pulling its image, writing its summary."""

MEMORY = "512Mi"
CPU = "100m"


@dataclass(frozen=True, slots=True)
class TestRun:
    """One attempt of one ModelTest: the plan, the data, and which pods it may reach."""

    __test__ = False

    test: Owner
    model: str
    tested: str
    """What the policy around the tested pods lets in, as the value of the label `tests`."""

    workload: str
    plan: CheckPlan
    data: str | None
    """Text of the data set; None when no check needs one."""

    attempt: int = 1

    @property
    def name(self) -> str:
        """Name of the Job and of all that belongs to this attempt."""
        return job_name(self.test, self.attempt)

    @property
    def files(self) -> str:
        """Name of what the Job mounts; by content, since a killed pass may have left one for other pods."""
        return child_name(self.test.name, canonical_hash([self.test.uid, self.attempt, self.plan.to_json()]))

    @property
    def labels(self) -> dict[str, str]:
        """Labels of this run's objects."""
        return {labels.OF_MODEL: self.model, labels.OF_TEST: self.test.name}


def job_name(test: Owner, attempt: int = 1) -> str:
    """Each attempt of each test object has a Job of its own; a re-created test starts anew."""
    return child_name(test.name, canonical_hash([test.uid, attempt]))


def objects(run: TestRun, settings: Settings) -> list[Manifest]:
    """In the order of applying: walls and data first, the Job last."""
    policy = test_policy(run.name, run.test, workload=run.workload, child_labels=run.labels)
    return [policy, _files(run), _job(run, settings)]


def _files(run: TestRun) -> Manifest:
    child = Child(CONFIG_MAP, run.files, run.test, {**run.labels, labels.WORKLOAD: run.name})
    data = {PLAN_FILE: run.plan.to_json()}
    if run.plan.dataset and run.data is not None:
        data[run.plan.dataset] = run.data
    return child.manifest(immutable=True, data=data)


def _job(run: TestRun, settings: Settings) -> Manifest:
    child = Child(JOB, run.name, run.test, run.labels)
    return child.manifest(
        spec={
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": run.plan.timeout_seconds + DEADLINE_MARGIN,
            "template": {"metadata": {"labels": _pod_labels(run)}, "spec": _pod(run, settings)},
        }
    )


def _pod_labels(run: TestRun) -> dict[str, str]:
    return {
        labels.MANAGED_BY: labels.MANAGED_BY_VALUE,
        labels.WORKLOAD: run.name,
        labels.EGRESS: "test",
        labels.OF_TEST: run.test.name,
        labels.TESTS: run.tested,
    }


def _pod(run: TestRun, settings: Settings) -> dict[str, Any]:
    pull_secrets = [{"name": name} for name in settings.image_pull_secrets]
    return {
        **isolated_pod(),
        "restartPolicy": "Never",
        "securityContext": pod_security(settings),
        "containers": [_container(settings)],
        "volumes": [
            {"name": "files", "configMap": {"name": run.files}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
        **({"imagePullSecrets": pull_secrets} if pull_secrets else {}),
    }


def _container(settings: Settings) -> dict[str, Any]:
    cpu_limit = {"cpu": settings.cpu_limit} if settings.cpu_limit else {}
    return {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": [
            "check",
            "--plan",
            f"{PLAN_DIR}/{PLAN_FILE}",
            "--data",
            DATA_DIR,
            "--termination",
            TERMINATION_LOG,
        ],
        "resources": {"requests": {"cpu": CPU, "memory": MEMORY}, "limits": {"memory": MEMORY, **cpu_limit}},
        "securityContext": container_security(),
        "terminationMessagePath": TERMINATION_LOG,
        "volumeMounts": [
            {"name": "files", "mountPath": PLAN_DIR, "readOnly": True},
            {"name": "files", "mountPath": DATA_DIR, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
