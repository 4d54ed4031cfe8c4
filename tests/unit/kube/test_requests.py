"""What a request is about, told from its method and path."""

from __future__ import annotations

import pytest

from modelyard.api import kinds
from modelyard.api.kinds import ALL_KINDS, Kind
from modelyard.kube.requests import Request, parse_request


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
def test_every_path_that_a_kind_makes_is_understood(kind: Kind) -> None:
    assert parse_request("GET", kind.path(), {}) == Request("list", kind)
    assert parse_request("GET", kind.path("ns"), {}) == Request("list", kind, "ns")
    assert parse_request("GET", kind.path("ns", "a"), {}) == Request("get", kind, "ns", "a")
    assert parse_request("PATCH", kind.path("ns", "a", "status"), {}) == Request(
        "apply", kind, "ns", "a", "status"
    )


@pytest.mark.parametrize(
    ("method", "query", "verb"),
    [
        ("GET", {"watch": "true"}, "watch"),
        ("GET", {"watch": "1"}, "watch"),
        ("GET", {"watch": "false"}, "list"),
        ("POST", {}, "create"),
        ("PUT", {}, "update"),
        ("PATCH", {}, "apply"),
        ("DELETE", {}, "delete"),
        ("OPTIONS", {}, "other"),
    ],
)
def test_verbs(method: str, query: dict[str, str], verb: str) -> None:
    assert parse_request(method, "/api/v1/namespaces/ns/pods", query) == Request(verb, kinds.POD, "ns")


def test_a_server_behind_a_prefix_is_looked_through() -> None:
    path = f"/k8s/clusters/c-1{kinds.JOB.path('ns', 'j')}"

    assert parse_request("GET", path, {}) == Request("get", kinds.JOB, "ns", "j")


@pytest.mark.parametrize("path", ["/", "/version", "/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1"])
def test_what_is_not_about_an_object_has_no_kind(path: str) -> None:
    assert parse_request("GET", path, {}).kind is None


def test_a_request_reads_like_what_it_does() -> None:
    text = str(parse_request("PATCH", kinds.CUSTOM_MODEL.path("team-a", "hello", "status"), {}))

    assert text == "apply CustomModel team-a/hello status"
