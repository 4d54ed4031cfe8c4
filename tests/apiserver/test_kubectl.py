"""What a user sees with kubectl: the reference, the names, the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.api.crds import RESOURCES
from modelyard.api.kinds import Kind
from modelyard.api.meta import Resource
from tests.apiserver.said import create, merge
from tests.apiserver.server import ApiServer, our_crds
from tests.cluster.waiting import until
from tests.support.objects import (
    make_environment,
    make_environment_version,
    make_ledger,
    make_model,
    make_test,
    make_version,
)

Manifest = dict[str, Any]

ONE_OF_EACH = [
    make_environment(),
    make_environment_version(),
    make_model(),
    make_version(),
    make_test(),
    make_ledger(),
]
EMPTY = "<empty>"
MANY_BYTES = 128 * 1024


def ids(resource: type[Resource]) -> str:
    return resource.__name__


def kubectl(server: ApiServer, *arguments: str) -> str:
    done = server.kubectl(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def published(server: ApiServer, kind: Kind) -> Manifest:
    """The schema that `kubectl explain` reads; empty until the server has published it."""
    document = server.request("GET", f"/openapi/v3/apis/{kind.group}/{kind.version}").body
    found: Manifest = document.get("components", {}).get("schemas", {})
    return dict(found.get(f"dev.modelyard.{kind.version}.{kind.name}", {}))


def fields(schema: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Every field below a schema, by its path as `kubectl explain` wants it."""
    for holder in (schema, schema.get("items", {}), schema.get("additionalProperties", {})):
        for name, child in holder.get("properties", {}).items():
            yield f"{path}.{name}", child
            yield from fields(child, f"{path}.{name}")


@pytest.mark.parametrize("resource", RESOURCES, ids=ids)
def test_explain_describes_every_field(server: ApiServer, resource: type[Resource]) -> None:
    kind = resource.kind
    schema = until(f"the server publishes {kind.name}", lambda: published(server, kind))
    described = {path: child.get("description", "") for path, child in fields(schema)}
    parts = [part for part in ("spec", "status") if part in resource.model_fields]

    printed = "".join(
        kubectl(server, "explain", "--recursive", f"{kind.plural}.{part}") for part in (*parts, "metadata")
    )

    assert all(f".{part}" in described for part in parts)
    assert [path for path, text in described.items() if not text.strip()] == []
    assert EMPTY not in printed
    assert all(path.rsplit(".", 1)[1] in printed for path in described if path.count(".") > 1)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (
            "cmv.spec.startup.timeoutSeconds",
            "Seconds from the container's start until it must answer, 5 to 3600 (default 300).",
        ),
        ("mtest.spec.replicas", "How many pods are tested, 1 to 8 (default: as many as the version has)."),
        (
            "mtest.spec.ttlSecondsAfterFinished",
            "Seconds after its end at which the ModelTest is deleted, with its report, 0 to 31536000. Absent means "
            "that it is kept.",
        ),
        ("mtest.spec.configuration.sampleRows", "1 to 1000 (default 100)."),
        (
            "mtest.spec.configuration.tolerance",
            "How far two predictions of the same row may be apart before sideEffects calls them different.",
        ),
        ("cmodel.spec.classLabels", "Multiclass only, and required there: names of the classes, 2 to 100;"),
        ("cmodel.spec.gate.failedTestsHistoryLimit", "0 to 100 (default 5)."),
    ],
)
def test_explain_says_what_a_field_does_with_unit_and_default(
    server: ApiServer, field: str, sentence: str
) -> None:
    printed = " ".join(kubectl(server, "explain", field).split())

    assert sentence in printed


@pytest.mark.parametrize("resource", RESOURCES, ids=ids)
def test_a_kind_has_a_short_name(server: ApiServer, namespace: str, resource: type[Resource]) -> None:
    manifest = next(each for each in ONE_OF_EACH if each["kind"] == resource.kind.name)
    create(server, namespace, manifest)

    found = json.loads(kubectl(server, "get", resource.kind.short, "-n", namespace, "-o", "json"))

    assert [item["metadata"]["name"] for item in found["items"]] == [manifest["metadata"]["name"]]


def test_get_modelyard_lists_every_kind(server: ApiServer, namespace: str) -> None:
    for manifest in ONE_OF_EACH:
        create(server, namespace, manifest)

    printed = kubectl(server, "get", "modelyard", "-n", namespace, "-o", "name").split()

    assert sorted(printed) == sorted(
        f"{manifest['kind'].lower()}.modelyard.dev/{manifest['metadata']['name']}" for manifest in ONE_OF_EACH
    )


def ready(status: str, reason: str, message: str, type: str = "Ready") -> Manifest:
    condition = {"type": type, "status": status, "reason": reason, "message": message}
    return {**condition, "lastTransitionTime": "2026-01-01T00:00:00Z"}


def cells(server: ApiServer, namespace: str, short: str, *options: str) -> dict[str, str]:
    """The first row of a table by its column names, except those that tell an age."""
    head, row = kubectl(server, "get", short, "-n", namespace, *options).splitlines()[:2]
    starts = [found.start() for found in re.finditer(r"\S+", head)]
    ends = [*starts[1:], None]
    found = {head[start:end].strip(): row[start:end].strip() for start, end in zip(starts, ends, strict=True)}
    return {name: cell for name, cell in found.items() if name not in ("AGE", "SINCE")}


def test_the_table_of_models_answers_what_serves_since_when_and_why_not(
    server: ApiServer, namespace: str
) -> None:
    create(server, namespace, make_model())
    status = {
        "conditions": [
            ready("False", "CandidateRejected", 'version "hello-2" (2.0) was refused: row 3 is not finite')
        ],
        "serving": {"name": "hello-1", "label": "1.0", "key": "0123456789", "since": "2026-01-01T00:00:00Z"},
        "candidate": {"name": "hello-3", "label": "3.0"},
        "address": {"url": "http://hello.team-a.svc.cluster.local/models/team-a/hello"},
    }
    merge(server, namespace, make_model(), {"status": status}, sub="status")

    plain, wide = cells(server, namespace, "cmodel"), cells(server, namespace, "cmodel", "-o", "wide")

    assert "SINCE" in kubectl(server, "get", "cmodel", "-n", namespace).splitlines()[0]
    assert plain == {
        "NAME": "hello",
        "READY": "False",
        "REASON": "CandidateRejected",
        "SERVING": "1.0",
        "VERSION": "hello-1",
        "CANDIDATE": "hello-3",
        "MESSAGE": 'version "hello-2" (2.0) was refused: row 3 is not finite',
    }
    assert wide["URL"] == "http://hello.team-a.svc.cluster.local/models/team-a/hello"


def test_the_table_of_versions_says_why_one_was_refused(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_version("hello-2", label="2.0"))
    conditions = [ready("False", "TestsFailed", "errorCheck: row 3 is not finite")]
    status = {"conditions": conditions, "label": "2.0", "role": "Rejected"}
    merge(server, namespace, make_version("hello-2"), {"status": status}, sub="status")

    assert cells(server, namespace, "cmv") == {
        "NAME": "hello-2",
        "MODEL": "hello",
        "LABEL": "2.0",
        "READY": "False",
        "REASON": "TestsFailed",
        "MESSAGE": "errorCheck: row 3 is not finite",
    }


def test_the_table_of_tests_shows_the_verdict(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_test())
    conditions = [ready("False", "TestFailed", "errorCheck: row 3 is not finite", type="Succeeded")]
    status = {"conditions": conditions, "overallStatus": "failed"}
    merge(server, namespace, make_test(), {"status": status}, sub="status")

    assert cells(server, namespace, "mtest") == {
        "NAME": "hello-1-check",
        "VERSION": "hello-1",
        "STATUS": "failed",
        "MESSAGE": "errorCheck: row 3 is not finite",
    }


def test_the_table_of_environments_shows_image_and_pin(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_environment())
    conditions = [ready("True", "Ready", "fine"), ready("False", "NotInRegistry", "by tag", type="Pinned")]
    latest = {"name": "python-1", "number": 1, "image": "registry.example/envs/python:1"}
    status = {"conditions": conditions, "latestVersion": latest}
    merge(server, namespace, make_environment(), {"status": status}, sub="status")

    assert cells(server, namespace, "exenv") == {
        "NAME": "python",
        "READY": "True",
        "REASON": "Ready",
        "PINNED": "False",
        "VERSION": "1",
        "IMAGE": "registry.example/envs/python:1",
        "MESSAGE": "fine",
    }


@pytest.mark.parametrize("resource", RESOURCES, ids=ids)
def test_the_server_found_nothing_to_complain_about(server: ApiServer, resource: type[Resource]) -> None:
    name = f"{resource.kind.plural}.{resource.kind.group}"
    found = server.request("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}").body
    states = {entry["type"]: entry["status"] for entry in found["status"]["conditions"]}

    assert states == {"NamesAccepted": "True", "Established": "True"}


def test_each_crd_is_small() -> None:
    sizes = {crd["metadata"]["name"]: len(json.dumps(crd)) for crd in our_crds()}

    assert len(sizes) == len(RESOURCES)
    assert {name: size for name, size in sizes.items() if size >= MANY_BYTES} == {}
