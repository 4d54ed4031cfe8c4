"""Answers requests: finds where they lead, asks a pod where one is to be asked, and counts."""

from __future__ import annotations

from time import monotonic
from typing import NamedTuple

from modelyard.gateway import protocol
from modelyard.gateway.access_log import AccessLog
from modelyard.gateway.call import Call
from modelyard.gateway.finding import OTHER, Self, found, wrong_method
from modelyard.gateway.lanes import Lane, Lanes
from modelyard.gateway.paths import path_of
from modelyard.gateway.protocol import Refused
from modelyard.gateway.protocol.words import quoted
from modelyard.gateway.replies import Reply, header_lines, refusal
from modelyard.gateway.request_ids import RequestIds
from modelyard.gateway.route import Table
from modelyard.gateway.routes import Routes
from modelyard.gateway.series import Book, Report, Series
from modelyard.gateway.settings import Settings
from modelyard.gateway.way import Way
from modelyard.http1.exchange import Exchange

_SHORT = 64 * 1024
"""A body up to this size is read even if nobody needs it, so that the connection can go on."""

_SMALL = 16 * 1024
"""What is sent to a model finds room up to this size, however much is held: nobody locks small predictions out."""

_HELD = "the gateway is at its limit of bytes held for predictions under way"

GONE = 499
"""What stands in place of a status where the client went before it was answered."""

_KNOWN = 4096
"""Paths whose ends are remembered."""


class About(NamedTuple):
    """What a gateway says of itself: its version, and the namespace of `/v2/...` where not the routes say it."""

    version: str
    namespace: str | None = None


class Engine:
    """The Handler of a gateway's connections."""

    def __init__(self, routes: Routes, settings: Settings, about: About) -> None:
        self.book = Book()
        self.lanes = Lanes(settings, self.book)
        self.in_flight = 0
        """Predictions under way."""

        self.weight = 0
        """Bytes that they keep, as they go to models: a body in gzip is small before."""

        self.answers = 0
        """Bytes that they keep of long answers of models."""

        self.ready = True
        """False: the gateway is about to end."""

        self._routes, self._settings, self._about = routes, settings, about
        self._ways: dict[bytes, Way] = {}
        """By path: targets with queries, of which there is no end, are looked up twice."""

        self._epoch = 0
        """Another with each table."""

        self._ids = RequestIds()
        self._log = AccessLog(settings.access_log_sample)
        routes.subscribe(self._follow)

    def _follow(self, _: Table, table: Table) -> None:
        self._epoch += 1
        self._ways.clear()
        self.lanes.follow(table)

    def head(self, exchange: Exchange) -> None:
        """See Handler."""
        way = self._way_of(exchange)
        if way.lane is None:
            exchange.discard = True
        length = exchange.length
        long = length is not None and length > _SHORT
        if long or exchange.expects or (length is None and b"transfer-encoding" in exchange.headers):
            reply = way.reply or self._overload(way) or (self._full() if long else None)
            if reply is not None:
                self._reply(exchange, way.series, reply)

    def complete(self, exchange: Exchange) -> None:
        """See Handler. The headers may have come long before, and another table since."""
        way: Way = exchange.context
        if way.epoch != self._epoch and way.lane is not None:
            way = self._way_of(exchange)
        reply = way.reply or self._overload(way)
        if reply is None:
            self._ask(exchange, way)
        else:
            self._reply(exchange, way.series, reply)

    def refuse(self, exchange: Exchange, status: int, message: str) -> None:
        """See Handler."""
        context = exchange.context
        if isinstance(context, Call):
            self._drop(context)
        series = context.series if isinstance(context, Way) else self.book.series(("", "", "", OTHER))
        self._reply(exchange, series, self._refusal(Refused(status, message)))

    def expired(self, exchange: Exchange) -> None:
        """See Handler."""
        context = exchange.context
        if isinstance(context, Call):
            context.expired()

    def gone(self, exchange: Exchange) -> None:
        """See Handler."""
        context = exchange.context
        self.book.abandoned += 1
        if isinstance(context, Call):
            self._drop(context)
            self._leave(context)

    def succeeded(self, call: Call, answer: protocol.Answer) -> None:
        """See Ends."""
        self._settle(call, 200, header_lines(answer.headers), answer.body)

    def failed(self, call: Call, problem: Refused) -> None:
        """See Ends."""
        self._settle(call, *self._refusal(problem))

    def _settle(self, call: Call, status: int, headers: bytes, body: bytes) -> None:
        """Answer and count; the answer goes first."""
        exchange, series, upstream = call.exchange, call.lane.series, call.upstream
        self._left(call)
        exchange.answer(status, b"%bX-Request-Id: %b\r\n" % (headers, call.request_id), body)
        own = monotonic() - exchange.began - upstream
        series.count(status)
        series.measure(own, upstream if call.asked else None, exchange.size, len(body))
        if self._log.chosen():
            self._log.write(exchange, series.key, call.request_id, own, upstream)

    def retried(self) -> None:
        """See Ends."""
        self.book.retried += 1

    def hold(self, size: int) -> bool:
        """See Ends."""
        if self.answers + size > self._settings.limits.held_bytes:
            return False
        self.answers += size
        return True

    def lane_now(self, lane: Lane) -> Lane:
        """See Ends."""
        model = self._routes.table.models.get((lane.namespace, lane.model))
        version = None if model is None else model.versions.get(lane.name)
        return lane if model is None or version is None else self.lanes.lane(model, version)

    def _ask(self, exchange: Exchange, way: Way) -> None:
        """Ask a pod."""
        assert way.lane is not None
        headers, body, limits = exchange.headers, exchange.body, self._settings.limits
        exchange.body = b""
        request_id = self._ids.of(headers)
        try:
            if b"content-encoding" in headers:
                encoding = headers[b"content-encoding"].decode("latin-1")
                body = protocol.decoded(body, encoding, limits.body_bytes)
            length = protocol.header_length(headers.get(b"inference-header-content-length"))
            request = protocol.parse_infer(body, length, request_id.decode(), limits.held_bytes)
            protocol.check_outputs(request, way.lane.version.target, way.lane.model)
            payload = protocol.to_model(request, limits.held_bytes)
            if len(payload) > _SMALL and self.weight + len(payload) > limits.held_bytes:
                raise Refused(503, _HELD)
        except Refused as problem:
            self._reply(exchange, way.series, self._refusal(problem), request_id)
            return
        self._begin(Call(self, self._settings, way.lane, exchange, request_id), request, payload)

    def _begin(self, call: Call, request: protocol.InferRequest, payload: bytes) -> None:
        call.exchange.context = call
        self.in_flight += 1
        self.weight += len(payload)
        call.lane.load.in_flight += 1
        call.start(request, payload)

    def _reply(
        self, exchange: Exchange, series: Series, reply: Reply, request_id: bytes | None = None
    ) -> None:
        """Answer by ourselves."""
        status, headers, body = reply
        request_id = request_id or self._ids.of(exchange.headers)
        exchange.answer(status, b"%bX-Request-Id: %b\r\n" % (headers, request_id), body)
        series.count(status)
        if self._log.chosen():
            own = monotonic() - exchange.began if exchange.began else 0.0
            self._log.write(exchange, series.key, request_id, own, 0.0)

    def _refusal(self, problem: Refused) -> Reply:
        return refusal(problem.status, problem.message, retry_after=self._settings.retry_after_seconds)

    def _overload(self, way: Way) -> Reply | None:
        """The answer while too much is under way; None: it is not."""
        settings = self._settings
        if self.in_flight >= settings.in_flight:
            what = "the gateway is at its limit of predictions under way"
        elif way.lane is not None and way.lane.load.in_flight >= settings.in_flight_per_model:
            what = f"model {quoted(way.lane.model)} is at its limit of predictions under way"
        else:
            return None
        return refusal(503, what, retry_after=settings.retry_after_seconds)

    def _full(self) -> Reply | None:
        """The answer to a long body while there is no room for what becomes of it; None: there is some."""
        if self.weight < self._settings.limits.held_bytes:
            return None
        return self._refusal(Refused(503, _HELD))

    def _way_of(self, exchange: Exchange) -> Way:
        """Where a request leads by the present table."""
        target, ways = exchange.target, self._ways
        way = ways.get(target) or ways.get(path_of(target)) or self._way(target)
        method = exchange.method
        if method != way.method and way.method and (method != b"HEAD" or way.method != b"GET"):
            way = Way(self._epoch, b"", way.series, wrong_method(way.method), None)
        exchange.context = way
        return way

    def _way(self, target: bytes) -> Way:
        knows = self._routes.synced.is_set()
        gateway = Self(self._about.version, self._about.namespace, knows, knows and self.ready)
        there = found(target, self._routes.table, gateway)
        lane = None
        if there.model is not None and there.version is not None:
            lane = self.lanes.lane(there.model, there.version)
        way = Way(self._epoch, there.method, self.book.series(there.key), there.reply, lane)
        if there.lasts:
            if len(self._ways) >= _KNOWN:
                self._ways.clear()
            self._ways[path_of(target)] = way
        return way

    def report(self, *, known: bool = False) -> Report:
        """How it is at this moment; `known`: with the names of all models and versions."""
        pods = self.lanes.pods.values()
        gauges: dict[str, float] = {
            "upstream_connections": sum(len(pod.connections) for pod in pods),
            "upstream_idle_connections": sum(pod.idle for pod in pods),
            "models": len(self._routes.table.models),
            "unreadable_routes": self._routes.unreadable,
        }
        in_flight: dict[tuple[str, ...], float] = {
            key: load.in_flight for key, load in self.lanes.loads.items()
        }
        ready = self.ready and self._routes.synced.is_set()
        return Report(ready, self.book.tally(), gauges, in_flight, self.lanes.known if known else None)

    def _drop(self, call: Call) -> None:
        """Give up a call of which nobody will hear."""
        if not call.over:
            call.abandon()
            self._left(call)

    def _leave(self, call: Call) -> None:
        """Count and tell a call whose client went, by a code that no client ever sees. It took as long as it did: slow
        models are what clients give up."""
        exchange, series = call.exchange, call.lane.series
        exchange.status = GONE
        series.count(GONE)
        upstream = monotonic() - call.sent
        own = call.sent - exchange.began
        series.measure(own, upstream if call.asked else None, exchange.size, None)
        if self._log.chosen():
            self._log.write(exchange, series.key, call.request_id, own, upstream)

    def _left(self, call: Call) -> None:
        """A call is over."""
        self.in_flight -= 1
        self.weight -= call.weight
        self.answers -= call.held
        call.lane.load.in_flight -= 1
        call.exchange.context = None
