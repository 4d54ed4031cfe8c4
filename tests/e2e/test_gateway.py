"""Through the gateway: any client of the Open Inference Protocol, from a pod of any namespace.

One client asks at a steady rate, over a connection that it keeps, while a second version is promoted, while a pod of
it is deleted, and while the gateway itself is replaced. The models predict their own label, so that each answer
shows who gave it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import modelyard
from scripts.install import NAMESPACE, RELEASE
from tests.cluster.fixtures import needs
from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.provider import Capability, Provider
from tests.cluster.waiting import until
from tests.e2e.audit import exercised, forbidden
from tests.e2e.load import read_log
from tests.e2e.steady import STEADY
from tests.e2e.team import Team, names, new_team
from tests.support.cluster_objects import gate

MODEL = "hello"
CLOSED = "closed"
"""A model whose callers are named, and the gateway is none of them."""

GATEWAY = f"{RELEASE}-gateway"
CLIENT = "client"

_ONCE = """
import sys, urllib.error, urllib.request

request = urllib.request.Request(sys.argv[1], sys.argv[2].encode() if len(sys.argv) > 2 else None)
try:
    print(urllib.request.urlopen(request, timeout=10).read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request: the status (0: none came), the version that it names, and what was predicted."""

    status: int
    version: str
    predicted: str


@dataclass(frozen=True, slots=True)
class Client:
    """A pod of another namespace than the model's, which asks all the time."""

    team: Team
    path: str

    def start(self) -> None:
        """Begin; returns when it is answered."""
        self.team.apply(self._pod())
        until("the client is answered", lambda: len(self.answers()) > 10, timeout=60, every=0.2)

    def stop(self) -> list[Answer]:
        """End; what became of every request."""
        self.team.run_in(CLIENT, "touch", "/tmp/stop")
        self.team.await_all("jsonpath={.status.phase}=Succeeded", f"pod/{CLIENT}", timeout=30)
        return self.answers()

    def answers(self) -> list[Answer]:
        """What is known so far."""
        return [Answer(*json.loads(line)) for line in read_log(self.team, CLIENT)]

    def ask(self, path: str, body: str = "") -> str:
        """One request more, and its answer; the status before it, unless that is 200."""
        url = f"http://{_HOST}{path}"
        return self.team.run_in(CLIENT, "python3", "-c", _ONCE, url, *([body] if body else [])).strip()

    def _pod(self) -> Manifest:
        command = ["python3", "-c", STEADY, _HOST, self.path]
        container = {"name": CLIENT, "image": self.team.image, "command": command}
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
        metadata = {"name": CLIENT, "namespace": self.team.namespace}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


_HOST = f"{GATEWAY}.{NAMESPACE}.svc"
ROWS = {"inline": [{"path": "rows.csv", "content": "id,area\none,1.5\ntwo,\n"}], "format": "csv"}
_ONE_ROW = '{"inputs": [{"name": "id", "shape": [1], "datatype": "BYTES", "data": ["x"]}]}'


@pytest.fixture(scope="module")
def team(operator: str, kubectl: Kubectl, python_image: str) -> Iterator[Team]:
    """Where the model is."""
    kubectl.run("rollout", "status", f"deployment/{GATEWAY}", f"--namespace={NAMESPACE}", "--timeout=60s")
    with new_team(kubectl, python_image, "gateway") as team:
        callers = [{"podSelector": {"matchLabels": {"app": "front"}}}]
        team.apply(team.model(MODEL, gate=gate(dataset=ROWS)), team.version(MODEL, "1.0"))
        team.apply(team.model(CLOSED, callers=callers), team.version(CLOSED, "1.0"))
        for model in (MODEL, CLOSED):
            team.await_serving(model, "1.0")
        yield team


@pytest.fixture(scope="module")
def client(team: Team, kubectl: Kubectl) -> Iterator[Client]:
    """Who asks, all the time."""
    with new_team(kubectl, team.image, "clients") as elsewhere:
        client = Client(elsewhere, f"/{team.namespace}/v2/models/{MODEL}/infer")
        client.start()
        yield client


@pytest.fixture(scope="module")
def answers(team: Team, client: Client) -> list[Answer]:
    """What the client was told while 1.1 took over and lost a pod, and while another gateway took over."""
    before = len(client.answers())
    team.apply(team.version(MODEL, "1.1", replicas=2))
    team.await_serving(MODEL, "1.1")
    until("the client hears 1.1", lambda: client.answers()[-1].version == "1.1", timeout=10, every=0.2)
    pod, _ = names(team.ready_pods(MODEL, "1.1", 2))
    team.kubectl.run("delete", "pod", pod, f"--namespace={team.namespace}")
    team.ready_pods(MODEL, "1.1", 2)
    gateway = f"deployment/{GATEWAY}"
    for change in (("restart", gateway), ("status", gateway, "--timeout=60s")):
        team.kubectl.run("rollout", *change, f"--namespace={NAMESPACE}")
    until("the old gateway is gone", lambda: len(gateways(team)) == 1, timeout=60, every=0.2)
    return client.stop()[before:]


def gateways(team: Team) -> list[Manifest]:
    """The pods of the gateway."""
    return team.kubectl.list("pods", NAMESPACE, f"app.kubernetes.io/name={GATEWAY}")


def test_a_prediction_is_told_with_the_version_that_made_it(team: Team, client: Client) -> None:
    base = f"/{team.namespace}/v2/models/{MODEL}"
    output = {"name": "y", "datatype": "FP64", "shape": [1], "data": [1.0]}

    for path in (f"{base}/infer", f"{base}/versions/1.0/infer"):
        answer = json.loads(client.ask(path, _ONE_ROW))
        assert (answer["model_name"], answer["model_version"]) == (MODEL, "1.0")
        assert answer["outputs"] == [output]


def test_the_columns_of_the_data_that_a_version_passed_with_are_its_inputs(
    team: Team, client: Client
) -> None:
    def inputs(path: str) -> list[tuple[str, str]]:
        metadata = json.loads(client.ask(f"/{team.namespace}/v2/models/{path}"))
        return [(told["name"], told["datatype"]) for told in metadata["inputs"]]

    told = [("id", "BYTES"), ("area", "FP64")]
    until("the inputs are told", lambda: inputs(MODEL) == told, timeout=10, every=0.2)
    assert inputs(f"{MODEL}/versions/1.0") == told
    assert inputs(CLOSED) == [], "it was tested without data"


def test_it_says_which_release_it_is(team: Team, client: Client) -> None:
    assert json.loads(client.ask("/v2"))["version"] == modelyard.__version__


def test_what_there_is_not_is_said(team: Team, client: Client) -> None:
    base = f"/{team.namespace}/v2/models"

    assert client.ask(f"{base}/other").startswith("404 ")
    assert client.ask(f"{base}/{MODEL}/versions/9.9").startswith("404 ")
    assert client.ask(f"/v2/models/{MODEL}").startswith("404 "), "no namespace is the default one"


def test_a_model_that_names_its_callers_does_not_let_the_gateway_in(team: Team, client: Client) -> None:
    assert client.ask(f"/{team.namespace}/v2/models/{CLOSED}/infer", _ONE_ROW).startswith("503 ")


def test_no_request_fails_while_versions_pods_and_gateways_are_replaced(answers: list[Answer]) -> None:
    print(f"{len(answers)} requests")
    assert len(answers) > 100
    assert [answer for answer in answers if answer.status != 200] == []


def test_each_answer_names_the_version_that_gave_it_and_none_goes_back(answers: list[Answer]) -> None:
    assert [answer for answer in answers if answer.version != answer.predicted] == []
    versions = [answer.version for answer in answers]
    assert versions == sorted(versions)
    assert set(versions) == {"1.0", "1.1"}


def test_the_gateway_asks_the_api_server_for_what_it_may_and_for_nothing_else(
    cluster: Provider, answers: list[Answer]
) -> None:
    needs(cluster, Capability.AUDIT_LOG)
    assert cluster.audit_log is not None
    user = f"system:serviceaccount:{NAMESPACE}:{GATEWAY}"
    assert forbidden(cluster.audit_log, user) == []
    assert exercised(cluster.audit_log, user) == {
        (group, resource, verb)
        for group, resource in (("", "services"), ("discovery.k8s.io", "endpointslices"))
        for verb in ("list", "watch")
    }
