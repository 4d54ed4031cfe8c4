from __future__ import annotations

import pytest

from modelyard.images.errors import InvalidReference
from modelyard.images.reference import Reference, is_digest, parse_reference, with_digest

SHA = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("python", Reference("docker.io", "library/python", "latest")),
        ("python:3.12-slim", Reference("docker.io", "library/python", "3.12-slim")),
        ("team/model", Reference("docker.io", "team/model", "latest")),
        ("docker.io/python", Reference("docker.io", "library/python", "latest")),
        ("index.docker.io/team/model:1", Reference("docker.io", "team/model", "1")),
        ("localhost/model", Reference("localhost", "model", "latest")),
        ("localhost:5000/model:1", Reference("localhost:5000", "model", "1")),
        ("10.0.0.1:5000/a/b/c:1.0", Reference("10.0.0.1:5000", "a/b/c", "1.0")),
        ("[fd00::1]:5000/a", Reference("[fd00::1]:5000", "a", "latest")),
        ("ghcr.io/org/a__b-c.d", Reference("ghcr.io", "org/a__b-c.d", "latest")),
        ("Registry/model", Reference("Registry", "model", "latest")),
        (f"ghcr.io/org/a@{SHA}", Reference("ghcr.io", "org/a", None, SHA)),
        (f"ghcr.io/org/a:1@{SHA}", Reference("ghcr.io", "org/a", "1", SHA)),
    ],
)
def test_reference_is_read_as_docker_reads_it(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a repository"),
        ("a b", "'a b' is not a repository"),
        ("Model", "the repository must be in lower case"),
        ("ghcr.io/", "'' is not a repository"),
        ("ghcr.io/a//b", "'a//b' is not a repository"),
        ("ghcr.io/a/../b", "'a/../b' is not a repository"),
        ("-bad.io/a", "'-bad.io' is not a registry host"),
        ("host:99999/a", "'host:99999' is not a registry host"),
        ("host:0/a", "'host:0' is not a registry host"),
        (f"{'a' * 64}.io/a", "is not a registry host"),
        ("https://ghcr.io/a", "'https:' is not a registry host"),
        ("a:", "'' is not a tag"),
        ("a:b:c", "'b:c' is not a tag"),
        (f"a:{'t' * 129}", "is not a tag"),
        ("a@sha256:12", "'sha256:12' is not a digest, as sha256:<64 hex digits>"),
        ("a@", "'' is not a digest, as sha256:<64 hex digits>"),
        ("0123456789abcdef" * 4, "this is an image ID; name a repository"),
        ("a/" * 127 + "abc", "registry and repository exceed 255 characters"),
    ],
)
def test_what_names_no_image_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidReference, match=r"^image ") as caught:
        parse_reference(text)
    assert str(caught.value).endswith(problem)


def test_image_is_named_by_digest_alone() -> None:
    assert with_digest("python:3.12", SHA) == f"docker.io/library/python@{SHA}"
    assert with_digest(f"ghcr.io/a@{SHA[:-1]}0", SHA) == f"ghcr.io/a@{SHA}"


def test_digest_is_checked() -> None:
    with pytest.raises(InvalidReference, match="'latest' is not a digest"):
        with_digest("python", "latest")
    assert is_digest("sha512:" + "a" * 128)
    assert not is_digest(SHA.upper())
    assert not is_digest(f"{SHA}\n")
