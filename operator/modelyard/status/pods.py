"""Why pods do not run or do not answer: one sentence from what the kubelet and the scheduler say.

A message names the pod, the container, the exit code, the last log lines and the next step, so that nobody
has to look further than `kubectl get`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.reasons import Reason
from modelyard.status.conditions import shorten

Manifest = Mapping[str, Any]

KILLED = {137, 143}
"""Exit codes of a process that was told to end."""

TRIES = 3
"""Restarts after which a container that ends again and again has had its chance."""

MARGIN = timedelta(seconds=30)
"""What a pod gets beyond its time to start, from its creation on."""

LOG_EXCERPT = 400
"""Characters of the last log lines that go into a message."""

PULL_REASONS = {
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
}
CONFIG_REASONS = {"CreateContainerConfigError", "CreateContainerError"}

OWN_FAULTS = frozenset({Reason.OUT_OF_MEMORY, Reason.CRASHING, Reason.NOT_ANSWERING})
"""Reasons for which the model itself is to blame, so that waiting will not help."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong."""

    reason: Reason
    message: str

    @property
    def own_fault(self) -> bool:
        """Whether the model itself is to blame."""
        return self.reason in OWN_FAULTS


def is_ready(pod: Manifest) -> bool:
    """Whether the pod takes traffic."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    return any(
        c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", [])
    )


def had_its_time(pod: Manifest, startup: timedelta, now: datetime) -> bool:
    """Whether a pod's containers ran long enough, or often enough, that they should be up by now.

    The time in which a pod waits for a node or its image is not theirs.
    """
    statuses = pod.get("status", {}).get("containerStatuses", [])
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    if now - created < startup + MARGIN:
        return False
    begun = [moment for status in statuses for moment in _starts(status)]
    restarts = max((status.get("restartCount", 0) for status in statuses), default=0)
    return restarts >= TRIES or any(now - moment >= startup for moment in begun)


def _starts(status: Mapping[str, Any]) -> Iterator[datetime]:
    """When a container is known to have started; of earlier runs than the last two nothing is known."""
    for state in (status.get("state", {}), status.get("lastState", {})):
        for run in (state.get("running"), state.get("terminated")):
            if run and run.get("startedAt"):
                yield datetime.fromisoformat(run["startedAt"])


def diagnose(pods: Sequence[Manifest], deployment: Manifest | None) -> Problem | None:
    """The problem that most needs a person; None when everything runs or is on its way."""
    living = [pod for pod in pods if not _is_over(pod)]
    problems = [problem for pod in living if (problem := _pod_problem(pod))]
    if problems:
        return max(problems, key=lambda problem: problem.own_fault)
    refused = _creation_problem(deployment)
    if refused:
        return refused
    return next((problem for pod in living if (problem := _silence(pod))), None)


def death(pods: Iterable[Manifest], since: datetime) -> Problem | None:
    """How a container ended that nobody told to end, `since` then; None when all of them ran on."""
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            continue
        for status in _statuses(pod):
            for when in ("state", "lastState"):
                ended = status.get(when, {}).get("terminated")
                if ended and datetime.fromisoformat(ended["finishedAt"]) >= since:
                    return _crash(pod, status, ended)
    return None


def _is_over(pod: Manifest) -> bool:
    """On its way out, or evicted: it has been replaced and says nothing about the model."""
    ended = pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
    return ended or bool(pod["metadata"].get("deletionTimestamp"))


def _pod_problem(pod: Manifest) -> Problem | None:
    return _unschedulable(pod) or next(
        filter(None, (_container_problem(pod, s) for s in _statuses(pod))), None
    )


def _statuses(pod: Manifest) -> Iterable[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _unschedulable(pod: Manifest) -> Problem | None:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            message = condition.get("message", "")
            spread = "anti-affinity" in message
            reason = Reason.INSUFFICIENT_NODES if spread else Reason.UNSCHEDULABLE
            step = (
                "add nodes, or ask for fewer replicas or no requiresHa in a new version"
                if spread
                else "free resources, add nodes, or ask for less in a new version"
            )
            return Problem(reason, f"pod {_name(pod)} can't be scheduled: {_sentence(message)} Next: {step}.")
    return None


def _container_problem(pod: Manifest, status: Mapping[str, Any]) -> Problem | None:
    waiting = status.get("state", {}).get("waiting", {})
    reason = waiting.get("reason", "")
    where = _where(pod, status)
    if reason in PULL_REASONS:
        return Problem(
            Reason.IMAGE_PULL_FAILED,
            f'{where}: image "{status.get("image", "")}" can\'t be pulled: {_sentence(waiting.get("message", reason))} '
            "Next: check the name, the registry and imagePullSecrets of the ExecutionEnvironment.",
        )
    if reason in CONFIG_REASONS:
        return Problem(
            Reason.CONTAINER_CONFIG_ERROR,
            f"{where} can't be created: {_sentence(waiting.get('message', reason))}",
        )
    if waiting.get("reason") is None and _was_killed_for_silence(status):
        return _not_answering(pod, status)
    ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated")
    if ended and _left_when_told(pod, status, ended):
        return _not_answering(pod, status)
    if (
        ended
        and not status.get("ready")
        and (reason == "CrashLoopBackOff" or not waiting or status.get("restartCount"))
    ):
        return _crash(pod, status, ended)
    return None


def _was_killed_for_silence(status: Mapping[str, Any]) -> bool:
    """Runs again after the kubelet ended it, which it does when the startup probe gives up."""
    last = status.get("lastState", {}).get("terminated", {})
    running = bool(status.get("state", {}).get("running")) and not status.get("ready")
    return running and last.get("exitCode") in KILLED and last.get("reason") != "OOMKilled"


def _left_when_told(pod: Manifest, status: Mapping[str, Any], ended: Mapping[str, Any]) -> bool:
    """The startup probe gave up, and the server left as a good one does, with exit code 0.

    That is how it looks when it was never ready in a run that lasted as long as the probe waits.
    """
    probe = _container_spec(pod, status["name"]).get("startupProbe")
    times = [datetime.fromisoformat(ended[name]) for name in ("startedAt", "finishedAt") if ended.get(name)]
    if not probe or ended.get("exitCode") != 0 or status.get("ready") or len(times) < 2:
        return False
    begun, over = times
    patience = timedelta(seconds=probe.get("periodSeconds", 10) * (probe.get("failureThreshold", 3) - 1))
    return over - begun >= patience and not _was_ready_after(pod, begun)


def _was_ready_after(pod: Manifest, moment: datetime) -> bool:
    """A pod that is not ready now has been so since its condition changed last."""
    changes = (c for c in pod.get("status", {}).get("conditions", []) if c["type"] == "Ready")
    return any(datetime.fromisoformat(c["lastTransitionTime"]) > moment for c in changes)


def _container_spec(pod: Manifest, name: str) -> Mapping[str, Any]:
    found = (spec for spec in pod.get("spec", {}).get("containers", []) if spec["name"] == name)
    return next(found, {})


def _memory_limit(pod: Manifest, container: str) -> str:
    """The limit as the pod's template says it; empty without one."""
    return str(_container_spec(pod, container).get("resources", {}).get("limits", {}).get("memory", ""))


def _crash(pod: Manifest, status: Mapping[str, Any], ended: Mapping[str, Any]) -> Problem:
    where, restarts = _where(pod, status), _restarts(status)
    if ended.get("reason") == "OOMKilled":
        limit = _memory_limit(pod, status["name"])
        return Problem(
            Reason.OUT_OF_MEMORY,
            f"{where} was killed for using more than its memory limit{f' of {limit}' if limit else ''} "
            f"({restarts}). Next: raise maximumMemory in a new version.",
        )
    log = " ".join((ended.get("message") or "").split())
    said = f'; it said: "{shorten(log[-LOG_EXCERPT:], LOG_EXCERPT)}"' if log else " without a word on its log"
    return Problem(
        Reason.CRASHING,
        f"{where} ended with exit code {ended.get('exitCode')} ({restarts}){said}. "
        "Next: a server must stay in the foreground; mend it in a new version.",
    )


def _creation_problem(deployment: Manifest | None) -> Problem | None:
    for condition in (deployment or {}).get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return Problem(
                Reason.POD_CREATION_REFUSED,
                f"pods can't be created: {_sentence(condition.get('message', ''))} "
                "Next: check quotas, limit ranges and admission policies of the namespace.",
            )
    return None


def _silence(pod: Manifest) -> Problem | None:
    """A container that runs and does not answer; only worth telling once its time is up."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        if status.get("state", {}).get("running") and not status.get("ready"):
            return _not_answering(pod, status)
    return None


def _not_answering(pod: Manifest, status: Mapping[str, Any]) -> Problem:
    return Problem(
        Reason.NOT_ANSWERING,
        f'pod {_name(pod)}, container "{status["name"]}" runs but does not answer GET $URL_PREFIX/ with 200 '
        f"({_restarts(status)}). Next: it must listen on 0.0.0.0:$PORT under $URL_PREFIX; compare its log.",
    )


def _where(pod: Manifest, status: Mapping[str, Any]) -> str:
    return f'pod {_name(pod)}, container "{status["name"]}"'


def _restarts(status: Mapping[str, Any]) -> str:
    count = status.get("restartCount", 0)
    return "1 restart" if count == 1 else f"{count} restarts"


def _name(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith(".") else f"{text}."
