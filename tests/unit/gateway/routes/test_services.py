"""What the gateway makes of the Services and EndpointSlices of a model."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.columns import MAX_SIZE, known_columns
from modelyard.gateway.route import Address, Column, Model, Target, Version
from modelyard.gateway.routes.document import DATATYPES
from modelyard.gateway.routes.services import in_step, lean, model_of, version_in
from modelyard.manifests.service import version_service
from tests.unit.gateway.routes.objects import (
    NAME,
    NAMESPACE,
    Manifest,
    endpoint,
    pods_of,
    stable,
    version,
    written,
)
from tests.unit.manifests.builders import MODEL, make_frozen

OLD, NEW = version("k1", "1.9"), version("k2", "1.10")
SLICES = [pods_of(OLD, endpoint("10.0.0.1")), pods_of(NEW, endpoint("10.0.0.2"), endpoint("10.0.0.3"))]


def model(services: list[Manifest], slices: list[Manifest] = SLICES) -> Model:
    """What these make."""
    found = model_of(NAMESPACE, NAME, map(lean, services), map(lean, slices))
    assert found is not None
    return found


def pods(*slices: Manifest) -> tuple[Address, ...]:
    """The pods that these slices give to a version."""
    return model([OLD], list(slices)).versions["1.9"].pods


def hosts(found: Model) -> dict[str, list[str]]:
    """The pods of each version."""
    return {label: [pod.host for pod in each.pods] for label, each in found.versions.items()}


def test_what_the_operator_writes_is_understood() -> None:
    service = written()
    found = model([stable(make_frozen().key), service], [pods_of(service, endpoint("10.0.0.1"))])
    version = Version(
        "1.0", Target("Regression", "y"), "/models/team-a/hello", (Address("10.0.0.1", 8080),), ()
    )
    assert found == Model("team-a", "hello", {"1.0": version}, "1.0")


def test_columns_are_understood_as_the_operator_writes_them() -> None:
    columns = known_columns({"area": "FP64", "Łódź": "BYTES", "rooms": "INT64", "new": "BOOL"})
    assert columns is not None
    told = version_service(make_frozen(), MODEL, columns)["metadata"]["annotations"][labels.ROUTE]
    understood = version_in(told)
    assert understood is not None
    assert understood.columns == tuple(Column(column.name, column.datatype) for column in columns)


X = {"name": "x", "datatype": "FP64"}


@pytest.mark.parametrize(
    "columns",
    [
        None,
        "area",
        {"area": "FP64"},
        [1],
        [X, None],
        [X, {"name": "y"}],
        [X, {"name": "y", "datatype": "FP8"}],
        [X, {"name": "y", "datatype": ["FP64"]}],
        [X, {"name": 1, "datatype": "FP64"}],
        [X, {"name": "", "datatype": "FP64"}],
        [X, X],
        [X, {"name": "y" * MAX_SIZE, "datatype": "FP64"}],
        [{"name": f"x{number}", "datatype": "FP64"} for number in range(200)],
        [X] * 5000,
    ],
    ids=lambda columns: str(columns)[:40],
)
def test_columns_that_nobody_should_have_written_cost_the_columns_alone(columns: Any) -> None:
    """Whoever may edit a Service may write there: predictions go on, and no answer grows without bound."""
    service = version("k1", "1.0", columns=columns)
    assert version_in(service["metadata"]["annotations"][labels.ROUTE]) == Version(
        "1.0", Target("Regression", "y"), "/p", (), ()
    )


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_every_datatype_of_the_protocol_is_understood(datatype: str) -> None:
    found = model([version("k1", "1.0", columns=[{"name": "x", "datatype": datatype}])])
    assert found.versions["1.0"].columns == (Column("x", datatype),)


def test_the_stable_service_says_which_version_serves() -> None:
    for key, label in (("k1", "1.9"), ("k2", "1.10"), (None, None), ("gone", None)):
        found = model([stable(key), OLD, NEW])
        assert (found.serving, list(found.versions)) == (label, ["1.9", "1.10"])


def test_a_version_has_the_pods_of_its_own_service() -> None:
    assert hosts(model([stable("k1"), OLD, NEW])) == {"1.9": ["10.0.0.1"], "1.10": ["10.0.0.2", "10.0.0.3"]}


def test_a_version_without_pods_is_known() -> None:
    assert hosts(model([stable("k1"), OLD, NEW], SLICES[1:])) == {
        "1.9": [],
        "1.10": ["10.0.0.2", "10.0.0.3"],
    }


def test_a_model_without_versions_is_known_and_one_without_services_is_not() -> None:
    assert model([stable(None)], []) == Model(NAMESPACE, NAME, {}, None)
    assert model([OLD], []).serving is None
    assert model_of(NAMESPACE, NAME, [], map(lean, SLICES)) is None


def test_a_candidate_never_serves_for_its_service_having_the_name_of_the_model() -> None:
    candidate = version("k1", "1.0")
    candidate["metadata"]["name"] = NAME
    assert model([candidate], []).serving is None


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_versions_with_one_label_the_serving_one_counts(turned: bool) -> None:
    services = [stable("k2"), version("k1", "1.0"), version("k2", "1.0")]
    found = model(services[::-1] if turned else services)
    assert hosts(found) == {"1.0": ["10.0.0.2", "10.0.0.3"]}
    assert found.serving == "1.0"


FLIPPED = [stable("k2"), OLD, NEW]


@pytest.mark.parametrize(
    ("services", "slices", "serves"),
    [
        (FLIPPED, SLICES, "1.10"),
        (FLIPPED, SLICES[:1], "1.9"),
        (FLIPPED, [], "1.10"),
        (FLIPPED, SLICES[1:], "1.10"),
        ([stable("k2"), NEW], [], "1.10"),
        ([OLD, NEW], SLICES, None),
    ],
    ids=[
        "all is known",
        "no pod of it is known",
        "no pod of either",
        "only its pods",
        "the one before is gone",
        "none serves any more",
    ],
)
def test_a_model_turns_to_a_version_once_a_pod_of_it_is_known_unless_the_one_before_has_none(
    services: list[Manifest], slices: list[Manifest], serves: str | None
) -> None:
    """Services come in their order, but slices by a watch of their own, which may be behind after an outage."""
    before = model([stable("k1"), OLD, NEW])
    now = in_step(before, model(services, slices))
    assert now.serving == serves
    assert in_step(None, now) == now
    assert in_step(now, model(FLIPPED)).serving == "1.10"


def test_the_service_of_a_copy_for_a_test_is_no_version() -> None:
    copy = version("k3", "1.0")
    del copy["metadata"]["annotations"]
    copy["metadata"]["labels"]["modelyard.dev/of-test"] = "by-hand"
    assert hosts(model([stable("k1"), OLD, copy])) == {"1.9": ["10.0.0.1"]}


@pytest.mark.parametrize(
    ("conditions", "gets_requests"),
    [
        ({}, True),
        ({"ready": True}, True),
        ({"ready": True, "serving": True, "terminating": False}, True),
        ({"ready": False, "serving": False, "terminating": False}, False),
        ({"ready": False, "serving": True, "terminating": True}, False),
        ({"ready": True, "serving": True, "terminating": True}, False),
    ],
)
def test_a_pod_gets_requests_while_it_is_ready_and_stays(
    conditions: dict[str, bool], gets_requests: bool
) -> None:
    found = pods_of(OLD, {"addresses": ["10.0.0.1"], "conditions": conditions})
    assert bool(pods(found)) == gets_requests


def test_pods_of_several_slices_are_taken_together_and_once() -> None:
    one = pods_of(OLD, endpoint("10.0.0.2"), endpoint("10.0.0.1"), part="a")
    other = pods_of(OLD, endpoint("10.0.0.2", ready=False), endpoint("10.0.0.3"), part="b")
    assert [pod.host for pod in pods(one, other)] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_a_pod_with_two_addresses_is_one_pod_at_the_first_family_of_its_service() -> None:
    service = version("k1", "1.0")
    service["spec"]["ipFamilies"] = ["IPv6", "IPv4"]
    six = pods_of(service, endpoint("fd00::1"), part="six", addressType="IPv6")
    found = model([service], [pods_of(service, endpoint("10.0.0.1")), six])
    assert hosts(found) == {"1.0": ["fd00::1"]}


def test_the_port_is_the_one_named_http() -> None:
    ports = [{"name": "metrics", "port": 9}, {"name": "http", "port": 8081}]
    assert pods(pods_of(OLD, endpoint("10.0.0.1"), ports=ports)) == (Address("10.0.0.1", 8081),)
    assert pods(pods_of(OLD, endpoint("10.0.0.1"), ports=ports[:1])) == ()


def test_a_slice_without_endpoints_or_ports_has_no_pods() -> None:
    assert pods(pods_of(OLD, endpoints=None), pods_of(OLD, endpoint("10.0.0.1"), ports=None)) == ()


def test_what_changes_no_route_is_not_kept() -> None:
    service, found = version("k1", "1.0"), pods_of(OLD, endpoint("10.0.0.2"), endpoint("10.0.0.1"))
    more = copy.deepcopy(service)
    more["metadata"]["annotations"]["somebody/else"] = "x"
    more["metadata"]["labels"]["somebody/else"] = "x"
    more["spec"]["clusterIP"] = "10.96.0.1"
    assert lean(more) == lean(service)
    assert lean(
        {**found, "endpoints": [*found["endpoints"][::-1], endpoint("10.0.0.9", ready=False)]}
    ) == lean(found)
    assert lean(pods_of(stable("k1"), endpoint("10.0.0.1"))) == lean(pods_of(stable("k1")))
    assert json.loads(json.dumps(lean(found))) == lean(found), "the cache may keep it as JSON"


def test_a_label_of_many_digits_is_a_label() -> None:
    digits = "9" * 5000
    found = model([stable("k2"), version("k1", digits), version("k2", "1.10")])
    assert (set(found.versions), found.serving) == ({"1.10", digits}, "1.10")


@pytest.mark.parametrize("path", ["/p\r\nX-Injected: 1", "/a b", "p", "/p?x", "/p/", "/\u00e4"])
def test_a_route_whose_path_is_none_is_no_version(path: str) -> None:
    found = model([stable("k1"), version("k1", "1.0", urlPrefix=path), version("k2", "2.0")])
    assert list(found.versions) == ["2.0"]


def test_a_route_may_say_more_than_is_known_here() -> None:
    told = {
        "label": "1.0",
        "urlPrefix": "/p",
        "target": {"type": "Binary", "name": "y", "labels": ["a", "b"], "threshold": 0, "unit": "EUR"},
        "columns": [{"name": "x", "datatype": "FP64", "unit": "m"}],
        "later": {},
    }
    target = Target("Binary", "y", ("a", "b"), 0.0)
    assert version_in(json.dumps(told)) == Version("1.0", target, "/p", (), (Column("x", "FP64"),))


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"label": "1.0"},
        {"label": 1.0, "urlPrefix": "", "target": {"type": "Regression", "name": "y"}},
        {"label": "1.0", "urlPrefix": "", "target": {"type": "Ranking", "name": "y"}},
        {"label": "1.0", "urlPrefix": "", "target": {"type": ["x"], "name": "y"}},
    ],
)
def test_what_is_no_route_is_no_version(told: Any) -> None:
    assert version_in(json.dumps(told)) is None
    assert version_in("{") is None
