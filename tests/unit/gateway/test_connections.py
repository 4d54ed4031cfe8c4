"""Connections of clients: requests in a row, bodies, limits, and clients that are slow, rude or gone."""

from __future__ import annotations

import asyncio
import socket

import pytest

from modelyard.gateway.settings import Settings
from modelyard.http1.host import bound
from tests.support.eventually import eventually
from tests.unit.gateway.rig import INFER, LIVE, QUESTION, Client, gateway, get, model, post


def chunked(*chunks: bytes, headers: str = "") -> bytes:
    """A question in chunks."""
    head = f"POST {INFER} HTTP/1.1\r\nHost: gateway\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


async def test_a_connection_carries_one_request_after_the_other() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        for _ in range(3):
            reply = await client.ask(post())
            assert (reply.status, reply.json["outputs"][0]["data"]) == (200, [1.5])
            assert "connection" not in reply.headers
        assert behind.opened == 1


async def test_requests_in_a_row_are_answered_in_their_order() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post() + LIVE + get("/nowhere") + post() + LIVE)
        await eventually(lambda: behind.asked)
        behind.hold.set()
        replies = [await client.reply() for _ in range(5)]
        assert [reply.status for reply in replies] == [200, 200, 404, 200, 200]
        assert [b"outputs" in reply.body for reply in replies] == [True, False, False, True, False]


async def test_a_thousand_requests_in_a_row_are_all_answered() -> None:
    async with gateway() as rig:
        client = await rig.client()
        client.send(LIVE * 2_000)
        assert {(await client.reply()).status for _ in range(2_000)} == {200}


async def test_no_more_is_read_while_a_request_is_answered() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        client.send(post(b" " * 12_000_000))
        await eventually(lambda: client.writer.transport.get_write_buffer_size() > 1_000_000)
        behind.hold.set()
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 400]


async def test_a_request_may_come_byte_by_byte() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post() + chunked(QUESTION[:10], QUESTION[10:]):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 200]


async def test_a_body_may_come_in_chunks_whose_trailers_are_passed_by() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        whole = chunked(QUESTION[:7], QUESTION[7:])
        assert (await client.ask(whole[:-2] + b"X-Sum: 1\r\n\r\n")).status == 200
        assert (await client.ask(whole)).json["id"] == "q"


async def test_head_is_answered_as_get_without_the_body() -> None:
    async with gateway() as rig:
        client = await rig.client()
        got = await client.ask(LIVE)
        head = await client.ask(get("/v2/health/live", "HEAD"), bodiless=True)
        assert (head.status, head.headers["content-length"]) == (200, str(len(got.body)))
        assert (await client.ask(LIVE)).status == 200


async def test_a_client_that_wants_to_end_gets_the_last_word() -> None:
    async with gateway() as rig:
        client = await rig.client()
        reply = await client.ask(get("/v2/health/live", headers="Connection: close\r\n") + LIVE)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await client.closed()


async def test_the_last_answer_is_not_lost_on_a_client_that_had_sent_more() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post() + get("/v2/openapi.json", headers="Connection: close\r\n") + LIVE * 200_000)
        await eventually(lambda: behind.asked)
        behind.hold.set()
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 200]
        assert await client.rest() == b""


async def test_an_old_client_keeps_its_connection_only_if_it_says_so() -> None:
    async with gateway() as rig:
        client = await rig.client()
        kept = await client.ask(b"GET /v2/health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (kept.status, kept.headers["connection"]) == (200, "keep-alive")
        assert (await client.ask(b"GET /v2/health/live HTTP/1.0\r\n\r\n")).headers["connection"] == "close"
        assert await client.closed()


async def test_another_protocol_is_not_taken_up() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        for question in (
            post(headers=upgrade),
            chunked(QUESTION, headers=upgrade),
            get("/v2", headers=upgrade),
        ):
            client.send(question + LIVE)
            assert [(await client.reply()).status, (await client.reply()).status] == [200, 200]
        assert [question.body for question in behind.asked] == [b'{"X":{"area":[3.5]}}'] * 2
        assert (await client.ask(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n")).status == 404


async def test_a_client_that_asks_for_leave_gets_it() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        head, _, body = post(headers="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        assert (await client.ask(head + b"\r\n\r\n")).status == 100
        assert (await client.ask(body)).status == 200


async def test_leave_is_given_when_it_is_the_requests_turn() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        head, _, body = post(headers="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        client.send(post() + head + b"\r\n\r\n")
        await eventually(lambda: behind.asked)
        behind.hold.set()
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 100]
        assert (await client.ask(body)).status == 200


async def test_a_client_that_asks_for_leave_in_vain_hears_at_once() -> None:
    async with gateway(body_bytes=100) as rig:
        expect = "Expect: 100-continue\r\n"
        for request, status in (
            (get(INFER, "POST", f"{expect}Content-Length: 101\r\n"), 413),
            (get("/nowhere", "POST", f"{expect}Content-Length: 10\r\n"), 404),
            (get(INFER, "POST", "Expect: more\r\nContent-Length: 10\r\n"), 417),
        ):
            client = await rig.client()
            reply = await client.ask(request)
            assert (reply.status, reply.headers["connection"]) == (status, "close")
            assert await client.closed()


async def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    async with model() as behind, gateway([behind.address], body_bytes=1_000) as rig:
        client = await rig.client()
        reply = await client.ask(get(INFER, "POST", "Content-Length: 1001\r\n"))
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert "1000 bytes" in reply.json["error"]
        assert (await rig.ask(chunked(b"x" * 600, b"x" * 401))).status == 413
        assert (await rig.ask(post(QUESTION + b" " * (1_000 - len(QUESTION))))).status == 200


async def test_no_more_bytes_of_bodies_are_held_than_allowed() -> None:
    large = QUESTION + b" " * 60_000
    async with model() as behind, gateway([behind.address], held_bytes=100_000) as rig:
        slow, other = await rig.client(), await rig.client()
        slow.send(post(large)[:-1])
        await eventually(lambda: rig.gateway.server.held > 60_000)
        refused = await other.ask(post(large))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert (await rig.ask(post())).status == 200, "a small one is not counted"
        slow.send(b" ")
        assert (await slow.reply()).status == 200
        assert rig.gateway.server.held == 0
        slow.send(post(large)[:-1])
        await eventually(lambda: rig.gateway.server.held > 60_000)
        slow.hang_up()
        await eventually(lambda: rig.gateway.server.held == 0)
        assert (await rig.ask(post(large))).status == 200


async def test_who_goes_on_sending_what_was_refused_can_still_read_why() -> None:
    async with gateway(body_bytes=1_000) as rig:
        client = await rig.client()
        client.send(post(b"x" * 10_000_000))
        assert (await client.reply()).status == 413


async def test_a_body_that_nobody_needs_does_not_end_the_connection_if_it_is_short() -> None:
    async with gateway() as rig:
        client = await rig.client()
        assert (await client.ask(post(path="/nowhere"))).status == 404
        assert (await client.ask(LIVE)).status == 200
        long = await client.ask(post(b"x" * 100_000, "/nowhere"))
        assert (long.status, long.headers["connection"]) == (404, "close")


async def test_headers_that_are_too_large_are_refused() -> None:
    async with gateway(head_bytes=1_000) as rig:
        client = await rig.client()
        assert (await client.ask(get("/v2/health/live", headers=f"A: {'b' * 900}\r\n"))).status == 200
        reply = await client.ask(get("/v2/health/live", headers=f"A: {'b' * 1_000}\r\n"))
        assert (reply.status, reply.headers["connection"]) == (431, "close")
        endless = await rig.client()
        assert (await endless.ask(b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000)).status == 431
        assert (await rig.ask(b"GET /" + b"b" * 100_000)).status == 431


async def test_headers_that_are_too_many_are_refused() -> None:
    """Also where the rest of them never comes. The host is one of them, and each is known when the next one begins."""
    async with gateway() as rig:
        many = "".join(f"A{number}: b\r\n" for number in range(101))
        last = many.index("A99")
        assert (await rig.ask(get("/v2/health/live", headers=many[:last]))).status == 200
        reply = await rig.ask(get("/v2/health/live", headers=many)[: -len(b"\r\n")])
        assert (reply.status, reply.headers["connection"]) == (431, "close")
        assert "more than 100 headers" in reply.json["error"]


@pytest.mark.parametrize("behind", [b"0\r\nX: ", b"0\r\n" + b"X: a\r\n" * 10_000, b"2;"])
async def test_what_surrounds_the_chunks_of_a_body_is_bounded_as_headers_are(behind: bytes) -> None:
    async with model() as pod, gateway([pod.address], head_bytes=1_000) as rig:
        client = await rig.client()
        reply = await client.ask(chunked(QUESTION)[: -len(b"0\r\n\r\n")] + behind + b"a" * 100_000)
        assert (reply.status, reply.headers["connection"]) == (431, "close")
        assert pod.asked == []


async def test_the_framing_of_chunks_that_carry_something_is_not_bounded() -> None:
    async with model() as pod, gateway([pod.address], head_bytes=1_000) as rig:
        whole = QUESTION + b" " * 50_000
        assert (await rig.ask(chunked(*(bytes([byte]) for byte in whole)))).status == 200


async def test_headers_that_come_too_slowly_are_not_waited_for() -> None:
    async with gateway(head_seconds=0.05) as rig:
        client = await rig.client()
        assert (await client.ask(LIVE)).status == 200
        dripping = asyncio.create_task(_drip(client, LIVE[:-2]))
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert "headers" in reply.json["error"]
        dripping.cancel()


async def test_a_body_that_comes_too_slowly_is_not_waited_for() -> None:
    async with model() as behind, gateway([behind.address], body_seconds=0.05) as rig:
        client = await rig.client()
        client.send(post()[:-50])
        dripping = asyncio.create_task(_drip(client, QUESTION[-50:-1]))
        reply = await client.reply()
        assert reply.status == 408
        assert "body" in reply.json["error"]
        dripping.cancel()
        assert behind.asked == []


async def test_a_connection_without_requests_is_closed() -> None:
    async with gateway(idle_seconds=0.05) as rig:
        silent, spoke = await rig.client(), await rig.client()
        assert (await spoke.ask(LIVE)).status == 200
        assert await silent.closed()
        assert await spoke.closed()


async def test_a_connection_on_which_nothing_but_line_ends_come_is_closed() -> None:
    async with gateway(idle_seconds=0.05) as rig:
        client = await rig.client()
        assert (await client.ask(LIVE)).status == 200
        dripping = asyncio.create_task(_drip(client, b"\r\n" * 1_000))
        assert await client.closed()
        dripping.cancel()


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with gateway(write_seconds=0.05) as rig:
        with await rig.deaf() as on:
            requests = get("/v2/openapi.json") * 1_000
            sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(on, requests))
            await eventually(lambda: rig.gateway.server.connections)
            await eventually(lambda: not rig.gateway.server.connections)
            sending.cancel()
            await asyncio.wait((sending,))
        assert sum(rig.counted.values()) < 1_000


async def test_no_more_is_taken_from_a_client_that_does_not_read() -> None:
    async with gateway() as rig:
        with await rig.deaf() as on:
            requests = get("/v2/openapi.json") * 50_000
            sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(on, requests))
            await eventually(lambda: any(one.stalled for one in rig.gateway.server.connections))
            (served,) = rig.gateway.server.connections
            await eventually(lambda: served._paused)
            assert sum(map(len, served._raw)) < len(requests) / 2
            sending.cancel()
            await asyncio.wait((sending,))


async def test_answers_that_wait_for_slow_readers_count_as_held() -> None:
    async with model() as behind, gateway([behind.address], held_bytes=17_000) as rig:
        server = rig.gateway.server
        with await rig.deaf() as on:
            sending = asyncio.create_task(
                asyncio.get_running_loop().sock_sendall(on, get("/v2/openapi.json") * 1_000)
            )
            await eventually(lambda: any(one.stalled for one in server.connections))
            (waiting,) = (one._transport.get_write_buffer_size() for one in server.connections if one.stalled)
            assert server.held == waiting > 17_000
            client = await rig.client()
            refused = await client.ask(post())
            assert (refused.status, refused.headers["retry-after"], behind.asked) == (503, "1", [])
            assert "holds as much of requests and of answers" in refused.json["error"]
            assert (await client.ask(LIVE)).status == 200, "what costs nothing is answered"
            sending.cancel()
            await asyncio.wait((sending,))
        await eventually(lambda: len(server.connections) == 1)
        assert server.held == 0
        assert (await client.ask(post())).status == 200


async def test_an_answer_that_was_read_in_the_end_is_held_no_longer() -> None:
    async with gateway() as rig:
        loop, server = asyncio.get_running_loop(), rig.gateway.server
        with await rig.deaf() as on:
            sending = asyncio.create_task(loop.sock_sendall(on, get("/v2/openapi.json") * 300))
            await eventually(lambda: server.held)
            came = 0
            async with asyncio.timeout(10):
                while not sending.done() or server.held:
                    came += len(await loop.sock_recv(on, 1_000_000))
            assert came > 1_000_000


async def test_a_client_that_reads_slowly_but_reads_is_not_cut_off() -> None:
    async with gateway(write_seconds=0.2) as rig:
        loop, answered = asyncio.get_running_loop(), 0
        with await rig.deaf() as on:
            sending = asyncio.create_task(loop.sock_sendall(on, get("/v2/openapi.json") * 300))
            await eventually(lambda: any(one.stalled for one in rig.gateway.server.connections))
            begun = loop.time()
            while (
                loop.time() < begun + 0.8
            ):  # The time is what is tested: several times what is allowed without.
                answered += len(await loop.sock_recv(on, 100_000))
                await asyncio.sleep(0.005)
            assert rig.gateway.server.connections
            assert answered > 100_000
            await eventually(lambda: not rig.gateway.server.connections)
            sending.cancel()
            await asyncio.wait((sending,))


async def test_a_model_is_not_waited_for_longer_because_the_client_had_not_read_before() -> None:
    settings = Settings(access_log_sample=0.0, first_byte_seconds=0.3)
    async with model(None) as behind, gateway([behind.address], settings) as rig:
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        (served,) = rig.gateway.server.connections
        before = served.deadline
        served.pause_writing()
        assert served.deadline == before
        served.resume_writing()
        assert served.deadline == before
        assert (await client.reply()).status == 504


async def test_a_client_that_does_not_read_is_not_answered_further_while_another_is_under_way() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        busy = await rig.client()
        busy.send(post())
        await eventually(lambda: behind.asked)
        with await rig.deaf() as on:
            on.send(get("/v2/openapi.json") * 1_000)
            await eventually(lambda: any(one.stalled for one in rig.gateway.server.connections))
            assert sum(rig.counted.values()) < 500
        behind.hold.set()
        assert (await busy.reply()).status == 200


async def test_an_old_connection_ends_with_its_next_answer() -> None:
    async with gateway(age_seconds=1e-9) as rig:
        client = await rig.client()
        assert (await client.ask(LIVE)).headers["connection"] == "close"
        assert await client.closed()


async def test_there_are_no_more_connections_than_allowed() -> None:
    async with model() as behind, gateway([behind.address], connections=2) as rig:
        behind.hold.clear()
        first, second = [await rig.client() for _ in range(2)]
        for client in (first, second):
            client.send(post())
        await eventually(lambda: len(behind.asked) == 2)
        assert await (await rig.client()).closed()
        behind.hold.set()
        assert (await first.reply()).status == (await second.reply()).status == 200
        first.writer.close()
        await eventually(lambda: len(rig.gateway.server.connections) == 1)
        assert (await rig.ask(LIVE)).status == 200


async def test_a_client_that_has_said_all_still_gets_its_answers() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post() + LIVE)
        client.writer.write_eof()
        await eventually(lambda: behind.asked)
        behind.hold.set()
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 200]
        assert await client.closed()


@pytest.mark.parametrize("ends", ["close", "write_eof"])
async def test_a_client_that_ends_while_its_prediction_is_under_way_is_worked_for_no_longer(
    ends: str,
) -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        (asked,) = behind.writers
        getattr(client.writer, ends)()
        await eventually(lambda: not rig.gateway.server.connections)
        assert rig.engine.in_flight == rig.engine.weight == rig.gateway.server.under_way == 0
        assert [load.in_flight for load in rig.engine.lanes.loads.values()] == [0]
        assert [(pod.in_flight, len(pod.connections)) for pod in rig.engine.lanes.pods.values()] == [(0, 0)]
        behind.hold.set()
        await eventually(lambda: asked.is_closing())
        assert rig.engine.book.abandoned == 1
        assert rig.counted == {("default", "flats", "1", "infer", "499"): 1}


async def test_a_client_that_ends_behind_its_last_prediction_still_gets_the_answers_before() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(LIVE + get("/v2/openapi.json") + post())
        await eventually(lambda: behind.asked)
        client.writer.write_eof()
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 200]
        assert await client.closed()


async def test_a_client_that_ends_its_side_is_answered_where_it_is_set_so() -> None:
    async with model() as behind, gateway([behind.address], half_closed=True) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post())
        client.writer.write_eof()
        await eventually(lambda: behind.asked)
        behind.hold.set()
        assert (await client.reply()).status == 200
        assert await client.closed()


async def test_a_client_that_never_reads_its_last_answer_is_cut_off() -> None:
    """Less of it than would make the gateway wait, and more than the system takes."""
    async with gateway(write_seconds=0.05, idle_seconds=0.05) as rig:
        with await rig.deaf() as on:
            await eventually(lambda: rig.gateway.server.connections)
            (served,) = rig.gateway.server.connections
            served._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            on.send(get("/v2/openapi.json"))
            await eventually(lambda: served._transport.get_write_buffer_size())
            await eventually(lambda: not rig.gateway.server.connections)


async def test_a_last_answer_is_waited_for_as_long_as_any() -> None:
    """Less of it than would make the gateway wait, which the client begins to read long after a refused one."""
    async with gateway(linger_seconds=0.0, write_seconds=60.0) as rig:
        loop, whole = asyncio.get_running_loop(), (await rig.ask(get("/v2/openapi.json"))).body
        with await rig.deaf() as on:
            await eventually(lambda: len(rig.gateway.server.connections) == 2)
            served = rig.served(on)
            served._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            served._transport.set_write_buffer_limits(high=1_000_000)
            on.send(get("/v2/openapi.json", headers="Connection: close\r\n"))
            await eventually(lambda: served._ended)
            assert served._transport.get_write_buffer_size() > 0
            assert not served.stalled
            served.expire()
            answer = b""
            async with asyncio.timeout(5):
                while part := await loop.sock_recv(on, 65536):
                    answer += part
            assert answer.endswith(whole)


async def test_a_request_that_breaks_off_is_forgotten() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        for part in (post()[:20], post()[:-1]):
            client = await rig.client()
            client.send(part)
            client.writer.write_eof()
            assert await client.closed()
        assert (behind.asked, rig.gateway.server.connections) == ([], set())


async def test_a_server_may_listen_on_both_kinds_of_addresses() -> None:
    with bound("", 0, shared=True) as first, bound("", first.getsockname()[1], shared=True) as second:
        assert first.getsockname()[1] == second.getsockname()[1]


async def _drip(client: Client, data: bytes) -> None:
    """Send a byte now and then until the gateway has had enough."""
    for byte in data:
        client.send(bytes([byte]))
        await asyncio.sleep(0.01)
