"""A cluster of kind comes up from whatever a reboot, a kill or an error left, or says what to do."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cluster import interrupts, kind
from tests.cluster.interrupts import Interrupted
from tests.cluster.kind_config import HOSTS, hosts_file
from tests.cluster.provider import ClusterUnavailable
from tests.unit.cluster.docker_machine import NODES, REGISTRY, Machine, provider, ready
from tests.unit.cluster.playing import Answer, refused


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes up is looked at without a pause."""
    monkeypatch.setattr(kind, "EVERY", 0.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not come up is given up soon."""
    monkeypatch.setattr(kind, "READY", 0.02)


def test_what_docker_stopped_is_started(tmp_path: Path, machine: Machine) -> None:
    machine.runs |= dict.fromkeys(["modelyard-worker2", REGISTRY], False)
    cluster = provider(machine, tmp_path)

    assert not cluster.is_running()
    cluster.up()

    assert cluster.is_running()
    assert machine.lines("docker start") == [
        "docker start modelyard-worker2",
        "docker start modelyard-registry",
    ]


# --- what a reboot, or a kill, left --------------------------------------------------------------------


def test_a_cluster_that_was_stopped_is_waited_for_until_it_is_ready(tmp_path: Path, machine: Machine) -> None:
    machine.runs = dict.fromkeys(machine.runs, False)
    late: tuple[Answer, ...] = (refused("connection refused"), refused("etcd is not ready"), "ok", "ok")
    machine.answers["kubectl get --raw=/readyz"] = iter(late)
    nodes = ([ready(NODES[0]), ready(NODES[1], "False")], [ready(node) for node in NODES])
    machine.answers["kubectl get nodes"] = (json.dumps({"items": items}) for items in nodes)

    provider(machine, tmp_path).up()

    asked = [" ".join(command[1:3]) for command in machine.commands if command[0] == "kubectl"]
    assert asked == ["get --raw=/readyz"] * 3 + ["get nodes", "get --raw=/readyz", "get nodes"] + [
        "version --output=json"
    ]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"kubectl get --raw=/readyz": refused("connection refused")}, "connection refused"),
        ({"kubectl get nodes": '{"items": []}'}, f"not Ready are {', '.join(NODES)}"),
        ({"kind get kubeconfig": refused("no such file admin.conf")}, "no such file admin.conf"),
        ({"docker start": refused("port is already allocated")}, "port is already allocated"),
    ],
)
def test_a_cluster_that_does_not_come_up_is_told_with_the_next_step(
    answers: dict[str, Answer], said: str, tmp_path: Path, machine: Machine
) -> None:
    machine.runs[NODES[1]] = False
    machine.answers |= answers

    with pytest.raises(ClusterUnavailable) as told:
        provider(machine, tmp_path).up()

    assert said in str(told.value)
    assert str(told.value).endswith("; `make cluster-down`, then `make cluster`, makes it anew.")
    assert not machine.lines("kind delete")


def test_a_registry_that_cannot_be_had_again_is_no_reason_for_a_new_cluster(
    tmp_path: Path, machine: Machine
) -> None:
    del machine.runs[REGISTRY]
    machine.answers["docker run"] = refused("no such host")

    with pytest.raises(
        ClusterUnavailable, match=r"^no such host; see that `docker pull docker.io/library/registry:3` works"
    ):
        provider(machine, tmp_path).up()


@pytest.mark.parametrize("lost", ["container", "network", "hosts"])
def test_what_a_cluster_lost_of_its_registry_is_made_again(
    lost: str, tmp_path: Path, machine: Machine
) -> None:
    """As when the registry was pruned, or a kill came between the cluster and its hosts files."""
    whole = (set(machine.runs), set(machine.connected), dict(machine.files))
    match lost:
        case "container":
            del machine.runs[REGISTRY]
            machine.connected.remove(REGISTRY)
        case "network":
            machine.connected.remove(REGISTRY)
        case "hosts":
            machine.files.clear()

    provider(machine, tmp_path).up()

    assert (set(machine.runs), machine.connected, machine.files) == whole
    assert machine.files == {f"{node}:{HOSTS}/hosts.toml": hosts_file() for node in NODES}
    assert provider(machine, tmp_path).is_running()


def test_a_registry_without_a_cluster_is_replaced(tmp_path: Path, machine: Machine) -> None:
    for node in NODES:
        del machine.runs[node]

    provider(machine, tmp_path).up()

    assert machine.lines("docker r")[0] == "docker rm --force --volumes modelyard-registry"
    assert provider(machine, tmp_path).is_running()


# --- what is not made to the end -----------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "step", ["docker run", "kind create", "docker network", "docker exec", "kubectl get"]
)
@pytest.mark.parametrize("error", [refused("no space left"), Interrupted(2)])
def test_a_cluster_that_was_not_made_to_the_end_leaves_nothing(
    step: str, error: BaseException, tmp_path: Path
) -> None:
    machine = Machine({step: error})

    with pytest.raises((ClusterUnavailable, Interrupted)) as raised:
        provider(machine, tmp_path).up()

    assert raised.type in (type(error), *type(error).__bases__)
    assert not machine.runs
    assert not (tmp_path / "kubeconfig").exists()


def test_what_kind_made_in_part_goes_too(tmp_path: Path) -> None:
    class Halfway(Machine):
        def __call__(self, command: Sequence[str], stdin: str | None = None) -> str:
            said = super().__call__(command, stdin)
            if self.commands[-1][:2] == ["kind", "create"]:
                raise refused("kubeadm init failed")
            return said

    machine = Halfway()

    with pytest.raises(ClusterUnavailable, match=r"kubeadm init failed; mend that, then `make cluster`\.$"):
        provider(machine, tmp_path).up()

    assert machine.lines("kind delete cluster --name=modelyard")
    assert not machine.runs


@pytest.mark.parametrize("error", [refused("the daemon is gone"), Interrupted(15)])
def test_the_first_error_stays_when_taking_away_fails_too(error: BaseException, tmp_path: Path) -> None:
    clusters: tuple[Answer, ...] = ("other\n", refused("Cannot connect to the Docker daemon"))
    machine = Machine({"kind create": error, "kind get clusters": iter(clusters)})

    with pytest.raises((ClusterUnavailable, Interrupted)) as raised:
        provider(machine, tmp_path).up()

    assert str(error) in str(raised.value)
    (note,) = raised.value.__notes__
    assert note.startswith("Taking away what was begun failed too: Cannot connect to the Docker daemon; ")
    assert note.endswith("then `make cluster-down` takes away what is left.")


def test_no_second_signal_keeps_the_containers(tmp_path: Path) -> None:
    class Impatient(Machine):
        def __call__(self, command: Sequence[str], stdin: str | None = None) -> str:
            if command[:2] == ["kind", "delete"]:
                signal.raise_signal(signal.SIGINT)
            return super().__call__(command, stdin)

    machine = Impatient({"docker network": Interrupted(signal.SIGTERM)})

    with interrupts.raised(), pytest.raises(Interrupted, match="SIGTERM"):
        provider(machine, tmp_path).up()

    assert not machine.runs
