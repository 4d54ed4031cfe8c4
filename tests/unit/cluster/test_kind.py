"""How kind and docker are asked: by commands and a configuration that they document."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import oci
from tests.cluster.kind import KindProvider
from tests.cluster.kind_config import HOSTS, config, hosts_file, worker_count
from tests.cluster.progress import Progress
from tests.cluster.provider import ClusterUnavailable
from tests.cluster.tools import Module, architecture, built
from tests.unit.cluster.docker_machine import NODES, Machine, provider
from tests.unit.cluster.playing import Answer, Played, refused

KIND = Module("kind", ("sigs.k8s.io/kind",))
"""The release of kind whose help is read; nothing else needs it."""

DOCKER = {
    "run": {"--detach", "--name", "--publish"},
    "rm": {"--force", "--volumes"},
    "ps": {"--all", "--filter", "--format"},
    "exec": {"--interactive"},
    "network": set(),
    "port": set(),
    "start": set(),
    "kill": set(),
}
"""Commands of docker and the options of theirs that its reference documents and that are used here."""


def everything(folder: Path) -> Played:
    """All that is ever asked, from nothing to nothing."""
    played = Machine()
    cluster = provider(played, folder)
    cluster.up()
    cluster.describe()
    cluster.stop_node(cluster.nodes()[0])
    cluster.up()
    cluster.down()
    return played


def test_a_cluster_is_made_in_the_order_that_kind_documents(tmp_path: Path) -> None:
    played = Machine()

    provider(played, tmp_path).up()

    kubeconfig = f"--kubeconfig={tmp_path}/kubeconfig"
    made = [line for line in played.lines() if not line.startswith(("docker ps", "kind get", "kubectl"))]
    assert made[:3] == [
        "docker run --detach --name=modelyard-registry --publish=127.0.0.1::5000 docker.io/library/registry:3",
        f"kind create cluster --name=modelyard --config=- --wait=180s {kubeconfig}",
        "docker network connect kind modelyard-registry",
    ]
    assert made[3:] == [
        line
        for node in NODES
        for line in (
            f"docker exec {node} mkdir -p {HOSTS}",
            f"docker exec --interactive {node} cp /dev/stdin {HOSTS}/hosts.toml",
        )
    ]
    assert played.inputs == [config(2), *[hosts_file()] * 3]
    assert (tmp_path / "kubeconfig").read_text() == "a kubeconfig"
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600


def test_what_runs_is_found_and_left_as_it_is(tmp_path: Path, machine: Machine) -> None:
    cluster = provider(machine, tmp_path)

    assert cluster.is_running()
    cluster.up()

    changes = ("create", "docker run", "docker start", "docker rm", "connect")
    assert not [line for line in machine.lines() if any(change in line for change in changes)]


def test_nothing_is_taken_away_where_nothing_is(tmp_path: Path) -> None:
    played = Machine()

    provider(played, tmp_path).down()

    assert not [line for line in played.lines() if "delete" in line or " rm " in line]


def test_pods_run_on_workers_alone(tmp_path: Path, machine: Machine) -> None:
    cluster = provider(machine, tmp_path)

    assert cluster.nodes() == ["modelyard-worker", "modelyard-worker2"]
    cluster.stop_node("modelyard-worker")
    assert machine.lines("docker kill") == ["docker kill modelyard-worker"]
    with pytest.raises(
        ClusterUnavailable, match=r"There is no node n1 that runs: stop one of modelyard-worker2\.$"
    ):
        cluster.stop_node("n1")
    cluster.stop_node("modelyard-worker2")
    with pytest.raises(ClusterUnavailable, match=r"no node n1 that runs, nor another: `make cluster` starts"):
        cluster.stop_node("n1")
    with pytest.raises(ClusterUnavailable, match="kind adds no node"):
        cluster.add_node()


def test_an_old_kubernetes_is_refused(tmp_path: Path, machine: Machine) -> None:
    old = '{"serverVersion": {"major": "1", "minor": "31", "gitVersion": "v1.31.0"}}'
    machine.answers["kubectl version"] = old

    with pytest.raises(ClusterUnavailable, match=r"is Kubernetes v1.31.0; Modelyard needs 1.33 or later"):
        provider(machine, tmp_path).up()


@pytest.mark.parametrize(
    ("failing", "ask", "step"),
    [
        ("kind get clusters", KindProvider.describe, "see that `docker version` answers, then try again"),
        ("docker ps", KindProvider.is_running, "see that `docker version` answers, then try again"),
        ("kind get kubeconfig", KindProvider.kubeconfig, "`make cluster` makes or starts it"),
        ("kind delete", KindProvider.down, "see that `docker version` answers, then `make cluster-down`"),
        ("docker kill", lambda cluster: cluster.stop_node(NODES[1]), "`python -m tests.cluster status` says"),
    ],
)
def test_a_program_that_fails_is_told_with_the_next_step(
    failing: str, ask: Callable[[KindProvider], object], step: str, tmp_path: Path, machine: Machine
) -> None:
    machine.answers[failing] = refused("it failed.")

    with pytest.raises(ClusterUnavailable, match=f"^it failed; {step}"):
        ask(provider(machine, tmp_path))


def test_an_image_with_a_public_name_is_for_its_registry(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnavailable, match=r"Nodes of kind pull docker.io itself"):
        provider(Machine(), tmp_path).push(tmp_path, "docker.io/library/python", "3")


def test_what_is_no_image_is_not_pushed(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnavailable, match="is no OCI layout"):
        provider(Machine(), tmp_path).push(tmp_path, "modelyard", "dev")


@pytest.mark.parametrize(
    ("port", "said"),
    [
        (refused("No such container"), "No such container; `make cluster` starts"),
        ("127.0.0.1:9", "not answer"),
    ],
)
def test_a_registry_that_is_not_there_is_told_with_the_next_step(
    port: Answer, said: str, tmp_path: Path
) -> None:
    tar = tmp_path / "layer.tar"
    tar.write_bytes(b"\0" * 1024)
    oci.write_layout(tmp_path / "layout", {"architecture": architecture(), "os": "linux"}, [tar])

    with pytest.raises(ClusterUnavailable, match=said) as told:
        provider(Machine({"docker port": port}), tmp_path).push(tmp_path / "layout", "modelyard", "dev")

    assert "`make cluster` starts it" in str(told.value)


@pytest.mark.parametrize(("text", "count"), [("", 2), (" ", 2), ("1", 1), ("9", 9)])
def test_nodes_says_how_many_nodes_run_pods(text: str, count: int) -> None:
    assert worker_count(text) == count
    roles = [node["role"] for node in json.loads(config(count))["nodes"]]
    assert roles == ["control-plane", *["worker"] * count]


@pytest.mark.parametrize("text", ["0", "10", "-1", "two", "³"])
def test_a_number_of_nodes_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ClusterUnavailable, match=f"NODES={text} is no number of nodes: set it to 1 to 9"):
        worker_count(text)


def test_docker_gets_only_options_that_it_documents(tmp_path: Path) -> None:
    asked = [command for command in everything(tmp_path).commands if command[0] == "docker"]

    assert {command[1] for command in asked} <= set(DOCKER)
    for command in asked:
        ours = command[2 : command.index("mkdir")] if "mkdir" in command else command[2:]
        options = {word.partition("=")[0] for word in ours if word.startswith("-")}
        assert options <= DOCKER[command[1]], command


@pytest.mark.thorough
def test_kind_gets_only_commands_and_options_of_its_own_help(tmp_path: Path) -> None:
    program = built(KIND, Progress(quiet=True)) / "kind"
    asked = [command for command in everything(tmp_path).commands if command[0] == "kind"]

    assert {" ".join(command[1:3]) for command in asked} == {
        "create cluster",
        "delete cluster",
        "get clusters",
        "get kubeconfig",
        "get nodes",
    }
    for command in asked:
        help_ = subprocess.run([program, *command[1:3], "--help"], capture_output=True, text=True, check=True)
        assert f"kind {' '.join(command[1:3])} [flags]" in help_.stdout
        for option in command[3:]:
            assert f"{option.partition('=')[0]} " in help_.stdout, option


@pytest.mark.thorough
def test_kind_reads_the_configuration_to_its_last_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kind decodes it before it looks for Docker, and refuses a field that it does not know."""
    program = built(KIND, Progress(quiet=True)) / "kind"
    monkeypatch.setenv("PATH", str(tmp_path))

    def said(text: str) -> str:
        command = [str(program), "create", "cluster", "--name=modelyard-test", "--config=-"]
        return subprocess.run(command, input=text, capture_output=True, text=True).stderr

    assert "unable to decode config" not in said(config(2))
    assert "unable to decode config" in said(config(2).replace('"nodes"', '"nods"'))
