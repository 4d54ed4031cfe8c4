"""A story: things happen to a world, and the transcript tells them."""

from __future__ import annotations

from typing import Any

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, MODEL_TEST, Kind
from tests.support.invariants import Invariants
from tests.support.transcript import Transcript
from tests.support.world import World

Manifest = dict[str, Any]

SHOWN = (CUSTOM_MODEL, CUSTOM_MODEL_VERSION, MODEL_TEST)


class Story:
    """A world with a transcript. Every write of the whole story is held to the invariants."""

    def __init__(self, title: str) -> None:
        self.world = World()
        self.transcript = Transcript(title, self.world.now)
        self.invariants = Invariants(self.world.api)
        self._told = 0

    def begins(self, before: str) -> None:
        """What was done until now is told in these words."""
        self.transcript.learn(self.world.api.writes)
        self.transcript.begin(before, self.world.now)
        self._told = len(self.world.api.writes)

    async def user_applies(self, *manifests: Manifest) -> None:
        """Somebody applies these, and everything settles."""
        self.world.user.apply(*manifests)
        await self.goes_on()

    async def user_deletes(self, kind: Kind, name: str) -> None:
        """Somebody deletes an object, and everything settles."""
        self.world.user.delete(kind, name)
        await self.goes_on()

    async def goes_on(self) -> None:
        """Everything settles."""
        await self.world.settle()
        self._tell()

    async def time_passes(self, seconds: float) -> None:
        """Time passes."""
        self._tell()
        self.transcript.say(f"{seconds:g} seconds pass")
        await self.world.pass_time(seconds)
        self._tell()

    def say(self, text: str) -> None:
        """A headline."""
        self._tell()
        self.transcript.say(text)

    def end(self) -> None:
        """Nothing failed; how things stand is told last."""
        self._tell()
        assert not self.world.failures, self.world.failures
        self.transcript.close(
            manifest for kind in SHOWN for manifest in self.world.all(kind) if _is_users(manifest)
        )

    async def a_new_operator_writes_nothing(self) -> None:
        """A restart in a settled world costs no write."""
        before = len(self.world.api.writes)
        self.world.start_operator()
        await self.world.settle()
        assert [str(write) for write in self.world.api.writes[before:]] == []

    def _tell(self) -> None:
        self.transcript.add(self.world.api.writes[self._told :])
        self._told = len(self.world.api.writes)


def _is_users(manifest: Manifest) -> bool:
    return not manifest["metadata"].get("ownerReferences")
