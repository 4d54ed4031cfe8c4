"""The statuses that /v2/openapi.json promises are those that are answered: none less, none more."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

import modelyard.gateway
import modelyard.http1
from modelyard.gateway.protocol import openapi
from modelyard.gateway.route import Model, Table
from modelyard.gateway.settings import Settings
from modelyard.http1.exchange import Exchange, Handler
from tests.unit.gateway.rig import Rig, StubModel, answered, gateway, model, post, table

DOCUMENT: dict[str, Any] = orjson.loads(openapi())
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
NAMES = {"model": "flats", "version": "1"}
REFUSALS = {"Refused", "refusal", "refuse", "_refuse", "_broken", "_fail"}


def described(path: str, method: str) -> set[int]:
    """The statuses of an operation."""
    return {int(status) for status in DOCUMENT["paths"][path][method]["responses"]}


class Asking:
    """Requests for one operation that a gateway is brought to answer by one status after the other."""

    def __init__(self, rig: Rig, behind: StubModel, path: str, method: str) -> None:
        self._rig, self._behind, self._path, self._post = rig, behind, path, method == "post"

    async def statuses(self) -> set[int]:
        """All that it answers, in whatever way it is asked."""
        found = {await self._status(), await self._status(old="HTTP/2.0"), await self._status(host="")}
        for headers in ("Content-Length: 5000\r\n", "Expect: else\r\n", f"A: {'b' * 2_000}\r\n"):
            found.add(await self._status(headers))
        found.add(await self._status(method="GET" if self._post else "POST"))
        found.add((await self._rig.ask(self._head()[:-2])).status)
        if "{model}" in self._path:
            found |= await self._of_a_model()
        return found | await self._unready() | await self._failing()

    def _head(
        self,
        headers: str = "",
        method: str = "",
        old: str = "HTTP/1.1",
        host: str = "Host: a\r\n",
        **names: str,
    ) -> bytes:
        path = self._path
        for name, value in {**NAMES, **names}.items():
            path = path.replace(f"{{{name}}}", value)
        return f"{method or ('POST' if self._post else 'GET')} {path} {old}\r\n{host}{headers}\r\n".encode()

    async def _status(self, headers: str = "", **how: str) -> int:
        head = self._head(headers, **how)
        if self._post and "method" not in how and "Content-Length" not in headers:
            body = post().partition(b"\r\n\r\n")[2]
            head = head[:-2] + b"Content-Length: %d\r\n\r\n" % len(body) + body
        return (await self._rig.ask(head)).status

    async def _of_a_model(self) -> set[int]:
        found = {await self._status(model="nobody")}
        if self._post:
            found.add(await self._status("Content-Encoding: br\r\n"))
            for answer in (answered(b"?"), None):
                self._behind.answers = [answer]
                found.add(await self._status())
        return found

    async def _unready(self) -> set[int]:
        """While no version serves, no pod is ready, and the gateway does not know its models."""
        flats = table().models["default", "flats"]
        self._rig.routes.publish(table())
        found = {await self._status()}
        none_serves = Model("default", "flats", flats.versions)
        self._rig.routes.publish(Table({("default", "flats"): none_serves}, "default"))
        self._rig.routes.synced.clear()
        found.add(await self._status())
        self._rig.routes.synced.set()
        return found | {await self._status()}

    async def _failing(self) -> set[int]:
        self._rig.gateway.server.handler = cast(Handler, Faulty(self._rig.gateway.server.handler))
        return {await self._status()}


class Faulty:
    """A handler that fails where it should answer."""

    def __init__(self, handler: Handler) -> None:
        self.head, self.refuse = handler.head, handler.refuse

    def complete(self, exchange: Exchange) -> None:
        """See Handler."""
        raise RuntimeError("a fault of ours")


@asynccontextmanager
async def asked(path: str, method: str) -> AsyncIterator[Asking]:
    settings = Settings(access_log_sample=0.0, first_byte_seconds=0.03)
    async with model() as behind:
        limits = {"head_bytes": 1_000, "body_bytes": 1_000, "head_seconds": 0.03}
        async with gateway([behind.address], settings, **limits) as rig:
            yield Asking(rig, behind, path, method)


@pytest.mark.parametrize(("path", "method"), [one for one in OPERATIONS if "{namespace}" not in one[0]])
async def test_an_operation_answers_by_what_is_described_and_by_all_of_it(path: str, method: str) -> None:
    async with asked(path, method) as asking:
        assert await asking.statuses() == described(path, method)


def test_below_a_namespace_the_same_is_described() -> None:
    prefix = "/{namespace}"
    below = [(path, method) for path, method in OPERATIONS if path.startswith(prefix)]
    assert 2 * len(below) == len(OPERATIONS)
    for path, method in below:
        assert described(path, method) == described(path.removeprefix(prefix), method)


def test_every_status_that_the_code_names_is_described() -> None:
    promised = {status for path, method in OPERATIONS for status in described(path, method)}
    assert named() | {200} == promised
    assert {f"Error{status}" for status in named()} == set(DOCUMENT["components"]["responses"])


def named() -> set[int]:
    """The statuses with which the code refuses, or has a client refused."""
    folders = [Path(package.__path__[0]) for package in (modelyard.gateway, modelyard.http1)]
    files = [
        file
        for folder in folders
        for file in folder.rglob("*.py")
        if file.name not in ("pages.py", "admin.py")
    ]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    return {status for node in nodes for status in _statuses(node)}


def _statuses(node: ast.AST) -> set[int]:
    if isinstance(node, ast.Call) and _name(node.func) in REFUSALS:
        parts = [inner for given in node.args for inner in ast.walk(given)]
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        parts = list(ast.walk(node.value.elts[0]))
    else:
        return set()
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return {value for value in values if isinstance(value, int) and 400 <= value < 600}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
