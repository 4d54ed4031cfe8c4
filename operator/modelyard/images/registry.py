"""Asks a registry what an image's tag stands for, by the OCI distribution API."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from modelyard.images.challenge import Challenge, parse_challenges
from modelyard.images.credentials import Credentials
from modelyard.images.errors import NotInRegistry, Unauthorized, Unreachable
from modelyard.images.reference import DEFAULT_REGISTRY, Reference, is_digest

_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_DOCKER_HUB_HOST = "registry-1.docker.io"
_MANIFEST_BYTES = 4 * 1024 * 1024
_TOKEN_BYTES = 256 * 1024
_REDIRECTS = 3
_HEAD_IS_NOT_ENOUGH = (200, 400, 405)
"""The header of the digest is optional, and so is HEAD for some registries; GET tells in both cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryTimeouts:
    """Seconds for one request, and for all that it takes to resolve one image."""

    request: float = 10.0
    whole: float = 30.0


class RegistryClient:
    """Resolves tags; one for the life of a process."""

    def __init__(
        self, session: aiohttp.ClientSession, insecure_hosts: Collection[str], timeouts: RegistryTimeouts
    ) -> None:
        self._session = session
        self._insecure_hosts = frozenset(insecure_hosts)
        self._timeouts = timeouts

    async def resolve(self, reference: Reference, credentials: Sequence[Credentials] = ()) -> str:
        """The digest of an image; one that the reference itself names is taken without a question.

        The credentials are tried in turn; without any it asks as nobody. NotInRegistry, Unauthorized or
        Unreachable otherwise, within a bounded time.
        """
        if reference.digest:
            return reference.digest
        try:
            async with asyncio.timeout(self._timeouts.whole):
                return await self._resolve(reference, credentials or (None,))
        except TimeoutError:
            raise Unreachable(
                reference.registry, f"registry {reference.registry} does not answer in time"
            ) from None
        except aiohttp.ClientError as error:
            raise Unreachable(reference.registry, _no_connection(reference.registry, error)) from None

    async def _resolve(self, reference: Reference, credentials: Sequence[Credentials | None]) -> str:
        for one in credentials[:-1]:
            try:
                return await self._ask(reference, one)
            except Unauthorized:
                continue
        return await self._ask(reference, credentials[-1])

    async def _ask(self, reference: Reference, credentials: Credentials | None) -> str:
        answer = await self._manifest("HEAD", reference, "")
        authorization = ""
        if answer.status == 401:
            authorization = await self._authorization(reference, answer.challenges, credentials)
            answer = await self._manifest("HEAD", reference, authorization)
        if answer.status in _HEAD_IS_NOT_ENOUGH and not is_digest(answer.digest):
            answer = await self._manifest("GET", reference, authorization)
        return _digest_in(reference, answer)

    async def _manifest(self, method: str, reference: Reference, authorization: str) -> _Answer:
        url = (
            self._base(reference.registry) / "v2" / reference.repository / "manifests" / (reference.tag or "")
        )
        headers = {"Accept": _ACCEPT, **({"Authorization": authorization} if authorization else {})}
        async with self._session.request(method, url, headers=headers, max_redirects=_REDIRECTS) as got:
            body = await _read(reference.registry, got, _MANIFEST_BYTES) if got.status == 200 else b""
            digest = got.headers.get("Docker-Content-Digest", "")
            challenges = parse_challenges(got.headers.getall("WWW-Authenticate", []))
            return _Answer(got.status, digest, body, challenges)

    async def _authorization(
        self, reference: Reference, challenges: Sequence[Challenge], credentials: Credentials | None
    ) -> str:
        """The header that answers one of the challenges; Unauthorized when none can be answered."""
        by_scheme = {challenge.scheme: challenge for challenge in challenges}
        if bearer := by_scheme.get("bearer"):
            return f"Bearer {await self._token(reference, bearer, credentials)}"
        if "basic" in by_scheme and credentials and credentials.username:
            return _basic(credentials)
        raise _unauthorized(reference)

    async def _token(self, reference: Reference, bearer: Challenge, credentials: Credentials | None) -> str:
        realm = self._realm(reference, bearer)
        fields = {"scope": f"repository:{reference.repository}:pull"}
        if service := bearer.get("service"):
            fields["service"] = service
        if credentials and credentials.identity_token:
            form = {
                **fields,
                "grant_type": "refresh_token",
                "client_id": "modelyard",
                "refresh_token": credentials.identity_token,
            }
            request = self._session.post(realm, data=form, allow_redirects=False)
        else:
            headers = {"Authorization": _basic(credentials)} if credentials and credentials.username else {}
            request = self._session.get(realm.update_query(fields), headers=headers, allow_redirects=False)
        async with request as got:
            if got.status in (400, 401, 403, 404):
                raise _unauthorized(reference)
            if got.status != 200:
                raise Unreachable(
                    reference.registry, f"{_token_service(reference)} answers HTTP {got.status}"
                )
            return _token_in(reference, await _read(reference.registry, got, _TOKEN_BYTES))

    def _realm(self, reference: Reference, bearer: Challenge) -> URL:
        """Where to get a token. Over plain HTTP only if the registry itself is asked so."""
        try:
            realm = URL(bearer.get("realm"))
        except ValueError:
            realm = URL()
        schemes = {"https", self._base(reference.registry).scheme}
        if realm.scheme not in schemes or not realm.host:
            raise Unreachable(reference.registry, f"{_token_service(reference)} has no usable address")
        return realm

    def _base(self, registry: str) -> URL:
        scheme = "http" if registry in self._insecure_hosts else "https"
        return URL(f"{scheme}://{_DOCKER_HUB_HOST if registry == DEFAULT_REGISTRY else registry}")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    digest: str
    body: bytes
    challenges: Sequence[Challenge]


@asynccontextmanager
async def registry_client(
    insecure_hosts: Collection[str] = (), timeouts: RegistryTimeouts | None = None
) -> AsyncIterator[RegistryClient]:
    """A client with a session of its own. `insecure_hosts` (`host:port`) are asked over plain HTTP."""
    timeouts = timeouts or RegistryTimeouts()
    session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeouts.request),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "modelyard"},
    )
    async with session:
        yield RegistryClient(session, insecure_hosts, timeouts)


def _digest_in(reference: Reference, answer: _Answer) -> str:
    registry = reference.registry
    match answer.status:
        case 200 if is_digest(answer.digest):
            return answer.digest
        case 200 if answer.body:
            return f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        case 404:
            raise NotInRegistry(
                registry, f"registry {registry} has no image {reference.repository}:{reference.tag}"
            )
        case 401 | 403:
            raise _unauthorized(reference)
        case 429:
            raise Unreachable(registry, f"registry {registry} answers HTTP 429: too many requests")
        case status:
            raise Unreachable(registry, f"registry {registry} answers HTTP {status}")


def _token_in(reference: Reference, body: bytes) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, Mapping) else None
    if not isinstance(token, str) or not token.isprintable():
        raise Unreachable(reference.registry, f"{_token_service(reference)} answers without a token")
    return token


async def _read(registry: str, got: aiohttp.ClientResponse, longest: int) -> bytes:
    body = bytearray()
    async for piece in got.content.iter_any():
        body += piece
        if len(body) > longest:
            raise Unreachable(registry, f"registry {registry} sends more than {longest} bytes")
    return bytes(body)


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _unauthorized(reference: Reference) -> Unauthorized:
    message = (
        f"registry {reference.registry} refuses to show {reference.repository}; it wants other credentials"
    )
    return Unauthorized(reference.registry, message)


def _token_service(reference: Reference) -> str:
    return f"the token service of registry {reference.registry}"


def _no_connection(registry: str, error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"registry {registry} has a certificate that is not trusted"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"registry {registry} does not speak TLS"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"registry {registry} has no address (DNS)"
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = os.strerror(error.os_error.errno).lower() if error.os_error.errno else "no connection"
        return f"registry {registry}: {reason}"
    return f"registry {registry} breaks off its answer ({type(error).__name__})"
