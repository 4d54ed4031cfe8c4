"""Programs are named by all that goes into them, and asked for in words that say what to do when they cannot be had."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import packages, tools
from tests.cluster.progress import Progress
from tests.cluster.tools import MODULES, Module, ToolMissing


def module(name: str) -> Module:
    return next(module for module in MODULES if module.name == name)


def test_every_program_of_the_cluster_is_pinned_once() -> None:
    names = [name for module in MODULES for name in module.binaries]
    assert sorted(names) == [
        "coredns",
        "helm",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-router",
        "kube-scheduler",
        "kubelet",
        "pause",
    ]


@pytest.mark.parametrize("name", [module.name for module in MODULES if module.name != "pause"])
def test_every_module_pins_exact_versions_with_their_sums(name: str) -> None:
    folder = module(name).folder
    required = re.findall(r"^(?:require )?\s*(\S+) (v\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
    assert required
    assert all(re.match(r"v\d+\.\d+\.\d+", version) for _, version in required)
    assert (folder / "go.sum").stat().st_size > 0


def test_kubernetes_says_the_release_that_it_is_of() -> None:
    pinned = re.search(r"k8s.io/kubernetes (v\S+)", (module("kubernetes").folder / "go.mod").read_text())
    assert pinned is not None
    assert f"version.gitVersion={pinned[1]}" in tools.link_flags(module("kubernetes"))
    assert "gitVersion" not in tools.link_flags(module("helm"))


def test_a_key_tells_apart_what_only_joins_to_the_same() -> None:
    assert tools.key([b"ab", b"c"]) != tools.key([b"a", b"bc"])
    assert tools.key([b"a"]) == tools.key([b"a"])


def test_without_go_one_sentence_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tools._go_version.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolMissing, match=r"^No Go on this machine: install Go 1\.26"):
        tools.tool("pause")


def test_a_program_that_is_no_tool_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "missing", lambda _: [])
    with pytest.raises(ToolMissing, match="No program frobnicate"):
        tools.tool("frobnicate")


def test_kubectl_is_the_one_of_this_python() -> None:
    assert tools.kubectl().is_relative_to(Path(sys.prefix).resolve())


def test_helm_is_found_beside_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {}
    for name in ("kubectl", "helm"):
        places[name] = tmp_path / f"of-{name}" / name
        places[name].parent.mkdir()
        places[name].touch()
    (tmp_path / "of-kubectl" / "helm").symlink_to(tmp_path / "an older one that is gone")
    monkeypatch.setattr(tools, "kubectl", lambda: places["kubectl"])
    monkeypatch.setattr(tools, "tool", places.__getitem__)

    for _ in range(2):
        assert tools.beside_kubectl("helm") == tmp_path / "of-kubectl"
        assert (tmp_path / "of-kubectl" / "helm").resolve() == places["helm"]


def test_a_helm_of_the_user_s_own_beside_kubectl_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "helm"
    own.write_text("own")
    monkeypatch.setattr(tools, "kubectl", lambda: tmp_path / "kubectl")
    monkeypatch.setattr(tools, "tool", lambda _: tmp_path / "elsewhere" / "helm")

    assert tools.beside_kubectl("helm") == tmp_path
    assert own.read_text() == "own"


def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built = tmp_path / "built"
    built.mkdir()
    monkeypatch.setattr(tools, "cache_dir", lambda name: built)
    monkeypatch.setattr(tools, "_MODULES", tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (tmp_path / "pause").mkdir()
    (broken / "go.mod").write_text("module modelyard.test/broken\n\ngo 1.21\n")
    (broken / "main.go").write_text("package main\n\nfunc main() {\n")
    with pytest.raises(ToolMissing, match="syntax error"):
        tools.built(Module("broken", (".",), home=tmp_path), Progress(quiet=True))
    assert [path for path in built.iterdir() if not path.name.endswith(".lock")] == []


def test_packages_are_installed_with_the_starters_of_daemons_replaced() -> None:
    command = packages.install_command(["runc", "etcd-server"], ["/usr/sbin/invoke-rc.d"])
    assert command[:4] == ["unshare", "--mount", "--propagation", "private"]
    assert command[-1] == (
        "mount --bind /bin/true /usr/sbin/invoke-rc.d && "
        "exec apt-get install --yes --quiet --no-install-recommends runc etcd-server"
    )


def test_a_package_is_missing_when_its_file_is(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    assert packages.missing({"a": str(there), "b": str(tmp_path / "absent")}) == ["b"]


def test_missing_packages_without_root_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(packages.PackagesMissing, match="run as root: apt-get install runc"):
        packages.ensure(Progress(quiet=True), {"runc": "/nowhere/runc", "there": "/"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_an_exception_that_finally_sees(number: signal.Signals) -> None:
    program = f"""
import os
from tests.cluster import interrupts
try:
    with interrupts.raised():
        try:
            os.kill(os.getpid(), {int(number)})
        finally:
            with interrupts.ignored():
                os.kill(os.getpid(), {int(number)})
                print("cleaned")
except interrupts.Interrupted as interrupted:
    raise SystemExit(interrupted.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("cleaned\n", 128 + number)
