"""Small Debians, made by mmdebstrap from the machine's own package sources where no public registry is in reach.

Each stands in for one public image that Dockerfiles of ours begin with, whatever its tag: it has the same programs,
in the version of the machine's Debian. In the one with Python, pip installs as it does in the public one, and what
numpy's wheels load (libstdc++) is there.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cache import cache_dir, kept
from tests.cluster.oci import Image, image_in, write_layout
from tests.cluster.progress import Progress
from tests.cluster.tools import architecture, key, tool

_EDITION = "1"
"""To be raised when an image comes out otherwise though its packages and hooks are the same."""

_WITHOUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/lintian/*",
)
_LEFT_OUT = (
    "etc/apt/sources.list* etc/resolv.conf etc/hostname var/log/* var/lib/apt/lists",
    "usr/lib/python3*/EXTERNALLY-MANAGED",
)
_TIDY = f'cd "$1" && rm -rf {" ".join(_LEFT_OUT)}'


@dataclass(frozen=True, slots=True)
class StandIn:
    """A Debian with some packages that stands in for a public image."""

    name: str
    """What it is called in the cache and in what people read."""

    packages: str
    command: str
    """What its containers run unless told otherwise."""

    hooks: tuple[str, ...] = (_TIDY,)
    """Commands that are run when the packages are in place; $1 is the root of the new image."""


PYTHON = StandIn(
    name="python",
    packages="python3,python3-pip,python3-venv,ca-certificates,libstdc++6",
    command="python3",
    hooks=(
        _TIDY,
        'ln -s /usr/bin/python3 "$1/usr/local/bin/python" && ln -s /usr/bin/pip3 "$1/usr/local/bin/pip"',
    ),
)

STAND_INS = {
    "docker.io/library/python": PYTHON,
    "docker.io/library/node": StandIn(name="node", packages="nodejs,ca-certificates", command="node"),
    "docker.io/library/golang": StandIn(name="golang", packages="golang-go,ca-certificates", command="bash"),
}
"""By the repository of the public image."""


class NoBaseImage(Exception):
    """The base image cannot be made here; the message says why."""


def python_base(progress: Progress) -> Image:
    """The Debian with Python."""
    return made(PYTHON, progress)


def stand_in(reference: str, progress: Progress) -> Image:
    """The image that stands in for the public one of that name, tag included. Raises NoBaseImage."""
    repository = re.sub(r"(:[^/]*)?(@.*)?$", "", reference)
    if repository not in STAND_INS:
        raise NoBaseImage(f"Nothing stands in for {reference} here, only for {', '.join(STAND_INS)}.")
    return made(STAND_INS[repository], progress)


def made(what: StandIn, progress: Progress) -> Image:
    """The image, made once a machine; `rm -r` its folder in the cache to have it made anew."""
    recipe = "\n".join([_EDITION, what.packages, *_WITHOUT, *what.hooks, architecture()])
    target = cache_dir("images") / f"{what.name}-{release()}-{key([recipe.encode()])}"

    def make(folder: Path) -> None:
        with progress.during(f"Making a base image: Debian {release()} with {what.name}"):
            _make(what, folder)

    return image_in(kept(target, make, what="the base image", progress=progress) / "layout")


def release() -> str:
    """The code name of the machine's Debian release."""
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    if found is None:
        raise NoBaseImage("This machine is no Debian: /etc/os-release has no VERSION_CODENAME.")
    return found[1]


def sources_of(release: str, texts: list[str]) -> str:
    """Those package sources (one-line or deb822, from files of either) that are Debian's own for `release`."""
    suites = {release, f"{release}-updates", f"{release}-security"}
    found = []
    for text in texts:
        if re.search(r"^Types:", text, re.MULTILINE):
            found += [stanza for stanza in re.split(r"\n\s*\n", text) if suites & _suites(stanza)]
        else:
            found += [line for line in text.splitlines() if _suite(line) in suites]
    return "\n\n".join(found)


def _suites(stanza: str) -> set[str]:
    found = re.search(r"^Suites:(.*)$", stanza, re.MULTILINE)
    return set(found[1].split()) if found else set()


def _suite(line: str) -> str:
    found = re.match(r"deb\s+(?:\[[^]]*\]\s+)?\S+\s+(\S+)\s", line)
    return found[1] if found else ""


def _make(what: StandIn, folder: Path) -> None:
    root = folder / "root.tar"
    sources = folder / "sources"
    sources.write_text(_machine_sources())
    settings = folder / "apt.conf"
    settings.write_text(_network_settings())
    # In a mount namespace of its own: what it mounts goes with it, however it ends.
    command = [
        "unshare",
        "--mount",
        "--propagation=private",
        str(tool("mmdebstrap")),
        "--mode=root",
        "--variant=essential",
        f"--include={what.packages}",
    ]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _WITHOUT]
    command += [f"--customize-hook={hook}" for hook in what.hooks]
    command += [f"--aptopt={settings}", "--format=tar", release(), str(root)]
    command += [str(sources)] if sources.stat().st_size else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoBaseImage(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    config = {"architecture": architecture(), "os": "linux", "config": {"Env": [path], "Cmd": [what.command]}}
    write_layout(folder / "layout", config, [root])
    for scratch in (root, sources, settings):
        scratch.unlink()


def _machine_sources() -> str:
    files = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    return sources_of(release(), [file.read_text() for file in files if file.is_file()])


def _network_settings() -> str:
    """How the machine's apt reaches its mirrors: proxies and certificates; mmdebstrap does not look."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    wanted = re.compile(
        r"Acquire::https?::\S*(Proxy|CaInfo|CaPath|SslCert|SslKey|Verify-Peer|Verify-Host)", re.IGNORECASE
    )
    return "".join(line + "\n" for line in dump.splitlines() if wanted.match(line))
