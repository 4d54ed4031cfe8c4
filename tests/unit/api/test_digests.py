"""Digests: what counts, what does not, and that they never change."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import pytest

from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.digests import (
    canonical_hash,
    content_digest,
    files_digest,
    is_digest,
    source_digest,
    version_key,
    without_contents,
)
from modelyard.api.source import ConfigMapRef, InlineFile, Source
from tests.support.objects import make_gate, make_model, make_test, make_version

Manifest = dict[str, Any]


def key(manifest: Manifest) -> str:
    version = CustomModelVersion.model_validate(manifest)
    return version_key(version.metadata.name, version.spec)


def test_the_digest_of_a_text_is_its_sha256_as_utf8() -> None:
    assert content_digest("é") == "sha256:" + hashlib.sha256("é".encode()).hexdigest()


def test_the_key_of_a_version_never_changes() -> None:
    """A new release that computed other keys would lose every promotion, so these are kept as they were."""
    assert key(make_version()) == "8df537be7d"
    assert key(make_version(source={"configMap": {"name": "code"}}, replicas=3)) == "3b13cc93b8"


def test_a_field_at_its_default_does_not_count() -> None:
    """So that a field that a newer release adds, with a default, leaves the key alone."""
    sparse = make_version(
        isMajorUpdate=None,
        replicas=None,
        requiresHa=None,
        maximumMemory=None,
        cpu=None,
        networkEgressPolicy=None,
        startup=None,
    )

    assert key(sparse) == key(make_version())


def test_the_description_does_not_count() -> None:
    assert key(make_version(description="new")) == key(make_version())


def test_metadata_and_status_do_not_count() -> None:
    other = make_version(metadata={"uid": "other", "generation": 7}, status={"label": "9.9"})

    assert key(other) == key(make_version())


@pytest.mark.parametrize(
    "other",
    [
        make_version("hello-2"),
        make_version(label="1.1"),
        make_version(label=None),
        make_version(replicas=2),
        make_version(cpu="251m"),
        make_version(desiredMemory="512Mi"),
        make_version(environmentRef={"name": "python", "version": 1}),
        make_version(environmentVariables=[{"name": "A", "value": "1"}]),
        make_version(startup={"timeoutSeconds": 301}),
        make_version(source={"configMap": {"name": "code"}}),
        make_version(source={"inline": [{"path": "start_server.sh", "content": "other"}]}),
    ],
)
def test_everything_else_counts(other: Manifest) -> None:
    assert key(other) != key(make_version())


def test_the_order_of_files_and_variables_does_not_count() -> None:
    """The API server takes a list with keys for the same in any order, so a version's key must too."""
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    manifest = make_version(environmentVariables=variables)
    turned = copy.deepcopy(manifest)
    turned["spec"]["environmentVariables"].reverse()
    turned["spec"]["source"]["inline"].reverse()

    assert key(turned) == key(manifest)


def test_a_number_without_quotes_is_the_same_quantity() -> None:
    assert key(make_version(cpu=1)) == key(make_version(cpu="1"))


def test_the_key_is_the_same_with_and_without_contents() -> None:
    assert key(without_contents(make_version())) == key(make_version())


@pytest.mark.parametrize(
    "manifest",
    [make_version(), make_test(), make_model(gate=make_gate("a", "b"))],
    ids=lambda each: each["kind"],
)
def test_contents_give_way_to_digests_once(manifest: Manifest) -> None:
    before = copy.deepcopy(manifest)

    stripped = without_contents(manifest)

    assert manifest == before
    assert all(is_digest(content) for content in _contents(stripped))
    assert [content[1:] for content in _contents(stripped)] == [
        content_digest(content) for content in _contents(manifest)
    ]
    assert without_contents(stripped) == stripped


@pytest.mark.parametrize(
    "manifest",
    [
        make_model(),
        make_version(source={"configMap": {"name": "code"}}),
        make_test(dataset=None, configuration={"errorCheck": "skip"}),
        make_model(gate={"tests": [{"name": "up", "configuration": {"errorCheck": "skip"}}]}),
        {"kind": "ConfigMap", "data": {}},
    ],
)
def test_what_has_no_contents_stays_as_it_is(manifest: Manifest) -> None:
    assert without_contents(manifest) == manifest


def test_files_are_known_by_path_content_and_mode() -> None:
    files = [InlineFile(path="a", content="1"), InlineFile(path="b", content="2")]
    others = [
        [InlineFile(path="a", content="2"), InlineFile(path="b", content="1")],
        [InlineFile(path="a", content="1", executable=True), InlineFile(path="b", content="2")],
        [InlineFile(path="a", content="1")],
    ]

    assert files_digest(files) == files_digest(reversed(files))
    assert files_digest(files) not in [files_digest(other) for other in others]


def test_a_config_map_is_known_by_its_name() -> None:
    first = source_digest(Source(config_map=ConfigMapRef(name="a")))

    assert first == source_digest(Source(config_map=ConfigMapRef(name="a")))
    assert first != source_digest(Source(config_map=ConfigMapRef(name="b")))


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_hash({"a": 1, "b": [1, 2]}) == canonical_hash({"b": [1, 2], "a": 1})
    assert canonical_hash({"a": [1, 2]}) != canonical_hash({"a": [2, 1]})
    assert len(canonical_hash({}, 10)) == 10


def _contents(manifest: Manifest) -> list[str]:
    spec = manifest["spec"]
    tests = spec.get("gate", {}).get("tests", [])
    holders = [spec.get("source"), spec.get("dataset"), *(test.get("dataset") for test in tests)]
    return [file["content"] for holder in holders if holder for file in holder["inline"]]
