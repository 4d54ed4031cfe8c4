"""A registry client that is not there before it is needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import pytest

from modelyard.images import registry
from modelyard.images.credentials import Credentials
from modelyard.images.lazy import lazy_registries
from modelyard.images.reference import Reference, parse_reference

DIGEST = f"sha256:{'a' * 64}"


class Recording:
    """A client that answers, made by `client`, which counts."""

    def __init__(self) -> None:
        self.made: list[Collection[str]] = []
        self.asked: list[Reference] = []
        self.closed = 0

    @asynccontextmanager
    async def client(self, insecure_hosts: Collection[str]) -> AsyncIterator[Recording]:
        self.made.append(insecure_hosts)
        yield self
        self.closed += 1

    async def resolve(self, reference: Reference, credentials: Sequence[Credentials] = ()) -> str:
        self.asked.append(reference)
        return DIGEST


async def test_a_client_is_made_for_the_first_tag_and_closed_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recording = Recording()
    monkeypatch.setattr(registry, "registry_client", recording.client)
    named, tagged = parse_reference(f"r.example.com/a@{DIGEST}"), parse_reference("r.example.com/a:1")

    async with lazy_registries(["r.example.com"]) as registries:
        assert await registries.resolve(named) == DIGEST
        assert recording.made == []
        for _ in range(2):
            assert await registries.resolve(tagged) == DIGEST
        assert (recording.made, recording.asked, recording.closed) == (
            [["r.example.com"]],
            [tagged, tagged],
            0,
        )

    assert recording.closed == 1


def test_the_operator_starts_without_an_http_client_that_it_may_never_need() -> None:
    """Ten megabytes, and a fifth of the time to the first write."""
    code = "import sys, modelyard.cli.operator; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert not {"aiohttp", "kopf", "kubernetes"} & set(loaded.stdout.split())
