"""How the e2e tests read the audit log: which rights were made use of, and which were refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.audit import OPERATOR, exercised, forbidden


def event(verb: str, resource: str, *, code: int = 200, user: str = OPERATOR, **more: Any) -> str:
    """One line of the log."""
    where = {"resource": resource, "namespace": "team-a", **more.pop("where", {})}
    told = {"verb": verb, "user": {"username": user}, "objectRef": where, "responseStatus": {"code": code}}
    return json.dumps({**told, **more}) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


def test_a_right_has_a_group_a_resource_and_a_verb(log: Path) -> None:
    deployment, pod_log = {"apiGroup": "apps"}, {"subresource": "log"}
    log.write_text(event("list", "deployments", where=deployment) + event("get", "pods", where=pod_log))

    assert exercised(log) == {("apps", "deployments", "list"), ("", "pods/log", "get")}


def test_an_apply_that_makes_an_object_needs_two_rights(log: Path) -> None:
    log.write_text(event("patch", "services", code=201) + event("patch", "configmaps", code=200))

    assert exercised(log) == {
        ("", "services", "patch"),
        ("", "services", "create"),
        ("", "configmaps", "patch"),
    }


def test_what_was_refused_or_asked_by_others_is_no_use_of_a_right(log: Path) -> None:
    denied = {"authorization.k8s.io/decision": "forbid"}
    log.write_text(
        event("get", "secrets", code=403, annotations=denied) + event("delete", "pods", user="somebody")
    )

    assert exercised(log) == set()
    assert forbidden(log) == ["get secrets"]


def test_what_was_rotated_away_counts_too(log: Path) -> None:
    (log.parent / "audit-2026-01-01T00-00-00.000.log").write_text(event("list", "pods"))
    log.write_text(event("watch", "pods") + event("get", "pods")[:-10])

    assert exercised(log) == {("", "pods", "list"), ("", "pods", "watch")}
