"""The provider for a cluster of the user's own, against a real API server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.apiserver.server import ApiServer
from tests.cluster.existing import ExistingProvider
from tests.cluster.kubectl import Kubectl
from tests.cluster.progress import Progress
from tests.cluster.provider import OLDEST


@pytest.fixture
def context(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The context of the API server's administrator, in the kubeconfig that kubectl takes by itself."""
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))
    return server.kubectl("config", "current-context").stdout.strip()


def test_a_cluster_of_ones_own_is_found_by_its_context_and_left_as_it_was(
    server: ApiServer, context: str, tmp_path: Path
) -> None:
    provider = ExistingProvider(tmp_path / "kubeconfig", Progress(quiet=True), context)
    before = server.kubectl("get", "namespaces,nodes,configmaps", "--all-namespaces", "--output=name").stdout

    assert provider.is_running()
    provider.up()

    version = json.loads(Kubectl(provider.kubeconfig()).run("version", "--output=json"))["serverVersion"]
    assert version["gitVersion"] in provider.describe()
    assert (int(version["major"]), int(version["minor"])) >= OLDEST
    assert provider.nodes() == []
    provider.down()
    assert (
        server.kubectl("get", "namespaces,nodes,configmaps", "--all-namespaces", "--output=name").stdout
        == before
    )
    assert list(tmp_path.iterdir()) == []
