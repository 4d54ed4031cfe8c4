"""A real API server takes each document that is rendered, placeholders and all."""

from __future__ import annotations

import pytest

from modelyard.rendering.documents import Text, read
from modelyard.rendering.placeholders import Placeholders
from modelyard.rendering.render import render
from modelyard.rendering.text import as_yaml
from modelyard.settings import Settings
from tests.apiserver.said import path_of, refusal
from tests.apiserver.server import ApiServer
from tests.support.rendered import CASES, objects_of


@pytest.mark.parametrize("case", CASES)
async def test_what_is_rendered_is_taken_to_the_last_field(
    case: str, server: ApiServer, namespace: str
) -> None:
    objects = [{**one, "metadata": {**one["metadata"], "namespace": namespace}} for one in objects_of(case)]
    rendering = await render(objects, Settings(), Placeholders())

    assert len(rendering.manifests) >= 12
    for manifest in rendering.manifests:
        path = path_of(manifest, namespace) + "?fieldValidation=Strict&dryRun=All"
        answer = server.request("POST", path, manifest)

        assert answer.status == 201, f"{manifest['kind']}: {refusal(answer) or answer.message}"


async def test_kubectl_reads_the_text_as_it_is_printed(server: ApiServer, namespace: str) -> None:
    objects = [
        {**one, "metadata": {**one["metadata"], "namespace": namespace}} for one in objects_of("01-hello")
    ]
    rendering = await render(objects, Settings(), Placeholders())

    done = server.kubectl("apply", "--dry-run=server", "--filename=-", stdin=as_yaml(rendering.manifests))

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(server dry run)") == len(rendering.manifests)


async def test_what_is_read_back_from_a_cluster_is_rendered_with_its_uids(
    server: ApiServer, namespace: str
) -> None:
    for manifest in objects_of("01-hello"):
        answer = server.request(
            "POST",
            path_of(manifest, namespace),
            {**manifest, "metadata": {"name": manifest["metadata"]["name"]}},
        )
        assert answer.status == 201, answer.message
    kinds = "executionenvironments,custommodels,custommodelversions"
    shown = server.kubectl("get", kinds, f"--namespace={namespace}", "--output=yaml").stdout

    found = read([Text("kubectl", shown)], "elsewhere")
    rendering = await render(found.objects, Settings(), Placeholders())

    assert (found.problems, found.ignored, rendering.problems) == ([], [], [])
    of_gate = [one for one in rendering.manifests if "modelyard.dev/of-test" in one["metadata"]["labels"]]
    others = [one for one in rendering.manifests if one not in of_gate]
    assert {one["metadata"]["namespace"] for one in rendering.manifests} == {namespace}
    assert not any(_owner(one).startswith("00000000-") for one in others)


def _owner(manifest: dict[str, object]) -> str:
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["ownerReferences"][0]["uid"])
