"""However a cluster ends, the machine is as it was: processes, namespaces, links, routes, firewall, cgroups, mounts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.cluster.local import api, cleanup, cluster, processes
from tests.cluster.local.footprint import Footprint, differences, footprint
from tests.cluster.provider import CHECKOUT, KUBECONFIG
from tests.cluster.waiting import NeverHappened, until

pytestmark = pytest.mark.lifecycle


@pytest.fixture(autouse=True)
def alone() -> None:
    """A cluster that somebody works with is never touched."""
    if os.environ.get("CLUSTER", "local") != "local":
        pytest.skip("these tests are of the local cluster")
    if cluster.what_is_wrong() is None:
        pytest.skip("a local cluster is running that this test run did not start: `make cluster-down` first")


@pytest.fixture
def before() -> Iterator[Footprint]:
    """The machine before the test; afterwards nothing may be left, whatever happened in between."""
    if cleanup.present():
        run("down")
    yield footprint()
    run("down")


def run(*arguments: str, nodes: str = "") -> subprocess.CompletedProcess[str]:
    """One command of the cluster, to its end, with NODES as given."""
    command = [sys.executable, "-m", "tests.cluster", *arguments]
    environment = {**os.environ, "CLUSTER": "local", "NODES": nodes}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120)


def begin(until_it_says: str) -> subprocess.Popen[str]:
    """`up`, begun, and seen to come as far as this line of its progress."""
    command = [sys.executable, "-m", "tests.cluster", "up"]
    environment = {**os.environ, "CLUSTER": "local", "NODES": ""}
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if until_it_says in line:
            return process
    process.stderr.close()
    raise AssertionError(
        f"`up` ended with {process.wait()} before it said {until_it_says!r}:\n{''.join(said)}"
    )


def end(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Send the signal and wait for the process; its exit code."""
    process.send_signal(number)
    process.communicate(timeout=30)
    return process.returncode


def as_before(before: Footprint) -> None:
    """The machine is as it was; the kernel takes a moment for links and cgroups to be gone."""
    with suppress(NeverHappened):
        until("nothing is left", lambda: not differences(before, footprint()), timeout=5)
    assert differences(before, footprint()) == []


def test_up_makes_one_cluster_and_down_leaves_nothing(before: Footprint) -> None:
    started = run("up")
    assert started.returncode == 0, started.stderr
    assert KUBECONFIG.exists()
    seen = {line.partition(":")[0] for line in differences(before, footprint())}
    assert seen >= {"processes", "namespaces", "links", "routes", "cgroups", "mounts", "sysctls", "files"}
    first = kubelets()
    again = run("up")
    assert (again.returncode, "running already" in again.stderr) == (0, True)
    assert kubelets() == first
    assert run("down").returncode == 0
    assert run("down").returncode == 0
    as_before(before)
    assert not KUBECONFIG.exists()


def test_a_node_that_was_added_and_one_that_was_stopped_leave_nothing(before: Footprint) -> None:
    assert run("up").returncode == 0
    with_two = footprint()
    assert run("add-node").stdout == "n3\n"
    assert run("stop-node", "n3").returncode == 0
    with suppress(NeverHappened):
        until("the node is gone", lambda: not of_third_node(differences(with_two, footprint())), timeout=5)
    assert of_third_node(differences(with_two, footprint())) == []
    assert "node n7" in run("stop-node", "n7").stderr
    assert run("down").returncode == 0
    as_before(before)


def test_nodes_says_how_many_nodes_the_cluster_starts_with(before: Footprint) -> None:
    started = run("up", nodes="3")
    assert started.returncode == 0, started.stderr
    assert api.ready_nodes() == {"n1", "n2", "n3"}
    assert run("add-node", nodes="3").stdout == "n4\n"
    assert run("stop-node", "n2").returncode == 0
    assert set(kubelets()) == {"kubelet/n1", "kubelet/n3", "kubelet/n4"}
    taken_as_it_is = run("up"), run("up", nodes="3")
    assert all("running already" in done.stderr and done.returncode == 0 for done in taken_as_it_is)
    other = run("up", nodes="2")
    assert (other.returncode, "runs with 3 nodes, NODES asks for 2: " in other.stderr) == (1, True)
    assert len(kubelets()) == 3
    assert run("down", nodes="3").returncode == 0
    as_before(before)


def test_a_number_of_nodes_that_makes_no_sense_starts_nothing(before: Footprint) -> None:
    refused = run("up", nodes="many")
    assert (refused.returncode, refused.stderr) == (
        1,
        "NODES=many is no number of nodes: set it to 1 to 9, or unset it for 2.\n",
    )
    as_before(before)


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (signal.SIGINT, "The network is there"),
        (signal.SIGTERM, "The API server is ready"),
        (signal.SIGINT, "are Ready"),
    ],
)
def test_an_interrupted_up_leaves_nothing(before: Footprint, number: signal.Signals, step: str) -> None:
    assert end(begin(step), number) == 128 + number
    as_before(before)


def test_down_takes_away_what_a_killed_up_left(before: Footprint) -> None:
    assert end(begin("are Ready"), signal.SIGKILL) == -signal.SIGKILL
    assert differences(before, footprint())
    assert run("down").returncode == 0
    as_before(before)


def test_up_replaces_what_a_killed_up_left(before: Footprint) -> None:
    end(begin("The API server is ready"), signal.SIGKILL)
    left = {process.pid for process in processes.running()}
    assert left
    again = run("up")
    assert again.returncode == 0, again.stderr
    assert "it died while it was started" in again.stderr
    assert not left & {process.pid for process in processes.running()}
    assert run("down").returncode == 0
    as_before(before)


def test_up_replaces_a_cluster_that_lost_a_process(before: Footprint) -> None:
    assert run("up").returncode == 0
    first = kubelets()
    processes.kill([first["kubelet/n2"]])
    status = run("status")
    assert (status.returncode, "not running: kubelet/n2" in status.stdout) == (3, True)
    assert run("up").returncode == 0
    assert set(first.values()).isdisjoint(kubelets().values())
    assert run("down").returncode == 0
    as_before(before)


def kubelets() -> dict[str, int]:
    """The process of each kubelet."""
    return {process.role: process.pid for process in processes.running() if process.program == "kubelet"}


def of_third_node(found: list[str]) -> list[str]:
    """Those differences that node n3 makes; the pods of the cluster come and go by themselves."""
    return [line for line in found if "n3" in line or "10.90.0.13" in line]
