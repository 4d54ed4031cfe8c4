"""An object of the name that we want is ours, somebody else's, or about to be collected."""

from __future__ import annotations

from typing import Any

from modelyard.api import labels
from modelyard.kube.errors import Conflict, NameTaken
from modelyard.kube.ownership import obstacle


def child(*, uid: str | None = "u-1", owner: str = "hello", label: bool = True) -> dict[str, Any]:
    reference = {
        "apiVersion": labels.API_VERSION,
        "kind": "CustomModel",
        "name": owner,
        "uid": uid,
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "hello",
            "namespace": "ns",
            "labels": {labels.MANAGED_BY: labels.MANAGED_BY_VALUE} if label else {},
            "ownerReferences": [reference] if uid else [],
        },
    }


def test_a_child_of_the_same_owner_is_ours() -> None:
    assert obstacle(child(), child()) is None


def test_a_child_whose_label_was_removed_is_still_ours_and_gets_it_back() -> None:
    assert obstacle(child(label=False), child()) is None


def test_an_object_without_an_owner_is_somebody_elses() -> None:
    error = obstacle(child(uid=None, label=False), child())

    assert type(error) is NameTaken
    assert str(error) == (
        "Service 'hello' in namespace 'ns' exists and was not made by Modelyard: rename or delete it"
    )


def test_a_label_alone_makes_nothing_ours() -> None:
    assert type(obstacle(child(uid=None), child())) is NameTaken


def test_a_child_of_another_model_is_not_ours() -> None:
    assert type(obstacle(child(uid="u-2", owner="other"), child())) is NameTaken


def test_a_child_of_the_deleted_model_of_the_same_name_is_about_to_go() -> None:
    """After `kubectl replace --force` the garbage collector needs a moment: no reason to blame the user."""
    assert type(obstacle(child(uid="u-0"), child())) is Conflict


def test_only_the_controlling_owner_counts() -> None:
    live = child(uid="u-0", owner="other")
    live["metadata"]["ownerReferences"].append(
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u-1"}
    )

    assert type(obstacle(live, child())) is NameTaken


def test_without_an_owner_the_label_decides() -> None:
    assert obstacle(child(uid=None), child(uid=None)) is None
    assert type(obstacle(child(uid=None, label=False), child(uid=None))) is NameTaken
