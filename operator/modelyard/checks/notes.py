"""What one check writes down while it runs, so that however it ends, nothing that it found is lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelyard.api.check_report import MAX_FINDINGS, Finding

Fact = str | int | float


@dataclass(slots=True)
class Notes:
    """Facts and findings of one check, what it sent, and how long it took."""

    facts: dict[str, Fact] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    left_out: int = 0
    rows: int = 0
    requests: int = 0
    begun: float = 0.0
    """Seconds after the start of the run."""

    duration_seconds: float = 0.0

    def find(self, where: str, message: str) -> None:
        """Adds a finding, or counts it when there are many."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(where=where, message=message))
        else:
            self.left_out += 1
