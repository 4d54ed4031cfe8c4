from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from modelyard.images.credentials import (
    Credentials,
    Keyring,
    keyring_of_secrets,
    parse_docker_cfg,
    parse_docker_config_json,
)
from modelyard.images.errors import InvalidSecret
from modelyard.images.reference import parse_reference

ANN = Credentials("ann", "secret")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(
    payload: str, type_: str = "kubernetes.io/dockerconfigjson", key: str = ".dockerconfigjson"
) -> dict[str, Any]:
    return {"metadata": {"name": "pull"}, "type": type_, "data": {key: encoded(payload)}}


@pytest.mark.parametrize(
    ("key", "image", "matches"),
    [
        ("ghcr.io", "ghcr.io/org/a", True),
        ("https://ghcr.io", "ghcr.io/org/a", True),
        ("https://ghcr.io/v2/", "ghcr.io/org/a", True),
        ("ghcr.io/org", "ghcr.io/org/a", True),
        ("ghcr.io/other", "ghcr.io/org/a", False),
        ("ghcr.io", "evil-ghcr.io/org/a", False),
        ("ghcr.io", "ghcr.io.evil.com/a", False),
        ("*.example.com", "team.example.com/a", True),
        ("*.example.com", "a.team.example.com/a", False),
        ("*.example.com", "example.com/a", False),
        ("reg*.example.com", "registry.example.com/a", True),
        ("host:5000", "host:5000/a", True),
        ("host.io", "host.io:5000/a", False),
        ("host.io:5000", "host.io/a", False),
        ("[fd00::1]:5000", "[fd00::1]:5000/a", True),
        ("[fd00", "[fd00::1]:5000/a", False),
        ("https://index.docker.io/v1/", "python", True),
        ("index.docker.io", "team/model", True),
        ("docker.io", "python", True),
        ("https://index.docker.io/v1/", "ghcr.io/a", False),
    ],
)
def test_key_is_for_an_image_as_the_kubelet_sees_it(key: str, image: str, matches: bool) -> None:
    keyring = parse_docker_config_json(json.dumps({"auths": {key: {"auth": encoded("ann:secret")}}}))
    assert keyring.matching(parse_reference(image)) == ((ANN,) if matches else ())


def test_more_specific_key_goes_first_and_all_are_tried() -> None:
    keys = {name: {"username": name, "password": "x"} for name in ("ghcr.io", "ghcr.io/org/a", "ghcr.io/org")}
    found = parse_docker_cfg(json.dumps(keys)).matching(parse_reference("ghcr.io/org/a"))
    assert [one.username for one in found] == ["ghcr.io/org/a", "ghcr.io/org", "ghcr.io"]


@pytest.mark.parametrize(
    ("entry", "credentials"),
    [
        ({"auth": encoded("ann:se:cret")}, Credentials("ann", "se:cret")),
        ({"auth": encoded("ann:secret"), "username": "bob"}, ANN),
        ({"username": "ann", "password": "secret"}, ANN),
        ({"auth": encoded("ann:secret\x00\x00")}, ANN),
        ({"identitytoken": "tok"}, Credentials("", "", "tok")),
    ],
)
def test_entry_is_read_in_all_its_forms(entry: dict[str, str], credentials: Credentials) -> None:
    keyring = parse_docker_config_json(json.dumps({"auths": {"ghcr.io": entry}}))
    assert keyring == Keyring((("ghcr.io", credentials),))


def test_entry_without_credentials_is_left_out() -> None:
    assert parse_docker_config_json('{"auths": {"ghcr.io": {}}}') == Keyring()


def test_secrets_of_both_types_are_read_together() -> None:
    new = secret(json.dumps({"auths": {"ghcr.io": {"auth": encoded("ann:secret")}}}))
    old = secret(json.dumps({"quay.io": {"auth": encoded("bob:x")}}), "kubernetes.io/dockercfg", ".dockercfg")
    keyring = keyring_of_secrets(new, old)
    assert keyring == Keyring((("ghcr.io", ANN), ("quay.io", Credentials("bob", "x"))))


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (
            secret("{}", type_="Opaque"),
            "Secret \"pull\" has type 'Opaque'; a pull secret has type 'kubernetes.io/dockerconfigjson'",
        ),
        (secret("{}", key="other"), "Secret \"pull\" has no data under '.dockerconfigjson'"),
        (secret("hunter2"), 'Secret "pull": the payload is not JSON'),
        (secret('["hunter2"]'), 'Secret "pull": the payload is not an object of registries'),
        (
            secret('{"auths": {"a.io": "hunter2"}}'),
            'Secret "pull": the payload is not an object of registries',
        ),
        (
            secret('{"auths": {"a.io": {"auth": "hunter2!"}}}'),
            'Secret "pull": the payload holds something that is not base64 of text',
        ),
        (
            secret(json.dumps({"auths": {"a.io": {"auth": encoded("hunter2")}}})),
            'Secret "pull": "auth" of \'a.io\' is not user:password in base64',
        ),
        (
            secret('{"auths": {"a.io": {"username": ["hunter2"]}}}'),
            "Secret \"pull\": the entry of 'a.io' holds something else than text",
        ),
        (
            {**secret("{}"), "data": {".dockerconfigjson": "hunter2!"}},
            'Secret "pull": the payload holds something that is not base64 of text',
        ),
    ],
)
def test_unreadable_secret_is_named_without_its_content(manifest: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        keyring_of_secrets(manifest)
    assert str(caught.value) == problem


def test_passwords_do_not_show() -> None:
    assert "secret" not in repr(Credentials("ann", "secret", "secret"))
