"""Debian packages that the tests need: found, or installed without starting the daemons they bring."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import interrupts
from tests.cluster.cache import cache_dir, locked
from tests.cluster.progress import Progress

# package -> a file that it alone brings
PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "etcd-server": "/usr/bin/etcd",
    "docker-registry": "/usr/bin/docker-registry",
    "containernetworking-plugins": "/usr/lib/cni/ptp",
    "iptables": "/usr/sbin/iptables",
    "ipset": "/usr/sbin/ipset",
    "nftables": "/usr/sbin/nft",
    "iproute2": "/usr/bin/ip",
    "openssl": "/usr/bin/openssl",
    "conntrack": "/usr/sbin/conntrack",
    "mmdebstrap": "/usr/bin/mmdebstrap",
    "buildah": "/usr/bin/buildah",
    "curl": "/usr/bin/curl",
}
NODE = {"nodejs": "/usr/bin/node"}
"""For models in JavaScript outside any cluster; Python and Go are there, since the project needs them."""

# The installers of these packages start their daemons through one of these two programs. In a mount namespace
# of our own they are `true`, so nothing is started, and nothing of it is left behind however apt ends.
_STARTERS = ("/usr/sbin/invoke-rc.d", "/usr/bin/deb-systemd-invoke")


class PackagesMissing(Exception):
    """Debian packages are missing and cannot be installed here; the message says which and what to do."""


def missing(packages: Mapping[str, str] = PACKAGES) -> list[str]:
    """The packages of which the file is not there."""
    return [name for name, file in packages.items() if not Path(file).exists()]


def install_command(packages: list[str], starters: list[str]) -> list[str]:
    """The command that installs `packages` with `starters` replaced by `true` for as long as it runs."""
    binds = [f"mount --bind /bin/true {shlex.quote(starter)}" for starter in starters]
    apt = shlex.join(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages])
    script = " && ".join([*binds, f"exec {apt}"])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def ensure(progress: Progress, packages: Mapping[str, str] = PACKAGES) -> None:
    """Install what is missing; does nothing when nothing is. Raises PackagesMissing when it cannot."""
    lacking = missing(packages)
    if not lacking:
        return
    if os.geteuid() != 0:
        raise PackagesMissing(f"Missing Debian packages: run as root: apt-get install {' '.join(lacking)}")
    if shutil.which("apt-get") is None:
        raise PackagesMissing(
            f"This machine has no apt-get: the tests need Debian 12 or later, or {', '.join(lacking)} "
            "installed by hand."
        )
    with locked(cache_dir() / ".apt.lock", waiting=lambda: progress.say("Waiting for another apt-get")):
        if wanted := missing(packages):
            _install(wanted, progress)
        if still := missing(packages):
            raise PackagesMissing(
                f"Installed, but their files are not where they should be: {', '.join(still)}"
            )


def _install(packages: list[str], progress: Progress) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    starters = [starter for starter in _STARTERS if Path(starter).exists()]
    steps = {
        "Reading the package lists (apt-get update)": ["apt-get", "update", "--quiet"],
        f"Installing {' '.join(packages)}": install_command(packages, starters),
    }
    for what, command in steps.items():
        # Never stopped halfway, not even by Ctrl-C: the machine's package database would be left to repair.
        with progress.during(what), interrupts.deferred():
            done = subprocess.run(
                command,
                env=quiet,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        if done.returncode != 0:
            raise PackagesMissing(f"{what} failed:\n{done.stdout[-2000:]}")
