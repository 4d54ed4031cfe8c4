"""Logs: one JSON object a line, with the object that the line is about. Standard library only."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

_about: ContextVar[tuple[str, str, str] | None] = ContextVar("modelyard_about", default=None)

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
}
_ENCODER = json.JSONEncoder(default=str, ensure_ascii=False)
_QUIET = ("aiohttp", "asyncio")
"""Loggers of libraries: their warnings matter, their chatter does not."""


@contextmanager
def about(kind: str, namespace: str, name: str) -> Iterator[None]:
    """Lines logged inside, in this task, are about this object."""
    token = _about.set((kind, namespace, name))
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `logger`, `message`; kind, namespace and name where known; what `extra` adds; `error`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        subject = _about.get()
        if subject is not None:
            line.update(zip(("kind", "namespace", "name"), subject, strict=True))
        line.update(_extra(record))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _ENCODER.encode(line)


def configure_logs(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send the logs of the whole process as JSON lines to `stream` (standard error).

    What no line tells (which source line, thread and process) is not looked up either.
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """What the caller gave as `extra`, but only plain values: libraries attach whole objects to their records."""
    return {
        key: value
        for key, value in vars(record).items()
        if key not in _STANDARD and isinstance(value, str | int | float | bool)
    }
