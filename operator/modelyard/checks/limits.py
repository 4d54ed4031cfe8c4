"""The constants of a run: how long to wait, how much to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, rows and bytes that bound a run of the checks."""

    ask_timeout: float = 5.0
    """For one question whether a replica is ready; silence is a lawful way to say no."""

    ask_interval: float = 0.5
    """Between two such questions to what is not ready yet."""

    strange_seconds: float = 10.0
    """How long a status that never means "not ready yet" (404, say) is borne before it is the verdict."""

    settle_seconds: float = 5.0
    settle_interval: float = 1.0
    """For how long, and how often, every replica is asked again once all have been ready."""

    connect_timeout: float = 5.0
    """To open a connection for a prediction. The prediction itself may take until the deadline."""

    first_rows: int = 10
    """Rows sent to each replica alone."""

    batch_rows: int = 1000
    """Rows in one request of the error check."""

    whole_rows: int = 1000
    """Rows that the check for side effects calls the whole data set: as many as one request of the error check
    has, so that a model is never asked for more at once than it has just answered."""

    nulled_values: int = 10_000_000
    """Values that nulling one column after another may send in all; a data set of very many columns is sampled
    by fewer rows than configured."""

    back_seconds: float = 120.0
    """For how long one check waits in all for a model that dropped a connection to be ready again."""

    answer_bytes: int = 8 * 1024 * 1024
    """The longest answer that is read: 8 KiB a row. A hostile one of 64 MiB takes Python 10 s and 2 GiB to parse."""

    aftermath_seconds: float = 3.0
    """Between a failure for which a connection was lost and the verdict: what ended the model stands in its pod's
    status a moment later than its connections end, and whoever reads the verdict wants to know both."""

    reserve_seconds: float = 5.0
    """Kept back from the time of the test to judge the last answer and write the summary; at most a fifth of it."""

    def budget(self, timeout_seconds: float) -> float:
        """Seconds that the checks may take when the whole test may take `timeout_seconds`."""
        return timeout_seconds - min(self.reserve_seconds, timeout_seconds / 5)
