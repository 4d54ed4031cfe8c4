"""The memory that the chart gives a worker is enough for the bodies that take most of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.conftest import ECHO_SPEC
from tests.gateway.running import Gateway, absent, gateway, write_routes
from tests.gateway.servers import ECHO, Server
from tests.support.room import MEBIBYTE, needed

BODY, HELD = 8 * MEBIBYTE, 8 * MEBIBYTE


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose model is away: what it holds is its own."""
    write_routes(tmp_path / "routes.json", [absent(Server(ECHO, "echo", ECHO_SPEC))])
    with gateway(tmp_path / "routes.json", f"--max-body-bytes={BODY}", f"--max-held-bytes={HELD}") as found:
        yield found


def peak(front: Gateway) -> int:
    """Bytes that it ever held."""
    status = Path(f"/proc/{front.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def body(entry: str, datatype: str, of_a_row: int) -> bytes:
    """As many rows of so many entries as fit; `of_a_row` 0: the rows are the entries."""
    row = "[" + ",".join([entry] * of_a_row) + "]" if of_a_row else entry
    rows = (BODY - 200) // (len(row) + 1)
    shape = f"[{rows},{of_a_row}]" if of_a_row else f"[{rows}]"
    data = ",".join([row] * rows)
    return f'{{"inputs":[{{"name":"it","shape":{shape},"datatype":"{datatype}","data":[{data}]}}]}}'.encode()


@pytest.mark.parametrize(
    ("entry", "datatype", "of_a_row"),
    [("1", "FP64", 0), ("1", "FP64", 30), ('"a"', "BYTES", 0), ('"ab"', "BYTES", 8)],
    ids=["numbers", "rows of numbers", "letters", "rows of texts"],
)
def test_the_body_that_takes_most_is_read_within_what_the_chart_reckons_with(
    front: Gateway, entry: str, datatype: str, of_a_row: int
) -> None:
    answer = front.ask("POST", "/v2/models/echo/infer", body(entry, datatype, of_a_row))

    assert answer.status == 503, "it was read, and there is no pod"
    print(f"{peak(front) / MEBIBYTE:.0f} MiB of {needed(HELD, BODY) / MEBIBYTE:.0f}")
    assert peak(front) < needed(HELD, BODY)
