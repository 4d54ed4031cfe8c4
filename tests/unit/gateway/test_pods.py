"""Pods: which one is asked, how often, and what becomes of the connections to them."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
from contextlib import ExitStack, suppress

import pytest

from modelyard.gateway.route import Address, Model, Table, Version
from modelyard.gateway.settings import Settings
from modelyard.gateway.upstream import Pod, PodConnection, least_busy
from modelyard.http1.heads import Headers
from modelyard.http1.host import bound
from modelyard.http1.outbox import Outbox
from tests.support.eventually import eventually
from tests.unit.gateway.rig import (
    PRICE,
    QUESTION,
    answered,
    gateway,
    model,
    post,
    table,
    unused_address,
)


async def test_a_model_without_pods_is_down_and_says_when_to_try_again() -> None:
    async with gateway([]) as rig:
        reply = await rig.ask(post())
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "flats" in reply.json["error"]
        assert rig.engine.in_flight == 0


async def test_of_a_version_that_does_not_serve_it_is_told_and_when_to_try_again() -> None:
    """It may be a candidate whose pods are about to start as well as one that was refused."""
    async with model() as behind:
        versions = {
            label: Version(label, PRICE, "", pods)
            for label, pods in (("1", ()), ("2", (behind.address,)), ("3", (unused_address(),)))
        }
        routes = Table({("default", "flats"): Model("default", "flats", versions, "2")}, "default")
        async with gateway(routes) as rig:
            gone = await rig.ask(post(path="/v2/models/flats/versions/1/infer"))
            assert (gone.status, gone.headers["retry-after"]) == (503, "1")
            assert "does not serve" in gone.json["error"]
            down = await rig.ask(post(path="/v2/models/flats/versions/3/infer"))
            assert (down.status, down.headers["retry-after"]) == (503, "1")


async def test_of_the_first_version_of_a_model_it_is_told_when_to_try_again() -> None:
    first = Model("default", "flats", {"1": Version("1", PRICE, "")})
    async with gateway(Table({("default", "flats"): first}, "default")) as rig:
        for path in ("/v2/models/flats/infer", "/v2/models/flats/versions/1/infer"):
            reply = await rig.ask(post(path=path))
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")


async def test_a_call_for_which_no_pod_was_asked_took_no_time_of_a_model() -> None:
    of = ("default", "flats", "1")
    async with model() as behind, gateway([]) as rig:
        assert (await rig.ask(post())).status == 503
        rig.routes.publish(table(unused_address()))
        assert (await rig.ask(post())).status == 503
        assert sum(rig.engine.book.tally().measured["upstream_seconds", *of]) == 0
        assert sum(rig.engine.book.tally().measured["own_seconds", *of][:-1]) == 2
        rig.routes.publish(table(behind.address))
        assert (await rig.ask(post())).status == 200
        assert sum(rig.engine.book.tally().measured["upstream_seconds", *of][:-1]) == 1


async def test_a_model_that_takes_no_connection_is_down() -> None:
    async with gateway([unused_address()]) as rig:
        client = await rig.client()
        reply = await client.ask(post())
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "takes a connection" in reply.json["error"]
        assert (await client.ask(post())).status == 503


async def test_where_no_file_can_be_opened_the_pod_is_not_to_blame() -> None:
    async with model() as behind, gateway([]) as rig:
        client = await rig.client()
        assert (await client.ask(post())).status == 503
        rig.routes.publish(table(behind.address, behind.address))
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            reply = await client.ask(post())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "the gateway may open no more connections" in reply.json["error"]
        assert [pod.suspect_until for pod in rig.engine.lanes.pods.values()] == [0.0]
        assert rig.engine.book.retried == 0
        assert (await client.ask(post())).status == 200


async def test_a_pod_whose_name_is_no_hosts_is_down() -> None:
    async with gateway([Address("x" * 70, 80)]) as rig:
        assert (await rig.ask(post())).status == 503


async def test_what_a_pod_did_not_take_goes_to_another_one() -> None:
    async with model() as behind, gateway([unused_address(), behind.address]) as rig:
        client = await rig.client()
        assert [(await client.ask(post())).status for _ in range(6)] == [200] * 6
        assert rig.engine.book.retried == 1, "the pod that took no connection is not asked again at once"


async def test_a_pod_is_looked_for_once_more_and_not_twice() -> None:
    async with model() as behind, gateway([unused_address(), unused_address(), behind.address]) as rig:
        statuses = [(await rig.ask(post())).status for _ in range(6)]
        assert rig.engine.book.retried <= 2
        assert statuses.count(200) >= 5


async def test_a_pod_that_does_not_take_a_connection_in_time_is_passed_by() -> None:
    with bound("127.0.0.1", 0, shared=False) as deaf:
        deaf.listen(0)
        address = deaf.getsockname()
        with ExitStack() as queue:
            for _ in range(3):  # More than the listener takes, so that the next one waits.
                waiting = queue.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            async with model() as behind:
                pods = [Address(*address), behind.address]
                async with gateway(pods, Settings(connect_seconds=0.05)) as rig:
                    assert [(await rig.ask(post())).status for _ in range(3)] == [200] * 3
                    assert rig.engine.book.retried == 1


class ByHand:
    """A pod and a client without a loop of their own: what they do is done at once, and in the order of the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack, self._loop = stack, asyncio.get_running_loop()
        self.listener = stack.enter_context(bound("127.0.0.1", 0, shared=False))
        self.listener.listen()
        self.address = Address(*self.listener.getsockname())
        self.asking = stack.enter_context(socket.socket())
        self.asking.setblocking(False)

    async def take(self) -> socket.socket:
        """Take one request on a new connection, which is returned."""
        async with asyncio.timeout(5):
            connection, _ = await self._loop.sock_accept(self.listener)
            self._stack.enter_context(connection)
            assert (await self._loop.sock_recv(connection, 65536)).endswith(b"}")
            return connection

    async def answer(self) -> socket.socket:
        """Answer one request on a new connection, which is returned."""
        connection = await self.take()
        connection.send(answered())
        return connection

    async def status(self) -> int:
        """Of the next answer of the gateway."""
        return int((await self.answer_to_client())[9:12])

    async def answer_to_client(self) -> bytes:
        """The next answer of the gateway."""
        async with asyncio.timeout(5):
            return await self._loop.sock_recv(self.asking, 65536)


async def test_a_connection_that_is_closed_as_a_request_comes_costs_no_request() -> None:
    with ExitStack() as stack:
        pod = ByHand(stack)
        async with gateway([pod.address]) as rig:
            await asyncio.get_running_loop().sock_connect(pod.asking, ("127.0.0.1", rig.port))
            for _ in range(5):
                pod.asking.send(post())
                connection = await pod.answer()
                assert await pod.status() == 200
                pod.asking.send(post())
                connection.close()
                again = await pod.answer()
                assert await pod.status() == 200
                again.close()
                await eventually(lambda: not rig.engine.report().gauges["upstream_connections"])
            assert rig.engine.book.retried == 5


async def test_a_connection_that_is_closed_before_it_carried_anything_is_made_again() -> None:
    """As a server does that has just been told to end, or that thinks it has too many."""
    with ExitStack() as stack:
        pod = ByHand(stack)
        async with gateway([pod.address]) as rig:
            await asyncio.get_running_loop().sock_connect(pod.asking, ("127.0.0.1", rig.port))
            pod.asking.send(post())
            async with asyncio.timeout(5):
                while True:
                    with suppress(BlockingIOError):
                        pod.listener.accept()[0].close()
                        break
                    await asyncio.sleep(0)
            await pod.answer()
            assert await pod.status() == 200


async def test_what_a_pod_says_before_it_is_asked_is_no_answer() -> None:
    """While others are under way, requests are written at the end of the loop's turn; what came in it is older."""
    with ExitStack() as stack:
        pod = ByHand(stack)
        async with gateway([pod.address]) as rig:
            (await rig.client()).send(post())
            await eventually(lambda: rig.engine.in_flight)
            await pod.take()
            await asyncio.get_running_loop().sock_connect(pod.asking, ("127.0.0.1", rig.port))
            pod.asking.send(post())
            connection = await pod.answer()
            assert b"[1.5]" in await pod.answer_to_client()
            pod.asking.send(post())
            connection.send(answered(b'{"predictions":[6.5]}'))
            await pod.answer()
            assert b"[1.5]" in await pod.answer_to_client()
            assert rig.engine.book.retried == 1


@pytest.mark.parametrize("told", [None, 0])
async def test_where_the_system_does_not_tell_what_a_pod_took_nothing_is_sent_again(
    told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are systems whose struct ends before that number, or has nothing in its place."""

    def unpacked(*_: object) -> tuple[int]:
        if told is None:
            raise struct.error
        return (told,)

    monkeypatch.setattr(struct, "unpack_from", unpacked)
    with ExitStack() as stack:
        pod = ByHand(stack)
        async with gateway([pod.address]) as rig:
            await asyncio.get_running_loop().sock_connect(pod.asking, ("127.0.0.1", rig.port))
            pod.asking.send(post())
            connection = await pod.answer()
            assert await pod.status() == 200
            pod.asking.send(post())
            connection.close()
            assert await pod.status() == 503
            assert rig.engine.book.retried == 0


async def test_a_pod_that_has_left_is_not_asked_any_more() -> None:
    async with model() as behind:
        pod = Pod(behind.address, Settings(), Outbox())
        before, late = Gone(), Gone()
        pod.reach(before, fresh=False)
        pod.leave()
        pod.reach(late, fresh=False)
        await eventually(lambda: before.told)
        assert [str(one.told) for one in (before, late)] == ["the pod has left"] * 2
        assert pod.idle == 0
        await eventually(lambda: not pod.connections)


async def test_a_model_that_has_gone_is_not_asked_once_more() -> None:
    async with model(b"") as first, model(b"") as second, gateway([first.address, second.address]) as rig:
        first.hold.clear()
        second.hold.clear()
        client = await rig.client()
        client.send(post())
        await eventually(lambda: first.asked or second.asked)
        asked, other = (first, second) if first.asked else (second, first)
        asked.answers = [answered(status="503 Service Unavailable")]
        rig.routes.publish(table(asked.address, name="cars"))
        asked.hold.set()
        assert (await client.reply()).status == 503
        assert other.asked == []


async def test_what_a_pod_may_have_read_is_not_sent_again() -> None:
    async with model(answered(), b"") as behind, model() as other, gateway([behind.address]) as rig:
        client = await rig.client()
        assert (await client.ask(post())).status == 200
        behind.hold.clear()
        client.send(post())
        await eventually(lambda: len(behind.asked) == 2)
        rig.routes.publish(table(behind.address, other.address))
        behind.hold.set()
        reply = await client.reply()
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert (len(behind.asked), len(other.asked)) == (2, 0)


async def test_a_pod_that_is_not_ready_yet_sends_the_request_to_another() -> None:
    unready = answered(b"loading", "503 Service Unavailable")
    async with model(unready) as first, model() as second, gateway([first.address, second.address]) as rig:
        assert [(await rig.ask(post())).status for _ in range(4)] == [200] * 4
        assert first.asked
    async with model(unready) as alone, gateway([alone.address]) as rig:
        reply = await rig.ask(post())
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert len(alone.asked) == 1


class HastyModel:
    """Answers the first request of a connection before it has read it, and quotes what it takes for the next one."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.open.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answered(status=self.status))
            try:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answered(b"what the one before had sent", "400 Bad Request"))
            except asyncio.LimitOverrunError:
                while await reader.read(2**20):
                    pass
        writer.close()
        self.open.discard(writer)

    async def end(self) -> None:
        """Cut off whom it still listens to."""
        for writer in self.open:
            writer.transport.abort()
        await eventually(lambda: not self.open)


LONG = QUESTION.replace(b"FP64", b"BYTES").replace(b"3.5", b'"%b"' % bytes(20_000_000).replace(b"\0", b"a"))


@pytest.mark.parametrize(
    ("status", "question"),
    [("400 Bad Request", QUESTION), ("404 Not Found", QUESTION), ("200 OK", LONG)],
    ids=("blamed", "unknown", "before it was written"),
)
async def test_a_connection_whose_request_was_perhaps_not_read_is_not_used_again(
    status: str, question: bytes
) -> None:
    hasty = HastyModel(status)
    on = bound("127.0.0.1", 0, shared=False)
    on.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    address = Address(*on.getsockname()[:2])
    async with await asyncio.start_server(hasty.serve, sock=on, limit=1024), gateway([address]) as rig:
        for _ in range(3):
            reply = await rig.ask(post(question))
            assert b"the one before" not in reply.body
        assert hasty.connections == 3
        await hasty.end()


async def test_the_second_pod_has_no_longer_to_begin_its_answer_than_the_first() -> None:
    settings = Settings(access_log_sample=0.0, first_byte_seconds=0.2, whole_seconds=20.0)
    unready = answered(b"loading", "503 Service Unavailable")
    async with model(unready, None) as first, model() as second:
        second.answers = first.answers  # Whoever is asked first is unready, and the other one silent.
        async with gateway([first.address, second.address], settings) as rig:
            reply = await rig.ask(post())
            assert (reply.status, "within 0.2 s" in reply.json["error"]) == (504, True)


async def test_the_pod_with_the_least_to_do_is_asked() -> None:
    async with model() as one, model() as two, gateway([one.address, two.address]) as rig:
        one.hold.clear()
        two.hold.clear()
        first, client = await rig.client(), await rig.client()
        first.send(post())
        await eventually(lambda: one.asked or two.asked)
        busy, idle = (one, two) if one.asked else (two, one)
        idle.hold.set()
        assert [(await client.ask(post())).status for _ in range(5)] == [200] * 5
        assert (len(busy.asked), len(idle.asked)) == (1, 5)
        busy.hold.set()
        assert (await first.reply()).status == 200


@pytest.mark.parametrize(
    ("in_flight", "suspects", "but", "chosen"),
    [
        ([], "", None, None),
        ([3], "", None, 0),
        ([3], "", 0, None),
        ([3, 2, 1], "", None, 2),
        ([3, 2, 1], "", 2, 1),
        ([0, 0, 0], "", None, 1),
        ([0, 5, 0], "", 2, 0),
        ([0, 7, 9], "0", None, 1),
        ([0, 0, 0], "012", None, 1),
        ([4, 3, 5], "012", 1, 0),
    ],
)
async def test_of_pods_the_least_busy_that_took_its_last_connection_is_asked(
    in_flight: list[int], suspects: str, but: int | None, chosen: int | None
) -> None:
    pods = [Pod(unused_address(), Settings(), Outbox()) for _ in in_flight]
    for pod, count in zip(pods, in_flight, strict=True):
        pod.in_flight = count
    for number in map(int, suspects):
        pods[number].suspect_until = 10.0
    found = least_busy(pods, 9.0, turn=1, but=None if but is None else pods[but])
    assert found is (None if chosen is None else pods[chosen])


async def test_equally_busy_pods_take_turns() -> None:
    async with (
        model() as one,
        model() as two,
        model() as three,
        gateway([one.address, two.address, three.address]) as rig,
    ):
        client = await rig.client()
        for _ in range(9):
            await client.ask(post())
        assert [len(pod.asked) for pod in (one, two, three)] == [3, 3, 3]


async def test_a_pod_that_leaves_gets_nothing_new_and_loses_its_idle_connections() -> None:
    async with model() as leaving, model() as staying, gateway([leaving.address]) as rig:
        idle, busy = await rig.client(), await rig.client()
        leaving.hold.clear()
        idle.send(post())
        busy.send(post())
        await eventually(lambda: len(leaving.asked) == 2)
        leaving.hold.set()
        assert (await idle.reply()).status == (await busy.reply()).status == 200
        leaving.hold.clear()
        busy.send(post())
        await eventually(lambda: len(leaving.asked) == 3)
        rig.routes.publish(table(staying.address))
        await eventually(lambda: leaving.connections == 1)
        assert (await idle.ask(post())).status == 200
        assert len(staying.asked) == 1
        leaving.hold.set()
        assert (await busy.reply()).status == 200, "what is under way is finished"
        await eventually(lambda: leaving.connections == 0)


async def test_a_connection_that_is_not_used_is_closed() -> None:
    async with model() as behind, gateway([behind.address], Settings(upstream_idle_seconds=0.01)) as rig:
        client = await rig.client()
        assert (await client.ask(post())).status == 200

        def closed() -> bool:
            rig.engine.lanes.close_idle()
            return behind.connections == 0

        await eventually(closed)
        assert (await client.ask(post())).status == 200
        assert behind.opened == 2


async def test_a_connection_that_nobody_waits_for_any_longer_is_left_to_others() -> None:
    async with model() as behind:
        pod = Pod(behind.address, Settings(), Outbox())
        pod.reach(Gone(), fresh=False)
        await eventually(lambda: pod.idle == 1)
        pod.close()
        await eventually(lambda: not pod.connections)


class Gone:
    """Asks a pod, and has no need of it when there is a connection."""

    def __init__(self) -> None:
        self.told: Exception | None = None

    def connected(self, connection: PodConnection) -> bool:
        """See Asker."""
        return False

    def unreachable(self, error: Exception) -> None:
        """See Asker."""
        self.told = error

    def on_head(self, status: int, headers: Headers) -> None:
        """See Receiver."""

    def on_body(self, chunk: bytes) -> None:
        """See Receiver."""

    def on_end(self) -> None:
        """See Receiver."""

    def on_lost(self, error: Exception, begun: bool) -> None:
        """See Receiver."""
