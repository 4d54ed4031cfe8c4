"""Whether a test ends in this pass, and as what. Pure."""

from __future__ import annotations

from modelyard.api.check_plan import CheckSummary
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.start import never_started
from modelyard.reconcilers.model_test.verdict import canceled, is_inconclusive, verdict


def ending(facts: Facts) -> CheckSummary | None:
    """What the test came to; None while it goes on. A run that has ended counts, whatever came after."""
    summary = verdict(facts)
    if summary and not is_inconclusive(facts):
        return summary
    if facts.test.spec.cancel:
        return canceled(facts)
    return never_started(facts)
