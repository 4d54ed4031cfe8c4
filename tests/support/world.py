"""A whole small world: API server, Kubernetes' controllers, users, a clock, and the operator's real machinery.

The passes, the cache, the routing of wakes and the schedule are the operator's own; what is played is
Kubernetes (`platform`) and the API server (`fake_api`), unless a real one stands there (`real_api`). Nothing
sleeps: time passes when a test says so.

    world = World()
    world.user.apply(make_model())
    await world.settle()
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, assert_never

from modelyard.api import labels
from modelyard.api.kinds import (
    CHILD_KINDS,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    MODEL_TEST,
    OWN_KINDS,
    Kind,
    kind_of,
)
from modelyard.handlers.queue import Schedule
from modelyard.handlers.routing import Key, leader, news_of
from modelyard.kube.cache import Cache
from modelyard.kube.errors import ApiError
from modelyard.kube.live import LiveCluster
from modelyard.reconcilers.custom_model.reconcile import reconcile as custom_model
from modelyard.reconcilers.custom_model_version.reconcile import reconcile as custom_model_version
from modelyard.reconcilers.execution_environment.reconcile import reconcile as execution_environment
from modelyard.reconcilers.execution_environment_version.facts import Resolution, Resolved
from modelyard.reconcilers.execution_environment_version.reconcile import Reconciler
from modelyard.reconcilers.model_test.reconcile import reconcile as model_test
from modelyard.settings import Settings
from modelyard.status.outcomes import Settled, Stalled, Waiting
from tests.support.fake_api import FakeApi
from tests.support.objects import NAMESPACE
from tests.support.platform import Platform
from tests.support.world_api import MakeApi, Write, copied

Manifest = dict[str, Any]

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
PASS_LIMIT = 2000
"""Passes in one `settle`; more means that two passes wake each other for ever."""

RETRY = timedelta(seconds=1)

_passing: ContextVar[Key | None] = ContextVar("passing", default=None)
"""Whose pass this task runs: what it writes is told of within it, by the watch as by the answer."""


@contextmanager
def told_by_others() -> Iterator[None]:
    """What changes the cache in here is no pass's own word, whoever wrote it: a watch tells of it."""
    token = _passing.set(None)
    try:
        yield
    finally:
        _passing.reset(token)


async def _registry(image: str, secrets: Sequence[Manifest]) -> Resolution:
    """A registry that has everything."""
    return Resolved(f"{image.partition(':')[0]}@{DIGEST}", DIGEST)


@dataclass
class World:
    """Everything around one namespace of one cluster."""

    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    overlap: int = 1
    """How many passes run at once; with more than one they take turns as the seed has it."""

    make_api: ClassVar[MakeApi] = FakeApi
    """The API server of all worlds; `backends` puts a real one here."""

    def __post_init__(self) -> None:
        self.now = START
        self.api = type(self).make_api(lambda: self.now, self._turn)
        self.platform = Platform(self.api)
        self.user = User(self)
        self.passes = 0
        self.failures: list[tuple[Key, ApiError]] = []
        self.resolve = _registry
        self.watch_is_broken = False
        self._dice = random.Random(self.seed)
        self.api.watchers.append(self._watch)
        self.start_operator()

    def copy(self) -> World:
        """The same world at this moment, with a new operator; what happens in one does not happen in the other."""
        twin = World(self.settings, self.seed, self.overlap)
        twin.now = self.now
        twin.api.fill_from(self.api)
        twin.platform.failing.update(self.platform.failing)
        twin.start_operator()
        return twin

    # --- the operator ----------------------------------------------------------------------------------

    def start_operator(self) -> None:
        """A new process: it knows nothing, lists everything and looks at every object."""
        self.cache = Cache()
        self._schedule = Schedule[Key](lambda key: leader(key, self.cache))
        self.cluster = LiveCluster(self.api, self.cache, now=lambda: self.now)
        self.cache.listen(self._wake)
        self.relist()

    def relist(self) -> None:
        """What the operator does at its start, and when a watch cannot go on or says nothing for long."""
        for kind in (*OWN_KINDS, *CHILD_KINDS):
            of_kind = ((ns, name, m) for (k, ns, name), m in self.api.objects.items() if k == kind)
            listed = [entry for entry in of_kind if _is_selected(kind, entry[2])]
            for _, _, manifest in sorted(listed, key=lambda item: item[1]):
                self.cache.put(kind, copied(manifest))
            self.cache.sweep(kind, None, {(ns, name) for ns, name, _ in listed}, str(self.api.version))

    def _watch(self, kind: Kind, event: str, manifest: Manifest, before: Manifest | None) -> None:
        """As the API server tells it to a watch with a label selector: what leaves the selection was deleted."""
        if self.watch_is_broken:
            return
        if event != "DELETED" and _is_selected(kind, manifest):
            self.cache.put(kind, manifest)
        elif _is_selected(kind, before):
            self.cache.remove(kind, manifest)

    def _wake(
        self, kind: Kind, namespace: str, name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        keys = news_of(kind, namespace, name, (old, new), self.cache, passing=_passing.get())
        self._dice.shuffle(keys)
        for key in keys:
            self._schedule.wake(key, self._seconds())

    async def work(self) -> int:
        """Passes until no key is due; how many."""
        if self.overlap > 1:
            return await self._work_overlapping()
        done = 0
        while (key := self._schedule.take(self._seconds())) is not None:
            done += 1
            self.passes += 1
            assert done < PASS_LIMIT, f"passes never end; the last was over {key}"
            await self._pass(key)
        return done

    async def _work_overlapping(self) -> int:
        """The same with several passes at once, which take turns at each request."""
        done, running = 0, set[asyncio.Task[None]]()
        while True:
            while len(running) < self.overlap and (key := self._schedule.take(self._seconds())) is not None:
                running.add(asyncio.create_task(self._pass(key)))
                done, self.passes = done + 1, self.passes + 1
                assert done < PASS_LIMIT, f"passes never end; the last was over {key}"
            if not running:
                return done
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()

    async def _turn(self) -> None:
        """Let other passes go first, for a while that the dice choose."""
        for _ in range(self._dice.randrange(12) if self.overlap > 1 else 0):
            await asyncio.sleep(0)

    async def _pass(self, key: Key) -> None:
        _passing.set(key)
        try:
            outcome = await self._reconcilers[key.kind](
                self.cluster, self.settings, key.namespace, key.name, self.now
            )
        except ApiError as error:
            self.failures.append((key, error))
            outcome = Waiting(RETRY)
        finally:
            _passing.set(None)
        self._schedule.done(key)
        match outcome:
            case Waiting():
                self._schedule.wake_at(key, self._seconds() + outcome.retry_after.total_seconds())
            case Settled() | Stalled():
                pass
            case _:
                assert_never(outcome)

    @property
    def _reconcilers(self) -> Mapping[Kind, Any]:
        async def resolve(image: str, secrets: Sequence[Manifest]) -> Resolution:
            return await self.resolve(image, secrets)

        return {
            EXECUTION_ENVIRONMENT: execution_environment,
            EXECUTION_ENVIRONMENT_VERSION: Reconciler(resolve),
            CUSTOM_MODEL: custom_model,
            CUSTOM_MODEL_VERSION: custom_model_version,
            MODEL_TEST: model_test,
            OWN_KINDS[4]: _no_pass,
        }

    # --- time ------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let the operator and Kubernetes work until neither has anything to do at this moment."""
        while True:
            worked = await self.work()
            if not self.platform.step(self.now) and not worked:
                return

    async def pass_time(self, seconds: float, step: float = 5) -> None:
        """Let time pass in steps, and settle after each."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(end, self.now + timedelta(seconds=step))
            await self.settle()

    def _seconds(self) -> float:
        return self.now.timestamp()

    # --- looking ---------------------------------------------------------------------------------------

    def get(self, kind: Kind, name: str) -> Manifest:
        """An object of the namespace as the API server has it."""
        return self.api.get(kind, NAMESPACE, name)

    def all(self, kind: Kind) -> list[Manifest]:
        """All objects of a kind, by name."""
        found = [(name, manifest) for (k, _, name), manifest in self.api.objects.items() if k == kind]
        return [copied(manifest) for _, manifest in sorted(found, key=lambda item: item[0])]

    def condition(self, kind: Kind, name: str, type: str = "Ready") -> tuple[str, str]:
        """(status, reason) of a condition."""
        found = next(c for c in self.get(kind, name)["status"]["conditions"] if c["type"] == type)
        return found["status"], found["reason"]

    def message(self, kind: Kind, name: str, type: str = "Ready") -> str:
        """The message of a condition."""
        return next(
            str(c["message"]) for c in self.get(kind, name)["status"]["conditions"] if c["type"] == type
        )

    def writes(self, actor: str = "operator", since: int = 0) -> list[Write]:
        """What an actor changed, in order."""
        return [write for write in self.api.writes[since:] if write.actor == actor]


def _is_selected(kind: Kind, manifest: Manifest | None) -> bool:
    """Whether the operator's lists and watches have this object."""
    if manifest is None or kind not in CHILD_KINDS:
        return manifest is not None and kind in OWN_KINDS
    return bool(manifest["metadata"].get("labels", {}).get(labels.MANAGED_BY) == labels.MANAGED_BY_VALUE)


async def _no_pass(*_: Any) -> Settled:
    return Settled()


@dataclass
class User:
    """Somebody with kubectl."""

    world: World

    def apply(self, *manifests: Manifest) -> None:
        """Create, or change the spec of what exists."""
        api, actor = self.world.api, self.world.api.actor
        api.actor = "user"
        for manifest in manifests:
            kind = kind_of(manifest["apiVersion"], manifest["kind"])
            metadata = manifest["metadata"]
            address = (kind, metadata["namespace"], metadata["name"])
            if address in api.objects:
                api.change(*address, spec=manifest["spec"])
            else:
                kept = {
                    k: v for k, v in metadata.items() if k in ("name", "namespace", "labels", "annotations")
                }
                api.create(kind, {**copied(manifest), "metadata": kept})
        api.actor = actor

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object, and with it what it owns."""
        actor, self.world.api.actor = self.world.api.actor, "user"
        self.world.api.delete(kind, NAMESPACE, name)
        self.world.api.actor = actor

    def delete_while_held(self, kind: Kind, name: str) -> None:
        """Delete an object that somebody's finalizer keeps: it is being deleted, and stays."""
        self.edit(kind, name, metadata={"finalizers": ["example.com/held"]})
        self.delete(kind, name)

    def unlabel(self, kind: Kind, name: str, label: str = labels.MANAGED_BY) -> None:
        """Take a label off an object; without ours it leaves the operator's lists and watches."""
        actor, self.world.api.actor = self.world.api.actor, "user"
        self.world.api.unlabel(kind, NAMESPACE, name, label)
        self.world.api.actor = actor

    def edit(self, kind: Kind, name: str, **changes: Any) -> None:
        """Change parts of an object."""
        actor, self.world.api.actor = self.world.api.actor, "user"
        self.world.api.change(kind, NAMESPACE, name, **changes)
        self.world.api.actor = actor
