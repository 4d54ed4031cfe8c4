"""Work that Ctrl-C, SIGTERM and a closed terminal end in order: what it started is ended before it returns."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The work was stopped by a signal, and has cleaned up."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(f"stopped by {number.name}")
        self.exit_code = 128 + number


def run_until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; Stopped when a signal came first. Further signals do not hurry the cleaning up."""
    whole = _until_stopped(work)
    try:
        return asyncio.run(whole)
    finally:  # Python complains of what was never begun, as when Ctrl-C comes that early.
        whole.close()
        work.close()


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T:
    stopped_by: list[signal.Signals] = []
    task = asyncio.ensure_future(work)

    def stop(number: signal.Signals) -> None:
        if not stopped_by:
            stopped_by.append(number)
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if stopped_by:
            raise Stopped(stopped_by[0]) from None
        raise
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
