"""Build the operator's image, bring it into the cluster, install the chart and wait until the operator is ready.

    python -m scripts.install up|down

Run again, it upgrades. Interrupted, it leaves a release that the next run takes over.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from tests.cluster import images, interrupts, packages, tools
from tests.cluster.builders import BuildFailed
from tests.cluster.progress import Progress
from tests.cluster.provider import ClusterUnavailable, Provider, choose
from tests.cluster.waiting import NeverHappened, until

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "charts" / "modelyard"
RELEASE = "modelyard"
NAMESPACE = "modelyard-system"
SELECTOR = f"app.kubernetes.io/name=modelyard,app.kubernetes.io/instance={RELEASE}"
READY_SECONDS = 180
MANY_RESTARTS = 3

EXPECTED = (
    ClusterUnavailable,
    BuildFailed,
    packages.PackagesMissing,
    tools.ToolMissing,
)
"""What may go wrong on a machine that lacks something; each message says what to do."""


class CommandFailed(Exception):
    """kubectl or helm did not do what was asked; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Clients:
    """kubectl and helm, aimed at one cluster."""

    kubeconfig: Path
    namespace: str = NAMESPACE

    def kubectl(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """What kubectl prints. Raises CommandFailed unless `check` is off."""
        aim = (f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}")
        return _run([str(tools.kubectl()), *aim, *arguments], check=check, stdin=stdin)

    def helm(self, *arguments: str, check: bool = True) -> str:
        """What helm prints. Raises CommandFailed unless `check` is off."""
        aim = (f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}")
        return _run([str(tools.tool("helm")), *arguments, *aim], check=check)


def _run(command: Sequence[str], *, check: bool, stdin: str | None = None) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def values(reference: str, provider: Provider) -> dict[str, Any]:
    """Values of the chart for an image pushed as `<repository>:<tag>@<digest>` to the provider's registry.

    The gateway is on, so that the examples can show it.
    """
    named, _, digest = reference.partition("@")
    repository, _, tag = named.rpartition(":")
    plain = [provider.image_registry.partition("/")[0]] if provider.speaks_plain_http else []
    return {
        "image": {"repository": repository, "tag": tag, "digest": digest},
        "registries": {"insecure": plain},
        "gateway": {"enabled": True, "replicas": 1},
    }


def install(provider: Provider, progress: Progress, extra: Mapping[str, Any] | None = None) -> str:
    """Install or upgrade the release on a running cluster; the reference of the image that it runs.

    `extra` are further values of the chart. Raises CommandFailed when the operator does not become ready.
    """
    recipe = images.Recipe(ROOT / "Dockerfile", ROOT)
    reference = images.build_and_push(provider, recipe, "modelyard", "dev", progress)
    clients = Clients(provider.kubeconfig())
    _take_over(clients)
    chosen = {**values(reference, provider), **(extra or {})}
    settings = [f"--set-json={name}={json.dumps(value)}" for name, value in chosen.items()]
    with progress.during("Installing the chart"):
        clients.helm("upgrade", "--install", RELEASE, str(CHART), "--create-namespace", *settings)
    with progress.during("Waiting until the operator is ready"):
        _wait(clients)
    return reference


def uninstall(provider: Provider, progress: Progress) -> None:
    """Remove the release and its namespace; CRDs and models stay."""
    clients = Clients(provider.kubeconfig())
    with progress.during("Removing the chart's release"):
        clients.helm("uninstall", RELEASE, "--ignore-not-found", "--wait")
        clients.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")


def is_installed(clients: Clients) -> bool:
    """Whether there is a release, in whatever state."""
    return bool(json.loads(clients.helm("list", "--all", "--output=json", f"--filter=^{RELEASE}$")))


def _take_over(clients: Clients) -> None:
    """Forget a step of helm's that was interrupted; helm itself would refuse to go on."""
    begun = "status in (pending-install,pending-upgrade,pending-rollback)"
    clients.kubectl(
        "delete", "secrets", f"--selector=owner=helm,name={RELEASE},{begun}", "--ignore-not-found"
    )


def _wait(clients: Clients) -> None:
    try:
        until("the operator is ready", lambda: _is_ready(clients), timeout=READY_SECONDS, every=0.5)
    except (NeverHappened, CommandFailed) as failure:
        look = [
            clients.kubectl("get", "pods", "--output=wide", check=False),
            clients.kubectl("get", "events", "--sort-by=.lastTimestamp", check=False),
            clients.kubectl("logs", f"deployment/{RELEASE}", "--tail=30", check=False),
        ]
        raise CommandFailed("\n".join([str(failure), *look])) from None


def _is_ready(clients: Clients) -> bool:
    """Whether the pod of the newest template is. Raises CommandFailed when it crashes again and again."""
    deployment = json.loads(clients.kubectl("get", f"deployment/{RELEASE}", "--output=json"))
    status, generation = deployment.get("status", {}), deployment["metadata"]["generation"]
    if status.get("observedGeneration") == generation and status.get("replicas") == status.get(
        "updatedReplicas"
    ):
        pods = json.loads(clients.kubectl("get", "pods", f"--selector={SELECTOR}", "--output=json"))["items"]
        if (restarts := max(map(_restarts, pods), default=0)) >= MANY_RESTARTS:
            raise CommandFailed(f"The operator does not start ({restarts} restarts).")
        return bool(status.get("readyReplicas", 0) >= 1)
    return False


def _restarts(pod: Mapping[str, Any]) -> int:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return sum(container["restartCount"] for container in statuses)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.install", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    command = parser.parse_args(arguments).command
    progress = Progress()
    try:
        with interrupts.raised():
            provider = choose(progress=progress)
            if command == "down":
                uninstall(provider, progress)
                return 0
            provider.up()
            reference = install(provider, progress)
    except (*EXPECTED, CommandFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print("Interrupted; run it again to go on.", file=sys.stderr)
        return interrupted.exit_code
    print(f"Modelyard is ready: {reference}")
    kubeconfig, programs = map(quote, map(str, (provider.kubeconfig(), tools.beside_kubectl("helm"))))
    print(f"export KUBECONFIG={kubeconfig} PATH={programs}:$PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
