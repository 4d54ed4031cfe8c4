"""Nothing stops serving: clients call one address while versions come, are refused, take over and end.

Three teams deploy the same three versions, each in its own way: by adding one object after the other, by a Helm
chart in which the only version is renamed, and by `kubectl apply --prune`, where it is renamed too. Version 1.0
serves, 1.1 is refused by its gate, 1.2 takes over; a client calls all the time.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import pytest

from scripts.install import Clients
from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.waiting import until
from tests.e2e.load import Answer, Followed, Load, follow
from tests.e2e.team import Team, dumped, names, new_team
from tests.support.cluster_objects import GATE_IDS, NOT_A_NUMBER, gate, version_name

MODEL = "hello"
DRAIN = timedelta(seconds=30)
ROUNDING = timedelta(seconds=1)
"""Timestamps of Kubernetes are whole seconds."""

CHART = "apiVersion: v2\nname: hello\nversion: 1.0.0\n"
TEMPLATE = "{{- range .Values.objects }}\n---\n{{ toYaml . }}\n{{- end }}\n"

PRUNED = (
    "core/v1/ConfigMap",
    "core/v1/Service",
    "apps/v1/Deployment",
    "modelyard.dev/v1alpha1/CustomModelVersion",
)
"""What `--prune` may delete if it carries the label: only objects that users applied ever do."""


class Way(Protocol):
    """How a team brings the model and one version of it into the cluster."""

    def deploy(self, team: Team, model: Manifest, version: Manifest) -> None: ...


class Added:
    """Version objects are added, and all of them stay."""

    def deploy(self, team: Team, model: Manifest, version: Manifest) -> None:
        team.apply(model, version)


@dataclass(frozen=True, slots=True)
class HelmChart:
    """The release holds one version, so each upgrade creates one and deletes one."""

    folder: Path

    def deploy(self, team: Team, model: Manifest, version: Manifest) -> None:
        (self.folder / "templates").mkdir(parents=True, exist_ok=True)
        (self.folder / "Chart.yaml").write_text(CHART)
        (self.folder / "templates" / "objects.yaml").write_text(TEMPLATE)
        (self.folder / "values.yaml").write_text(json.dumps({"objects": [model, version]}))
        Clients(team.kubectl.kubeconfig, team.namespace).helm(
            "upgrade", "--install", "hello", str(self.folder)
        )


class Pruned:
    """What is applied is all that there is to be."""

    def deploy(self, team: Team, model: Manifest, version: Manifest) -> None:
        for manifest in (model, version):
            manifest["metadata"]["labels"] = {"part-of": "hello"}
        allowed = [f"--prune-allowlist={kind}" for kind in PRUNED]
        team.kubectl.run(
            "apply", "--prune", "--selector=part-of=hello", *allowed, "-f", "-", stdin=dumped(model, version)
        )


WAYS = ("added", "helm", "pruned")


@dataclass(frozen=True, slots=True)
class Journey:
    """What was seen on the way from 1.0 by a refused 1.1 to 1.2."""

    answers: list[Answer]
    received: dict[str, set[str]]
    """By label: the ids that the version's pods have logged. Only of versions whose pods are gone."""

    model_row: str
    """What kubectl said of the model when 1.1 was refused."""

    versions: set[str]
    """Names of the version objects that there were when 1.1 was refused."""

    switched_at: datetime
    stopped_at: list[datetime]
    """When each pod of 1.0 was told to end."""

    seconds: dict[str, float]
    """By label: from the deployment to the verdict, and for what passed to serving."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """One team on its way."""

    team: Team
    way: Way
    replicas: int
    folder: Path

    def travel(self) -> Journey:
        """The whole way."""
        first, seconds = self._deploy("1.0"), {}
        seconds["1.0"] = self._since(first, lambda: self.team.await_serving(MODEL, "1.0"))
        pods = names(self.team.ready_pods(MODEL, "1.0", self.replicas))
        followed = {"1.0": self._follow(pods)}
        load = Load(self.team, MODEL)
        load.start()

        second = self._deploy("1.1", predict=NOT_A_NUMBER)
        followed["1.1"] = self._follow(self._started("1.1"))
        seconds["1.1"] = self._since(second, lambda: self.team.await_refused(MODEL, "1.1"))
        row = self.team.await_row("custommodel", MODEL, "CandidateRejected")
        versions = set(names(self.team.kubectl.list("custommodelversions", self.team.namespace)))

        third = self._deploy("1.2")
        seconds["1.2"] = self._since(third, lambda: self.team.await_serving(MODEL, "1.2"))
        until("the pods of 1.0 are gone", lambda: not self._there(pods), timeout=90, every=1)
        answers = load.stop()
        received = {label: set[str]().union(*(log.ids() for log in logs)) for label, logs in followed.items()}
        return Journey(answers, received, row, versions, self._switched_at(), self._stopped_at(pods), seconds)

    def _deploy(self, label: str, **spec: object) -> float:
        begun = time.monotonic()
        version = self.team.version(MODEL, label, replicas=self.replicas, **spec)
        self.way.deploy(self.team, self.team.model(MODEL, gate=gate()), version)
        return begun

    def _since(self, begun: float, wait: Callable[[], None]) -> float:
        wait()
        return round(time.monotonic() - begun, 1)

    def _follow(self, pods: list[str]) -> list[Followed]:
        return [follow(self.team, pod, self.folder) for pod in pods]

    def _started(self, label: str) -> list[str]:
        def running() -> list[str]:
            pods = self.team.pods(MODEL, label)
            ran = [pod for pod in pods if pod["status"].get("phase") == "Running"]
            return names(ran) if len(ran) >= self.replicas else []

        return until(f"{label} runs", running, timeout=90, every=0.5)

    def _there(self, pods: list[str]) -> list[str]:
        return sorted(set(pods) & set(names(self.team.kubectl.list("pods", self.team.namespace))))

    def _switched_at(self) -> datetime:
        ledger = self.team.object("modelledger", MODEL)["spec"]
        return datetime.fromisoformat(ledger["serving"]["switchedAt"])

    def _stopped_at(self, pods: list[str]) -> list[datetime]:
        """As the kubelet's events tell."""
        events = self.team.kubectl.list("events", self.team.namespace)
        killing = [event for event in events if event["reason"] == "Killing"]
        stopped = {event["involvedObject"]["name"]: event["firstTimestamp"] for event in killing}
        return [datetime.fromisoformat(stopped[pod]) for pod in pods]


@dataclass(frozen=True, slots=True)
class Trip:
    """A journey that may still be going on."""

    traveller: Traveller
    journey: Future[Journey]


@pytest.fixture(scope="module")
def trips(
    operator: str, python_image: str, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Trip]]:
    """All three are on their way at once."""
    folders = {name: tmp_path_factory.mktemp(name) for name in WAYS}
    ways: dict[str, Way] = {
        "added": Added(),
        "helm": HelmChart(folders["helm"] / "chart"),
        "pruned": Pruned(),
    }
    with ExitStack() as stack:
        teams = {
            name: stack.enter_context(new_team(kubectl, python_image, f"traffic-{name}")) for name in WAYS
        }
        pool = stack.enter_context(ThreadPoolExecutor(len(WAYS)))
        travellers = {
            name: Traveller(teams[name], way, 2 if name == "added" else 1, folders[name])
            for name, way in ways.items()
        }
        yield {name: Trip(who, pool.submit(who.travel)) for name, who in travellers.items()}


@pytest.fixture(params=WAYS)
def journey(request: pytest.FixtureRequest, trips: dict[str, Trip]) -> Journey:
    """The journey of one team, when it is over."""
    return trips[request.param].journey.result()


def test_no_request_is_lost_while_versions_come_and_go(journey: Journey) -> None:
    longest = max(answer.ended - answer.sent for answer in journey.answers)
    print(
        f"{len(journey.answers)} requests, the slowest {longest:.2f} s; seconds to a verdict: {journey.seconds}"
    )
    by_version = Counter(answer.version for answer in journey.answers)

    assert [answer for answer in journey.answers if answer.error] == []
    assert by_version.keys() == {"1.0", "1.2"}
    assert min(by_version.values()) > 100


def test_callers_are_switched_once(journey: Journey) -> None:
    switches = [(a.version, b.version) for a, b in pairwise(journey.answers) if a.version != b.version]

    assert switches == [("1.0", "1.2")]


def test_a_refused_version_never_gets_a_request_of_a_client(journey: Journey) -> None:
    clients = {answer.id for answer in journey.answers}

    assert journey.received["1.1"] == set(GATE_IDS)
    assert journey.received["1.0"] >= {answer.id for answer in journey.answers if answer.version == "1.0"}
    of_tests = {*GATE_IDS, None}  # None: nullValueImputation sends every id missing
    assert journey.received["1.0"] - clients == {*of_tests, "warm-up"}


def test_what_served_ends_only_after_the_drain(journey: Journey) -> None:
    for stopped in journey.stopped_at:
        assert timedelta(0) <= stopped - journey.switched_at - DRAIN + ROUNDING < timedelta(seconds=15)


def test_the_model_says_what_serves_when_the_only_version_was_renamed_to_a_bad_one(
    trips: dict[str, Trip],
) -> None:
    for way, renamed in {"added": False, "helm": True, "pruned": True}.items():
        journey = trips[way].journey.result()
        assert "False CandidateRejected 1.0 hello-1-0" in journey.model_row
        assert journey.versions == {version_name(MODEL, "1.1")} | (
            set() if renamed else {version_name(MODEL, "1.0")}
        )


def test_the_client_would_notice(trips: dict[str, Trip]) -> None:
    """The control: when the only pod is killed, requests are lost, and the client says so."""
    trip = trips["helm"]
    trip.journey.result()
    team = trip.traveller.team
    load = Load(team, MODEL, name="control")
    load.start()
    (pod,) = names(team.ready_pods(MODEL, "1.2"))

    team.kubectl.run("delete", "pod", pod, f"--namespace={team.namespace}", "--grace-period=0", "--force")

    until("a request is lost", lambda: any(answer.error for answer in load.answers()), every=0.5)
    load.stop()
