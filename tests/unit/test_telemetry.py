"""Logs are JSON lines that say what they are about."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.telemetry import about, configure_logs


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    for name in ("aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_level_logger_message_and_what_was_given(logs: io.StringIO) -> None:
    logging.getLogger("modelyard.x").info(
        "Wrote %s", "it", extra={"verb": "patch", "count": 3, "thing": object()}
    )

    (line,) = lines(logs)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "modelyard.x",
        "message": "Wrote it",
        "verb": "patch",
        "count": 3,
    }


def test_lines_inside_a_pass_are_about_its_object_and_lines_after_it_are_not(logs: io.StringIO) -> None:
    with about("CustomModel", "ns", "hello"):
        logging.getLogger("a").info("inside")
    logging.getLogger("a").info("outside")

    inside, outside = lines(logs)
    assert (inside["kind"], inside["namespace"], inside["name"]) == ("CustomModel", "ns", "hello")
    assert "namespace" not in outside


async def test_tasks_at_the_same_time_are_about_their_own_objects(logs: io.StringIO) -> None:
    async def work(name: str) -> None:
        with about("CustomModel", "ns", name):
            await asyncio.sleep(0.01)
            logging.getLogger("a").info(name)

    await asyncio.gather(work("one"), work("two"))

    assert all(line["name"] == line["message"] for line in lines(logs))


def test_an_exception_is_one_line_with_its_traceback(logs: io.StringIO) -> None:
    try:
        raise KeyError("bug")
    except KeyError:
        logging.getLogger("a").exception("Failed")

    (line,) = lines(logs)
    assert line["level"] == "error"
    assert "test_telemetry.py" in line["error"]
    assert line["error"].endswith("KeyError: 'bug'")


def test_libraries_are_heard_from_warnings_on(logs: io.StringIO) -> None:
    for name in ("aiohttp.client", "asyncio", "modelyard.kube"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("matters")

    assert [(line["logger"], line["message"]) for line in lines(logs)] == [
        ("aiohttp.client", "matters"),
        ("asyncio", "matters"),
        ("modelyard.kube", "chatter"),
        ("modelyard.kube", "matters"),
    ]
