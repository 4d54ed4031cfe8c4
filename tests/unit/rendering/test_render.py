"""What comes of documents: the children that the passes make of them, and why there are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from modelyard.api.labels import SERVES
from modelyard.rendering.placeholders import Placeholders
from modelyard.rendering.reading import documents_in
from modelyard.rendering.render import Rendering, render
from modelyard.rendering.text import as_json, as_yaml
from modelyard.settings import Settings
from tests.support.objects import (
    as_applied,
    make_environment,
    make_model,
    make_test,
    make_version,
)

DIGEST = f"sha256:{'b' * 64}"


async def rendered(*manifests: dict[str, Any]) -> Rendering:
    return await render([as_applied(one) for one in manifests], Settings(), Placeholders())


def kinds(rendering: Rendering) -> list[str]:
    return [manifest["kind"] for manifest in rendering.manifests]


def one(rendering: Rendering, kind: str) -> dict[str, Any]:
    return next(manifest for manifest in rendering.manifests if manifest["kind"] == kind)


async def test_everything_that_a_model_of_one_replica_gets_is_there_in_the_order_of_applying() -> None:
    rendering = await rendered(make_environment(), make_model(), make_version())

    assert kinds(rendering) == [
        "ExecutionEnvironmentVersion",
        "ModelLedger",
        "Service",
        "ConfigMap",
        "ControllerRevision",
        "NetworkPolicy",
        "Service",
        "Deployment",
        "ModelTest",
        "NetworkPolicy",
        "ConfigMap",
        "Job",
    ]
    assert rendering.problems == []


async def test_several_replicas_get_a_budget_and_the_service_of_the_model_selects_the_version() -> None:
    rendering = await rendered(make_environment(), make_model(), make_version(replicas=2))

    ledger = one(rendering, "ModelLedger")
    assert "PodDisruptionBudget" in kinds(rendering)
    assert one(rendering, "Service")["spec"]["selector"][SERVES] == ledger["spec"]["versions"][0]["key"]
    assert ledger["spec"]["promotions"] == []


async def test_an_image_by_digest_needs_no_placeholder() -> None:
    rendering = await rendered(
        make_environment(image=f"example.org/python@{DIGEST}"), make_model(), make_version()
    )

    assert one(rendering, "ControllerRevision")["data"]["image"] == f"example.org/python@{DIGEST}"
    assert not any("registry" in note for note in rendering.notes)


async def test_an_image_by_tag_gets_a_digest_of_zeros_and_a_note() -> None:
    rendering = await rendered(make_environment(), make_model(), make_version())

    assert one(rendering, "ControllerRevision")["data"]["image"].endswith(f"@sha256:{'0' * 64}")
    assert any("registry.example/envs/python:1" in note and "sha256:000" in note for note in rendering.notes)


async def test_the_environment_version_of_a_cluster_tells_the_digest() -> None:
    environment = make_environment(metadata={"uid": "8c0e-environment"})
    made = one(await render([environment], Settings(), Placeholders()), "ExecutionEnvironmentVersion")
    status = {"image": f"registry.example/envs/python@{DIGEST}", "digest": DIGEST}
    known = {**made, "status": status}
    documents = [environment, known, as_applied(make_model()), as_applied(make_version())]

    rendering = await render(documents, Settings(), Placeholders())

    assert one(rendering, "ControllerRevision")["data"]["image"].endswith(DIGEST)
    assert not any("sha256:000" in note for note in rendering.notes)


async def test_the_settings_of_the_operator_are_seen() -> None:
    documents = [as_applied(one) for one in (make_environment(), make_model(), make_version())]
    rendering = await render(documents, Settings(image="example.org/modelyard:7"), Placeholders())

    containers = one(rendering, "Job")["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "example.org/modelyard:7"
    assert any("here example.org/modelyard:7" in note for note in rendering.notes)


async def test_a_version_that_a_higher_one_stands_before_gets_nothing_and_a_note() -> None:
    rendering = await rendered(
        make_environment(), make_model(), make_version(), make_version("hello-2", label="2.0")
    )

    assert {
        m["metadata"]["name"].rpartition("-")[0] for m in rendering.manifests if m["kind"] == "Deployment"
    } == {"hello-2"}
    assert any('"hello-1"' in note and "Superseded" in note for note in rendering.notes)


async def test_a_test_by_hand_gets_a_copy_of_its_own() -> None:
    rendering = await rendered(
        make_environment(),
        make_model(),
        make_version(),
        make_test("by-hand", replicas=2, maximumMemory="300Mi"),
    )

    copies = [
        m
        for m in rendering.manifests
        if m["kind"] == "Deployment" and m["metadata"]["name"].startswith("by-hand")
    ]
    assert [copy["spec"]["replicas"] for copy in copies] == [2]
    assert kinds(rendering).count("Job") == 2


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        (
            [make_version()],
            'CustomModelVersion "hello-1" in namespace "team-a" would not become ready: ModelNotFound: CustomModel '
            '"hello" of spec.modelRef does not exist in namespace "team-a"; create it',
        ),
        (
            [make_model(), make_version()],
            'ExecutionEnvironment "python" does not exist in namespace "team-a"; create it',
        ),
        (
            [
                make_environment(),
                make_model(),
                make_version(source={"configMap": {"name": "code"}, "inline": None}),
            ],
            'ConfigMap "code" of spec.source does not exist in namespace "team-a"; create it',
        ),
        (
            [make_test("by-hand")],
            'CustomModelVersion "hello-1" of spec.versionRef does not exist in namespace "team-a"; create it',
        ),
        ([make_environment(image="Registry/UPPER:1")], "InvalidImage"),
    ],
)
async def test_what_is_missing_is_told_as_a_status_would(documents: list[dict[str, Any]], said: str) -> None:
    rendering = await rendered(*documents)

    assert any(said in problem for problem in rendering.problems)


async def test_yaml_and_json_hold_what_was_rendered() -> None:
    rendering = await rendered(make_environment(), make_model(), make_version())

    text = as_yaml(rendering.manifests)
    assert list(yaml.safe_load_all(text)) == rendering.manifests
    assert json.loads(as_json(rendering.manifests)) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": rendering.manifests,
    }


@pytest.mark.parametrize(
    "text", ["y", "N", "on", "0o14", "09", "+.5", "1e3", "12:30", "=", "<<", "null", "", "2.0"]
)
def test_a_text_that_kubectl_would_take_for_something_else_is_quoted(text: str) -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"labels": {"text": text}},
        "ready": True,
        "count": 5,
        "part": 0.5,
    }

    assert documents_in(as_yaml([secret])) == [secret]


async def test_the_yaml_says_of_each_document_when_it_is_applied() -> None:
    rendering = await rendered(make_environment(), make_model(), make_version(replicas=2))

    moments = [line for line in as_yaml(rendering.manifests).splitlines() if line.startswith("# ")]
    assert moments == [
        "# at once",
        "# at once",
        "# at once; it selects the version when that serves",
        *["# when the image of the environment is resolved"] * 5,
        "# when every replica of the version is ready",
        *["# when the test has its turn"] * 3,
        "# when the version serves",
    ]


async def test_the_same_documents_give_the_same_bytes_in_any_order() -> None:
    documents = (make_environment(), make_model(), make_version(), make_test("by-hand"))

    there, back = await rendered(*documents), await rendered(*reversed(documents))

    assert sorted(map(str, there.manifests)) == sorted(map(str, back.manifests))
