"""Answers that the gateway gives without asking a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelyard.gateway.finding import Found, Self, found
from modelyard.gateway.route import Address, Column, Model, Table, Target, Version
from tests.unit.gateway.rig import INFER, PRICE, gateway, get, model, post, table

NOWHERE = Address("127.0.0.1", 9)


async def test_the_gateway_tells_of_itself() -> None:
    async with gateway() as rig:
        client = await rig.client()
        server = await client.ask(get("/v2"))
        assert server.json["name"] == "modelyard"
        assert server.headers["content-type"] == "application/json"
        assert (await client.ask(get("/team/v2/health/live"))).json == {"live": True}
        assert (await client.ask(get("/v2/health/ready"))).json == {"ready": True}
        assert "/v2/health/live" in (await client.ask(get("/v2/openapi.json"))).json["paths"]


async def test_the_gateway_is_not_ready_while_it_does_not_know_its_models() -> None:
    async with gateway() as rig:
        client = await rig.client()
        rig.routes.synced.clear()
        ready = await client.ask(get("/v2/health/ready"))
        assert (ready.status, ready.json["ready"]) == (503, False)
        assert ready.headers["retry-after"] == "1"
        unknown = await client.ask(post())
        assert (unknown.status, unknown.headers["retry-after"]) == (503, "1")
        rig.routes.publish(table(NOWHERE))
        assert (await client.ask(get("/v2/models/flats"))).status == 200
        assert (await client.ask(get("/v2/health/ready"))).status == 200


async def test_a_model_is_described_and_tells_whether_it_is_ready() -> None:
    version = Version("1", PRICE, "", (NOWHERE,), (Column("area", "FP64"),))
    async with gateway(
        Table({("default", "flats"): Model("default", "flats", {"1": version}, "1")}, None)
    ) as rig:
        client = await rig.client()
        described = await client.ask(get("/default/v2/models/flats"))
        assert (described.json["versions"], described.json["inputs"][0]["name"]) == (["1"], "area")
        ready = await client.ask(get("/default/v2/models/flats/versions/1/ready"))
        assert (ready.status, ready.json["ready"]) == (200, True)
        rig.routes.publish(table())
        down = await client.ask(get("/default/v2/models/flats/ready"))
        assert (down.status, down.json["ready"]) == (503, False)
        assert down.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere", "/v2/openapi.json"),
        ("/v2/models/cars/infer", "cars"),
        ("/v2/models/flats/versions/9/infer", "9"),
        ("/team/v2/models/flats/infer", "team"),
        ("/v2/models/%3Cscript%3E/infer", "script"),
    ],
)
async def test_what_there_is_not_is_told_with_404(path: str, said: str) -> None:
    async with gateway([NOWHERE]) as rig:
        for method in ("POST", "GET", "DELETE"):
            reply = await rig.ask(get(path, method, "Content-Length: 0\r\n"))
            assert (reply.status, said in reply.json["error"]) == (404, True)
            assert reply.headers["content-type"] == "application/json"


async def test_the_wrong_method_is_told_the_right_one() -> None:
    async with gateway([NOWHERE]) as rig:
        client = await rig.client()
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            reply = await client.ask(get(INFER, method))
            assert (reply.status, reply.headers["allow"], list(reply.json)) == (405, "post", ["error"])
        head = await client.ask(get(INFER, "HEAD"), bodiless=True)
        assert (head.status, head.headers["allow"]) == (405, "post")
        for path in ("/v2", "/v2/health/live", "/v2/models/flats", "/v2/models/flats/ready"):
            reply = await client.ask(post(path=path))
            assert (reply.status, reply.headers["allow"]) == (405, "get, head")


async def test_without_a_default_namespace_one_must_be_named() -> None:
    async with model() as behind, gateway(Table(table(behind.address).models, None)) as rig:
        unnamed = await rig.ask(post())
        assert (unnamed.status, "namespace" in unnamed.json["error"]) == (404, True)
        assert (await rig.ask(post(path="/default/v2/models/flats/infer"))).status == 200


async def test_a_model_of_which_no_version_serves_is_down() -> None:
    version = Version("1", PRICE, "", (NOWHERE,))
    async with gateway(
        Table({("default", "flats"): Model("default", "flats", {"1": version})}, "default")
    ) as rig:
        reply = await rig.ask(post())
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "serves" in reply.json["error"]


async def test_a_change_of_the_routes_counts_from_the_next_request_on() -> None:
    async with model() as one, model() as two, gateway([one.address]) as rig:
        client = await rig.client()
        assert (await client.ask(post())).status == 200
        rig.routes.publish(table(two.address, label="2"))
        assert (await client.ask(post())).json["model_version"] == "2"
        rig.routes.publish(Table({}, "default"))
        assert (await client.ask(post())).status == 404
        assert (len(one.asked), len(two.asked)) == (1, 1)


async def test_a_bug_in_the_gateway_is_told_without_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    strange = Version("1", Target("Regression", "\ud800"), "", (NOWHERE,))  # No UTF-8 can tell this name.
    async with model() as behind, gateway() as rig:
        version = replace(strange, pods=(behind.address,))
        rig.routes.publish(
            Table({("default", "flats"): Model("default", "flats", {"1": version}, "1")}, "default")
        )
        client = await rig.client()
        for request in (post(), get("/v2/models/flats")):
            reply = await client.ask(request)
            assert (reply.status, list(reply.json)) == (500, ["error"])
            assert "surrogates" not in reply.json["error"]
            client = await rig.client()
        assert [bool(record.exc_info) for record in caplog.records] == [True, True]
        assert rig.engine.in_flight == 0


async def test_the_gateway_tells_of_itself_below_any_namespace() -> None:
    async with gateway() as rig:
        client = await rig.client()
        for path in ("", "/health/live", "/health/ready", "/openapi.json"):
            assert (await client.ask(get(f"/nobody/v2{path}"))).status == 200


class Finding:
    """Remembers what was looked up."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def __call__(self, target: bytes, known: Table, gateway: Self) -> Found:
        self.seen.append(target)
        return found(target, known, gateway)


async def test_a_path_is_found_once_whatever_its_query_is(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding()
    monkeypatch.setattr("modelyard.gateway.engine.found", finding)
    async with gateway([NOWHERE]) as rig:
        client = await rig.client()
        for target in ("/v2?a", "/v2", "/v2?b%20", "http://gateway/v2", "/v2?a"):
            assert (await client.ask(get(target))).status == 200
    assert len(finding.seen) == 1


async def test_a_path_that_anybody_can_make_up_takes_no_place_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finding = Finding()
    monkeypatch.setattr("modelyard.gateway.engine.found", finding)
    monkeypatch.setattr("modelyard.gateway.engine._KNOWN", 1)
    made_up = (
        f"/{'x' * 15_000}/v2",
        "/nobody/v2/health/live",
        "/default/v2/models/fl%61ts",
        "/%76%32",
        "/no",
    )
    async with gateway([NOWHERE]) as rig:
        client = await rig.client()
        for path in ("/v2/models/flats", *made_up, "/v2/models/flats", *made_up):
            await client.ask(get(path))
    assert [seen.decode() for seen in finding.seen] == ["/v2/models/flats", *made_up, *made_up]
