"""A machine with Docker and kind as far as the provider asks them: containers, a network, files in nodes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.cluster.kind import KindProvider
from tests.cluster.progress import Progress
from tests.unit.cluster.playing import VERSION, Answer, Played, refused

NODES = ("modelyard-control-plane", "modelyard-worker", "modelyard-worker2")
REGISTRY = "modelyard-registry"


class Machine(Played):
    """Does what is asked of it and refuses what Docker refuses; an answer of the test goes before."""

    def __init__(self, answers: Mapping[str, Answer | Iterator[Answer]] | None = None) -> None:
        known = {"kubectl version": VERSION, "kubectl get --raw=/readyz": "ok"}
        super().__init__({**known, "kind get kubeconfig": "a kubeconfig", **(answers or {})})
        self.runs: dict[str, bool] = {}
        """All containers by name: whether they run."""
        self.connected: set[str] = set()
        """Those in the network of kind."""
        self.files: dict[str, str] = {}
        """Contents by node:path."""

    def __call__(self, command: Sequence[str], stdin: str | None = None) -> str:
        return super().__call__(command, stdin) or self._do(self.commands[-1], stdin or "")

    def _do(self, command: list[str], stdin: str) -> str:
        match command:
            case ["docker", "ps", *options]:
                return "\n".join(self._listed(options))
            case ["docker", "run", _, name, *_]:
                self._make([name.removeprefix("--name=")])
            case ["docker", "start", *names]:
                self._start(names)
            case ["docker", "kill", name]:
                self.runs[name] = False
            case ["docker", "rm", *_, name]:
                self._remove([name])
            case ["docker", "network", "connect", "kind", name]:
                self._connect(name)
            case ["docker", "exec", "--interactive", node, "cp", "/dev/stdin", path]:
                self.files[f"{node}:{path}"] = stdin
            case ["kind", "create", *_]:
                self._make(NODES)
                self.connected |= set(NODES)
            case ["kind", "delete", *_]:
                self._remove(NODES)
            case ["kind", "get", "clusters"]:
                return "other\nmodelyard\n" if self._nodes() else "other\n"
            case ["kind", "get", "nodes", _]:
                return "\n".join(self._nodes())
            case ["kubectl", "get", "nodes", *_]:
                return json.dumps({"items": [ready(node) for node in self._nodes() if self.runs[node]]})
        return ""

    def _nodes(self) -> list[str]:
        return [node for node in NODES if node in self.runs]

    def _listed(self, options: list[str]) -> list[str]:
        (pattern,) = [o.removeprefix("--filter=name=") for o in options if o.startswith("--filter=name=")]
        name = pattern.removeprefix("^").removesuffix("$")
        shown = self.runs.get(name, False) or ("--all" in options and name in self.runs)
        placed = "--filter=network=kind" not in options or name in self.connected
        return [name] if shown and placed else []

    def _make(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.runs:
                raise refused(f"Conflict. The container name {name} is already in use")
            self.runs[name] = True

    def _start(self, names: list[str]) -> None:
        for name in names:
            if name not in self.runs:
                raise refused(f"No such container: {name}")
            self.runs[name] = True

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.runs.pop(name, None)
            self.connected.discard(name)
            self.files = {place: text for place, text in self.files.items() if not place.startswith(name)}

    def _connect(self, name: str) -> None:
        if name in self.connected:
            raise refused(f"endpoint with name {name} already exists in network kind")
        self.connected.add(name)


def ready(node: str, status: str = "True") -> dict[str, object]:
    """A Node as kubectl prints it."""
    return {"metadata": {"name": node}, "status": {"conditions": [{"type": "Ready", "status": status}]}}


def provider(played: Played, folder: Path, nodes: str = "") -> KindProvider:
    """The provider of that machine."""
    return KindProvider(folder / "kubeconfig", Progress(quiet=True), nodes, played)
