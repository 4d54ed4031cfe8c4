"""Where a path leads, as an engine remembers it."""

from __future__ import annotations

from modelyard.gateway.lanes import Lane
from modelyard.gateway.replies import Reply
from modelyard.gateway.series import Series


class Way:
    """What is answered, or where to ask (`lane`), and what is counted there. It holds for one epoch of the engine."""

    __slots__ = ("epoch", "lane", "method", "reply", "series")

    def __init__(
        self, epoch: int, method: bytes, series: Series, reply: Reply | None, lane: Lane | None
    ) -> None:
        self.epoch, self.method, self.series, self.reply, self.lane = epoch, method, series, reply, lane
