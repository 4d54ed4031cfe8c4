"""A model's server as processes on this machine, all of which end with it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.local import supervisor
from modelyard.local.listeners import Listener, listeners_of

TAIL_LINES = 20
MAX_LINE = 2000
"""Bytes of one line of output that are shown."""

_PIECE = 65536
_PATIENCE = 30.0
"""Seconds, beyond the grace, within which the supervisor must have ended everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    grace: float
    """Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How the server's own process ended."""

    code: int
    """Negative: by that signal."""

    left: int
    """How many processes that it started run on."""


@dataclass(slots=True)
class ModelProcess:
    """A server that was started, and what is known of it."""

    pid: int
    """Of its supervisor; the model's processes are below it."""

    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    """The last lines that it printed."""

    start_error: int | None = None
    """Why it could not be started: an errno."""

    exit: Exit | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set as soon as its own process has ended, or could not be started."""

    was_killed: bool = False
    """Whether SIGTERM did not end it."""

    def listeners(self) -> list[Listener]:
        """Where it listens now."""
        return listeners_of(supervisor.descendants(self.pid))

    def hear(self, line: str) -> None:
        """Take one line of the supervisor."""
        match line.split():
            case ["failed", number]:
                self.start_error = int(number)
                self.over.set()
            case ["exited", code, left]:
                self.exit = Exit(int(code), int(left))
                self.over.set()
            case ["ended", "killed"]:
                self.was_killed = True


@asynccontextmanager
async def running(launch: Launch, show: Callable[[str], None]) -> AsyncIterator[ModelProcess]:
    """The server while the block runs; after it none of its processes is alive. `show` gets its output."""
    status, writes = os.pipe()
    try:
        keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", supervisor.__file__, str(writes), str(launch.grace)),
            *launch.command,
            cwd=launch.folder,
            env=dict(launch.environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=[writes],
            start_new_session=True,
        )
    finally:
        os.close(writes)
    model = ModelProcess(keeper.pid)
    readers = asyncio.ensure_future(_read(status, keeper.stdout, model, show))
    try:
        yield model
    finally:
        await _end(keeper, readers, launch.grace)


async def _end(keeper: asyncio.subprocess.Process, readers: asyncio.Future[None], grace: float) -> None:
    """Let the supervisor end everything, and take in what was still said."""
    assert keeper.stdin is not None
    keeper.stdin.close()
    try:
        async with asyncio.timeout(grace + _PATIENCE):
            await keeper.wait()
            await readers
    except TimeoutError:
        keeper.kill()
        await keeper.wait()
    finally:
        readers.cancel()


async def _read(
    status: int, output: asyncio.StreamReader | None, model: ModelProcess, show: Callable[[str], None]
) -> None:
    await asyncio.gather(_read_status(status, model), _read_output(output, model, show))


async def _read_status(descriptor: int, model: ModelProcess) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        async for line in reader:
            model.hear(line.decode())
    finally:
        transport.close()


async def _read_output(
    output: asyncio.StreamReader | None, model: ModelProcess, show: Callable[[str], None]
) -> None:
    """Passes on whole lines; of one without an end, what there is in the end."""
    assert output is not None
    rest = b""
    while piece := await output.read(_PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            _take(line, model, show)
        if len(rest) > _PIECE:
            rest = rest[:_PIECE]
    if rest:
        _take(rest, model, show)


def _take(line: bytes, model: ModelProcess, show: Callable[[str], None]) -> None:
    text = line[:MAX_LINE].decode("utf-8", "replace").rstrip("\r")
    model.tail.append(text)
    show(text)
