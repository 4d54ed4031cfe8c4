"""A cluster of the user's own: looked at, filled through a registry, never changed by the provider."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import oci
from tests.cluster.existing import ExistingProvider
from tests.cluster.programs import run
from tests.cluster.progress import Progress
from tests.cluster.provider import ClusterUnavailable
from tests.cluster.tools import architecture, kubectl
from tests.unit.cluster.playing import VERSION, Answer, Played, refused

CONTEXTS = "kubectl config get-contexts"
ASKED = "kubectl --context=mine --request-timeout=20s"
ANSWERS: dict[str, Answer] = {
    CONTEXTS: "other\nmine\n",
    f"{ASKED} version": VERSION,
    "kubectl --context=mine config view": "a kubeconfig",
}

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: other
clusters:
- {name: there, cluster: {server: "https://127.0.0.1:1"}}
- {name: elsewhere, cluster: {server: "https://127.0.0.1:2"}}
users:
- {name: me, user: {token: secret-token}}
- {name: you, user: {token: another-token}}
contexts:
- {name: mine, context: {cluster: there, user: me}}
- {name: other, context: {cluster: elsewhere, user: you}}
"""


def provider(
    played: Any, folder: Path, registry: str = "", *, has_docker: bool = True, context: str = "mine"
) -> ExistingProvider:
    return ExistingProvider(
        folder / "kubeconfig",
        Progress(quiet=True),
        context,
        registry,
        run=played,
        has_docker=lambda: has_docker,
    )


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A small image."""
    tar = tmp_path / "layer.tar"
    tar.write_bytes(b"\0" * 1024)
    config = {"architecture": architecture(), "os": "linux"}
    oci.write_layout(tmp_path / "layout", config, [tar])
    return tmp_path / "layout"


def test_nothing_is_ever_asked_that_changes_the_cluster(tmp_path: Path) -> None:
    played = Played({**ANSWERS, f"{ASKED} get nodes": '{"items": []}'})
    cluster = provider(played, tmp_path)

    cluster.up()
    cluster.describe()
    cluster.nodes()
    with pytest.raises(ClusterUnavailable, match="is yours: no node is added to it here; add one yourself"):
        cluster.add_node()
    with pytest.raises(ClusterUnavailable, match="is yours: node n1 is not stopped here; stop it yourself"):
        cluster.stop_node("n1")
    cluster.down()

    verbs = {" ".join(w for w in command[1:] if not w.startswith("-")) for command in played.commands}
    assert verbs == {"config get-contexts", "config view", "version", "get nodes"}


def test_only_our_copy_of_the_kubeconfig_comes_and_goes(tmp_path: Path) -> None:
    cluster = provider(Played(ANSWERS), tmp_path)

    cluster.up()
    assert (tmp_path / "kubeconfig").read_text() == "a kubeconfig"
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600

    cluster.down()
    assert not (tmp_path / "kubeconfig").exists()


def test_the_copy_holds_the_one_context_with_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    copy = provider(run, tmp_path).kubeconfig()

    said = copy.read_text()
    assert "secret-token" in said
    assert "another-token" not in said
    asked = [str(kubectl()), f"--kubeconfig={copy}", "config", "current-context"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "mine\n"


def test_a_context_that_there_is_not_is_told_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    with pytest.raises(
        ClusterUnavailable,
        match=r"CLUSTER_CONTEXT=min is no context of your kubeconfig, which has mine, other",
    ):
        provider(run, tmp_path, context="min").up()


def test_a_cluster_that_does_not_answer_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    cluster = provider(run, tmp_path)

    assert not cluster.is_running()
    with pytest.raises(ClusterUnavailable, match=r"127\.0\.0\.1:1") as told:
        cluster.up()
    assert str(told.value).endswith("; start that cluster, or name another context in CLUSTER_CONTEXT.")
    assert not (tmp_path / "kubeconfig").exists()


def test_a_kubeconfig_that_is_none_is_told_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("contexts: 5")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    with pytest.raises(ClusterUnavailable, match=r"; mend your kubeconfig, or set KUBECONFIG to another\.$"):
        provider(run, tmp_path).up()
    with pytest.raises(ClusterUnavailable, match=r"; mend your kubeconfig, or set KUBECONFIG to another\.$"):
        provider(run, tmp_path).kubeconfig()


def test_an_old_cluster_is_refused(tmp_path: Path) -> None:
    old = '{"serverVersion": {"major": "1", "minor": "29", "gitVersion": "v1.29.4-gke.1"}}'
    cluster = provider(Played({**ANSWERS, f"{ASKED} version": old}), tmp_path)

    with pytest.raises(
        ClusterUnavailable, match=r"context mine is Kubernetes v1.29.4-gke.1; Modelyard needs 1.33"
    ):
        cluster.up()


def test_pods_go_to_nodes_that_are_ready_and_take_them(tmp_path: Path) -> None:
    def node(name: str, ready: str = "True", **spec: Any) -> dict[str, Any]:
        return {
            "metadata": {"name": name},
            "spec": spec,
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }

    items = [
        node("b"),
        node("a"),
        node("down", "False"),
        node("cordoned", unschedulable=True),
        node("control-plane", taints=[{"key": "k", "effect": "NoSchedule"}]),
    ]
    cluster = provider(Played({**ANSWERS, f"{ASKED} get nodes": json.dumps({"items": items})}), tmp_path)

    assert cluster.nodes() == ["a", "b"]


# --- images --------------------------------------------------------------------------------------------


def test_without_a_registry_images_are_refused_with_the_next_step(tmp_path: Path, layout: Path) -> None:
    with pytest.raises(ClusterUnavailable, match=r"set CLUSTER_REGISTRY=registry.example.com/team"):
        provider(Played(ANSWERS), tmp_path).push(layout, "modelyard", "dev")


def test_a_public_name_is_for_its_own_registry(tmp_path: Path, layout: Path) -> None:
    with pytest.raises(ClusterUnavailable, match=r"Your cluster pulls docker.io itself"):
        provider(Played(ANSWERS), tmp_path).push(layout, "docker.io/library/python", "3")


def test_a_registry_with_tls_is_pushed_to_by_docker(tmp_path: Path, layout: Path) -> None:
    digest = f"sha256:{'d' * 64}"
    said: dict[str, Answer] = {
        "docker load": "Loaded image ID: sha256:abc\n",
        "docker push": f"dev: digest: {digest} size: 527\n",
    }
    played = Played({**ANSWERS, **said})
    cluster = provider(played, tmp_path, "registry.example.com/team/")

    reference = cluster.push(layout, "modelyard", "dev")

    assert reference == f"registry.example.com/team/modelyard:dev@{digest}"
    assert not cluster.speaks_plain_http
    assert played.lines("docker load")[0].startswith("docker load --input=/")
    assert played.lines("docker tag") == ["docker tag sha256:abc registry.example.com/team/modelyard:dev"]
    assert played.lines("docker push") == ["docker push registry.example.com/team/modelyard:dev"]


def test_a_registry_with_tls_takes_docker(tmp_path: Path, layout: Path) -> None:
    cluster = provider(Played(ANSWERS), tmp_path, "registry.example.com/team", has_docker=False)

    with pytest.raises(
        ClusterUnavailable, match="pushing there takes Docker, of which no daemon answers: start it"
    ):
        cluster.push(layout, "modelyard", "dev")


@pytest.mark.parametrize(
    ("program", "answer", "said"),
    [
        (
            "docker push",
            refused("denied: log in"),
            "denied: log in; see that `docker login registry.example.com:8443` lets you push to x, or name another "
            "registry in CLUSTER_REGISTRY.",
        ),
        (
            "docker load",
            refused("no space left"),
            "no space left; see that `docker version` answers, then try again.",
        ),
        ("docker load", "", "`docker load` did not say what it loaded of "),
        (
            "docker push",
            "pushed",
            "`docker push registry.example.com:8443/x/modelyard:dev` did not say which digest it pushed; "
            "install Docker >= 25, which does.",
        ),
    ],
)
def test_a_push_that_fails_is_told_with_the_next_step(
    program: str, answer: Answer, said: str, tmp_path: Path, layout: Path
) -> None:
    answers: dict[str, Answer] = {"docker load": "Loaded image: x:1\n", program: answer}
    cluster = provider(Played({**ANSWERS, **answers}), tmp_path, "registry.example.com:8443/x")

    with pytest.raises(ClusterUnavailable) as told:
        cluster.push(layout, "modelyard", "dev")

    assert str(told.value).startswith(said)
    assert str(told.value).endswith(("install Docker >= 25, which does.", "CLUSTER_REGISTRY.", "try again."))


class Registry(BaseHTTPRequestHandler):
    """Has nothing and takes everything."""

    put: list[str] = []

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_POST(self) -> None:
        self._answer(202)

    def do_PUT(self) -> None:
        self.put.append(self.path.partition("?")[0])
        self._answer(201)

    def _answer(self, status: int) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Location", "/upload")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def plain_registry() -> Iterator[str]:
    """host:port of a registry without TLS."""
    Registry.put.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_registry_without_tls_is_pushed_to_directly(
    tmp_path: Path, layout: Path, plain_registry: str
) -> None:
    cluster = provider(Played(ANSWERS), tmp_path, f"http://{plain_registry}/team", has_docker=False)

    reference = cluster.push(layout, "modelyard", "dev")

    assert reference == f"{plain_registry}/team/modelyard:dev@{oci.image_in(layout).digest}"
    assert cluster.speaks_plain_http
    assert Registry.put[-1] == "/v2/team/modelyard/manifests/dev"


def test_a_registry_that_is_not_there_is_named(tmp_path: Path, layout: Path) -> None:
    cluster = provider(Played(ANSWERS), tmp_path, "http://127.0.0.1:9/team")

    with pytest.raises(
        ClusterUnavailable, match=r"The registry 127.0.0.1:9 of CLUSTER_REGISTRY does not answer"
    ) as told:
        cluster.push(layout, "modelyard", "dev")
    assert str(told.value).endswith("; start it, or name another in CLUSTER_REGISTRY.")
