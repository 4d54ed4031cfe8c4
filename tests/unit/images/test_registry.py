"""The registry client against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.images.credentials import Credentials
from modelyard.images.errors import NotInRegistry, RegistryError, Unauthorized, Unreachable
from modelyard.images.reference import parse_reference
from modelyard.images.registry import RegistryTimeouts, registry_client

MANIFEST = b'{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
ANN = Credentials("ann", "secret")
BOB = Credentials("bob", "wrong")
TIMEOUTS = RegistryTimeouts(request=0.5, whole=1.0)


@dataclass
class Registry:
    """A registry of one image, `team/model:1`. `auth` is "", "basic" or "bearer"."""

    auth: str = ""
    anonymous: bool = False
    """Whether the token service serves those without credentials."""

    tell_digest: bool = True
    take_head: bool = True
    status: int = 200
    body: bytes = MANIFEST
    token_body: str = '{"token": "tok"}'
    token_status: int = 200
    realm: str = ""
    requests: list[str] = field(default_factory=list)
    accepts: str = ""
    elsewhere: str = ""
    """Where those who may ask are sent."""

    authorizations: list[str] = field(default_factory=list)

    async def manifest(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.method)
        self.accepts = request.headers["Accept"]
        self.authorizations.append(request.headers.get("Authorization", ""))
        if self.auth and request.headers.get("Authorization") not in (basic(ANN), "Bearer tok"):
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge(request)})
        if request.match_info["rest"] != "team/model/manifests/1":
            return web.Response(status=404)
        if request.method == "HEAD" and not self.take_head:
            return web.Response(status=405)
        if self.elsewhere:
            return web.Response(status=307, headers={"Location": f"{self.elsewhere}{request.path}"})
        headers = {"Docker-Content-Digest": DIGEST} if self.tell_digest else {}
        return web.Response(status=self.status, body=self.body, headers=headers)

    def challenge(self, request: web.Request) -> str:
        if self.auth == "basic":
            return 'Basic realm="here"'
        realm = self.realm or f"http://{request.host}/token?account=x"
        return f'Bearer realm="{realm}",service="here",scope="ignored"'

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.requests.append(f"{request.method} token")
        asked = form if form else request.query
        assert (asked["service"], asked["scope"]) == ("here", "repository:team/model:pull")
        known = request.headers.get("Authorization") == basic(ANN) or form.get("refresh_token") == "identity"
        nobody = "Authorization" not in request.headers
        status = self.token_status if known or (nobody and self.anonymous) else 401
        return web.Response(status=status, text=self.token_body)


def basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


@asynccontextmanager
async def served(registry: Registry) -> AsyncIterator[str]:
    """The `host:port` of a registry."""
    app = web.Application()
    app.router.add_route("*", "/v2/{rest:.*}", registry.manifest)
    app.router.add_route("*", "/token", registry.token)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"127.0.0.1:{server.port}"


async def resolve(registry: Registry, *credentials: Credentials, image: str = "team/model:1") -> str:
    async with served(registry) as host, registry_client([host], TIMEOUTS) as client:
        return await client.resolve(parse_reference(f"{host}/{image}"), credentials)


async def test_tag_is_resolved_by_one_head() -> None:
    registry = Registry()
    assert await resolve(registry) == DIGEST
    assert registry.requests == ["HEAD"]
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "manifest.list.v2",
        "distribution.manifest.v2",
    ):
        assert kind in registry.accepts


@pytest.mark.parametrize(
    "registry", [Registry(tell_digest=False), Registry(take_head=False)], ids=["no header", "no HEAD"]
)
async def test_get_tells_what_head_does_not(registry: Registry) -> None:
    assert await resolve(registry) == DIGEST
    assert registry.requests == ["HEAD", "GET"]


async def test_named_digest_is_taken_without_a_question() -> None:
    registry = Registry()
    assert await resolve(registry, image=f"team/other@{DIGEST}") == DIGEST
    assert registry.requests == []


async def test_basic_credentials_are_sent_when_asked_for() -> None:
    registry = Registry(auth="basic")
    assert await resolve(registry, ANN) == DIGEST
    assert registry.requests == ["HEAD", "HEAD"]


async def test_bearer_token_is_fetched_with_credentials() -> None:
    registry = Registry(auth="bearer")
    assert await resolve(registry, ANN) == DIGEST
    assert registry.requests == ["HEAD", "GET token", "HEAD"]


async def test_bearer_token_is_fetched_as_nobody() -> None:
    assert await resolve(Registry(auth="bearer", anonymous=True)) == DIGEST


async def test_identity_token_is_exchanged() -> None:
    registry = Registry(auth="bearer", token_body='{"access_token": "tok"}')
    assert await resolve(registry, Credentials("", "", "identity")) == DIGEST
    assert registry.requests == ["HEAD", "POST token", "HEAD"]


@pytest.mark.parametrize("auth", ["basic", "bearer"])
async def test_credentials_are_tried_in_turn(auth: str) -> None:
    assert await resolve(Registry(auth=auth), BOB, ANN) == DIGEST


@pytest.mark.parametrize(
    ("registry", "credentials"),
    [
        (Registry(auth="basic"), []),
        (Registry(auth="basic"), [BOB]),
        (Registry(auth="bearer"), []),
        (Registry(auth="bearer"), [BOB, BOB]),
        (Registry(auth="bearer", token_body='{"token": "stale"}'), [ANN]),
        (Registry(status=403), []),
    ],
)
async def test_refused_credentials_are_told(registry: Registry, credentials: list[Credentials]) -> None:
    with pytest.raises(Unauthorized, match=r"^registry 127.0.0.1:\d+ refuses to show team/model; ") as caught:
        await resolve(registry, *credentials)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("auth", ["basic", "bearer"])
async def test_credentials_do_not_follow_a_redirect_to_another_host(auth: str) -> None:
    other = Registry()
    async with served(other) as host:
        registry = Registry(auth=auth, elsewhere=f"http://{host}")
        assert await resolve(registry, ANN) == DIGEST
    assert registry.authorizations[-1] != ""
    assert other.authorizations == [""]


async def test_missing_tag_is_told() -> None:
    with pytest.raises(NotInRegistry, match=r"^registry 127.0.0.1:\d+ has no image team/model:2$"):
        await resolve(Registry(), image="team/model:2")


@pytest.mark.parametrize(
    ("registry", "problem"),
    [
        (Registry(status=429), "registry HOST answers HTTP 429: too many requests"),
        (Registry(status=503), "registry HOST answers HTTP 503"),
        (Registry(tell_digest=False, body=b""), "registry HOST answers HTTP 200"),
        (Registry(tell_digest=False, body=b" " * 5_000_000), "registry HOST sends more than 4194304 bytes"),
        (Registry(auth="bearer", token_status=500), "the token service of registry HOST answers HTTP 500"),
        (
            Registry(auth="bearer", token_body="{}"),
            "the token service of registry HOST answers without a token",
        ),
        (
            Registry(auth="bearer", token_body="no"),
            "the token service of registry HOST answers without a token",
        ),
        (
            Registry(auth="bearer", token_body='{"token": "a\\r\\nX: y"}'),
            "the token service of registry HOST answers without a token",
        ),
        (
            Registry(auth="bearer", realm="file:///x"),
            "the token service of registry HOST has no usable address",
        ),
        (
            Registry(auth="bearer", realm="http://["),
            "the token service of registry HOST has no usable address",
        ),
    ],
)
async def test_what_is_no_answer_of_a_registry_is_told(registry: Registry, problem: str) -> None:
    async with served(registry) as host, registry_client([host], TIMEOUTS) as client:
        with pytest.raises(Unreachable) as caught:
            await client.resolve(parse_reference(f"{host}/team/model:1"), [ANN])
    assert str(caught.value) == problem.replace("HOST", host)
    assert caught.value.host == host


async def test_host_that_is_not_insecure_is_asked_over_tls_only() -> None:
    registry = Registry()
    async with served(registry) as host, registry_client([], TIMEOUTS) as client:
        with pytest.raises(Unreachable, match="does not speak TLS"):
            await client.resolve(parse_reference(f"{host}/team/model:1"), [ANN])
    assert registry.requests == []


async def test_closed_port_is_unreachable() -> None:
    async with served(Registry()) as host:
        pass
    async with registry_client([host], TIMEOUTS) as client:
        with pytest.raises(RegistryError, match=rf"^registry {host}: .*refused"):
            await client.resolve(parse_reference(f"{host}/team/model:1"))


@pytest.mark.parametrize(
    ("said", "problem"),
    [(b"", "does not answer in time"), (b"220 mail\r\n\r\n", "breaks off its answer")],
    ids=["silent", "not HTTP"],
)
async def test_what_is_no_http_server_is_unreachable(said: bytes, problem: str) -> None:
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, registry_client([host], TIMEOUTS) as client:
        with pytest.raises(Unreachable, match=rf"^registry {host} {problem}"):
            await client.resolve(parse_reference(f"{host}/team/model:1"))
        await gone.wait()
