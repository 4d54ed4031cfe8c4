"""Failures in a row of one thing that is tried for ever: counted, and logged when there is something new to say."""

from __future__ import annotations

import logging

from modelyard.kube.errors import ApiError, NotFound, Unavailable


class Trouble:
    """What goes wrong with one thing (`what`, "Watch") about one collection (`scope`)."""

    def __init__(self, logger: logging.Logger, what: str, scope: str) -> None:
        self.count = 0
        self._logger, self._what, self._scope = logger, what, scope
        self._told = ""

    def add(self, error: ApiError) -> None:
        """It failed once more."""
        self.count += 1
        if str(error) == self._told or (self.count == 1 and _is_busy(error)):
            return
        self._told = str(error)
        hint = "; are the CRDs of Modelyard installed?" if isinstance(error, NotFound) else ""
        self._logger.warning(
            "%s failed; it will be repeated%s",
            self._what,
            hint,
            extra={"scope": self._scope, "reason": self._told},
        )

    def end(self) -> None:
        """It succeeded."""
        if self._told:
            self._logger.info("%s succeeds again", self._what, extra={"scope": self._scope})
        self.count, self._told = 0, ""


def _is_busy(error: ApiError) -> bool:
    """A server that says when to come back, as it does for a kind that was just installed, is believed once."""
    return isinstance(error, Unavailable) and error.retry_after is not None
