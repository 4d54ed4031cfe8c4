"""Names of children: DNS-1035 labels, readable in front and unique behind."""

from __future__ import annotations

import re

import pytest

from modelyard.api.custom_model import GateTest
from modelyard.manifests.code import code_map_name
from modelyard.manifests.gate_test import gate_test_name
from modelyard.manifests.names import READABLE, child_name
from modelyard.manifests.test_job import job_name
from tests.unit.manifests.builders import TEST, make_frozen

DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LONGEST = "v" * 63


@pytest.mark.parametrize(
    ("readable", "name"),
    [
        ("hello-1", "hello-1-0a1b2c3d"),
        ("1-hello", "x1-hello-0a1b2c3d"),
        ("-hello-", "hello-0a1b2c3d"),
        ("Hello.World_2", "hello-world-2-0a1b2c3d"),
        ("ä", "x-0a1b2c3d"),
        ("a" * 40, f"{'a' * 40}-0a1b2c3d"),
        ("a" * 63, f"{'a' * 40}-0a1b2c3d"),
        ("a" * 39 + "-b", f"{'a' * 39}-0a1b2c3d"),
        ("1" * 63, f"x{'1' * 39}-0a1b2c3d"),
        ("1" * 38 + "-b", f"x{'1' * 38}-0a1b2c3d"),
    ],
)
def test_a_childs_name(readable: str, name: str) -> None:
    assert child_name(readable, "0a1b2c3d") == name


@pytest.mark.parametrize("readable", ["hello", "9", "-", "", "a-" * 31, "9-" * 31, LONGEST, "0" * 63])
def test_a_childs_name_is_a_label_with_room_for_what_kubernetes_adds(readable: str) -> None:
    name = child_name(readable, "0a1b2c3d")
    assert DNS_1035.fullmatch(name)
    assert len(name) <= READABLE + 9
    assert len(f"{name}-5d4f8c9b7b") <= 63, "the name of a ReplicaSet stands in a label"


def test_the_tests_of_two_gates_differ_however_long_the_version_is() -> None:
    frozen = make_frozen()
    tests = [
        GateTest(name="a" * 40, timeout_seconds=60),
        GateTest(name="a" * 40, timeout_seconds=61),
        GateTest(name="b" * 40, timeout_seconds=60),
    ]
    assert len({gate_test_name(frozen, test) for test in tests}) == 3


def test_the_same_test_of_two_versions_or_templates_differs() -> None:
    test = GateTest(name="accuracy")
    frozen = [make_frozen(), make_frozen(replicas=2), make_frozen(model={"targetName": "z"})]
    assert len({gate_test_name(one, test) for one in frozen}) == 3


def test_each_attempt_of_each_test_object_has_a_job_of_its_own() -> None:
    again = type(TEST)(TEST.kind, TEST.namespace, TEST.name, "another-uid")
    assert len({job_name(TEST), job_name(TEST, 2), job_name(again), job_name(again, 2)}) == 4
    assert job_name(TEST) == job_name(TEST, 1)


def test_equal_code_of_two_versions_is_mounted_from_two_config_maps() -> None:
    names = {
        code_map_name("churn-" * 10 + version, key=key, digest="sha256:" + "0" * 64)
        for version, key in (("a", "0123456789"), ("b", "9876543210"))
    }
    assert len(names) == 2
