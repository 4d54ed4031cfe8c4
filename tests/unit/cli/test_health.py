"""`modelyard health` where it is asked for something odd, or something odd answers."""

from __future__ import annotations

import socket
import threading

import pytest

from modelyard.cli.health import main, operator_problems


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://here", "http://", "http://here:port", "http://[::1", "http://:80"]
)
def test_a_url_that_is_none_is_refused_before_anything_is_asked(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"--url={url}", "--kubeconfig=/dev/null"])

    assert ended.value.code == 2
    assert f"must be a URL such as http://modelyard-metrics:8080, not {url!r}" in capsys.readouterr().err


def test_what_does_not_speak_http_is_told_like_what_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        mumbling = threading.Thread(target=_mumble, args=(listening, 3))
        mumbling.start()
        problems = operator_problems(url)
        mumbling.join()

    assert len(problems) == 3
    assert all(
        "does not answer" in problem and "look at the operator's pod" in problem for problem in problems
    )


def _mumble(listening: socket.socket, times: int) -> None:
    for _ in range(times):
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"what?\r\n")
