"""What a gateway tells of itself: metrics with bounded names, the access log, and probes on their own port."""

from __future__ import annotations

import logging
from dataclasses import replace

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from modelyard.gateway.admin import admin_pages
from modelyard.gateway.exposition import Health, exposition
from modelyard.gateway.series import Distribution, Report, Tally, report_of, tally_of, total
from modelyard.gateway.settings import Settings
from modelyard.http1.exchange import Limits
from modelyard.http1.host import Server, bound
from tests.support.eventually import eventually
from tests.unit.gateway.rig import LIVE, QUESTION, Rig, gateway, get, model, post, table

FLATS = ("default", "flats", "1")


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Values by name and labels, in the order of the labels' names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


async def test_answers_are_counted_by_model_version_and_code() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        for request in (post(), post(), post(b"{"), get("/v2/health/live"), get("/v2/models/flats")):
            await rig.ask(request)
        await rig.ask(b"GET / HTTP/1.1\n\n")
        assert rig.counted == {
            (*FLATS, "infer", "200"): 2,
            (*FLATS, "infer", "400"): 1,
            (*FLATS, "model", "200"): 1,
            ("", "", "", "live", "200"): 1,
            ("", "", "", "other", "400"): 1,
        }
        seen = samples(exposition([rig.gateway.report()], Tally(), Health()))
        assert seen["modelyard_gateway_requests_total", "200", "infer", "flats", "default", "1"] == 2
        for name in ("own_seconds", "upstream_seconds", "request_bytes", "response_bytes"):
            assert seen[f"modelyard_gateway_{name}_count", "flats", "default", "1"] == 2
        assert 0 < seen["modelyard_gateway_own_seconds_sum", "flats", "default", "1"] < 2
        assert seen["modelyard_gateway_request_bytes_sum", "flats", "default", "1"] == 160
        assert seen["modelyard_gateway_in_flight", "flats", "default"] == 0
        assert (seen["modelyard_gateway_upstream_connections",], seen["modelyard_gateway_models",]) == (1, 1)
        rig.routes.unreadable = 3
        seen = samples(exposition([rig.gateway.report()] * 2, Tally(), Health()))
        assert seen["modelyard_gateway_unreadable_routes",] == 3


async def test_names_that_clients_make_up_are_no_names_of_series() -> None:
    async with gateway([]) as rig:
        client = await rig.client()
        for number in range(50):
            await client.ask(post(path=f"/v2/models/made-up-{number}/infer"))
            await client.ask(post(path=f"/v2/models/flats/versions/{number + 2}/infer"))
            await client.ask(get(f"/made/up/{number}"))
        assert rig.counted == {
            ("", "", "", "infer", "404"): 50,
            ("default", "flats", "", "infer", "404"): 50,
            ("", "", "", "other", "404"): 50,
        }


async def test_a_model_that_is_gone_is_counted_no_longer() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        await rig.ask(post())
        rig.routes.publish(table(behind.address, name="cars"))
        assert rig.counted == {}
        await rig.ask(post(path="/v2/models/cars/infer"))
        assert list(rig.counted) == [("default", "cars", "1", "infer", "200")]
        assert list(rig.engine.lanes.loads) == [("default", "cars")]


async def test_a_version_that_is_gone_is_counted_no_longer() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        await rig.ask(post())
        await rig.ask(post(path="/v2/models/flats/versions/9/infer"))
        await rig.ask(LIVE)
        rig.routes.publish(table(behind.address, label="2"))
        await rig.ask(post())
        assert rig.counted == {
            ("default", "flats", "2", "infer", "200"): 1,
            ("default", "flats", "", "infer", "404"): 1,
            ("", "", "", "live", "200"): 1,
        }
        known = rig.gateway.report(known=True).known
        assert sorted(known or ()) == [("default", "flats", ""), ("default", "flats", "2")]


async def test_who_goes_before_the_answer_is_told_by_a_code_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    settings = Settings(access_log_sample=1.0)
    async with model(None) as behind, gateway([behind.address], settings) as rig:
        client = await rig.client()
        client.send(post(headers="X-Request-Id: mine\r\n"))
        await eventually(lambda: behind.asked)
        client.hang_up()
        await eventually(lambda: not rig.gateway.server.connections)
        assert rig.counted == {(*FLATS, "infer", "499"): 1}
        measured = rig.engine.book.tally().measured
        for name, count in (
            ("own_seconds", 1),
            ("upstream_seconds", 1),
            ("request_bytes", 1),
            ("response_bytes", 0),
        ):
            assert sum(measured[name, *FLATS][:-1]) == count
        assert measured["request_bytes", *FLATS][-1] == len(QUESTION)
        assert measured["upstream_seconds", *FLATS][-1] > 0
    (line,) = [vars(record) for record in caplog.records if record.name == "modelyard.gateway.access"]
    assert [line[name] for name in ("status", "request_id", "response_bytes")] == [499, "mine", 0]
    assert line["upstream_ms"] > 0


def test_a_tally_forgets_versions_that_are_gone() -> None:
    of_none, of_one, of_two = ("", "", ""), ("n", "m", "1"), ("n", "m", "2")
    tally = Tally({"retried": 1})
    tally.requests |= {(*of, "infer", "200"): 1.0 for of in (of_none, of_one, of_two)}
    tally.measured |= {("own_seconds", *of): [1.0] for of in (of_one, of_two)}
    tally.forget_but({of_two})
    assert set(tally.requests) == {(*of_none, "infer", "200"), (*of_two, "infer", "200")}
    assert set(tally.measured) == {("own_seconds", *of_two)}
    assert tally.counts == {"retried": 1}


async def test_a_request_leaves_a_line_without_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with model() as behind, gateway([behind.address], Settings(access_log_sample=1.0)) as rig:
        await rig.ask(post(headers="X-Request-Id: mine\r\nAuthorization: secret\r\n"))
        await rig.ask(get("/nowhere"))
    async with gateway([]) as rig:
        await rig.ask(get("/nowhere"))
    first, second = [vars(record) for record in caplog.records if record.name == "modelyard.gateway.access"]
    told = ("status", "request_id", "model", "version", "request_bytes", "response_bytes", "method", "path")
    assert [first[name] for name in told] == [
        200,
        "mine",
        "flats",
        "1",
        80,
        123,
        "POST",
        "/v2/models/flats/infer",
    ]
    assert first["upstream_ms"] > 0
    assert (second["status"], second["model"]) == (404, "")
    assert "secret" not in str(first)


def test_a_distribution_counts_between_its_bounds() -> None:
    distribution = Distribution((1.0, 10.0))
    for value in (0.5, 1.0, 5.0, 100.0):
        distribution.add(value)
    assert (distribution.counts, distribution.total) == ([2, 1, 1], 106.5)


def test_what_workers_counted_is_added_and_survives_the_way_to_their_parent() -> None:
    measured = ("own_seconds", "n", "m", "1")
    one = Tally({"retried": 1}, {("n", "m", "1", "infer", "200"): 3}, {measured: [1.0] * 19 + [0.5]})
    two = Tally({"retried": 2}, {("n", "m", "1", "infer", "200"): 4}, {measured: [2.0] * 19 + [0.25]})
    assert tally_of(orjson.loads(orjson.dumps(one.document()))) == one
    assert total([one, two]) == Tally(
        {"retried": 3}, {("n", "m", "1", "infer", "200"): 7}, {measured: [3.0] * 19 + [0.75]}
    )
    report = Report(True, one, {"models": 2.0}, {("n", "m"): 5.0}, frozenset({("n", "m", "1")}))
    assert report_of(orjson.loads(orjson.dumps(report.document()))) == report
    seen = samples(exposition([report, replace(report, tally=two)], one, Health(4, 5, 6)))
    assert seen["modelyard_gateway_requests_total", "200", "infer", "m", "n", "1"] == 10
    assert seen["modelyard_gateway_in_flight", "m", "n"] == 10
    assert (seen["modelyard_gateway_models",], seen["modelyard_gateway_workers",]) == (2, 2)
    assert (seen["modelyard_gateway_worker_restarts_total",], seen["modelyard_gateway_retried_total",]) == (
        4,
        4,
    )
    assert seen["modelyard_gateway_missed_beats_total",] == 5
    assert seen["modelyard_gateway_failed_probes_total",] == 6


async def test_whether_it_is_ready_is_told_without_adding_up_what_was_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with gateway() as rig:
        server = Server(admin_pages(rig.gateway), Limits())
        admin = Rig(rig.gateway, rig.routes, await server.listen(bound("127.0.0.1", 0, shared=False)))
        monkeypatch.delattr("modelyard.gateway.series.Book.tally")
        client = await admin.client()
        assert (await client.ask(get("/readyz"))).status == 200
        assert (await client.ask(get("/metrics"))).status == 500
        client.hang_up()
        await server.close(1.0)


async def test_probes_answer_on_a_port_of_their_own() -> None:
    async with model(None) as behind, gateway([behind.address], Settings(grace_seconds=5)) as rig:
        server = Server(admin_pages(rig.gateway), Limits())
        admin = Rig(rig.gateway, rig.routes, await server.listen(bound("127.0.0.1", 0, shared=False)))
        client = await admin.client()
        assert [(await client.ask(get(path))).status for path in ("/healthz", "/readyz", "/v2")] == [
            200,
            200,
            404,
        ]
        metrics = await client.ask(get("/metrics"))
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert samples(metrics.body)["modelyard_gateway_client_connections",] == 0
        assert (await client.ask(get("/metrics", "POST", "Content-Length: 0\r\n"))).status == 405
        rig.routes.synced.clear()
        assert (await client.ask(get("/readyz"))).status == 503
        rig.routes.synced.set()
        probed = samples((await client.ask(get("/metrics"))).body)
        assert probed["modelyard_gateway_failed_probes_total",] == 1
        busy = await rig.client()
        busy.send(post())
        await eventually(lambda: behind.asked)
        rig.gateway.end()
        assert [(await client.ask(get(path))).status for path in ("/healthz", "/readyz")] == [200, 503]
        client.hang_up()
        await server.close(1.0)
