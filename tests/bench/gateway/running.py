"""Peers that run side by side, and one measurement of one of them."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.gateway.bodies import Case, Wrong
from tests.bench.gateway.figures import Sample
from tests.bench.gateway.peers import PEERS, Peer, Setting, model
from tests.bench.gateway.processes import pinned, usage
from tests.bench.gateway.programs import ProgramMissing
from tests.bench.gateway.wrk import Told, Wrk
from tests.cluster.progress import Progress
from tests.cluster.waiting import NeverHappened, until

_HOST = "127.0.0.1"
_START = 60.0
"""Seconds that a server has until its first right answer."""

_REST = 30.0
"""Seconds that it has to come to rest after a load."""


@dataclass(frozen=True, slots=True)
class Cores:
    """On which core what runs."""

    proxy: int
    load: int
    """wrk and the model."""


def cores() -> Cores:
    """The last core of this process for the proxies, the first for the rest. Raises ProgramMissing."""
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:
        raise ProgramMissing(
            "The bench needs two cores: one for the proxies, one for the model and the load."
        )
    return Cores(mine[-1], mine[0])


@dataclass(frozen=True, slots=True)
class Server:
    """A peer that runs."""

    peer: Peer
    port: int
    pid: int

    def ask(self, case: Case) -> None:
        """One request over a connection of its own. Raises bodies.Wrong, or OSError when nobody answers."""
        request = self.peer.request(case)
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=30)
        try:
            connection.request("POST", self.peer.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            body = answer.read()
        except http.client.HTTPException as error:
            raise Wrong(f"{self.peer.name} speaks no HTTP: {error!r}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise Wrong(f"{self.peer.name} answered {answer.status}: {body[:300]!r}")
        self.peer.check(case, body)

    def measure(self, wrk: Wrk, case: Case, bodies: Path, connections: int, seconds: int) -> Sample:
        """What it does, and what it uses meanwhile; then waits until it is done with what wrk did not wait for."""
        request = self.peer.request(case)
        body = bodies / f"{case.name}-{'protocol' if self.peer.translates else 'contract'}"
        url = f"http://{_HOST}:{self.port}{self.peer.path}"
        seconds *= case.patience if connections > 1 else 1
        before = usage(self.pid).cpu_ms
        told = wrk.load(url, body, request.headers, connections=connections, seconds=seconds)
        after = usage(self.pid)
        self._rests()
        return sample(told, after.cpu_ms - before, after.memory_mb)

    def _rests(self) -> None:
        used = [-1.0]

        def still() -> bool:
            used.append(usage(self.pid).cpu_ms)
            return used[-1] == used[-2]

        until(f"{self.peer.name} comes to rest", still, timeout=_REST, every=0.05)


def sample(told: Told, cpu_ms: float, memory_mb: float) -> Sample:
    """The figures of one load; where nothing was answered, that is the trouble."""
    trouble = told.trouble if told.requests else f"nothing answered {told.trouble}".strip()
    return Sample(
        per_second=round(told.per_second, 1),
        p50_ms=told.p50_ms,
        p99_ms=told.p99_ms,
        cpu_ms=round(cpu_ms / max(told.requests, 1), 5),
        memory_mb=round(memory_mb, 1),
        trouble=trouble,
    )


def written(cases: Sequence[Case], folder: Path) -> Path:
    """The bodies of the cases as files for wrk."""
    for case in cases:
        (folder / f"{case.name}-protocol").write_bytes(case.protocol.body)
        (folder / f"{case.name}-contract").write_bytes(case.contract.body)
    return folder


@contextmanager
def serving(
    names: Sequence[str], home: Path, where: Cores, case: Case, progress: Progress
) -> Iterator[list[Server]]:
    """The model and the peers of these names, once each has answered right; ended with the block."""
    with ExitStack() as stack:
        ports = free_ports(1 + 3 * len(names))
        servers = [
            stack.enter_context(
                _started(model(ports[0], progress), ports[0], home, where.load, case, progress)
            )
        ]
        for number, name in enumerate(names):
            port, *spare = ports[1 + 3 * number : 4 + 3 * number]
            folder = home / name
            folder.mkdir()
            setting = Setting(port, ports[0], folder, (spare[0], spare[1]), progress)
            peer = PEERS[name](setting)
            servers.append(stack.enter_context(_started(peer, port, folder, where.proxy, case, progress)))
        yield servers


@contextmanager
def _started(
    peer: Peer, port: int, home: Path, core: int, case: Case, progress: Progress
) -> Iterator[Server]:
    progress.say(f"Starting {peer.name}")
    log = home / f"{peer.name}.log"
    with pinned(peer.command, core, environ=peer.environ, log=log, cwd=home) as process:
        server = Server(peer, port, process.pid)

        def answers() -> bool:
            if process.poll() is not None:
                raise ProgramMissing(f"{peer.name} ended with {process.returncode}:\n{_end_of(log)}")
            with suppress(OSError, Wrong):
                server.ask(case)
                return True
            return False

        try:
            until(f"a right answer of {peer.name}", answers, timeout=_START)
        except NeverHappened as never:
            raise ProgramMissing(f"{never}\n{_end_of(log)}") from never
        yield server


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_HOST, 0))
        return [one.getsockname()[1] for one in sockets]
