"""The programs that turn a Dockerfile into an image: docker when its daemon answers, else Debian's buildah."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.cluster.base_image import stand_in
from tests.cluster.cache import cache_dir, locked
from tests.cluster.oci import Image
from tests.cluster.progress import Progress
from tests.cluster.tools import tool

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_MOST_IMAGES = 150
_DOCKER_TIMEOUT = 20.0


class BuildFailed(Exception):
    """An image was not built; the message ends with what the builder said."""


@dataclass(frozen=True, slots=True)
class Job:
    """One build."""

    dockerfile: Path
    context: Path
    arguments: Mapping[str, str]
    secrets: Mapping[str, Path]
    """Files by the ids that the Dockerfile mounts them under."""
    name: str
    """A name for the image while it is in the builder's own store."""


class Builder(Protocol):
    """Builds images."""

    @property
    def name(self) -> str: ...

    def bases(self, public: Mapping[str, str], progress: Progress) -> dict[str, str]:
        """What to say for those build arguments that name public images; empty when it pulls them itself."""

    def build(self, job: Job, layout: Path) -> None:
        """Build, and write the image to `layout` as an OCI layout. Raises BuildFailed."""


def builder() -> Builder:
    """The builder of this machine."""
    return Docker() if docker_answers() else Buildah()


def docker_answers() -> bool:
    """Whether there is a docker command whose daemon answers, and does so in time."""
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(asked, capture_output=True, timeout=_DOCKER_TIMEOUT).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class Docker:
    """`docker build` with BuildKit. It pulls the public bases itself."""

    name = "docker"

    def bases(self, public: Mapping[str, str], progress: Progress) -> dict[str, str]:
        return {}

    def build(self, job: Job, layout: Path) -> None:
        proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        command = ["docker", "build", "--tag", job.name, *_common({**proxies, **job.arguments}, job)]
        _run(command, {"DOCKER_BUILDKIT": "1"})
        saved = layout.with_suffix(".tar")
        _run(["docker", "save", "--output", str(saved), job.name])
        with tarfile.open(saved) as tar:
            tar.extractall(layout, filter="data")
        saved.unlink()


class Buildah:
    """buildah with a store of its own, as root in a chroot: it needs neither a daemon nor the right to set limits."""

    name = "buildah"

    def __init__(self) -> None:
        store = cache_dir("buildah")
        # Other policies (signatures, public registries) are the user's; ours takes local images as they are.
        self._policy = store / "policy.json"
        self._policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        # buildah leaves mounts behind, more when it is interrupted: in a mount namespace of its own they go with it.
        self._command = ["unshare", "--mount", "--propagation=private", str(tool("buildah"))]
        self._command += [
            "--root",
            str(store / "root"),
            "--runroot",
            str(store / "run"),
            "--storage-driver=overlay",
        ]
        self._lock = store / ".lock"

    def bases(self, public: Mapping[str, str], progress: Progress) -> dict[str, str]:
        images = {argument: stand_in(reference, progress) for argument, reference in public.items()}
        names = {
            argument: f"localhost/modelyard/base:{image.digest[7:19]}" for argument, image in images.items()
        }
        with locked(self._lock):
            self._tidy()
            for argument, image in images.items():
                self._keep(image, names[argument])
        return names

    def _keep(self, image: Image, name: str) -> None:
        if not self._has(name):
            # buildah makes a name of the path, and takes no path that it cannot make one of: hence a relative one.
            pull = [
                *self._command,
                "pull",
                "--quiet",
                f"--signature-policy={self._policy}",
                f"oci:{image.layout.name}",
            ]
            self._do("tag", _run(pull, cwd=image.layout.parent).split()[-1], name)

    def build(self, job: Job, layout: Path) -> None:
        options = ["--isolation=chroot", "--network=host", "--layers", "--pull-never", "--format=oci"]
        options += [f"--signature-policy={self._policy}", f"--tag={job.name}"]
        with locked(self._lock):
            self._do("build", *options, *_common(job.arguments, job))
            self._do("push", "--quiet", f"--signature-policy={self._policy}", job.name, f"oci:{layout}")

    def _tidy(self) -> None:
        """Drop what an interrupted build left; layers of old builds are kept for the next one, but not for ever."""
        self._do("rm", "--all")
        if len(self._do("images", "--all", "--quiet").split()) > _MOST_IMAGES:
            self._do("rmi", "--all", "--force")

    def _has(self, name: str) -> bool:
        return (
            subprocess.run([*self._command, "inspect", "--type=image", name], capture_output=True).returncode
            == 0
        )

    def _do(self, *arguments: str) -> str:
        return _run([*self._command, *arguments])


def _common(arguments: Mapping[str, str], job: Job) -> list[str]:
    values = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    secrets = [f"--secret=id={name},src={path}" for name, path in job.secrets.items()]
    return [*values, *secrets, f"--file={job.dockerfile}", str(job.context)]


def _run(command: list[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(command, env={**os.environ, **(env or {})}, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildFailed(
            f"`{' '.join(command[:3])} ...` failed:\n{(done.stdout + done.stderr)[-3000:].strip()}"
        )
    return done.stdout
