"""Predictions: what a model is told of a request, and what is answered when it does not do well."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct

import pytest

from modelyard.gateway.route import Address, Model, Table, Version
from modelyard.gateway.settings import Settings
from tests.support.eventually import eventually
from tests.unit.gateway.rig import (
    INFER,
    PRICE,
    QUESTION,
    answered,
    gateway,
    get,
    model,
    post,
    table,
)


async def test_a_prediction_is_asked_for_below_the_prefix_of_the_version() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post())
        assert reply.json == {
            "id": "q",
            "model_name": "flats",
            "model_version": "1",
            "outputs": [{"name": "price", "datatype": "FP64", "shape": [1], "data": [1.5]}],
        }
        (asked,) = behind.asked
        assert asked.line == "POST /models/flats/predict_no_state/ HTTP/1.1"
        assert json.loads(asked.body) == {"X": {"area": [3.5]}}


async def test_an_output_that_the_model_does_not_have_is_refused_before_a_pod_is_asked() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post(QUESTION.replace(b'"q",', b'"q","outputs":[{"name":"weight"}],')))
        assert reply.status == 400
        assert reply.json == {"error": 'model "flats" has no output "weight"; it has "price"'}
        assert behind.asked == []


async def test_a_pod_is_told_what_request_it_is_and_nothing_else_of_the_clients() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    sent = f"X-Request-Id: mine\r\ntraceparent: {trace}\r\ntracestate: a=b\r\nAuthorization: secret\r\n"
    hops = "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: secret\r\n"
    async with model() as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post(headers=sent + hops))
        assert (reply.status, reply.headers["x-request-id"]) == (200, "mine")
        host = f"127.0.0.1:{behind.address.port}"
        assert behind.asked[0].headers == {
            "accept": "application/json",
            "content-type": "application/json",
            "content-length": "20",
            "host": host,
            "x-request-id": "mine",
            "traceparent": trace,
            "tracestate": "a=b",
        }


async def test_a_request_gets_an_id_if_it_has_none_that_can_be_passed_on() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        ids = [
            (await client.ask(post(headers=headers))).headers["x-request-id"]
            for headers in (
                "",
                "",
                f"X-Request-Id: {'x' * 200}\r\n",
                "X-Request-Id: a b\r\n",
                "X-Request-Id:\r\n",
            )
        ]
        assert len(set(ids)) == 5
        assert ids == [question.headers["x-request-id"] for question in behind.asked]
        assert all(len(made) < 50 and " " not in made for made in ids)
        nowhere = await client.ask(get("/nowhere", headers="X-Request-Id: lost\r\n"))
        assert nowhere.headers["x-request-id"] == "lost"


async def test_bodies_may_be_compressed_or_hold_raw_tensors() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        packed = await rig.ask(post(gzip.compress(QUESTION), headers="Content-Encoding: gzip\r\n"))
        head = (
            b'{"inputs":[{"name":"area","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}}]}'
        )
        length = f"Inference-Header-Content-Length: {len(head)}\r\n"
        raw = await rig.ask(post(head + struct.pack("<d", 3.5), headers=length))
        assert [packed.status, raw.status] == [200, 200]
        assert [json.loads(question.body) for question in behind.asked] == [{"X": {"area": [3.5]}}] * 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", "", 400),
        (b"", "", 400),
        (QUESTION, "Content-Encoding: gzip\r\n", 400),
        (QUESTION, "Content-Encoding: br\r\n", 415),
        (QUESTION, "Inference-Header-Content-Length: many\r\n", 400),
        (gzip.compress(b" " * 100_000), "Content-Encoding: gzip\r\n", 413),
    ],
)
async def test_a_question_that_is_none_is_the_clients_fault(body: bytes, headers: str, status: int) -> None:
    async with model() as behind, gateway([behind.address], body_bytes=10_000) as rig:
        reply = await rig.ask(post(body, headers=headers))
        assert (reply.status, list(reply.json), behind.asked) == (status, ["error"], [])
        assert rig.engine.in_flight == 0


async def test_a_large_prediction_passes_through() -> None:
    rows = 100_000
    question = {"inputs": [{"name": "area", "shape": [rows], "datatype": "FP64", "data": [1.5] * rows}]}
    answer = json.dumps({"predictions": [2.5] * rows}).encode()
    async with model(answered(answer)) as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post(json.dumps(question).encode()))
        assert reply.json["outputs"][0]["data"] == [2.5] * rows
        assert json.loads(behind.asked[0].body)["X"]["area"] == [1.5] * rows


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answered(b"{}"), 502),
        (answered(b'{"predictions":["x"]}'), 502),
        (answered(b'{"predictions":[1,2]}'), 502),
        (answered(b"oops", "500 Internal Server Error"), 502),
        (answered(b"area is missing", "400 Bad Request"), 400),
        (b"hello\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 502),
        (answered(b"x" * 5_000), 502),
        (answered() + answered(), 200),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answered(), 200),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n"
            + b'{"predictions":[1.5]}\r\n0\r\n\r\n',
            200,
        ),
    ],
)
async def test_a_model_is_blamed_by_name_for_an_answer_that_is_none(answer: bytes, status: int) -> None:
    async with model(answer) as behind, gateway([behind.address], Settings(answer_bytes=4_096)) as rig:
        reply = await rig.ask(post())
        assert reply.status == status, reply.body
        if status != 200:
            assert "flats" in reply.json["error"]
        assert rig.engine.in_flight == 0
        assert [pod.in_flight for pod in rig.engine.lanes.pods.values()] == [0]


async def test_a_model_that_does_not_know_the_path_is_told_with_it() -> None:
    """By which whoever wrote the routes sees what is wrong with the prefix."""
    async with model(answered(b"", "404 Not Found")) as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post())
        assert reply.status == 502
        assert reply.json["error"] == (
            'model "flats" version "1" answered HTTP 404 at "/models/flats/predict_no_state/"'
        )


async def test_an_answer_that_breaks_off_is_malformed() -> None:
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    async with model(part, b"") as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        await eventually(lambda: rig.engine.in_flight)
        for writer in tuple(behind.writers):
            writer.close()
        assert (await client.reply()).status in (502, 503)


async def test_an_answer_ends_with_its_connection_if_nothing_else_says_where() -> None:
    async with gateway([]) as rig:
        server = await asyncio.start_server(_answer_and_close, "127.0.0.1", 0)
        async with server:
            rig.routes.publish(table(Address(*server.sockets[0].getsockname()[:2])))
            assert (await rig.ask(post())).json["outputs"][0]["data"] == [1.5]


async def test_a_model_that_does_not_begin_to_answer_is_slow() -> None:
    async with model(None) as behind, gateway([behind.address], Settings(first_byte_seconds=0.05)) as rig:
        client = await rig.client()
        reply = await client.ask(post())
        assert reply.status == 504
        assert "flats" in reply.json["error"]
        assert (await client.ask(post())).status == 504
        await eventually(lambda: behind.connections == 0)
        assert rig.engine.in_flight == 0


async def test_a_model_that_does_not_end_its_answer_is_slow() -> None:
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"
    async with model(begun) as behind, gateway([behind.address], Settings(whole_seconds=0.05)) as rig:
        reply = await rig.ask(post())
        assert (reply.status, "end its answer" in reply.json["error"]) == (504, True)
    async with model(None) as silent, gateway([silent.address], Settings(whole_seconds=0.05)) as rig:
        assert "did not answer within 0.05 s" in (await rig.ask(post())).json["error"]


async def test_no_more_predictions_are_under_way_than_a_model_may_have() -> None:
    async with model() as behind, model() as other:
        both = Table({**table(behind.address).models, **table(other.address, name="cars").models}, "default")
        async with gateway(both, Settings(in_flight=3, in_flight_per_model=2)) as rig:
            behind.hold.clear()
            other.hold.clear()
            waiting = [await rig.client() for _ in range(2)]
            for client in waiting:
                client.send(post())
            await eventually(lambda: len(behind.asked) == 2)
            refused = await rig.ask(post())
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert "flats" in refused.json["error"]
            third = await rig.client()
            third.send(post(path="/v2/models/cars/infer"))
            await eventually(lambda: other.asked)
            assert (
                "the gateway is at its limit"
                in (await rig.ask(post(path="/v2/models/cars/infer"))).json["error"]
            )
            assert (await rig.ask(get("/v2/models/cars"))).status == 200
            behind.hold.set()
            other.hold.set()
            assert {(await client.reply()).status for client in (*waiting, third)} == {200}
            assert (await rig.ask(post())).status == 200


async def test_a_version_may_be_named() -> None:
    async with model() as old, model() as new:
        versions = {
            "1": Version("1", PRICE, "/old", (old.address,)),
            "2": Version("2", PRICE, "/new", (new.address,)),
        }
        routes = Table({("team", "flats"): Model("team", "flats", versions, "2")}, "team")
        async with gateway(routes) as rig:
            client = await rig.client()
            named = await client.ask(post(path="/team/v2/models/flats/versions/1/infer"))
            serving = await client.ask(post(path=INFER))
            assert [named.json["model_version"], serving.json["model_version"]] == ["1", "2"]
            assert [old.asked[0].line, new.asked[0].line] == [
                "POST /old/predict_no_state/ HTTP/1.1",
                "POST /new/predict_no_state/ HTTP/1.1",
            ]
            missing = await client.ask(post(path="/v2/models/flats/versions/3/infer"))
            assert missing.status == 404


async def test_who_hangs_up_is_asked_for_no_longer() -> None:
    async with model(None) as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        client.hang_up()
        await eventually(lambda: behind.connections == 0)
        assert (rig.engine.in_flight, rig.engine.book.abandoned) == (0, 1)
        assert [load.in_flight for load in rig.engine.lanes.loads.values()] == [0]


async def _answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"predictions":[1.5]}')
    writer.close()


async def test_an_answer_that_is_all_head_is_the_models_fault() -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 20_000
    async with model(endless) as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post())
        assert (reply.status, "larger than 65536 bytes" in reply.json["error"]) == (502, True)
        assert rig.engine.in_flight == 0


async def test_an_answer_that_goes_on_beyond_what_its_rows_need_is_cut_off() -> None:
    """However much more may come: nothing of it is kept."""
    endless = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100000\r\n%b\r\n" % (b"1" * 2**20) * 6
    )
    async with model(endless) as behind, gateway([behind.address]) as rig:
        reply = await rig.ask(post())

        assert reply.status == 502
        assert 'model \\"flats\\" version \\"1\\": its answer is larger than' in reply.body.decode()
        await eventually(lambda: behind.connections == 0)


def unfolding(rows: int) -> bytes:
    """A request of few bytes that becomes at least twice as many for a model as it has rows."""
    values = b"[%b]" % b",".join([b"1"] * rows)
    body = b'{"inputs":[{"name":"area","shape":[%d],"datatype":"INT64","data":%b}]}' % (rows, values)
    return post(gzip.compress(body), headers="Content-Encoding: gzip\r\n")


def halves(rows: int, names: tuple[str, ...] = ("area",)) -> bytes:
    """A request of few bytes: raw numbers of two bytes each, which become 23 for a model."""
    raw = struct.pack("<H", 0x8002) * rows
    one = {"shape": [rows], "datatype": "FP16", "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [{"name": name, **one} for name in names]}).encode()
    body = gzip.compress(head + raw * len(names))
    return post(body, headers=f"Content-Encoding: gzip\r\nInference-Header-Content-Length: {len(head)}\r\n")


async def test_bodies_that_unfold_are_held_as_large_as_they_are() -> None:
    """A few bytes of gzip are many for as long as the model thinks, and the next large one finds no room."""
    async with model() as behind, gateway([behind.address], held_bytes=500_000) as rig:
        first = await rig.waiting(behind, unfolding(200_000))
        assert 400_000 < rig.engine.weight < 410_000

        refused = await rig.ask(unfolding(50_000))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert "bytes held" in refused.json["error"]
        assert rig.engine.weight < 410_000

        first.hang_up()
        await eventually(lambda: rig.engine.in_flight == 0)
        assert rig.engine.weight == 0
        behind.hold.set()
        assert (await rig.ask(unfolding(50_000))).status == 502, "it was asked: its answer has one row"


async def test_a_large_prediction_leaves_room_for_small_ones() -> None:
    """Or a client could lock all others out of all models by one that just fits."""
    async with model() as behind, gateway([behind.address], held_bytes=410_000) as rig:
        await rig.waiting(behind, unfolding(200_000))
        for sent in (post(), unfolding(5_000)):
            (await rig.client()).send(sent)
        await eventually(lambda: len(behind.asked) == 3)
        assert rig.engine.weight > 410_000
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(QUESTION), QUESTION)
        (await rig.client()).send(get(INFER, "POST", "Transfer-Encoding: chunked\r\n") + chunks)
        await eventually(lambda: len(behind.asked) == 4)


async def test_a_body_for_which_there_is_no_room_is_not_read() -> None:
    async with model() as behind, gateway([behind.address], held_bytes=410_000) as rig:
        await rig.waiting(behind, unfolding(200_000))
        rig.engine.weight += 10_000
        refused = await rig.ask(get(INFER, "POST", "Content-Length: 100000\r\n"))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        rig.engine.weight -= 10_000


@pytest.mark.parametrize(
    ("sent", "which"),
    [
        (halves(60_000), 'with input "area" the inputs'),
        (halves(30_000, ("area", "rooms")), 'with input "rooms" the inputs'),
        (halves(4_000, tuple(f"area{number}" for number in range(20))), "the inputs"),
        (unfolding(600_000), "the inputs"),
    ],
    ids=["one input", "two inputs", "many short inputs", "JSON"],
)
async def test_what_would_be_more_for_a_model_than_may_be_held_is_too_large(sent: bytes, which: str) -> None:
    """It is never made: a few bytes of gzip would take many times what is held of all clients."""
    async with model() as behind, gateway([behind.address], held_bytes=1_000_000) as rig:
        reply = await rig.ask(sent)
        assert reply.status == 413
        assert reply.json["error"] == (
            f"{which} become more than 1000000 bytes of JSON for the model, the most that is taken; "
            "send fewer rows at once"
        )
        assert behind.asked == []
        assert rig.engine.weight == 0
