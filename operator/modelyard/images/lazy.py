"""The registry client, made when a registry is first asked: images named by their digests need none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from modelyard.images.credentials import Credentials
from modelyard.images.reference import Reference


class Registries(Protocol):
    """What `images.registry.RegistryClient` does."""

    async def resolve(self, reference: Reference, credentials: Sequence[Credentials] = ()) -> str:
        """The digest of an image. Raises errors.RegistryError."""
        ...


@asynccontextmanager
async def lazy_registries(insecure_hosts: Collection[str] = ()) -> AsyncIterator[Registries]:
    """A client that costs nothing before it asks. `insecure_hosts` (`host:port`) are asked over plain HTTP."""
    async with AsyncExitStack() as stack:
        yield _Lazy(insecure_hosts, stack)


class _Lazy:
    def __init__(self, insecure_hosts: Collection[str], stack: AsyncExitStack) -> None:
        self._insecure_hosts, self._stack = insecure_hosts, stack
        self._client: Registries | None = None

    async def resolve(self, reference: Reference, credentials: Sequence[Credentials] = ()) -> str:
        if reference.digest:
            return reference.digest
        client = self._client
        if client is None:
            from modelyard.images.registry import registry_client  # brings an HTTP client of 10 MB

            client = self._client = await self._stack.enter_async_context(
                registry_client(self._insecure_hosts)
            )
        return await client.resolve(reference, credentials)
