"""Whom a version's policy lets in."""

from __future__ import annotations

from modelyard.api import labels
from modelyard.api.custom_model import Caller
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.network_policy import version_policy
from modelyard.settings import Settings
from tests.unit.manifests.builders import MODEL, make_frozen

GATEWAY = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "modelyard-system"}},
    "podSelector": {"matchLabels": {labels.GATEWAY: labels.GATEWAY_VALUE}},
}


def let_in(settings: Settings, *callers: Caller) -> list[Manifest]:
    """The peers that may open connections, but for the version's tests."""
    policy = version_policy(make_frozen(), MODEL, callers=callers, settings=settings)
    peers: list[Manifest] = policy["spec"]["ingress"][0]["from"]
    return peers[1:]


def test_every_pod_of_the_models_namespace_is_let_in_and_the_gateway_where_there_is_one() -> None:
    assert let_in(Settings()) == [{"podSelector": {}}]
    assert let_in(Settings(gateway_namespace="modelyard-system")) == [{"podSelector": {}}, GATEWAY]


def test_a_model_that_names_its_callers_lets_in_these_alone() -> None:
    front = Caller.model_validate({"podSelector": {"matchLabels": {"app": "front"}}})
    settings = Settings(gateway_namespace="modelyard-system")
    assert let_in(settings, front) == [{"podSelector": {"matchLabels": {"app": "front"}}}]
    assert let_in(settings, Caller.model_validate(GATEWAY)) == [GATEWAY]
