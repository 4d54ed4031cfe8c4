"""One kept connection to a real API server, for requests one after the other."""

from __future__ import annotations

import http.client
import itertools
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote, urlencode, urlsplit

import orjson

from modelyard.kube.errors import from_status
from modelyard.kube.requests import parse_request
from tests.apiserver.server import ApiServer


class Connection:
    """Sends a request and waits for its answer; nothing else runs meanwhile, as in a world nothing should."""

    def __init__(self, server: ApiServer) -> None:
        parts = urlsplit(server.url)
        trust = ssl.create_default_context(cafile=str(server.certificate))
        self._http = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=30, context=trust)
        self._token = server.token
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Close it."""
        self._http.close()

    def new_namespace(self, like: str) -> str:
        """A namespace that nobody has used, named after another."""
        name = f"{like}-{next(self._numbers):05}"
        self.ask("POST", "/api/v1/namespaces", orjson.dumps({"metadata": {"name": name}}))
        return name

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        """The answer. Raises errors.ApiError, as the operator's own session does."""
        target = quote(path) + (f"?{urlencode(params)}" if params else "")
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
        response, data = self._exchange(method, target, body, headers)
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            what = str(parse_request(method, path, params or {}))
            raise from_status(what, response.status, orjson.loads(data))
        return data

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        try:
            self._http.request(method, target, body, dict(headers))
            response = self._http.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):  # it was idle for too long
            self._http.close()
            self._http.request(method, target, body, dict(headers))
            response = self._http.getresponse()
        return response, response.read()
