"""Which cluster is taken, and what is said when there is no such one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.__main__ import main
from tests.cluster.local import cluster, state
from tests.cluster.local.cleanup import mounts_below
from tests.cluster.local.layout import Node, node, node_count
from tests.cluster.local.provider import LocalProvider
from tests.cluster.local.state import Record
from tests.cluster.progress import Progress
from tests.cluster.provider import ClusterUnavailable, automatic, choose


@pytest.mark.parametrize(
    ("context", "has_kind", "name"),
    [("mine", True, "existing"), ("mine", False, "existing"), ("", True, "kind"), ("", False, "local")],
)
def test_without_a_word_the_users_own_cluster_goes_first_then_kind_then_local(
    context: str, has_kind: bool, name: str
) -> None:
    assert automatic(context, lambda: has_kind) == name


@pytest.fixture
def without_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with neither Docker nor kind."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without_kind")
def test_the_cluster_that_is_named_is_taken() -> None:
    assert choose({}).name == "local"
    assert choose({"CLUSTER": "local", "CLUSTER_CONTEXT": "mine"}).name == "local"
    assert choose({"CLUSTER_CONTEXT": "mine"}).name == "existing"
    assert choose({"CLUSTER": "existing", "CLUSTER_CONTEXT": "mine"}).name == "existing"


def test_kind_is_taken_where_it_and_docker_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in ("docker", "kind"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    assert choose({}).name == "kind"
    assert choose({"CLUSTER": "kind"}).name == "kind"

    (tmp_path / "kind").unlink()
    with pytest.raises(
        ClusterUnavailable, match=r"needs the program kind \(https://kind.sigs.k8s.io\): install it"
    ):
        choose({"CLUSTER": "kind"})


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "kind",
            "CLUSTER=kind needs Docker, and no daemon answers `docker version`: start it, or set CLUSTER=local",
        ),
        ("existing", "CLUSTER=existing needs CLUSTER_CONTEXT=<a context of your kubeconfig>"),
        ("minikube", "CLUSTER=minikube is none of existing, kind, local"),
    ],
)
@pytest.mark.usefixtures("without_kind")
def test_a_cluster_that_cannot_be_had_is_refused_in_one_sentence(
    name: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLUSTER", name)
    monkeypatch.delenv("CLUSTER_CONTEXT", raising=False)

    assert main(["up"]) == 1

    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert said.count("\n") == 1


def test_a_node_is_known_by_its_name() -> None:
    assert node("n3") == Node(3)
    assert (Node(3).address, Node(3).pods, Node(3).namespace) == ("10.90.0.13", "10.244.3.0/24", "my-n3")


@pytest.mark.parametrize("name", ["", "n", "n0", "n10", "m1", "1"])
def test_what_is_no_nodes_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="nodes are n1 to n9"):
        node(name)


@pytest.mark.parametrize(("text", "count"), [("", None), (" ", None), ("1", 1), ("3", 3), ("9", 9)])
def test_nodes_says_how_many_nodes_a_cluster_starts_with(text: str, count: int | None) -> None:
    assert node_count(text) == count


@pytest.mark.parametrize("text", ["0", "10", "-1", "3.5", "three", "n3", "3 4", "³"])
def test_a_number_of_nodes_that_makes_no_sense_is_refused_before_anything_starts(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLUSTER", "local")
    monkeypatch.setenv("NODES", text)

    assert main(["up"]) == 1

    said = f"NODES={text} is no number of nodes: set it to 1 to 9, or unset it for 2.\n"
    assert capsys.readouterr().err == said


def test_a_record_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(state, "STATE", tmp_path)
    monkeypatch.setattr(state, "FILE", tmp_path / "cluster.json")
    assert state.read() is None
    record = Record(
        started=1.5, nodes=(1, 2), last_node=2, sysctls={"kernel/panic": "0"}, folders=("/run/netns",)
    )
    state.write(record)
    assert state.read() == record
    state.FILE.write_text("{half")
    assert state.read() is None


def test_a_nodes_number_is_never_given_twice() -> None:
    record = Record().with_node(Node(1)).with_node(Node(2)).without_node(Node(2))
    assert (record.nodes, record.last_node) == ((1,), 2)


def test_mounts_of_the_cluster_are_told_from_others_that_only_start_alike() -> None:
    table = "\n".join(
        f"{number} 1 0:1 / {point} rw - tmpfs tmpfs rw"
        for number, point in enumerate(["/", "/state", "/state/n1/a\\040b", "/state-other/x"])
    )
    assert mounts_below(Path("/state"), table) == ["/state/n1/a b"]


def test_the_kubeconfig_goes_with_the_local_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch()
    monkeypatch.setattr(cluster, "down", lambda _: True)

    LocalProvider(kubeconfig, Progress(quiet=True)).down()

    assert not kubeconfig.exists()
