"""A client that calls a model at a steady rate from a pod of its namespace, and remembers every answer."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.kubectl import Manifest
from tests.cluster.tools import tool
from tests.cluster.waiting import until
from tests.e2e.team import Team

RATE = 10
"""Requests a second, each on a connection of its own, none of them tried twice."""

LONGEST_SECONDS = 300

_CLIENT = """
import http.client, itertools, json, os, socket, sys, time
from urllib.parse import urlsplit

url, rate, seconds = urlsplit(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
address = None

def ask(name):
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    try:
        connection.request("POST", url.path + "/predict_no_state/", json.dumps({"X": {"id": [name]}}))
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            return None, f"HTTP {answer.status}: {content[:200]}"
        return json.loads(content)["predictions"][0], None
    except (OSError, http.client.HTTPException) as error:
        return None, repr(error)
    finally:
        connection.close()

begun = time.time()
while time.time() < begun + seconds:  # the network rules for a new pod take effect with a delay
    try:
        address = address or socket.gethostbyname(url.hostname)
        if ask("warm-up")[1] is None:
            break
    except OSError:
        pass
    time.sleep(0.2)

begun = time.time()
for number in itertools.count():
    time.sleep(max(0.0, begun + number / rate - time.time()))
    if os.path.exists("/tmp/stop") or time.time() > begun + seconds:
        break
    sent = time.time()
    version, error = ask(f"load-{number}")
    print(json.dumps([f"load-{number}", version, error, sent, time.time()]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request."""

    id: str
    version: str
    """Label of the version that answered; empty without an answer."""

    error: str
    """Why there is no answer; empty with one."""

    sent: float
    ended: float


@dataclass(frozen=True, slots=True)
class Load:
    """One client of one model."""

    team: Team
    model: str
    name: str = "client"

    @property
    def pod(self) -> str:
        """The name of the client's pod."""
        return f"{self.name}-of-{self.model}"

    def start(self, requests: int = 10) -> None:
        """Begin; returns when so many requests were answered."""
        self.team.apply(self._pod())
        until("the client is answered", lambda: len(self.answers()) >= requests, timeout=60, every=0.5)

    def stop(self) -> list[Answer]:
        """End; every request that was ever sent."""
        self.team.run_in(self.pod, "touch", "/tmp/stop")
        self.team.await_all("jsonpath={.status.phase}=Succeeded", f"pod/{self.pod}", timeout=30)
        return self.answers()

    def answers(self) -> list[Answer]:
        """What is known so far."""
        return [_answer(line) for line in read_log(self.team, self.pod)]

    def _pod(self) -> Manifest:
        url = self.team.object("custommodel", self.model)["status"]["address"]["url"]
        command = ["python3", "-c", _CLIENT, url, str(RATE), str(LONGEST_SECONDS)]
        container = {"name": "client", "image": self.team.image, "command": command}
        metadata = {"name": self.pod, "namespace": self.team.namespace}
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def read_log(team: Team, pod: str) -> list[str]:
    """The lines that a pod has printed; none while it has not started."""
    phase = team.object("pod", pod)["status"].get("phase")
    if phase in (None, "Pending"):
        return []
    return team.kubectl.run("logs", pod, f"--namespace={team.namespace}").splitlines()


def _answer(line: str) -> Answer:
    name, version, error, sent, ended = json.loads(line)
    return Answer(name, "" if version is None else str(version), error or "", sent, ended)


@dataclass(frozen=True, slots=True)
class Followed:
    """A pod's log, written to a file as it grows, so that it outlives the pod."""

    file: Path
    process: subprocess.Popen[bytes]

    def ids(self) -> set[str]:
        """The ids of all requests that the pod ever got; call it when the pod is gone."""
        self.process.wait(timeout=60)
        lines = self.file.read_text().splitlines()
        return {name for line in lines if line.startswith("[") for name in json.loads(line)}


def follow(team: Team, pod: str, folder: Path) -> Followed:
    """Follow the log of a pod that has started."""
    file = folder / f"{pod}.log"
    command = [str(tool("kubectl")), f"--kubeconfig={team.kubectl.kubeconfig}"]
    command += ["logs", "--follow", pod, f"--namespace={team.namespace}"]
    with file.open("wb") as output:
        return Followed(file, subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL))
