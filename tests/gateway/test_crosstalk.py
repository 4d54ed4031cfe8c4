"""Many clients at once: every answer belongs to its request."""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.gateway.conftest import Chaos, Town
from tests.gateway.running import Gateway, gateway, write_routes

CLIENTS = 8
REQUESTS = 500
OFFSETS = {"1.0": 0.0, "2.0": 1000.0}


@pytest.fixture
def front(town: Town, tmp_path: Path) -> Iterator[Gateway]:
    write_routes(tmp_path / "routes.json", town.routes())
    with gateway(tmp_path / "routes.json", "--workers=2", "--access-log-sample=0") as found:
        yield found


@pytest.mark.chaos
async def test_each_of_8_clients_gets_its_own_500_answers(front: Gateway, chaos: Chaos) -> None:
    rounds = max(1, round(chaos.time(0) / 10))
    async with asyncio.TaskGroup() as group:
        for client in range(CLIENTS):
            group.create_task(asked_one_after_the_other(front.base, client, rounds * REQUESTS))


async def asked_one_after_the_other(base: str, client: int, requests: int) -> None:
    chance = random.Random(client)
    async with aiohttp.ClientSession() as session:
        for number in range(requests):
            await asked(session, base, chance, f"{client}-{number}")


async def asked(session: aiohttp.ClientSession, base: str, chance: random.Random, name: str) -> None:
    values = [chance.uniform(-1e6, 1e6) for _ in range(chance.choice((1, 1, 2, 50)))]
    version = chance.choice(list(OFFSETS))
    body, headers = raw(name, values) if chance.random() < 0.5 else in_json(name, values)
    url = f"http://{base}/v2/models/echo/versions/{version}/infer"
    async with session.post(url, data=body, headers=headers) as answer:
        content = await answer.read()
        assert answer.status == 200, content
        document, numbers = read(content, answer.headers.get("Inference-Header-Content-Length"))

    assert (document["id"], document["model_version"]) == (name, version)
    assert numbers == [value + OFFSETS[version] for value in values]


def in_json(name: str, values: list[float]) -> tuple[bytes, dict[str, str]]:
    tensor = {"name": "value", "shape": [len(values)], "datatype": "FP64", "data": values}
    return json.dumps({"id": name, "inputs": [tensor]}).encode(), {}


def raw(name: str, values: list[float]) -> tuple[bytes, dict[str, str]]:
    """In the binary extension, both ways."""
    data = struct.pack(f"<{len(values)}d", *values)
    size = {"binary_data_size": len(data)}
    tensor = {"name": "value", "shape": [len(values)], "datatype": "FP64", "parameters": size}
    document = {"id": name, "inputs": [tensor], "parameters": {"binary_data_output": True}}
    head = json.dumps(document).encode()
    return head + data, {"Inference-Header-Content-Length": str(len(head))}


def read(content: bytes, header: str | None) -> tuple[dict[str, Any], list[float]]:
    """The document of an answer and its numbers."""
    document = json.loads(content[: int(header)] if header else content)
    (output,) = document["outputs"]
    if header is None:
        return document, output["data"]
    return document, list(struct.unpack(f"<{output['shape'][0]}d", content[int(header) :]))
