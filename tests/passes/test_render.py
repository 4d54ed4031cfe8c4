"""`modelyard render` prints what the passes send to the API server, to the byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import EVENT, MODEL_LEDGER, SERVICE
from modelyard.rendering.paper import Address, place
from modelyard.rendering.placeholders import Placeholders
from modelyard.rendering.render import Rendering, render
from modelyard.settings import Settings
from tests.support.objects import Manifest
from tests.support.rendered import CASES, OfWorld, objects_of
from tests.support.world import World


class Wiretap:
    """What the operator of a world sent: the last words, but of the ledger and of a version's Service the first, which
    a test's end makes others. What tells of an end, events and the reports of tests, is no child of documents."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: dict[Address, Manifest] = {}
        self._request = world.api.request
        monkeypatch.setattr(world.api, "request", self.request)

    async def request(self, method: str, path: str, **rest: Any) -> Manifest:
        """Pass a request on, and keep its body when it was taken."""
        answer = await self._request(method, path, **rest)
        body: Mapping[str, Any] | None = rest.get("body")
        if method in ("POST", "PATCH") and body and not path.endswith("/status"):
            self._keep(place(body), _plain(body))
        return answer

    def _keep(self, address: Address, body: Manifest) -> None:
        labelled = body["metadata"].get("labels", {})
        is_of_an_end = address[0] == EVENT or labels.REPORT_OF in labelled
        learns = address[0] == MODEL_LEDGER or (address[0] == SERVICE and labels.OF_VERSION in labelled)
        if not is_of_an_end and not (learns and address in self.sent):
            self.sent[address] = body


def _plain(body: Mapping[str, Any]) -> Manifest:
    """Without the version by which a first apply says that there must be no such object yet."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
    return {**body, "metadata": metadata}


def _texts(manifests: Sequence[Manifest]) -> dict[str, str]:
    return {"/".join(map(str, place(m)[1:])) + m["kind"]: json.dumps(m, sort_keys=True) for m in manifests}


async def _lived(objects: Sequence[Manifest], monkeypatch: pytest.MonkeyPatch) -> tuple[World, Wiretap]:
    world = World()
    wiretap = Wiretap(world, monkeypatch)
    world.user.apply(*objects)
    await world.settle()
    return world, wiretap


@pytest.mark.parametrize("case", CASES)
async def test_what_is_rendered_is_what_the_passes_send(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = objects_of(case)
    world, wiretap = await _lived(objects, monkeypatch)

    rendering = await render(objects, Settings(), OfWorld(world))

    assert rendering.problems == []
    assert _texts(rendering.manifests) == _texts(list(wiretap.sent.values()))
    assert len(rendering.manifests) >= 12


@pytest.mark.parametrize("case", CASES)
async def test_with_placeholders_only_uids_and_what_is_made_of_them_differ(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = objects_of(case)
    world, wiretap = await _lived(objects, monkeypatch)

    class NoUids(OfWorld):
        uid = Placeholders().uid

    rendering = await render(objects, Settings(), NoUids(world))

    def shapes(manifests: Sequence[Manifest]) -> list[str]:
        return sorted(json.dumps(_without_uids(m), sort_keys=True) for m in manifests if not _is_of_run(m))

    assert shapes(rendering.manifests) == shapes(list(wiretap.sent.values()))
    assert _counts(rendering) == _kinds(list(wiretap.sent.values()))


def _without_uids(manifest: Manifest) -> Manifest:
    """Without uids, and without the hash over the whole."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "annotations"}
    owners = [{**owner, "uid": ""} for owner in metadata["ownerReferences"]]
    return {**manifest, "metadata": {**metadata, "ownerReferences": owners}}


def _is_of_run(manifest: Manifest) -> bool:
    """What a test has is named by a hash of the test's uid."""
    return labels.OF_TEST in manifest["metadata"]["labels"]


def _counts(rendering: Rendering) -> dict[str, int]:
    return _kinds(rendering.manifests)


def _kinds(manifests: Sequence[Manifest]) -> dict[str, int]:
    kinds = [manifest["kind"] for manifest in manifests]
    return {kind: kinds.count(kind) for kind in set(kinds)}
