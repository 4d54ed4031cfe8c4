"""What an administrator sets for one gateway."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelyard.http1.exchange import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """Frozen settings; each worker keeps to them on its own. Times in seconds, sizes in bytes."""

    limits: Limits = field(default_factory=Limits)

    in_flight: int = 1024
    """Predictions under way at once; one more is answered with 503."""

    in_flight_per_model: int = 256
    """Of one model, all its versions together."""

    answer_bytes: int = 64 * 1024 * 1024
    """A model's answer; a larger one is answered with 502, and one larger than all that may be held as well."""

    connect_seconds: float = 2.0
    """In which a pod has to take a connection; then another is asked."""

    first_byte_seconds: float = 30.0
    """From a request to the first byte of the model's answer; then 504."""

    whole_seconds: float = 60.0
    """From a request to the last byte of the model's answer; then 504."""

    upstream_idle_seconds: float = 4.0
    """After which a connection to a pod that is not used is closed: sooner than servers of models do so themselves."""

    suspect_seconds: float = 1.0
    """For which a pod that took no connection is asked only if there is no other."""

    retry_after_seconds: int = 1
    """What a client that is answered 503 is told to wait."""

    access_log_sample: float = 0.01
    """Share of the requests that have a line in the access log, 0 to 1."""

    drain_seconds: float = 0.0
    """For which a gateway that is told to end says that it is not ready, and goes on."""

    grace_seconds: float = 30.0
    """In which it then finishes what is under way."""

    @property
    def longest_answer(self) -> int:
        """Bytes of the longest answer that is ever taken."""
        return min(self.answer_bytes, self.limits.held_bytes)

    @property
    def tick(self) -> float:
        """How often deadlines are looked at: often enough for the shortest of them."""
        limits = self.limits
        shortest = min(
            limits.head_seconds,
            limits.body_seconds,
            limits.idle_seconds,
            limits.write_seconds,
            self.first_byte_seconds,
            self.whole_seconds,
        )
        return min(0.25, max(0.005, shortest / 4))
