"""The demo: a model whose second version is refused by its gate, on a cluster that it starts or finds.

    python -m scripts.demo up      shows it, and leaves it running
    python -m scripts.demo down    takes away what `up` made

Both can be interrupted and run again. What `up` began is noted in .cluster/demo.json before it begins.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from scripts import install
from scripts.install import EXPECTED, ROOT, Clients, CommandFailed
from tests.cluster import images, interrupts, tools
from tests.cluster.progress import Progress
from tests.cluster.provider import KUBECONFIG, Capability, Provider, choose
from tests.cluster.waiting import NeverHappened, until

EXAMPLE = ROOT / "examples" / "02-failing-gate"
NAMESPACE = "modelyard-demo"
MODEL, REFUSED = "prices", "prices-v2"
TENSORS = (
    '{"inputs": [{"name": "area", "shape": [2], "datatype": "FP64", "data": [55, 28]}, '
    '{"name": "rooms", "shape": [2], "datatype": "INT64", "data": [2, 0]}]}'
)
"""The same question in the Open Inference Protocol."""

QUESTION = '{"X": {"area": [55, 28], "rooms": [2, 0]}}'
PYTHON_IMAGE = ("docker.io/library/python", "3.11-slim-bookworm")
NOTE = ROOT / ".cluster" / "demo.json"
SECONDS = 240


@dataclass(frozen=True, slots=True)
class Begun:
    """What of the cluster is the demo's own and goes with it."""

    cluster: bool
    """The demo started the cluster."""

    release: bool
    """The demo installed the operator."""

    kubeconfig: bool = False
    """The demo brought the kubeconfig into the checkout."""


def read_note(note: Path) -> Begun | None:
    """What an earlier run began; None when none did."""
    return Begun(**json.loads(note.read_text())) if note.exists() else None


def write_note(begun: Begun, note: Path) -> None:
    """Remember it for `down`."""
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(asdict(begun)))


def up(provider: Provider, progress: Progress) -> None:
    """Show the example from nothing to a prediction."""
    begin(provider)
    install.install(provider, progress)
    push_environment(provider, progress)
    clients = Clients(provider.kubeconfig(), NAMESPACE)
    apply_example(clients, progress)
    follow(clients, progress)
    predict(clients, progress)
    print_summary(clients, provider)


def begin(provider: Provider) -> None:
    """Start or find the cluster, and note what of it is the demo's own, each thing before it is made."""
    earlier = read_note(NOTE) or Begun(cluster=False, release=False)
    cluster = earlier.cluster or not provider.is_running()
    kubeconfig = earlier.kubeconfig or not KUBECONFIG.exists()
    write_note(Begun(cluster, earlier.release, kubeconfig), NOTE)
    provider.up()
    found = install.is_installed(Clients(provider.kubeconfig()))
    write_note(Begun(cluster, earlier.release or not found, kubeconfig), NOTE)


def push_environment(provider: Provider, progress: Progress) -> None:
    """Put the image that the examples name where nodes find it, if the cluster cannot pull it itself."""
    if Capability.PUBLIC_NAMES in provider.capabilities:
        folder = ROOT / "examples" / "images" / "python"
        images.build_and_push(provider, images.Recipe(folder / "Dockerfile", folder), *PYTHON_IMAGE, progress)


def apply_example(clients: Clients, progress: Progress) -> None:
    """`kubectl apply -f examples/02-failing-gate/` in a namespace of its own."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    clients.kubectl("apply", "--filename=-", stdin=json.dumps(manifest))
    progress.say(f"kubectl apply -f {EXAMPLE.relative_to(ROOT)}/")
    for line in clients.kubectl("apply", f"--filename={EXAMPLE}").splitlines():
        progress.say(f"  {line}")


def follow(clients: Clients, progress: Progress) -> None:
    """Say what happens to the versions until one serves and the second one is refused."""
    said: set[str] = set()

    def happened() -> bool:
        versions = json.loads(clients.kubectl("get", "custommodelversions", "--output=json"))["items"]
        for line in tell(versions):
            if line not in said:
                progress.say(f"  {line}")
                said.add(line)
        return is_over(versions)

    try:
        until(f"a version serves and {REFUSED} is refused", happened, timeout=SECONDS, every=0.5)
    except NeverHappened as never:
        state = clients.kubectl("get", "modelyard,pods,events", check=False)
        raise CommandFailed(f"{never}\n{state}") from None


def tell(versions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One line for each version: its reason, and in which words."""
    for version in versions:
        ready = condition(version, "Ready")
        if ready.get("reason"):
            name = version["metadata"]["name"]
            yield f"{name}: {ready['reason']}. {ready.get('message', '')}".strip()


def is_over(versions: Sequence[dict[str, Any]]) -> bool:
    """Whether a version serves, the first one or one that mends the second, and the second one is refused."""
    serves = any(condition(version, "Serving").get("status") == "True" for version in versions)
    refused = [version for version in versions if version["metadata"]["name"] == REFUSED]
    return serves and any(condition(version, "Stalled").get("status") == "True" for version in refused)


def condition(version: dict[str, Any], type_: str) -> dict[str, Any]:
    """A condition of an object; empty when it has none of this type."""
    conditions = version.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == type_), {})


def predict(clients: Clients, progress: Progress) -> None:
    """Ask the model from a pod in its namespace."""
    url = clients.kubectl("get", "custommodel", MODEL, "--output=jsonpath={.status.address.url}")
    ask = (ROOT / "examples" / "predict.py").read_text()
    progress.say(f"Asking {url}/predict_no_state/ for {QUESTION}")
    clients.kubectl("delete", "pod", "ask", "--ignore-not-found")
    options = ("--rm", "--stdin", "--quiet", "--restart=Never", f"--image={':'.join(PYTHON_IMAGE)}")
    answer = clients.kubectl("run", "ask", *options, "--", "python3", "-c", ask, url, stdin=QUESTION)
    progress.say(f"  {answer.strip()}")


def print_summary(clients: Clients, provider: Provider) -> None:
    """What runs now, and what to try next."""
    kinds = "custommodels,custommodelversions,modeltests,deployments,services,pods"
    print(f"\n{clients.kubectl('get', kinds).strip()}\n")
    print(next_steps(provider.kubeconfig(), tools.beside_kubectl("helm")))


def next_steps(kubeconfig: Path, programs: Path) -> str:
    """What to try next; `programs` is the folder of kubectl and helm."""
    return f"""What to try next:
  export KUBECONFIG={quote(str(kubeconfig))} PATH={quote(str(programs))}:$PATH
  kubectl config set-context --current --namespace={NAMESPACE}
  kubectl get custommodelversion {REFUSED} -o jsonpath='{{.status.conditions[?(@.type=="Ready")].message}}{{"\\n"}}'
  kubectl apply -f examples/02-failing-gate/fixed/      # a third version, mended: watch it take over
  kubectl get custommodelversions --watch               # Ctrl-C ends it
  ADDRESS=$(kubectl get custommodel {MODEL} -o jsonpath='{{.status.address.url}}')
  kubectl run ask --rm --stdin --quiet --restart=Never --image={":".join(PYTHON_IMAGE)} -- \\
    python3 -c "$(cat examples/predict.py)" "$ADDRESS" <<< '{QUESTION}'
  kubectl --namespace {install.NAMESPACE} port-forward service/{install.RELEASE}-gateway 8001:80 > /dev/null &
  FORWARD=$!
  curl --silent --show-error --retry 9 --retry-delay 1 --retry-connrefused --write-out '\\n' \\
    http://127.0.0.1:8001/{NAMESPACE}/v2/models/{MODEL}/infer \\
    --data '{TENSORS}'  # the Open Inference Protocol: docs/gateway.md
  modelyard init /tmp/my-model && kubectl apply -k /tmp/my-model  # a model of your own
  kubectl get custommodels --watch                      # until it is True, in half a minute; Ctrl-C ends it
  kubectl explain custommodelversion.spec
  make demo-down; unset KUBECONFIG; kill $FORWARD       # take it all away, the forwarded port too
"""


def down(provider: Provider, progress: Progress) -> None:
    """Take away the demo: the cluster if the demo started it, else only what the demo put there."""
    begun = read_note(NOTE)
    if begun is None:
        progress.say("There is no demo to take away")
        return
    if begun.cluster:
        provider.down()
    elif provider.is_running():
        remove_objects(provider, progress, begun)
    if begun.kubeconfig:
        KUBECONFIG.unlink(missing_ok=True)
    NOTE.unlink()
    if not any(NOTE.parent.iterdir()):
        NOTE.parent.rmdir()


def remove_objects(provider: Provider, progress: Progress, begun: Begun) -> None:
    """The demo's namespace, and the operator too unless it was there before or others use it by now."""
    clients = Clients(provider.kubeconfig())
    with progress.during(f"Deleting namespace {NAMESPACE}"):
        clients.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")
    if not begun.release:
        return
    if others := clients.kubectl(
        "get", "modelyard", "--all-namespaces", "--output=name", check=False
    ).split():
        progress.say(f"The operator stays: {len(others)} other objects of its kinds are in this cluster")
        return
    install.uninstall(provider, progress)
    crds = [
        name for name in clients.kubectl("get", "crds", "--output=name").split() if "modelyard.dev" in name
    ]
    if crds:
        clients.kubectl("delete", *crds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    command = parser.parse_args(arguments).command
    progress = Progress()
    try:
        with interrupts.raised():
            (up if command == "up" else down)(choose(progress=progress), progress)
    except (*EXPECTED, CommandFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print(
            f"Interrupted. `make demo{'' if command == 'up' else '-down'}` goes on, `make demo-down` takes it away."
        )
        return interrupted.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
