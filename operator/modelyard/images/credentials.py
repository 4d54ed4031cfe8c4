"""Pull credentials from the payloads of Secrets, and which of them are for an image. Pure.

The rules are the kubelet's: a key is a host, with globs inside its dotted parts, a port that must be the
same, and a path that is the start of the image's; longer keys go first.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

from modelyard.images.errors import InvalidSecret
from modelyard.images.reference import DEFAULT_REGISTRY, Reference

DOCKER_CONFIG_JSON = "kubernetes.io/dockerconfigjson"
DOCKER_CFG = "kubernetes.io/dockercfg"

_DOCKER_HUB_KEY = "index.docker.io"
_DATA_KEYS = {DOCKER_CONFIG_JSON: ".dockerconfigjson", DOCKER_CFG: ".dockercfg"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and password, or an identity token that a registry's token service takes instead."""

    username: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Credentials by registry key, in the order of the payloads."""

    entries: tuple[tuple[str, Credentials], ...] = ()

    def __add__(self, other: Keyring) -> Keyring:
        return Keyring(self.entries + other.entries)

    def matching(self, reference: Reference) -> tuple[Credentials, ...]:
        """The credentials to try for an image, the most specific first; empty = pull as nobody."""
        by_key = sorted(self.entries, key=lambda entry: entry[0], reverse=True)
        found = tuple(credentials for key, credentials in by_key if _matches(key, reference))
        if found or reference.registry != DEFAULT_REGISTRY:
            return found
        return tuple(credentials for key, credentials in by_key if key == _DOCKER_HUB_KEY)


def keyring_of_secrets(*secrets: Mapping[str, Any]) -> Keyring:
    """What is in these Secrets, as manifests of the API server; InvalidSecret names the Secret."""
    entries = chain.from_iterable(_entries_of_secret(secret) for secret in secrets)
    return Keyring(tuple(entries))


def parse_docker_config_json(payload: str) -> Keyring:
    """The keyring in `{"auths": {key: ...}}`; InvalidSecret without a word of the payload."""
    auths = _object(_parse(payload)).get("auths", {})
    return Keyring(_entries(_object(auths)))


def parse_docker_cfg(payload: str) -> Keyring:
    """The keyring in the older `{key: ...}`; InvalidSecret without a word of the payload."""
    return Keyring(_entries(_object(_parse(payload))))


def _entries_of_secret(secret: Mapping[str, Any]) -> tuple[tuple[str, Credentials], ...]:
    name, type_ = secret["metadata"]["name"], secret.get("type", "")
    key = _DATA_KEYS.get(type_)
    if key is None:
        raise InvalidSecret(
            f'Secret "{name}" has type {type_!r}; a pull secret has type {DOCKER_CONFIG_JSON!r}'
        )
    encoded = (secret.get("data") or {}).get(key)
    if encoded is None:
        raise InvalidSecret(f'Secret "{name}" has no data under {key!r}')
    parse = parse_docker_config_json if type_ == DOCKER_CONFIG_JSON else parse_docker_cfg
    try:
        return parse(_decode(encoded)).entries
    except InvalidSecret as error:
        raise InvalidSecret(f'Secret "{name}": {error}') from None


def _entries(auths: Mapping[str, Any]) -> tuple[tuple[str, Credentials], ...]:
    found = ((_normal_key(key), _credentials(key, _object(auth))) for key, auth in auths.items())
    return tuple((key, one) for key, one in found if one.username or one.identity_token)


def _credentials(key: str, auth: Mapping[str, Any]) -> Credentials:
    username, password = auth.get("username") or "", auth.get("password") or ""
    if encoded := auth.get("auth"):
        username, colon, password = _decode(encoded).partition(":")
        if not colon:
            raise InvalidSecret(f'"auth" of {key!r} is not user:password in base64')
    token = auth.get("identitytoken") or ""
    if not all(isinstance(value, str) for value in (username, password, token)):
        raise InvalidSecret(f"the entry of {key!r} holds something else than text")
    return Credentials(username, password.rstrip("\x00"), token)


def _normal_key(key: str) -> str:
    """Host, port and path; `/v1/` and `/v2/` stand for the whole host."""
    _, scheme, rest = key.partition("://")
    host, slash, path = (rest if scheme else key).partition("/")
    path = f"{slash}{path}"
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return host if path == "/" else f"{host}{path}"


def _matches(key: str, reference: Reference) -> bool:
    pattern, _, path = key.partition("/")
    pattern_host, _, pattern_port = pattern.partition(":")
    host, _, port = reference.registry.partition(":")
    pattern_parts, parts = pattern_host.split("."), host.split(".")
    return (
        pattern_port == port
        and len(pattern_parts) == len(parts)
        and all(map(fnmatchcase, parts, pattern_parts))
        and reference.repository.startswith(path)
    )


def _parse(payload: str) -> object:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise InvalidSecret("the payload is not JSON") from None


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidSecret("the payload is not an object of registries")
    return value


def _decode(encoded: object) -> str:
    try:
        return base64.b64decode(str(encoded), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidSecret("the payload holds something that is not base64 of text") from None
