"""Events are the same for the same news, fit the API server's limits, and are not sent twice."""

from __future__ import annotations

from datetime import UTC, datetime

from modelyard.kube.events import Note, Recorded, event, event_name

ABOUT = {
    "apiVersion": "modelyard.dev/v1alpha1",
    "kind": "CustomModel",
    "metadata": {"name": "hello", "namespace": "ns", "uid": "u-1"},
}
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
PROMOTED = Note("Promoted", "Version 1.0 serves", "Normal")


def test_the_same_news_have_the_same_name() -> None:
    assert event_name(ABOUT, PROMOTED) == event_name(ABOUT, PROMOTED)
    assert event_name(ABOUT, PROMOTED).startswith("hello.")


def test_other_news_have_another_name() -> None:
    again = {**ABOUT, "metadata": {**ABOUT["metadata"], "uid": "u-2"}}  # type: ignore[dict-item]
    names = {
        event_name(ABOUT, PROMOTED),
        event_name(again, PROMOTED),
        event_name(ABOUT, Note("Promoted", "Version 2.0 serves", "Normal")),
        event_name(ABOUT, Note("Rejected", "Version 1.0 serves", "Normal")),
    }

    assert len(names) == 4


def test_the_whole_manifest() -> None:
    made = event(ABOUT, PROMOTED, now=NOW, instance="pod-1")

    assert made == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(ABOUT, PROMOTED), "namespace": "ns"},
        "eventTime": "2026-01-02T03:04:05.000006Z",
        "reportingController": "modelyard.dev/operator",
        "reportingInstance": "pod-1",
        "action": "Promoted",
        "reason": "Promoted",
        "type": "Normal",
        "note": "Version 1.0 serves",
        "regarding": {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "CustomModel",
            "namespace": "ns",
            "name": "hello",
            "uid": "u-1",
        },
    }


def test_a_long_message_is_cut_at_1024_bytes_between_characters() -> None:
    note = event(ABOUT, Note("R", "é" * 1000, "Warning"), now=NOW, instance="i")["note"]

    assert len(note.encode()) <= 1024
    assert note == "é" * 510 + "…"


def test_names_of_long_objects_still_fit() -> None:
    about = {**ABOUT, "metadata": {"name": "n" * 253, "namespace": "ns", "uid": "u"}}

    assert len(event_name(about, PROMOTED)) == 253


def test_news_are_new_once() -> None:
    recorded = Recorded()

    assert [recorded.add("ns", "a"), recorded.add("ns", "a"), recorded.add("other", "a")] == [
        True,
        False,
        True,
    ]


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    recorded = Recorded(limit=2)
    for name in ("a", "b", "a", "c"):
        recorded.add("ns", name)

    assert not recorded.add("ns", "a")
    assert recorded.add("ns", "b")
