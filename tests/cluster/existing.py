"""A cluster of the user's own, by a context of their kubeconfig. It is never stopped, and nothing of it changed here.

Images get there through a registry that the user names: CLUSTER_REGISTRY=registry.example.com/team (TLS; pushed by
docker, which must be logged in there) or CLUSTER_REGISTRY=http://10.0.0.5:5000/team (plain HTTP, no login).
"""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.cluster import oci
from tests.cluster.builders import docker_answers
from tests.cluster.programs import Run, check_version, kubectl, or_else, run, write_private
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, ClusterUnavailable, Internet

_PLAIN = "http://"
_KUBECONFIG = "mend your kubeconfig, or set KUBECONFIG to another"
_DOCKER = "see that `docker version` answers, then try again"
_CONTEXT = "start that cluster, or name another context in CLUSTER_CONTEXT"
_PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64})")
_LOADED = re.compile(r"Loaded image(?: ID)?: (\S+)")


class ExistingProvider:
    """Implements `provider.Provider`."""

    name = "existing"
    capabilities: frozenset[Capability] = frozenset()
    internet: Internet | None = None
    audit_log: Path | None = None

    def __init__(
        self,
        kubeconfig: Path,
        progress: Progress,
        context: str,
        registry: str = "",
        *,
        run: Run = run,
        has_docker: Callable[[], bool] = docker_answers,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._progress = progress
        self._context = context
        self._registry = registry.rstrip("/")
        self._run = run
        self._has_docker = has_docker

    @property
    def image_registry(self) -> str:
        return self._registry.removeprefix(_PLAIN)

    @property
    def speaks_plain_http(self) -> bool:
        return self._registry.startswith(_PLAIN)

    def is_running(self) -> bool:
        try:
            self._version()
        except ClusterUnavailable:
            return False
        return True

    def describe(self) -> str:
        try:
            version = self._version()
        except ClusterUnavailable as unavailable:
            return str(unavailable)
        registry = self.image_registry or "none (CLUSTER_REGISTRY names one)"
        nodes = ", ".join(self.nodes())
        return f"The context {self._context}: Kubernetes {version}, nodes {nodes}, registry {registry}"

    def up(self) -> None:
        version = self._version()
        self.kubeconfig()
        self._progress.say(f"Using the context {self._context} (Kubernetes {version})")

    def down(self) -> None:
        """Only our copy of the kubeconfig goes; the cluster is the user's."""
        self._kubeconfig.unlink(missing_ok=True)

    @or_else(_KUBECONFIG)
    def kubeconfig(self) -> Path:
        write_private(self._kubeconfig, self._run(self._view()))
        return self._kubeconfig

    def nodes(self) -> list[str]:
        found = json.loads(self._ask("get", "nodes", "--output=json"))["items"]
        return sorted(node["metadata"]["name"] for node in found if _takes_pods(node))

    def add_node(self) -> str:
        raise ClusterUnavailable(
            f"The cluster of context {self._context} is yours: no node is added to it here; add one yourself."
        )

    def stop_node(self, name: str) -> None:
        raise ClusterUnavailable(
            f"The cluster of context {self._context} is yours: node {name} is not stopped here; stop it yourself."
        )

    def push(self, archive: Path, name: str, tag: str) -> str:
        registry, repository = oci.split(name)
        if registry:
            raise ClusterUnavailable(
                f"Your cluster pulls {registry} itself: push {name} there, or give it a name without a registry."
            )
        if not self._registry:
            raise ClusterUnavailable(
                "Your cluster needs a registry to pull images from: set CLUSTER_REGISTRY=registry.example.com/team "
                "(docker must be logged in there), or CLUSTER_REGISTRY=http://host:port/path for one without TLS."
            )
        target = f"{self.image_registry}/{repository}"
        try:
            with oci.opened(archive) as image:
                push = self._push_plain if self.speaks_plain_http else self._push_by_docker
                return f"{target}:{tag}@{push(image, target, tag)}"
        except oci.NotAnImage as error:
            raise ClusterUnavailable(str(error)) from error

    # --- steps -----------------------------------------------------------------------------------------

    def _push_plain(self, image: oci.Image, target: str, tag: str) -> str:
        host, _, repository = target.partition("/")
        try:
            return oci.push(image, host, repository, tag)
        except OSError as error:
            raise ClusterUnavailable(
                f"The registry {host} of CLUSTER_REGISTRY does not answer: {error}; start it, or name another in "
                "CLUSTER_REGISTRY."
            ) from error

    @or_else(_DOCKER)
    def _push_by_docker(self, image: oci.Image, target: str, tag: str) -> str:
        if not self._has_docker():
            raise ClusterUnavailable(
                f"CLUSTER_REGISTRY={self._registry} speaks TLS, and pushing there takes Docker, of which no daemon "
                "answers: start it and log in, or name a registry without TLS as http://host:port/path."
            )
        with tempfile.TemporaryDirectory(prefix="modelyard-push-") as folder:
            packed = Path(folder, "image.tar")
            with tarfile.open(packed, "w") as tar:
                tar.add(image.layout, arcname=".")
            loaded = _LOADED.search(self._run(["docker", "load", f"--input={packed}"]))
        if loaded is None:
            raise ClusterUnavailable(
                f"`docker load` did not say what it loaded of {image.layout}; install Docker >= 25, which does."
            )
        self._run(["docker", "tag", loaded[1], f"{target}:{tag}"])
        host, _, path = self._registry.partition("/")
        login = f"see that `docker login {host}` lets you push to {path or 'it'}, or name another registry in"
        with or_else(f"{login} CLUSTER_REGISTRY"):
            pushed = _PUSHED.search(self._run(["docker", "push", f"{target}:{tag}"]))
        if pushed is None:
            raise ClusterUnavailable(
                f"`docker push {target}:{tag}` did not say which digest it pushed; install Docker >= 25, which does."
            )
        return pushed[1]

    # --- looking ---------------------------------------------------------------------------------------

    def _version(self) -> str:
        """Raises ClusterUnavailable when there is no such context, nobody answers, or the version is too old."""
        with or_else(_KUBECONFIG):
            contexts = self._run([kubectl(), "config", "get-contexts", "--output=name"]).splitlines()
        if self._context not in contexts:
            raise ClusterUnavailable(
                f"CLUSTER_CONTEXT={self._context} is no context of your kubeconfig, which has "
                f"{', '.join(contexts) or 'none'}: name one of those, or set KUBECONFIG."
            )
        return check_version(self._ask("version", "--output=json"), f"The cluster of context {self._context}")

    def _view(self) -> list[str]:
        """The command that prints a kubeconfig of this context alone, with everything in it."""
        whole = ("config", "view", "--minify", "--flatten", "--raw", "--output=yaml")
        return [kubectl(), f"--context={self._context}", *whole]

    @or_else(_CONTEXT)
    def _ask(self, *arguments: str) -> str:
        options = (f"--context={self._context}", "--request-timeout=20s")
        return self._run([kubectl(), *options, *arguments])


def _takes_pods(node: dict[str, object]) -> bool:
    spec, status = node.get("spec"), node.get("status")
    assert isinstance(spec, dict)
    assert isinstance(status, dict)
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
    taints = [taint["effect"] for taint in spec.get("taints", [])]
    return ready and not spec.get("unschedulable") and not {"NoSchedule", "NoExecute"} & set(taints)
