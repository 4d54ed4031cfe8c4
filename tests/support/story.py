"""A story: things happen to a world, and the transcript tells them."""

from __future__ import annotations

from typing import Any

from modelyard.api.kinds import Kind
from tests.support.invariants import Invariants
from tests.support.transcript import Transcript
from tests.support.world import World

Manifest = dict[str, Any]


class Story:
    """A world with a transcript. Every write of the whole story is held to the invariants."""

    def __init__(self) -> None:
        self.world = World()
        self.transcript = Transcript()
        self.invariants = Invariants(self.world.api)
        self._told = 0

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
        self.transcript.say(f"{seconds:g} s pass")
        await self.world.pass_time(seconds)
        self._tell()

    def say(self, text: str) -> None:
        """A headline."""
        self._tell()
        self.transcript.say(text)

    def end(self) -> None:
        """Nothing is left to do, and a new operator finds nothing to do either."""
        self._tell()
        assert not self.world.failures, self.world.failures

    async def a_new_operator_writes_nothing(self) -> None:
        """A restart in a settled world costs no write."""
        before = len(self.world.api.writes)
        self.world.start_operator()
        await self.world.settle()
        assert [str(write) for write in self.world.api.writes[before:]] == []

    def _tell(self) -> None:
        self.transcript.add(self.world.api.writes[self._told :])
        self._told = len(self.world.api.writes)
