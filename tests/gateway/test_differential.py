"""One model behind MLServer and behind the gateway: what a client gets is the same, field by field.

Where the two differ is listed here, and nowhere else:
- MLServer gives a vector of n the shape [n, 1], the gateway [n].
- MLServer says `parameters` of its own: how its codecs wrote an output, and headers.
- An `id` that no header can hold breaks MLServer, which puts it into one; ids here are printable ASCII.
- MLServer takes no raw tensors over HTTP: the gateway is asked by them for what MLServer is asked in JSON.
- What both refuse: MLServer often answers 500, and its body has no `error`. The gateway answers 400 and says why.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.custom_model import CustomModelSpec
from tests.gateway.environments import MLSERVER, Environment
from tests.gateway.mlserver import TWIN, MlServer, mlserver
from tests.gateway.random_requests import Document, good_request, spoilt
from tests.gateway.running import Answer, Gateway, gateway, model, write_routes
from tests.gateway.servers import Server, started

REQUESTS, OTHERS = 200, 60
PATH = "/v2/models/twin/infer"
SEED = 20261121
SPEC = CustomModelSpec(target_type="Regression", target_name="score")


@pytest.fixture(scope="module")
def theirs(
    pythons: Callable[[Environment], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlServer]:
    with mlserver(pythons(MLSERVER), tmp_path_factory.mktemp("mlserver")) as found:
        yield found


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("twin")
    with started(Server(TWIN, "twin", SPEC), folder) as pod:
        write_routes(folder / "routes.json", [model(pod)])
        with gateway(folder / "routes.json") as found:
            yield found


def requests(seed: int) -> Iterator[tuple[str, Document, bool]]:
    """Path, document, and whether it has to be answered; one in eight is spoilt."""
    chance = random.Random(seed)
    for _ in range(REQUESTS):
        path = f"/v2/models/twin{chance.choice(('', '/versions/1.0'))}/infer"
        document = good_request(chance)
        is_good = chance.random() < 7 / 8
        yield path, document if is_good else spoilt(chance, document), is_good


def test_both_answer_the_same_to_every_request(theirs: MlServer, ours: Gateway) -> None:
    for path, document, is_good in requests(SEED):
        their_answer, our_answer = theirs.post(path, document), ours.ask("POST", path, document)
        if is_good:
            assert told(our_answer, document) == told_by_mlserver(their_answer, document), document
        else:
            assert their_answer.status >= 400, document
            assert our_answer.status == 400, document
            assert list(our_answer.json) == ["error"]


def test_both_answer_the_same_to_every_compressed_request(theirs: MlServer, ours: Gateway) -> None:
    chance = random.Random(SEED + 1)
    for _ in range(OTHERS):
        document = good_request(chance)
        body = gzip.compress(json.dumps(document).encode())
        our_answer = ours.ask("POST", PATH, body, {"Content-Encoding": "gzip"})
        their_answer = theirs.post(PATH, document, compressed=True)
        assert told(our_answer, document) == told_by_mlserver(their_answer, document), document


def test_raw_tensors_are_answered_as_mlserver_answers_the_same_in_json(
    theirs: MlServer, ours: Gateway
) -> None:
    chance = random.Random(SEED + 2)
    for _ in range(OTHERS):
        document = good_request(chance)
        head, tensors = raw(document)
        headers = {"Inference-Header-Content-Length": str(len(head))}
        our_answer = in_json(ours.ask("POST", PATH, head + tensors, headers))
        assert told(our_answer, document) == told_by_mlserver(theirs.post(PATH, document), document), document


def raw(document: Document) -> tuple[bytes, bytes]:
    """The same request with its inputs, and its outputs, as raw tensors: the JSON, and what follows it."""
    inputs, tensors = [], []
    for one in document["inputs"]:
        tensors.append(b"".join(packed(one["datatype"], value) for value in flat(one["data"])))
        given = {**one, "parameters": {**one.get("parameters", {}), "binary_data_size": len(tensors[-1])}}
        inputs.append({name: value for name, value in given.items() if name != "data"})
    parameters = {**document.get("parameters", {}), "binary_data_output": True}
    return json.dumps({**document, "inputs": inputs, "parameters": parameters}).encode(), b"".join(tensors)


def flat(data: list[Any]) -> list[Any]:
    return [value for row in data for value in (row if isinstance(row, list) else [row])]


def packed(datatype: str, value: Any) -> bytes:
    if datatype == "BYTES":
        text: bytes = value.encode()
        return struct.pack("<I", len(text)) + text
    return struct.pack(f"<{FORMATS[datatype]}", math.nan if value is None else value)


FORMATS = {"BOOL": "?", "FP16": "e", "FP32": "f", "FP64": "d"} | {
    f"{sign}INT{bits}": letter.upper() if sign else letter
    for sign in ("", "U")
    for bits, letter in ((8, "b"), (16, "h"), (32, "i"), (64, "q"))
}
"""How struct calls a datatype."""


def in_json(answer: Answer) -> Answer:
    """An answer of one raw tensor of FP64 as if it had been in JSON."""
    assert answer.status == 200, answer.body
    length = int(answer.headers["inference-header-content-length"])
    document = json.loads(answer.body[:length])
    (output,) = document["outputs"]
    assert output.pop("parameters") == {"binary_data_size": len(answer.body) - length}
    output["data"] = [value for (value,) in struct.iter_unpack("<d", answer.body[length:])]
    return Answer(answer.status, answer.headers, json.dumps(document).encode())


def test_a_request_that_is_spoilt_differs_from_a_good_one() -> None:
    answers = [is_good for _, _, is_good in requests(SEED)]

    assert 10 < answers.count(False) < 50


def told(answer: Answer, asked: Document) -> dict[str, Any]:
    """Status and document of an answer; of an id that was made only that there is one."""
    document = answer.json
    if "id" not in asked and document.get("id"):
        document["id"] = "made"
    return {"status": answer.status, **document}


def told_by_mlserver(answer: Answer, asked: Document) -> dict[str, Any]:
    """Without what the head of this file lists."""
    found = told(answer, asked)
    found.pop("parameters", None)
    for output in found["outputs"]:
        output.pop("parameters")
        rows, one = output["shape"]
        assert one == 1
        output["shape"] = [rows]
    return found
