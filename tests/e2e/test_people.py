"""What people may do: those with the cluster's own view, edit and admin roles in a namespace, and those with none.

Asked of the API server for every kind and verb, and tried where it matters most.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from modelyard.api import kinds
from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from tests.cluster.waiting import until
from tests.support.objects import as_applied, make_ledger, make_model

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")
WRITTEN_BY_PEOPLE = {"executionenvironments", "custommodels", "custommodelversions", "modeltests"}
STATUS = tuple(f"{kind.plural}/status" for kind in kinds.OWN_KINDS)
ROLES = ("view", "edit", "admin")
NOBODY = "nobody"

Right = tuple[str, str]
"""(resource, verb)"""

ALL = {(kind.plural, verb) for kind in kinds.OWN_KINDS for verb in (*READ, *WRITE)} | {
    (part, verb) for part in STATUS for verb in ("get", "update", "patch")
}
READS = {(kind.plural, verb) for kind in kinds.OWN_KINDS for verb in READ}
WRITES = {(plural, verb) for plural in WRITTEN_BY_PEOPLE for verb in WRITE}

PROMISED = {"view": READS, "edit": READS | WRITES, "admin": READS | WRITES, NOBODY: set[Right]()}
"""As docs/install.md has it."""


def binding(role: str, namespace: str) -> Manifest:
    """The user who is called like the role has it in the namespace."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": role, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": role}],
    }


@pytest.fixture(scope="module")
def home(operator: str, kubectl: Kubectl) -> Iterator[str]:
    """A namespace where the users view, edit and admin have the role of that name."""
    with new_namespace(kubectl, "people") as namespace:
        kubectl.apply(*(binding(role, namespace) for role in ROLES))
        # A controller of the cluster adds our rights to its roles, some time after they were installed.
        until(
            "the roles are aggregated",
            lambda: ("custommodels", "create") in rights(kubectl, "admin", namespace),
        )
        yield namespace


def rights(kubectl: Kubectl, user: str, namespace: str) -> set[Right]:
    """What a user may do with our kinds, as the API server's authorizers say."""
    said = kubectl.run(
        "create",
        "--filename=-",
        "--output=jsonpath={.spec.resourceAttributes} {.status.allowed}{'\\n'}",
        stdin=json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": [_review(user, namespace, r) for r in ALL]}
        ),
    )
    answers = [line.rpartition(" ") for line in said.splitlines()]
    assert len(answers) == len(ALL)
    return {_right(json.loads(asked)) for asked, _, allowed in answers if allowed == "true"}


def _review(user: str, namespace: str, right: Right) -> Manifest:
    resource, _, part = right[0].partition("/")
    attributes = {
        "namespace": namespace,
        "group": kinds.CUSTOM_MODEL.group,
        "resource": resource,
        "verb": right[1],
        **({"subresource": part} if part else {}),
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {"user": user, "groups": ["system:authenticated"], "resourceAttributes": attributes},
    }


def _right(attributes: dict[str, str]) -> Right:
    part = attributes.get("subresource")
    return f"{attributes['resource']}{f'/{part}' if part else ''}", attributes["verb"]


def as_user(user: str) -> tuple[str, ...]:
    return f"--as={user}", "--as-group=system:authenticated"


@pytest.mark.parametrize("user", PROMISED)
def test_a_user_may_do_what_the_role_promises_and_nothing_else(
    kubectl: Kubectl, home: str, user: str
) -> None:
    assert rights(kubectl, user, home) == PROMISED[user]


@pytest.mark.parametrize("user", ROLES)
def test_a_role_in_one_namespace_gives_nothing_in_another(kubectl: Kubectl, home: str, user: str) -> None:
    assert rights(kubectl, user, "default") == set()


def test_no_other_role_of_the_chart_than_the_operators_writes_facts_or_status(
    kubectl: Kubectl, home: str
) -> None:
    roles = json.loads(kubectl.run("get", "clusterroles", "--output=json"))["items"]
    writers = {
        role["metadata"]["name"]
        for role in roles
        for rule in role.get("rules") or []
        if kinds.CUSTOM_MODEL.group in rule.get("apiGroups", [])
        and set(rule["resources"]) & {"modelledgers", "executionenvironmentversions", *STATUS}
        and set(rule["verbs"]) - set(READ)
    }

    assert writers == {"modelyard"}


@pytest.mark.parametrize("user", ["edit", "admin"])
def test_who_may_edit_makes_and_removes_a_model(kubectl: Kubectl, home: str, user: str) -> None:
    model = as_applied(make_model(f"of-{user}", namespace=home))

    kubectl.run("apply", "-f", "-", *as_user(user), stdin=json.dumps(model))
    kubectl.wait("condition=Ready", f"custommodel/of-{user}", namespace=home)
    kubectl.run("delete", "custommodel", f"of-{user}", f"--namespace={home}", *as_user(user))


def test_who_may_view_makes_no_model(kubectl: Kubectl, home: str) -> None:
    model = as_applied(make_model("of-view", namespace=home))

    with pytest.raises(KubectlFailed, match=r"cannot (create|patch) resource"):
        kubectl.run("apply", "-f", "-", *as_user("view"), stdin=json.dumps(model))


@pytest.mark.parametrize("user", ROLES)
def test_nobody_forges_a_verdict(kubectl: Kubectl, home: str, user: str) -> None:
    """Neither in the ledger nor in a status."""
    kubectl.apply(as_applied(make_model("judged", namespace=home)))
    kubectl.wait("condition=Ready", "custommodel/judged", namespace=home)
    ledger = as_applied(make_ledger("forged", namespace=home))
    forged = '{"status": {"latestVersion": "forged"}}'
    patch = ("patch", "custommodel", "judged", f"--namespace={home}", "--type=merge", f"--patch={forged}")

    with pytest.raises(KubectlFailed, match='cannot create resource "modelledgers"'):
        kubectl.run("create", "-f", "-", *as_user(user), stdin=json.dumps(ledger))
    with pytest.raises(KubectlFailed, match=r'cannot (get|patch) resource "custommodels/status"'):
        kubectl.run(*patch, "--subresource=status", *as_user(user))
    with pytest.raises(KubectlFailed, match='cannot delete resource "modelledgers"'):
        kubectl.run("delete", "modelledger", "judged", f"--namespace={home}", *as_user(user))
