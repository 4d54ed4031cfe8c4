"""The clients' drivers as a test sees them: a call goes in, its value or what the client raised comes out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.gateway.environments import variables

ROOT = Path(__file__).parents[2]


class Raised(Exception):
    """A client raised: `kind` is the exception's type, `says` its text."""

    def __init__(self, kind: str, says: str) -> None:
        super().__init__(f"{kind}: {says}")
        self.kind, self.says = kind, says


class Driver:
    """One running driver."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, call: str, **arguments: Any) -> Any:
        """The value of a call. Raises Raised when the client does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"call": call, "arguments": arguments}), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "raised" in answer:
            raise Raised(answer["raised"], answer["says"])
        return answer["value"]


@contextmanager
def driver(name: str, python: Path) -> Iterator[Driver]:
    """The driver `clients/drive_<name>.py` under its environment's Python; it ends with the block."""
    command = [str(python), "-m", f"tests.gateway.clients.drive_{name}"]
    with subprocess.Popen(
        command, cwd=ROOT, env=variables(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Driver(process)
        finally:
            process.kill()
