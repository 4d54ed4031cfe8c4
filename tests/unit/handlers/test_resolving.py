"""What a registry answers, as the values that a pass decides with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from modelyard.handlers.resolving import resolver
from modelyard.images.credentials import Credentials
from modelyard.images.errors import ImageError, NotInRegistry, Unauthorized, Unreachable
from modelyard.images.reference import Reference
from modelyard.reconcilers.execution_environment_version.facts import Malformed, Resolved, Unresolved

DIGEST = f"sha256:{'a' * 64}"


class Registry:
    """Answers with a digest, or raises."""

    def __init__(self, answer: str | ImageError = DIGEST) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Sequence[Credentials]]] = []

    async def resolve(self, reference: Reference, credentials: Sequence[Credentials] = ()) -> str:
        self.asked.append((str(reference), credentials))
        if isinstance(self.answer, ImageError):
            raise self.answer
        return self.answer


async def resolve(registry: Registry, image: str = "host:5000/team/a:1", *secrets: dict[str, Any]) -> Any:
    return await resolver(registry)(image, secrets)


async def test_a_digest_makes_a_reference_by_digest() -> None:
    assert await resolve(Registry()) == Resolved(f"host:5000/team/a@{DIGEST}", DIGEST)


@pytest.mark.parametrize(
    ("error", "may_answer_later"),
    [
        (NotInRegistry("h", "has no such image"), False),
        (Unauthorized("h", "wants other credentials"), True),
        (Unreachable("h", "does not answer"), True),
    ],
)
async def test_what_a_registry_refuses_is_a_value(error: ImageError, may_answer_later: bool) -> None:
    assert await resolve(Registry(error)) == Unresolved(str(error), may_answer_later=may_answer_later)


async def test_what_is_no_image_is_not_asked_for() -> None:
    registry = Registry()

    assert isinstance(await resolve(registry, "Not An Image"), Malformed)
    assert registry.asked == []


async def test_a_secret_that_cannot_be_read_is_named() -> None:
    found = await resolve(Registry(), "host:5000/a:1", {"metadata": {"name": "pull"}, "type": "Opaque"})

    assert isinstance(found, Unresolved)
    assert '"pull"' in found.message
