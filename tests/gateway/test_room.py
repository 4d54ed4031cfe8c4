"""The memory that the chart gives a worker is enough for the bodies and the answers that take most of it."""

from __future__ import annotations

import gzip
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.gateway.conftest import ECHO_SPEC
from tests.gateway.running import Gateway, absent, gateway, write_routes
from tests.gateway.servers import ECHO, Server
from tests.support.room import MEBIBYTE, needed

SIZE = 8 * MEBIBYTE
"""Of a body, of an answer, and of all that is held unless a test says more."""


@contextmanager
def started(folder: Path, *addresses: str, held: int = SIZE) -> Iterator[Gateway]:
    """A gateway of one model with these pods: what it holds is its own."""
    write_routes(folder / "routes.json", [absent(Server(ECHO, "echo", ECHO_SPEC), *addresses)])
    limits = [f"--max-{name}-bytes={SIZE}" for name in ("body", "answer")] + [f"--max-held-bytes={held}"]
    with gateway(folder / "routes.json", *limits) as found:
        yield found


@contextmanager
def pod(answer: bytes) -> Iterator[str]:
    """The address of a pod that answers everything with this."""

    class Model(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def peak(front: Gateway) -> int:
    """Bytes that it ever held."""
    status = Path(f"/proc/{front.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def body(entry: str, datatype: str, of_a_row: int) -> bytes:
    """As many rows of so many entries as fit; `of_a_row` 0: the rows are the entries."""
    row = "[" + ",".join([entry] * of_a_row) + "]" if of_a_row else entry
    rows = (SIZE - 200) // (len(row) + 1)
    shape = f"[{rows},{of_a_row}]" if of_a_row else f"[{rows}]"
    data = ",".join([row] * rows)
    return f'{{"inputs":[{{"name":"it","shape":{shape},"datatype":"{datatype}","data":[{data}]}}]}}'.encode()


@pytest.mark.parametrize(
    ("entry", "datatype", "of_a_row", "held", "status"),
    [
        ("1", "FP64", 0, SIZE, 413),
        ("1", "FP64", 30, SIZE, 413),
        ("1", "FP64", 0, 3 * SIZE, 503),
        ("1", "FP64", 30, 3 * SIZE, 503),
        ('"a"', "BYTES", 0, SIZE, 503),
        ('"ab"', "BYTES", 8, SIZE, 503),
    ],
    ids=["too much", "too much in rows", "numbers", "rows of numbers", "letters", "rows of texts"],
)
def test_the_body_that_takes_most_is_read_within_what_the_chart_reckons_with(
    tmp_path: Path, entry: str, datatype: str, of_a_row: int, held: int, status: int
) -> None:
    """As 1.0 for a model a number takes twice its bytes, and what all may hold is too little for it or not."""
    with started(tmp_path, held=held) as front:
        answer = front.ask("POST", "/v2/models/echo/infer", body(entry, datatype, of_a_row))

        assert answer.status == status, "it was read, and there is no pod"
        assert_is_within(front, held)


def raw(datatype: str, element: bytes, inputs: int = 1) -> tuple[bytes, dict[str, str]]:
    """A body, and its headers, that is small and unfolds to as many of these as fit, in so many inputs."""
    count = (SIZE - 120 * inputs) // len(element) // inputs
    size = {"binary_data_size": count * len(element)}
    tensor = {"shape": [count], "datatype": datatype, "parameters": size}
    told = [{"name": str(number), **tensor} for number in range(inputs)]
    head = json.dumps({"inputs": told}).encode()
    headers = {"Content-Encoding": "gzip", "Inference-Header-Content-Length": str(len(head))}
    return gzip.compress(head + element * count * inputs), headers


@pytest.mark.parametrize(
    ("datatype", "element"),
    [
        ("FP16", struct.pack("<H", 0x8002)),
        ("FP32", struct.pack("<f", -1.2345678e-30)),
        ("INT8", b"\x80"),
        ("BYTES", struct.pack("<I", SIZE // 2 - 300) + b"\x01" * (SIZE // 2 - 300)),
        ("BYTES", struct.pack("<I", 1) + b"\x01"),
    ],
    ids=["FP16", "FP32", "INT8", "long texts", "short texts"],
)
def test_raw_tensors_that_become_most_for_a_model_are_refused_within_what_the_chart_reckons_with(
    tmp_path: Path, datatype: str, element: bytes
) -> None:
    with started(tmp_path) as front:
        answer = front.ask("POST", "/v2/models/echo/infer", *raw(datatype, element))

        assert (answer.status, b"bytes of JSON for the model" in answer.body) == (413, True), answer.body
        assert_is_within(front)


@pytest.mark.parametrize(("held", "status"), [(SIZE, 413), (6 * SIZE, 503)], ids=["too much", "read"])
def test_many_short_raw_tensors_take_no_more_than_a_long_one(tmp_path: Path, held: int, status: int) -> None:
    with started(tmp_path, held=held) as front:
        answer = front.ask("POST", "/v2/models/echo/infer", *raw("INT8", b"\x80", 2100))

        assert answer.status == status, answer.body
        assert_is_within(front, held)


@pytest.mark.parametrize(
    ("prediction", "status"),
    [("1", 200), ("0.5", 200), ("{}", 502), ("[]", 502), ('{"a":1}', 502)],
    ids=["whole numbers", "numbers", "empty objects", "empty lists", "objects"],
)
def test_the_answer_that_takes_most_is_read_within_what_the_chart_reckons_with(
    tmp_path: Path, prediction: str, status: int
) -> None:
    rows = (SIZE - 200) // (len(prediction) + 1)
    asked = (
        f'{{"inputs":[{{"name":"it","shape":[{rows}],"datatype":"INT8","data":[{",".join("1" * rows)}]}}]}}'
    )
    predictions = f'{{"predictions":[{",".join([prediction] * rows)}]}}'
    with pod(predictions.encode()) as address, started(tmp_path, address) as front:
        answer = front.ask("POST", "/v2/models/echo/infer", asked.encode())

        assert (answer.status, b"larger" in answer.body) == (status, False), "it was read"
        assert_is_within(front)


def assert_is_within(front: Gateway, held: int = SIZE) -> None:
    """It never took more than the chart reckons with."""
    room = needed(held, SIZE, SIZE)
    print(f"{peak(front) / MEBIBYTE:.0f} MiB of {room / MEBIBYTE:.0f}")
    assert peak(front) < room
