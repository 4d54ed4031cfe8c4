"""Passes over an environment: a version for each image, and what the newest says."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.kinds import EXECUTION_ENVIRONMENT, EXECUTION_ENVIRONMENT_VERSION
from modelyard.kube.errors import Forbidden, Invalid
from modelyard.reconcilers.execution_environment.reconcile import reconcile
from modelyard.reconcilers.execution_environment_version.facts import Malformed, Resolution, Unresolved
from modelyard.status.outcomes import Outcome, Settled, Waiting
from tests.support.moments import conditions, names, refusing
from tests.support.objects import NAMESPACE, make_environment
from tests.support.world import DIGEST, World

Manifest = dict[str, Any]

OTHER = "registry.example/envs/other:2"


async def _outcome(world: World) -> Outcome:
    return await reconcile(world.cluster, world.settings, NAMESPACE, "python", world.now)


def _versions(world: World) -> list[tuple[int, str]]:
    found = [m["spec"] for m in world.all(EXECUTION_ENVIRONMENT_VERSION)]
    return sorted((spec["number"], spec["image"]) for spec in found)


async def test_every_condition_is_there_from_the_first_pass() -> None:
    world = World()
    world.user.apply(make_environment())
    await _outcome(world)
    status = world.get(EXECUTION_ENVIRONMENT, "python")["status"]
    assert [(c["type"], c["status"], c["reason"]) for c in status["conditions"]] == [
        ("Ready", "Unknown", "NotStarted"),
        ("Reconciling", "True", "NotStarted"),
        ("Stalled", "False", "AsDesired"),
        ("Pinned", "Unknown", "NotStarted"),
    ]
    assert {k: v for k, v in status.items() if k != "conditions"} == {"observedGeneration": 1}


async def test_row_image_resolved_is_true_and_pinned() -> None:
    world = World()
    world.user.apply(make_environment())
    await world.settle()
    assert conditions(world, EXECUTION_ENVIRONMENT, "python") == {
        "Ready": ("True", "Resolved"),
        "Reconciling": ("False", "AsDesired"),
        "Stalled": ("False", "AsDesired"),
        "Pinned": ("True", "Resolved"),
    }
    (version,) = names(world, EXECUTION_ENVIRONMENT_VERSION)
    assert world.get(EXECUTION_ENVIRONMENT, "python")["status"]["latestVersion"] == {
        "name": version,
        "number": 1,
        "image": f"registry.example/envs/python@{DIGEST}",
        "digest": DIGEST,
    }


async def test_row_image_known_by_tag_alone_is_true_and_not_pinned() -> None:
    world = World()

    async def resolve(image: str, secrets: object) -> Resolution:
        return Unresolved("registry.example has no such image", may_answer_later=False)

    world.resolve = resolve
    world.user.apply(make_environment())
    await world.settle()
    found = conditions(world, EXECUTION_ENVIRONMENT, "python")
    assert (found["Ready"], found["Pinned"]) == (("True", "UsedByTag"), ("False", "NotInRegistry"))
    latest = world.get(EXECUTION_ENVIRONMENT, "python")["status"]["latestVersion"]
    assert (latest["image"], "digest" in latest) == ("registry.example/envs/python:1", False)


async def test_an_image_that_is_none_stalls_until_it_is_mended() -> None:
    world = World()

    async def resolve(image: str, secrets: object) -> Resolution:
        return Malformed(f'spec.image "{image}" is no image reference')

    good, world.resolve = world.resolve, resolve
    world.user.apply(make_environment(image="A::B"))
    await world.settle()
    found = conditions(world, EXECUTION_ENVIRONMENT, "python")
    assert (found["Ready"], found["Stalled"]) == (("False", "InvalidImage"), ("True", "InvalidImage"))
    assert found["Reconciling"][0] == "False"
    assert world.message(EXECUTION_ENVIRONMENT, "python") == 'spec.image "A::B" is no image reference'
    assert "latestVersion" not in world.get(EXECUTION_ENVIRONMENT, "python")["status"]
    world.resolve = good
    world.user.apply(make_environment())
    await world.settle()
    assert world.condition(EXECUTION_ENVIRONMENT, "python") == ("True", "Resolved")


@pytest.mark.parametrize(
    "change",
    [{"image": OTHER}, {"startCommand": ["serve"]}, {"imagePullSecrets": [{"name": "pull"}]}, {"label": "b"}],
    ids=lambda change: next(iter(change)),
)
async def test_what_decides_what_runs_makes_a_new_version(change: Manifest) -> None:
    world = World()
    world.user.apply(make_environment())
    await world.settle()
    world.user.apply(make_environment(**change))
    await world.settle()
    assert [number for number, _ in _versions(world)] == [1, 2]
    newest = max(world.all(EXECUTION_ENVIRONMENT_VERSION), key=lambda m: m["spec"]["number"])
    assert {**newest["spec"], **change} == newest["spec"]


async def test_words_for_readers_make_no_new_version() -> None:
    world = World()
    world.user.apply(make_environment())
    await world.settle()
    world.user.apply(make_environment(description="better", programmingLanguage="r"))
    await world.settle()
    assert [number for number, _ in _versions(world)] == [1]
    assert world.get(EXECUTION_ENVIRONMENT, "python")["status"]["observedGeneration"] == 2


async def test_going_back_to_an_earlier_image_makes_a_new_version_too() -> None:
    world = World()
    for image in ("a:1", "b:1", "a:1"):
        world.user.apply(make_environment(image=image))
        await world.settle()
    assert _versions(world) == [(1, "a:1"), (2, "b:1"), (3, "a:1")]
    assert world.get(EXECUTION_ENVIRONMENT, "python")["status"]["latestVersion"]["number"] == 3


async def test_a_deleted_newest_version_is_made_again_under_its_number() -> None:
    world = World()
    world.user.apply(make_environment())
    await world.settle()
    (version,) = names(world, EXECUTION_ENVIRONMENT_VERSION)
    world.user.delete(EXECUTION_ENVIRONMENT_VERSION, version)
    await world.settle()
    assert names(world, EXECUTION_ENVIRONMENT_VERSION) == [version]
    assert world.condition(EXECUTION_ENVIRONMENT, "python") == ("True", "Resolved")


async def test_environments_with_long_names_that_begin_alike_have_versions_of_their_own() -> None:
    name = "the-environment-of-the-data-science-group-"
    world = World()
    world.user.apply(make_environment(f"{name}a"), make_environment(f"{name}b"))
    await world.settle()
    assert len(names(world, EXECUTION_ENVIRONMENT_VERSION)) == 2
    assert world.condition(EXECUTION_ENVIRONMENT, f"{name}b") == ("True", "Resolved")


async def test_an_environment_made_again_counts_from_one() -> None:
    world = World()
    for image in ("a:1", "b:1"):
        world.user.apply(make_environment(image=image))
        await world.settle()
    world.user.delete(EXECUTION_ENVIRONMENT, "python")
    world.user.apply(make_environment())
    await world.settle()
    assert [number for number, _ in _versions(world)] == [1]


async def test_an_environment_that_is_being_deleted_is_left_alone() -> None:
    world = World()
    world.user.apply(make_environment())
    await world.settle()
    before = len(world.api.writes)
    world.user.delete_while_held(EXECUTION_ENVIRONMENT, "python")
    assert await _outcome(world) == Settled()
    assert world.writes(since=before) == []


@pytest.mark.parametrize(
    ("error", "reason"), [(Forbidden("no"), "Forbidden"), (Invalid("spec.image: wrong"), "InvalidSpec")]
)
async def test_a_refusal_of_the_server_becomes_a_condition(error: Exception, reason: str) -> None:
    world = World()

    world.api.before_write = refusing(error, EXECUTION_ENVIRONMENT_VERSION)
    world.user.apply(make_environment())
    await world.settle()
    assert world.condition(EXECUTION_ENVIRONMENT, "python") == ("False", reason)
    assert world.message(EXECUTION_ENVIRONMENT, "python") == str(error)
    assert isinstance(await _outcome(world), Waiting)
