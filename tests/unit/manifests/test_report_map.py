"""What is kept of a test: the same bytes for the same run, never too many, and nothing unpacked without a bound."""

from __future__ import annotations

import gzip
import random
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.api.check_report import MAX_LOG, MAX_REPORT
from modelyard.manifests.test_report import (
    LOG_KEY,
    MAXIMUM,
    REPORT_KEY,
    cut,
    report_map,
    unpacked_log,
    unpacked_report,
)
from tests.unit.manifests.builders import TEST

Manifest = dict[str, Any]

REPORT = b'{"v": 1}'
LOG = "checks begin\nerrorCheck succeeded: zw\u00f6lf rows\n"


def noise(size: int) -> str:
    """Text that does not get smaller."""
    unprintable = bytes({*range(256)} - {*range(0x20, 0x7F)})
    return random.Random(7).randbytes(3 * size).translate(None, unprintable)[:size].decode()


def packed_size(manifest: Manifest) -> int:
    return sum(len(b64decode(content)) for content in manifest["binaryData"].values())


def test_what_is_kept_can_be_read_back_by_us_and_by_gunzip() -> None:
    made = report_map(TEST, report=REPORT, log=LOG)

    assert unpacked_report(made) == gzip.decompress(b64decode(made["binaryData"][REPORT_KEY])) == REPORT
    assert unpacked_log(made) == gzip.decompress(b64decode(made["binaryData"][LOG_KEY])).decode() == LOG


def test_the_same_run_gives_the_same_bytes() -> None:
    first, second = (report_map(TEST, report=REPORT, log=LOG) for _ in range(2))

    assert first == second
    assert b64decode(first["binaryData"][REPORT_KEY])[4:8] == bytes(4)  # the time in the head of a gzip file


def test_it_cannot_be_changed_and_goes_with_its_test() -> None:
    made = report_map(TEST, report=REPORT, log=LOG)

    assert made["immutable"] is True
    assert [owner["uid"] for owner in made["metadata"]["ownerReferences"]] == [TEST.uid]


@pytest.mark.parametrize(
    "run",
    [
        lambda: (noise(MAX_REPORT).encode(), noise(MAX_LOG)),
        lambda: (noise(MAX_REPORT).encode(), noise(3 * MAX_LOG)),
        lambda: (REPORT, noise(4 * 1024 * 1024)),
        lambda: (REPORT, "x" * 20_000_000),
    ],
    ids=["as large as a runner makes it", "a log beyond that", "a log alone", "a log that packs well"],
)
def test_the_largest_run_fits(run: Callable[[], tuple[bytes, str]]) -> None:
    report, log = run()
    made = report_map(TEST, report=report, log=log)

    assert packed_size(made) <= MAXIMUM
    assert unpacked_report(made) == report
    kept = unpacked_log(made)
    assert (kept[:1000], kept[-1000:]) == (log[:1000], log[-1000:])


def test_a_log_that_was_cut_says_so_where_it_was_cut() -> None:
    made = report_map(TEST, report=REPORT, log=f"begin\n{noise(5000)}\nend\n", maximum=1000)

    kept = unpacked_log(made)
    assert packed_size(made) <= 1000
    assert kept.startswith("begin\n")
    assert kept.endswith("\nend\n")
    assert " bytes of the log are left out here]\n" in kept


def test_a_short_log_is_not_cut() -> None:
    assert cut("abc", 3) == "abc"


def test_what_is_missing_is_counted_in_bytes() -> None:
    assert cut("0123456789", 4) == "01\n[6 bytes of the log are left out here]\n89"


def test_no_character_is_cut_in_two() -> None:
    assert cut("\u00e4" * 10, 6) == "\u00e4\n[14 bytes of the log are left out here]\n\u00e4"


def tampered(**binary: str) -> Manifest:
    made = report_map(TEST, report=REPORT, log=LOG)
    return {**made, "binaryData": {**made["binaryData"], **binary}}


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda: "no base64!", "is damaged"),
        (lambda: encoded(b"no gzip"), "is damaged"),
        (lambda: encoded(gzip.compress(REPORT)[:-9]), "is cut off or larger than 524288 bytes"),
        (lambda: encoded(gzip.compress(bytes(MAX_REPORT + 1))), "is cut off or larger than 524288 bytes"),
        (lambda: encoded(gzip.compress(bytes(60_000_000), 9)), "is cut off or larger than 524288 bytes"),
    ],
    ids=["text", "bytes", "half", "a byte too much", "a bomb"],
)
def test_a_report_that_somebody_changed_is_refused_in_one_line(content: Callable[[], str], says: str) -> None:
    with pytest.raises(
        ValueError, match=rf'^{REPORT_KEY} in ConfigMap "report-hello-1-check-[0-9a-f]{{8}}" {says}$'
    ):
        unpacked_report(tampered(**{REPORT_KEY: content()}))


def test_a_configmap_without_a_report_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r'^ConfigMap "other" has no report.json.gz$'):
        unpacked_report({"metadata": {"name": "other"}})
