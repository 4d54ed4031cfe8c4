"""Where a process listens, as Linux tells."""

from __future__ import annotations

import os
import socket

import pytest

from modelyard.local.listeners import Listener, listeners_of, parse_table

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = (
    "   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("00000000:1F90", Listener(8080, "0.0.0.0")),
        ("0100007F:1F90", Listener(8080, "127.0.0.1")),
        ("00000000000000000000000000000000:0050", Listener(80, "::")),
        ("00000000000000000000000001000000:0050", Listener(80, "::1")),
        ("0000000000000000FFFF00000100007F:0050", Listener(80, "127.0.0.1")),
    ],
)
def test_a_listening_socket_is_read_from_the_table(address: str, expected: Listener) -> None:
    table = HEAD + ROW.format(address=address, state="0A", inode=42)

    assert list(parse_table(table)) == [("42", expected)]


def test_a_connection_is_not_listening() -> None:
    assert list(parse_table(HEAD + ROW.format(address="0100007F:1F90", state="01", inode=42))) == []


def test_this_process_is_seen_listening() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = [one for one in listeners_of([os.getpid()]) if one.port == port]

    assert found == [Listener(port, "127.0.0.1")]
    assert found[0].is_loopback
    assert str(found[0]) == f"127.0.0.1:{port}"
    assert not [one for one in listeners_of([os.getpid()]) if one.port == port]


def test_a_process_that_has_ended_listens_nowhere() -> None:
    assert listeners_of([2**22]) == []
