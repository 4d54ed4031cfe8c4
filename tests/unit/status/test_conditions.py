"""Conditions: merged so that only what moved is new, in one order, and never too long."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from modelyard.api.meta import ObjectMeta
from modelyard.api.reasons import ConditionType, Reason
from modelyard.status.assessment import kstatus, status_of
from modelyard.status.conditions import (
    MESSAGE_LIMIT,
    Finding,
    false,
    merge,
    shorten,
    timestamp,
    true,
    unknown,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
READY = ConditionType.READY


def _merged(*found: Finding, before: list[dict[str, Any]] | None = None, now: datetime = NOW) -> Any:
    return merge(before or [], found, generation=3, now=now)


def test_a_condition_whole() -> None:
    assert _merged(true(READY, Reason.SERVING, "2 of 2")) == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Serving",
            "message": "2 of 2",
            "observedGeneration": 3,
            "lastTransitionTime": "2026-01-01T12:00:00Z",
        }
    ]


@pytest.mark.parametrize(
    ("finding", "moved"),
    [
        (true(READY, Reason.SERVING, "2 of 2"), False),
        (true(READY, Reason.SUPERSEDED, "not needed"), False),
        (false(READY, Reason.SERVING, "2 of 2"), True),
        (unknown(READY, Reason.STARTING, ""), True),
    ],
)
def test_the_time_moves_only_where_the_status_does(finding: Finding, moved: bool) -> None:
    before = _merged(true(READY, Reason.SERVING, "2 of 2"))
    (after,) = _merged(finding, before=before, now=LATER)
    assert after["lastTransitionTime"] == ("2026-01-01T12:05:00Z" if moved else "2026-01-01T12:00:00Z")
    assert (after["reason"], after["message"]) == (str(finding.reason), finding.message)


def test_the_same_findings_give_the_same_conditions_at_any_time() -> None:
    found = [true(READY, Reason.SERVING), false(ConditionType.STALLED, Reason.AS_DESIRED)]
    before = merge([], found, generation=1, now=NOW)
    assert merge(before, found, generation=1, now=LATER) == before


def test_conditions_stand_in_one_order_whatever_the_order_of_findings() -> None:
    found = [true(type, Reason.AS_DESIRED) for type in ConditionType]
    assert [condition["type"] for condition in _merged(*reversed(found))] == [str(t) for t in ConditionType]


def test_a_condition_that_is_found_no_more_is_dropped() -> None:
    before = _merged(true(READY, Reason.SERVING), true(ConditionType.PINNED, Reason.RESOLVED))
    assert [c["type"] for c in _merged(true(READY, Reason.SERVING), before=before)] == ["Ready"]


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("", 3, ""), ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("äöüß", 3, "äö…"), ("ab", 1, "…")],
)
def test_what_is_too_long_ends_in_an_ellipsis(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


def test_no_message_is_longer_than_the_limit() -> None:
    (condition,) = _merged(true(READY, Reason.SERVING, "x" * 99_999))
    assert len(condition["message"]) == MESSAGE_LIMIT


def test_times_are_written_as_the_api_server_writes_them() -> None:
    east = datetime(2026, 1, 1, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert timestamp(east) == "2026-01-01T12:00:00Z"


# --- what generic tools read -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ready", "stalled", "reconciling_says", "stalled_says"),
    [
        (true(READY, Reason.SERVING, "m"), False, ("False", "AsDesired", ""), ("False", "AsDesired", "")),
        (
            unknown(READY, Reason.STARTING, "m"),
            False,
            ("True", "Starting", "m"),
            ("False", "AsDesired", ""),
        ),
        (false(READY, Reason.DEGRADED, "m"), False, ("True", "Degraded", "m"), ("False", "AsDesired", "")),
        (
            false(READY, Reason.TESTS_FAILED, "m"),
            True,
            ("False", "AsDesired", ""),
            ("True", "TestsFailed", "m"),
        ),
    ],
)
def test_reconciling_and_stalled_follow_ready(
    ready: Finding,
    stalled: bool,
    reconciling_says: tuple[str, str, str],
    stalled_says: tuple[str, str, str],
) -> None:
    reconciling, halted = kstatus(ready, stalled=stalled)
    assert (reconciling.type, halted.type) == (ConditionType.RECONCILING, ConditionType.STALLED)
    assert (reconciling.status, reconciling.reason, reconciling.message) == reconciling_says
    assert (halted.status, halted.reason, halted.message) == stalled_says


def _meta(generation: int = 4) -> ObjectMeta:
    return ObjectMeta(
        name="hello", namespace="team-a", uid="u", generation=generation, creation_timestamp=NOW
    )


def test_a_status_holds_what_has_a_value_and_nothing_else() -> None:
    found = [true(READY, Reason.SERVING)]
    status = status_of(_meta(), [], found, now=NOW, versions=0, role="", candidate=None)
    assert status == {
        "observedGeneration": 4,
        "versions": 0,
        "role": "",
        "conditions": merge([], found, generation=4, now=NOW),
    }


def test_a_finding_says_what_it_is_given_and_nothing_by_itself() -> None:
    assert [make(READY, Reason.SERVING) for make in (true, false, unknown)] == [
        Finding(READY, "True", Reason.SERVING, ""),
        Finding(READY, "False", Reason.SERVING, ""),
        Finding(READY, "Unknown", Reason.SERVING, ""),
    ]
    assert [make(READY, Reason.SERVING, "why").message for make in (true, false, unknown)] == ["why"] * 3


def test_times_are_of_utc_wherever_the_operator_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert timestamp(NOW) == "2026-01-01T12:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()
