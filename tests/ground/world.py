"""Pods that serve and pods that try to connect, and how a test asks them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.kubectl import Kubectl, Manifest

PORT = 8000

# Tries all targets at once and prints, as JSON, how each one ended. `body` is what an HTTP GET / answers.
_PROBE = """
import concurrent.futures, json, os, socket, sys
os.environ["RES_OPTIONS"] = "timeout:1 attempts:2"  # a blocked resolver never answers

def attempt(target):
    host, port = target.rsplit(":", 1)
    try:
        address = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)[0][4]
    except OSError:
        return "no such name"
    try:
        with socket.create_connection(address, 1.5) as connection:
            connection.settimeout(1.5)
            return read(connection)
    except ConnectionError:  # refused, or reset by a rule that came meanwhile
        return "refused"
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return "unreachable" if error.errno in (101, 113) else f"errno {error.errno}"

def read(connection):
    connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    answer = b""
    while block := connection.recv(4096):
        answer += block
    return "answered " + answer.partition(b"\\r\\n\\r\\n")[2].decode()

targets = sys.argv[1:]
with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(dict(zip(targets, pool.map(attempt, targets)))))
"""

# Answers every GET with the pod's own name.
_SERVER = f"""
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["HOSTNAME"].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", {PORT}), Handler).serve_forever()
"""

BLOCKED = frozenset({"refused", "timeout", "unreachable"})
"""How a denied connection can end: the engine rejects, and the kernel limits how many rejections it sends."""


@dataclass(frozen=True, slots=True)
class World:
    """A namespace with pods on two nodes."""

    kubectl: Kubectl
    namespace: str
    image: str

    def server(self, name: str, node: str, **labels: str) -> list[Manifest]:
        """A pod that answers its own name on PORT, and a Service of that name on port 80."""
        pod = self.pod(name, node, _SERVER, app=name, **labels)
        probe = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
        pod["spec"]["containers"][0]["readinessProbe"] = probe
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": PORT}]},
        }
        return [pod, service]

    def client(self, name: str, node: str, **labels: str) -> Manifest:
        """A pod to ask from."""
        return self.pod(name, node, "import time; time.sleep(86400)", **labels)

    def pod(self, name: str, node: str, program: str, **labels: str) -> Manifest:
        """A pod on `node` that runs a Python program."""
        container: dict[str, Any] = {
            "name": "main",
            "image": self.image,
            "command": ["python3", "-uc", program],
        }
        spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]}
        metadata = {"name": name, "namespace": self.namespace, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def start(self, *manifests: Manifest) -> None:
        """Apply, and wait until every pod is Ready."""
        self.kubectl.apply(*manifests)
        pods = [f"pod/{manifest['metadata']['name']}" for manifest in manifests if manifest["kind"] == "Pod"]
        self.kubectl.wait("condition=Ready", *pods, namespace=self.namespace)

    def address(self, pod: str) -> str:
        """`<pod IP>:PORT`."""
        return f"{self.kubectl.get('pod', pod, self.namespace)['status']['podIP']}:{PORT}"

    def service_address(self, name: str) -> str:
        """`<cluster IP>:80`."""
        return f"{self.kubectl.get('service', name, self.namespace)['spec']['clusterIP']}:80"

    def ask(self, client: str, *targets: str) -> dict[str, str]:
        """How a new connection from `client` to each `host:port` ended."""
        said = self.kubectl.exec(client, self.namespace, "python3", "-", *targets, stdin=_PROBE)
        answered: dict[str, str] = json.loads(said)
        return answered


def connects(results: dict[str, str]) -> set[str]:
    """The targets that answered."""
    return {target for target, result in results.items() if result.startswith("answered")}
