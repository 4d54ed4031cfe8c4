"""One load of wrk, and what it tells."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
_TIMEOUT = 10
"""Seconds after which wrk counts an answer as late."""


class LoadFailed(Exception):
    """wrk did not run; the message has what it said."""


@dataclass(frozen=True, slots=True)
class Told:
    """What wrk says of one load."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    """Answers that are no 2xx or 3xx."""

    broken: int
    """Connections that could not be made, read or written."""

    late: int

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds

    @property
    def trouble(self) -> str:
        """What went wrong, in words; empty when nothing did."""
        counts = {"refused": self.refused, "broken": self.broken, "late": self.late}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def told(output: str) -> Told:
    """Reads what load.lua writes as the last line. Raises LoadFailed when it is not there."""
    try:
        found = json.loads(output.strip().rpartition("\n")[2])
        return Told(
            requests=found["requests"],
            seconds=found["microseconds"] / 1e6,
            p50_ms=found["p50"] / 1000,
            p99_ms=found["p99"] / 1000,
            refused=found["refused"],
            broken=found["broken"],
            late=found["late"],
        )
    except (ValueError, LookupError, TypeError):
        raise LoadFailed(f"wrk told nothing: {output[-500:]}") from None


@dataclass(frozen=True, slots=True)
class Wrk:
    """The program, its environment, and the core on which it runs."""

    program: Path
    environ: Mapping[str, str]
    core: int

    def load(
        self, url: str, body: Path, headers: Mapping[str, str], *, connections: int, seconds: float
    ) -> Told:
        """Asks over so many connections, each as soon as it was answered, for so long."""
        words = self._command(url, connections, seconds)
        words += ["--", str(body), *(word for header in headers.items() for word in header)]
        done = subprocess.run(words, env={**os.environ, **self.environ}, capture_output=True, text=True)
        if done.returncode != 0:
            raise LoadFailed(f"wrk failed: {done.stdout[-500:]}{done.stderr[-500:]}")
        return told(done.stdout)

    def _command(self, url: str, connections: int, seconds: float) -> list[str]:
        load: Sequence[str] = ("--threads", "1", "--connections", str(connections))
        time = ("--duration", f"{seconds:g}s", "--timeout", f"{_TIMEOUT}s")
        pinned = ("taskset", "--cpu-list", str(self.core), str(self.program))
        return [*pinned, *load, *time, "--script", str(SCRIPT), url]
