"""What the client of the checks says of servers that cannot be spoken with."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import pytest

from modelyard.checks.answers import Answer, Trouble
from modelyard.checks.data import Batch
from modelyard.checks.limits import Limits
from modelyard.checks.predict import ModelClient, _tls_problem, model_client
from tests.unit.checks.conftest import PREFIX, StartModel


@pytest.fixture
async def client() -> AsyncIterator[ModelClient]:
    async with model_client(PREFIX, Limits()) as opened:
        yield opened


async def test_host_may_be_a_name(client: ModelClient, start_model: StartModel) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX).replace("127.0.0.1", "localhost")
    assert await client.ask_ready(address) == Answer(200, b"")


async def test_host_without_an_address_is_told_so(client: ModelClient) -> None:
    reply = await client.ask_ready("no-such-host.invalid:80")
    assert isinstance(reply, Trouble)
    assert reply.what.startswith("the host 'no-such-host.invalid' has no address: ")
    assert client.connections_lost == 1


async def test_refused_connection_is_told_for_names_and_numbers(client: ModelClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for host in ("127.0.0.1", "localhost"):
        assert await client.ask_ready(f"{host}:{port}") == Trouble("connection refused")


async def test_plain_server_asked_for_tls_is_told_so(client: ModelClient, start_model: StartModel) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)
    reply = await client.ask_ready(f"https://{address}")
    assert isinstance(reply, Trouble)
    assert reply.what.startswith("no TLS connection: ")
    assert "_ssl.c" not in reply.what


async def test_rows_and_requests_are_counted(client: ModelClient, start_model: StartModel) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)
    await client.predict(address, Batch((0, 1, 2), b'{"X": {"a": [1, 2, 3]}}'))
    await client.predict(address, Batch((7,), b'{"X": {"a": [1]}}'))
    assert (client.rows_sent, client.predictions_sent, client.connections_lost) == (4, 2, 0)


class Refused(Exception):
    """An error of the client as aiohttp has them: where it keeps what the TLS library said differs."""

    def __init__(self, **kept: object) -> None:
        super().__init__("the whole")
        vars(self).update(kept)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Refused(certificate_error=Refused(verify_message="Hostname_Mismatch", reason="X")),
            "hostname mismatch",
        ),
        (Refused(certificate_error=Refused(reason="EXPIRED"), os_error=Refused(reason="Y")), "expired"),
        (Refused(os_error=Refused(verify_message="", reason="WRONG_VERSION_NUMBER")), "wrong version number"),
        (Refused(os_error=Refused(verify_message="", reason="")), "the whole"),
        (Refused(certificate_error=None, reason="NO_CIPHERS"), "no ciphers"),
        (Refused(), "the whole"),
    ],
)
def test_what_the_tls_library_said_is_told_wherever_it_is_kept(error: Exception, said: str) -> None:
    assert _tls_problem(cast(aiohttp.ClientSSLError, error)) == said
