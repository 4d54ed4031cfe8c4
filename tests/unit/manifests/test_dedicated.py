"""The copy of a version that a test by hand runs on: what it overrides, and that all else is the version's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.model_test import ModelTest, ModelTestSpec
from modelyard.manifests.dedicated import code_map_of, copy_name, dedicated, memory_limit, overridden
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Owner
from tests.support.objects import make_test
from tests.unit.manifests.builders import SETTINGS, TEST, make_frozen

SPREAD = "podAntiAffinity"


def asked(**overrides: Any) -> ModelTestSpec:
    return ModelTest.model_validate(make_test(**overrides)).spec


def resources(frozen: Frozen, memory: str | None) -> dict[str, Any]:
    (container,) = overridden(frozen, asked(maximumMemory=memory), TEST).template["spec"]["containers"]
    found: dict[str, Any] = container["resources"]
    return found


@pytest.mark.parametrize(
    ("maximum", "desired", "override", "requested", "limit"),
    [
        ("1Gi", None, None, "1Gi", "1Gi"),
        ("1Gi", "512Mi", None, "512Mi", "1Gi"),
        ("1Gi", None, "256Mi", "256Mi", "256Mi"),
        ("1Gi", None, "2Gi", "2Gi", "2Gi"),
        ("1Gi", "512Mi", "2Gi", "512Mi", "2Gi"),
        ("1Gi", "512Mi", "256Mi", "256Mi", "256Mi"),
        ("1Gi", "1024Mi", "2Gi", "2Gi", "2Gi"),
    ],
    ids=[
        "as the version has it",
        "as the version has both",
        "lower, and the request follows",
        "higher, and the request follows",
        "a request of its own stays",
        "a request of its own is never above the limit",
        "a request that is the limit in another spelling follows",
    ],
)
def test_memory(maximum: str, desired: str | None, override: str | None, requested: str, limit: str) -> None:
    found = resources(make_frozen(maximumMemory=maximum, desiredMemory=desired), override)
    assert (found["requests"]["memory"], found["limits"]["memory"]) == (requested, limit)
    assert found["requests"]["cpu"] == "250m"


@pytest.mark.parametrize("version", [True, False])
@pytest.mark.parametrize("override", [True, False, None])
def test_spread_is_the_tests_own_if_it_says_so(version: bool, override: bool | None) -> None:
    made = overridden(make_frozen(requiresHa=version, replicas=2), asked(requiresHa=override), TEST)
    expected = version if override is None else override
    affinity = made.template["spec"].get("affinity", {})
    assert (made.requires_ha, SPREAD in affinity) == (expected, expected)
    assert labels.SERVES not in str(affinity)


def test_nothing_of_the_record_is_changed() -> None:
    frozen = make_frozen(requiresHa=True, replicas=2)
    before = copy.deepcopy(frozen)
    dedicated(TEST, frozen, asked(maximumMemory="256Mi", replicas=1, requiresHa=False), SETTINGS)
    assert frozen == before


def test_each_test_object_has_a_copy_of_its_own() -> None:
    again = Owner(TEST.kind, TEST.namespace, TEST.name, "another")
    assert copy_name(TEST) != copy_name(again)
    assert len(copy_name(Owner(TEST.kind, TEST.namespace, "x" * 63, "u"))) <= 49


def test_no_object_of_a_copy_can_be_taken_for_the_versions() -> None:
    for manifest in dedicated(TEST, make_frozen(), asked(), SETTINGS):
        assert labels.OF_VERSION not in manifest["metadata"]["labels"]
        assert not {labels.SERVES, labels.MODEL} & _keys(manifest), manifest["kind"]


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return {str(key) for key in value} | {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


def test_a_record_tells_its_limit_and_its_code() -> None:
    frozen = make_frozen(maximumMemory="384Mi")
    assert memory_limit(frozen) == "384Mi"
    assert str(code_map_of(frozen)).startswith("hello-1-")


def selectors(value: Any, inside: bool = False) -> set[str]:
    """Every label that something in a manifest selects by."""
    if isinstance(value, list):
        return {label for item in value for label in selectors(item, inside)}
    if not isinstance(value, dict):
        return {value} if inside and isinstance(value, str) else set()
    found = {str(key) for key in value} if inside else set()
    return found.union(*(selectors(item, inside or "elector" in key) for key, item in value.items()))


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("spread", [True, False])
def test_nothing_of_a_copy_selects_the_pods_that_serve(replicas: int, spread: bool) -> None:
    """Its own pods carry neither label: what selects by one of them would mean the pods of the version."""
    frozen = make_frozen(requiresHa=spread, replicas=replicas)
    made = dedicated(TEST, frozen, asked(), SETTINGS)
    selected = selectors(made)
    assert selected >= {labels.WORKLOAD}
    assert not selected & {labels.SERVES, labels.MODEL}, "replace it in dedicated.py, as the affinity is"
    pods = [manifest["spec"]["template"] for manifest in made if manifest["kind"] == "Deployment"]
    assert not {labels.SERVES, labels.MODEL} & set(pods[0]["metadata"]["labels"])


@pytest.mark.parametrize("field", ["affinity", "topologySpreadConstraints"])
def test_a_selector_of_a_version_is_found_wherever_it_stands(field: str) -> None:
    by_version = {"labelSelector": {"matchLabels": {labels.SERVES: "k"}}}
    assert selectors({"spec": {field: [{"x": by_version}]}}) == {labels.SERVES, "matchLabels", "k"}
    in_words = {"selector": {"matchExpressions": [{"key": labels.MODEL, "operator": "Exists"}]}}
    assert labels.MODEL in selectors({field: in_words})
