"""Passes over an environment version: its image is settled once, and then never touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from modelyard.api.kinds import EXECUTION_ENVIRONMENT_VERSION, SECRET
from modelyard.kube.errors import Forbidden
from modelyard.reconcilers.execution_environment_version.facts import (
    Malformed,
    Resolution,
    Resolved,
    Unresolved,
)
from modelyard.reconcilers.execution_environment_version.reconcile import Reconciler
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting
from tests.support.moments import conditions
from tests.support.objects import NAMESPACE, make_environment_version
from tests.support.world import DIGEST, World

Manifest = dict[str, Any]

NAME = "python-1"
AWAY = Unresolved("registry.example does not answer: timed out", may_answer_later=True)


class Registry:
    """Answers as it is told; the last answer for ever."""

    def __init__(self, *answers: Resolution) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, list[str]]] = []

    async def __call__(self, image: str, secrets: Sequence[Manifest]) -> Resolution:
        self.asked.append((image, [secret["metadata"]["name"] for secret in secrets]))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _world(registry: Registry, **spec: Any) -> World:
    world = World()
    world.resolve = registry
    world.user.apply(make_environment_version(**spec))
    return world


async def _outcome(world: World, registry: Registry) -> Outcome:
    return await Reconciler(registry)(world.cluster, world.settings, NAMESPACE, NAME, world.now)


async def test_a_tag_is_resolved_once_and_kept() -> None:
    registry = Registry(Resolved(f"registry.example/envs/python@{DIGEST}", DIGEST))
    world = _world(registry)
    await world.settle()
    assert conditions(world, EXECUTION_ENVIRONMENT_VERSION, NAME) == {
        "Ready": ("True", "Resolved"),
        "Reconciling": ("False", "AsDesired"),
        "Stalled": ("False", "AsDesired"),
        "Pinned": ("True", "Resolved"),
    }
    status = world.get(EXECUTION_ENVIRONMENT_VERSION, NAME)["status"]
    assert (status["image"], status["digest"]) == (f"registry.example/envs/python@{DIGEST}", DIGEST)
    world.start_operator()
    await world.settle()
    assert registry.asked == [("registry.example/envs/python:1", [])]


async def test_a_registry_that_is_away_is_asked_again_and_answers() -> None:
    registry = Registry(AWAY, AWAY, Resolved(f"x@{DIGEST}", DIGEST))
    world = _world(registry)
    await world.settle()
    found = conditions(world, EXECUTION_ENVIRONMENT_VERSION, NAME)
    assert found["Ready"] == found["Pinned"] == ("Unknown", "RegistryUnavailable")
    assert found["Reconciling"][0] == "True"
    await world.pass_time(6, step=3)
    assert world.condition(EXECUTION_ENVIRONMENT_VERSION, NAME) == ("True", "Resolved")
    assert len(registry.asked) == 3


async def test_a_registry_that_stays_away_is_given_up_and_the_tag_is_used() -> None:
    registry = Registry(AWAY)
    world = _world(registry)
    await world.settle()
    await world.pass_time(12, step=3)
    assert world.condition(EXECUTION_ENVIRONMENT_VERSION, NAME)[0] == "Unknown"
    await world.pass_time(3, step=3)
    found = conditions(world, EXECUTION_ENVIRONMENT_VERSION, NAME)
    assert (found["Ready"], found["Pinned"]) == (("True", "UsedByTag"), ("False", "RegistryUnavailable"))
    assert world.message(EXECUTION_ENVIRONMENT_VERSION, NAME) == (
        "registry.example does not answer: timed out; used by tag, each node runs what it finds or has"
    )
    status = world.get(EXECUTION_ENVIRONMENT_VERSION, NAME)["status"]
    assert (status["image"], "digest" in status) == ("registry.example/envs/python:1", False)


async def test_an_image_that_no_registry_has_is_used_by_tag_at_once() -> None:
    world = _world(
        Registry(Unresolved("registry.example has no image envs/python:1", may_answer_later=False))
    )
    await world.settle()
    found = conditions(world, EXECUTION_ENVIRONMENT_VERSION, NAME)
    assert (found["Ready"], found["Pinned"]) == (("True", "UsedByTag"), ("False", "NotInRegistry"))


async def test_what_is_no_image_stalls() -> None:
    registry = Registry(Malformed('spec.image "A::B" is no image reference'))
    world = _world(registry, image="A::B")
    assert await _outcome(world, registry) == Stalled()
    found = conditions(world, EXECUTION_ENVIRONMENT_VERSION, NAME)
    assert found["Ready"] == found["Pinned"] == ("False", "InvalidImage")
    assert found["Stalled"] == ("True", "InvalidImage")
    assert "image" not in world.get(EXECUTION_ENVIRONMENT_VERSION, NAME)["status"]


def _secret(name: str) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}}


async def test_pull_secrets_that_exist_are_read_and_missing_ones_are_not_missed() -> None:
    registry = Registry(Resolved(f"x@{DIGEST}", DIGEST))
    world = _world(registry, imagePullSecrets=[{"name": "mine"}, {"name": "missing"}])
    world.user.apply(_secret("mine"), _secret("not-named"))
    await world.settle()
    assert registry.asked == [("registry.example/envs/python:1", ["mine"])]


async def test_without_the_right_to_read_secrets_the_registry_is_asked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Registry(Resolved(f"x@{DIGEST}", DIGEST))
    world = _world(registry, imagePullSecrets=[{"name": "mine"}])
    get = world.api.get

    def forbid(kind: Any, namespace: str, name: str) -> Manifest:
        if kind == SECRET:
            raise Forbidden("secrets are not for you")
        return get(kind, namespace, name)

    monkeypatch.setattr(world.api, "get", forbid)
    await world.settle()
    assert registry.asked == [("registry.example/envs/python:1", [])]
    assert world.failures == []


async def test_a_version_that_is_being_deleted_is_left_alone() -> None:
    registry = Registry(AWAY)
    world = _world(registry)
    world.user.delete_while_held(EXECUTION_ENVIRONMENT_VERSION, NAME)
    assert await _outcome(world, registry) == Settled()
    assert registry.asked == []


async def test_the_pass_asks_again_after_three_seconds() -> None:
    registry = Registry(AWAY)
    world = _world(registry)
    outcome = await _outcome(world, registry)
    assert isinstance(outcome, Waiting)
    assert outcome.retry_after.total_seconds() == 3
