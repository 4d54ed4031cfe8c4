"""A real API server with a real etcd on free loopback ports, for tests; no nodes, no controllers.

    with running(Path("/tmp/somewhere")) as server:
        server.kubectl("get", "modelyard", "-A")

Both processes die with the one that started them, however that ends.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from tests.cluster.tools import tool
from tests.cluster.waiting import until

CRDS = Path(__file__).parents[2] / "crds"
ATTEMPTS = 3

T = TypeVar("T")

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class DidNotStart(Exception):
    """A process ended before it was ready; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """How to start a program, how to see that it is ready, and what then can be used."""

    command: list[str]
    result: T
    is_ready: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered: the HTTP status and the JSON body."""

    status: int
    body: dict[str, Any]

    @property
    def message(self) -> str:
        """The message of a refusal, as kubectl prints it."""
        return str(self.body.get("message", ""))


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A running API server: where it is, and a user who may do everything (group system:masters)."""

    url: str
    certificate: Path
    token: str
    kubeconfig: Path

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Answer:
        """One request; a refusal is an answer like any other."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": content_type,
                "Accept": accept,
            },
        )
        context = ssl.create_default_context(cafile=str(self.certificate))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=30) as response:
                return Answer(response.status, json.loads(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"{}"))

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """One run of kubectl, with its exit code, output and errors as text."""
        return subprocess.run(
            [str(tool("kubectl")), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def install(self, *manifests: Mapping[str, Any]) -> None:
        """Create CRDs and wait until the server serves their kinds; AssertionError if it refuses one."""
        for manifest in manifests:
            answer = self.request("POST", _CRD_PATH, manifest)
            assert answer.status == 201, answer.message
        names = {manifest["spec"]["names"]["plural"] for manifest in manifests}
        until(f"{', '.join(sorted(names))} are served", lambda: names <= self._served())

    def _served(self) -> set[str]:
        """Plurals of all resources as kubectl discovers them, which lags behind the CRD's own condition."""
        groups = self.request("GET", "/apis", accept=_DISCOVERY).body["items"]
        versions = [version for group in groups for version in group["versions"]]
        return {entry["resource"] for version in versions for entry in version["resources"]}


def our_crds() -> list[dict[str, Any]]:
    """The CRDs as they lie in crds/."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted(CRDS.glob("*.yaml"))]


@contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """An API server that keeps its files in `folder` and ends with the block."""
    with ExitStack() as stack:
        etcd = _started(stack, folder, "etcd", _etcd)
        yield _started(stack, folder, "kube-apiserver", lambda home: _api_server(home, etcd))


def _started(stack: ExitStack, folder: Path, name: str, plan: Callable[[Path], Plan[T]]) -> T:
    """Start a program, on other ports if somebody took those that were free a moment ago."""
    for attempt in range(1, ATTEMPTS):
        try:
            return _once(stack, folder / f"{name}-{attempt}", plan)
        except DidNotStart:
            continue
    return _once(stack, folder / f"{name}-{ATTEMPTS}", plan)


def _once(stack: ExitStack, home: Path, plan: Callable[[Path], Plan[T]]) -> T:
    home.mkdir(parents=True)
    wanted, log = plan(home), home / "log"
    process = stack.enter_context(_process(wanted.command, log))
    until(f"{home.name} is ready", lambda: _is_up(process, log) and wanted.is_ready())
    return wanted.result


def _is_up(process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise DidNotStart(log.read_text("utf-8", "replace")[-2000:])
    return True


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    guard = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "--"]
    with log.open("wb") as output:
        process = subprocess.Popen([*guard, *command], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _etcd(home: Path) -> Plan[str]:
    client, peer = (f"http://127.0.0.1:{port}" for port in _free_ports(2))
    command = [
        str(tool("etcd")),
        f"--data-dir={home / 'data'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",  # nothing here outlives its process
    ]
    return Plan(command, client, lambda: _answers(f"{client}/health"))


def _api_server(home: Path, etcd: str) -> Plan[ApiServer]:
    (port,) = _free_ports(1)
    token = secrets.token_hex(16)
    (home / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    key = home / "service-accounts.key"
    openssl = [str(tool("openssl")), "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)]
    subprocess.run(openssl, check=True, capture_output=True)
    command = [
        str(tool("kube-apiserver")),
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={home}",
        f"--token-auth-file={home / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--disable-admission-plugins=ServiceAccount",
        "--endpoint-reconciler-type=none",
    ]
    server = ApiServer(f"https://127.0.0.1:{port}", home / "apiserver.crt", token, home / "kubeconfig")
    _write_kubeconfig(server)
    return Plan(command, server, lambda: _is_ready(server))


def _is_ready(server: ApiServer) -> bool:
    try:
        return server.request("GET", "/api/v1/namespaces/default").status == 200
    except (OSError, ValueError):
        return False


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _write_kubeconfig(server: ApiServer) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": server.url, "certificate-authority": str(server.certificate)},
            }
        ],
        "users": [{"name": "admin", "user": {"token": server.token}}],
    }
    server.kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
