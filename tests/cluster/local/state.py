"""What a cluster remembers between the commands that act on it: one small file, and the lock around them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

from tests.cluster.cache import locked
from tests.cluster.local.layout import LOCK, STATE, Node
from tests.cluster.progress import Progress

FILE = STATE / "cluster.json"


@dataclass(frozen=True, slots=True)
class Record:
    """What `down` must know to put the machine back, and what the other commands must know to act."""

    ready: bool = False
    """Whether `up` came to its end."""
    started: float = 0.0
    """When `up` began; seconds since the epoch."""
    nodes: tuple[int, ...] = ()
    """Numbers of the nodes that run."""
    last_node: int = 0
    """The highest number that a node ever had here."""
    sysctls: dict[str, str] = field(default_factory=dict)
    """Kernel settings as they were before."""
    folders: tuple[str, ...] = ()
    """Folders outside the cluster's own that were not there before."""
    kubeconfigs: tuple[str, ...] = ()
    """Where `up` has written a kubeconfig."""

    @property
    def members(self) -> list[Node]:
        return [Node(number) for number in self.nodes]

    def with_node(self, node: Node) -> Record:
        return replace(self, nodes=(*self.nodes, node.number), last_node=max(self.last_node, node.number))

    def without_node(self, node: Node) -> Record:
        return replace(self, nodes=tuple(number for number in self.nodes if number != node.number))


def read() -> Record | None:
    """The record of the cluster that is there; None when there is none, or when it died before it wrote one."""
    try:
        stored = json.loads(FILE.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    lists = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
    return Record(**{**stored, **lists})


def write(record: Record) -> Record:
    """Keep `record`, whole or not at all; returns it."""
    STATE.mkdir(parents=True, exist_ok=True)
    part = FILE.with_suffix(".part")
    part.write_text(json.dumps(asdict(record), indent=1))
    part.rename(FILE)
    return record


@contextmanager
def alone(progress: Progress) -> Iterator[None]:
    """No other command changes the cluster while this lasts."""
    with locked(LOCK, waiting=lambda: progress.say("Waiting for another command that changes the cluster")):
        yield
