"""Clients that others wrote, unmodified, against the gateway in front of real models."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from importlib.metadata import version as version_of
from typing import Any

import pytest

from tests.gateway.callers import Caller, Client, offering, outputs, tensor
from tests.gateway.conftest import COLUMNS, SPECS, Town
from tests.gateway.drivers import Driver, Raised
from tests.gateway.running import Gateway

FLATS: dict[str, tuple[str, list[Any]]] = {
    "area": ("FP64", [55.5, 28.0, 1e-3]),
    "rooms": ("INT64", [2, 1, -4]),
    "district": ("BYTES", ["north", "süd 🏙", ""]),
}

by_all = pytest.mark.parametrize("client", offering("infer"), ids=str)
by_health = pytest.mark.parametrize("client", offering("health"), ids=str)
by_metadata = pytest.mark.parametrize("client", offering("metadata"), ids=str)
by_versions = pytest.mark.parametrize("client", offering("versions"), ids=str)
by_raw = pytest.mark.parametrize("client", offering("raw"), ids=str)
by_options = pytest.mark.parametrize("client", offering("options"), ids=str)


@pytest.fixture
def call(client: Client, drivers: Callable[[str], Driver], front: Gateway) -> Caller:
    return Caller(client, drivers, front.base)


def flats(*, binary: bool = True) -> list[dict[str, Any]]:
    return [tensor(name, datatype, data, binary=binary) for name, (datatype, data) in FLATS.items()]


def own_answer(town: Town, name: str) -> list[Any]:
    """What the model itself answers, asked by its own contract."""
    pod = town.by_name[name]
    connection = http.client.HTTPConnection("127.0.0.1", pod.port, timeout=10)
    body = json.dumps({"X": {column: data for column, (_, data) in FLATS.items()}})
    connection.request("POST", f"{pod.server.identity.prefix}/predict_no_state/", body)
    predictions: list[Any] = json.loads(connection.getresponse().read())["predictions"]
    connection.close()
    return predictions


@by_health
def test_the_server_is_live_and_ready(call: Caller) -> None:
    assert call("live") is call.client.yes
    assert call("ready") is call.client.yes


@by_health
def test_a_model_is_ready(call: Caller) -> None:
    assert call("model_ready", model="flats") is call.client.yes


@pytest.mark.parametrize("client", offering("health", "versions"), ids=str)
def test_a_version_of_a_model_is_ready_whether_it_serves_or_not(call: Caller) -> None:
    assert call("model_ready", model="echo", version="1.0") is call.client.yes
    assert call("model_ready", model="echo", version="2.0") is call.client.yes


@by_health
@pytest.mark.parametrize(
    ("model", "says"), [("nobody", "nobody"), ("asleep", 'no pod of model "asleep" version "1.0" is ready')]
)
def test_what_is_unknown_or_has_no_pod_is_not_ready(call: Caller, model: str, says: str) -> None:
    if call.client.yes:
        assert call("model_ready", model=model) is False
        return
    with pytest.raises(Raised) as caught:
        call("model_ready", model=model)
    assert caught.value.kind == ("NotFoundError" if model == "nobody" else "ServiceUnavailableError")
    assert says in caught.value.says


@by_metadata
def test_the_server_describes_itself(call: Caller) -> None:
    told = call("server_metadata")

    assert told["name"] == "modelyard"
    assert told["version"] == version_of("modelyard")
    assert "binary_tensor_data" in told["extensions"]


@by_metadata
@pytest.mark.parametrize("version", [None, "1.0"])
def test_a_model_tells_its_versions_inputs_and_outputs(call: Caller, version: str | None) -> None:
    told = call("model_metadata", model="steps", version=version)

    labels = SPECS["steps"].class_labels or []
    assert (told["name"], told["versions"]) == ("steps", ["1.0"])
    assert told["inputs"] == [{**column, "shape": [-1]} for column in COLUMNS]
    assert told["outputs"] == [
        *({"name": label, "datatype": "FP64", "shape": [-1]} for label in labels),
        {"name": "step", "datatype": "BYTES", "shape": [-1]},
    ]


@by_metadata
def test_metadata_of_a_model_with_two_versions_lists_both(call: Caller) -> None:
    assert call("model_metadata", model="echo")["versions"] == ["1.0", "2.0"]
    assert call("model_metadata", model="echo", version="2.0")["versions"] == ["1.0", "2.0"]


@by_metadata
def test_metadata_of_what_is_unknown_says_what_is_unknown(call: Caller) -> None:
    with pytest.raises(Raised, match="nobody"):
        call("model_metadata", model="nobody")
    with pytest.raises(Raised, match=r"9\.9"):
        call("model_metadata", model="echo", version="9.9")


@by_all
@pytest.mark.parametrize("name", ["flats", "odd"])
def test_a_number_a_row_is_one_output(call: Caller, town: Town, name: str) -> None:
    answer = call.infer(name, *flats())

    target = SPECS[name].target_name
    assert answer["model_name"] == name
    assert "versions" not in call.client.offers or answer["model_version"] == "1.0"
    assert answer["outputs"] == [
        {"name": target, "shape": [3], "datatype": "FP64", "data": own_answer(town, name)}
    ]


@by_all
@pytest.mark.parametrize(
    ("name", "labels"), [("dear", ["yes", "no"]), ("steps", SPECS["steps"].class_labels)]
)
def test_probabilities_are_one_output_a_label(call: Caller, town: Town, name: str, labels: list[str]) -> None:
    answer = call.infer(name, *flats(binary=False))

    rows = own_answer(town, name)
    assert [one["name"] for one in answer["outputs"]] == labels
    assert outputs(answer) == {label: [row[label] for row in rows] for label in labels}
    assert {(one["datatype"], *one["shape"]) for one in answer["outputs"]} == {("FP64", 3)}


@by_all
@pytest.mark.parametrize("name", ["dear", "steps"])
def test_the_decided_label_is_an_output_for_who_asks(call: Caller, town: Town, name: str) -> None:
    target = SPECS[name].target_name
    answer = call.infer(name, *flats(), outputs=[{"name": target}])

    rows = own_answer(town, name)
    decided = [max(row, key=row.__getitem__) for row in rows]
    if name == "dear":
        decided = ["yes" if row["yes"] >= 0.6 else "no" for row in rows]
    assert outputs(answer) == {target: decided}
    assert answer["outputs"][0]["datatype"] == "BYTES"


@by_all
def test_only_the_outputs_that_were_asked_for_are_answered(call: Caller) -> None:
    answer = call.infer("dear", *flats(), outputs=[{"name": "no"}])

    assert list(outputs(answer)) == ["no"]


@by_all
def test_an_output_that_the_model_lacks_is_refused_by_name(call: Caller) -> None:
    with pytest.raises(Raised, match='model "dear" has no output "maybe"'):
        call.infer("dear", *flats(), outputs=[{"name": "maybe"}])


@by_versions
def test_a_version_answers_for_itself_and_without_one_the_version_that_serves(call: Caller) -> None:
    values = tensor("value", "FP64", [1.5, -2.0])

    unnamed, named = call.infer("echo", values), call.infer("echo", values, version="2.0")

    assert (unnamed["model_version"], outputs(unnamed)) == ("1.0", {"echo": [1.5, -2.0]})
    assert (named["model_version"], outputs(named)) == ("2.0", {"echo": [1001.5, 998.0]})


@by_all
def test_the_id_of_a_request_comes_back_and_one_is_made_where_there_was_none(call: Caller) -> None:
    values = tensor("value", "FP64", [1.0])

    assert call.infer("echo", values, request_id="number 7 / ü")["id"] == "number 7 / ü"
    first, second = (call.infer("echo", values)["id"] for _ in range(2))
    assert first
    assert second
    assert first != second


WHOLE: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT8": [0, 2**8 - 1],
    "UINT16": [0, 2**16 - 1],
    "UINT32": [0, 2**32 - 1],
    "UINT64": [0, 2**64 - 1],
    "INT8": [-(2**7), 2**7 - 1],
    "INT16": [-(2**15), 2**15 - 1],
    "INT32": [-(2**31), 2**31 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "FP16": [0.5, -65504.0],
    "FP32": [0.1, 3.4028234663852886e38],
    "FP64": [5e-324, -1.7976931348623157e308],
    "BYTES": ["tür", '\u0000\n"🏠'],
}
EXACT: dict[str, list[Any]] = {**WHOLE, "FP32": [0.10000000149011612, 3.4028234663852886e38]}
"""What the model gets: 0.1 is no number of 32 bits."""


@pytest.mark.parametrize(
    ("client", "datatype", "binary"),
    [
        pytest.param(client, datatype, binary, id=f"{client}-{datatype}-{'raw' if binary else 'json'}")
        for client in offering("raw")
        for datatype in WHOLE
        for binary in (True, False)
        if binary or datatype != "FP16" or "halves" in client.offers
    ],
)
def test_every_datatype_reaches_the_model_to_the_last_bit(
    call: Caller, town: Town, datatype: str, binary: bool
) -> None:
    call.infer("echo", tensor("it", datatype, WHOLE[datatype], binary=binary))

    (given,) = town.asked().values()
    assert given == EXACT[datatype]
    assert list(map(type, given)) == list(map(type, EXACT[datatype]))


@pytest.mark.parametrize("client", [one for one in offering("infer") if one.driver == "openapi"], ids=str)
@pytest.mark.parametrize("datatype", WHOLE)
def test_the_generated_client_brings_all_that_it_has_not_lost_itself(
    call: Caller, town: Town, datatype: str
) -> None:
    """It makes a float of every number: what a float cannot hold never leaves it."""
    values = [7, 120] if "INT" in datatype else WHOLE[datatype]
    call.infer("echo", tensor("it", datatype, values))

    assert town.asked()["it"] == ([7, 120] if "INT" in datatype else EXACT[datatype])


@by_all
@pytest.mark.parametrize(
    ("shape", "asked"), [((4, 1), [1.0, 2.0, 3.0, 4.0]), ((2, 2), [[1.0, 2.0], [3.0, 4.0]])]
)
def test_a_matrix_is_a_column_of_its_rows(
    call: Caller, town: Town, shape: tuple[int, ...], asked: list[Any]
) -> None:
    answer = call.infer("echo", tensor("it", "FP64", [1.0, 2.0, 3.0, 4.0], *shape))

    assert town.asked() == {"it": asked}
    assert answer["outputs"][0]["shape"] == [shape[0]]


@by_raw
def test_a_raw_nan_is_a_missing_value(call: Caller, town: Town) -> None:
    call.infer("echo", tensor("it", "FP64", [float("nan"), 1.0]))

    assert town.asked() == {"it": [None, 1.0]}


@by_raw
@pytest.mark.parametrize("binary", [True, False], ids=["raw", "json"])
def test_outputs_are_raw_or_not_as_was_asked(call: Caller, town: Town, binary: bool) -> None:
    wanted = [{"name": "yes", "binary": binary}, {"name": "is dear", "binary": binary}]
    answer = call.infer("dear", *flats(), outputs=wanted)

    assert answer["binary"] == [binary, binary]
    assert outputs(answer)["yes"] == [row["yes"] for row in own_answer(town, "dear")]
    assert set(outputs(answer)["is dear"]) <= {"yes", "no"}


@pytest.mark.parametrize("client", offering("mixed"), ids=str)
def test_of_two_outputs_one_may_be_raw(call: Caller, town: Town) -> None:
    wanted = [{"name": "is dear", "binary": True}, {"name": "yes", "binary": False}]
    answer = call.infer("dear", *flats(), outputs=wanted)

    assert answer["binary"] == [True, False]
    assert outputs(answer)["yes"] == [row["yes"] for row in own_answer(town, "dear")]


@by_options
@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_requests_may_be_compressed_and_answers_asked_to_be(call: Caller, town: Town, algorithm: str) -> None:
    options = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    answer = call.infer("flats", *flats(), **options)

    assert outputs(answer) == {"price": own_answer(town, "flats")}


@pytest.mark.parametrize("client", offering("config"), ids=str)
@pytest.mark.parametrize("binary", [True, False], ids=["raw", "json"])
def test_a_body_that_the_client_makes_may_be_sent_by_any_other_means(
    call: Caller, town: Town, binary: bool
) -> None:
    answer = call("infer_by_hand", model="flats", inputs=flats(binary=binary))

    assert outputs(answer) == {"price": own_answer(town, "flats")}


@by_options
def test_what_the_gateway_does_not_know_is_let_pass(call: Caller) -> None:
    options = {
        "sequence_id": 7,
        "sequence_start": True,
        "priority": 3,
        "timeout": 1000,
        "headers": {"x-team": "ä".encode().decode("latin-1"), "authorization": "Bearer none"},
        "query_params": {"trace": "yes", "list": [1, 2]},
        "parameters": {"content_type": "np", "nobody": "knows"},
    }

    assert outputs(call.infer("echo", tensor("value", "FP64", [4.0]), **options)) == {"echo": [4.0]}


@pytest.mark.parametrize("client", offering("config"), ids=str)
def test_a_call_of_triton_alone_is_answered_by_a_clean_exception(call: Caller) -> None:
    with pytest.raises(Raised) as caught:
        call("config", model="echo")

    assert caught.value.kind == "InferenceServerException"
    assert "[404]" in caught.value.says
    assert "exception occurred in the client" not in caught.value.says


@by_all
def test_every_namespace_has_a_path(call: Caller) -> None:
    answer = call.infer("echo", tensor("value", "FP64", [3.0]), path="/elsewhere")

    assert outputs(answer) == {"echo": [3.0]}
    with pytest.raises(Raised, match="flats"):
        call.infer("flats", *flats(), path="/elsewhere")


@by_all
@pytest.mark.parametrize(
    ("model", "inputs", "status", "says"),
    [
        ("nobody", {"value": [1.0]}, 404, "nobody"),
        ("asleep", {"value": [1.0]}, 503, "asleep"),
        ("gone", {"value": [1.0]}, 503, "gone"),
        ("echo", {"do": ["refuse"]}, 400, "area must not be negative"),
        ("echo", {"do": ["blame"]}, 400, 'model "echo" version "1.0" answered HTTP 400'),
        ("echo", {"do": ["fail"]}, 502, 'model "echo" version "1.0" answered HTTP 500'),
        ("echo", {"do": ["talk"]}, 502, 'model "echo" version "1.0": its answer is not JSON'),
        ("echo", {"do": ["shorten"]}, 502, "0 predictions for 1 rows"),
        ("echo", {"do": ["say-text"]}, 502, 'prediction 0 is the text "much"'),
        ("echo", {"do": ["say-nan"]}, 502, 'model "echo" version "1.0": its answer is not JSON'),
        ("echo", {"do": ["say-list"]}, 502, 'no list "predictions"'),
        ("echo", {"do": ["cut-off"]}, 502, "echo"),
        ("echo", {"do": ["hang-up"]}, 503, 'model "echo" version "1.0": its pod broke off'),
    ],
)
def test_a_fault_is_a_clean_exception_with_our_sentence(
    call: Caller, model: str, inputs: dict[str, list[Any]], status: int, says: str
) -> None:
    given = [tensor(name, "FP64" if name == "value" else "BYTES", data) for name, data in inputs.items()]

    with pytest.raises(Raised) as caught:
        call.infer(model, *given)

    known = {400: "BadRequestError"} if call.client.driver == "openapi" else {}
    kinds = {
        "triton": "InferenceServerException",
        "kserve": "HTTPStatusError",
        "openapi": known.get(status, "ApiError"),
    }
    assert caught.value.kind == kinds[call.client.driver]
    assert says in caught.value.says
    assert str(status) in caught.value.says
    assert "Traceback" not in caught.value.says
    assert "secret" not in caught.value.says


@by_versions
def test_a_version_that_the_model_lacks_is_refused_by_name(call: Caller) -> None:
    with pytest.raises(Raised, match=r"9\.9"):
        call.infer("echo", tensor("value", "FP64", [1.0]), version="9.9")


@pytest.mark.parametrize("client", [one for one in offering("infer") if one.driver != "triton"], ids=str)
def test_a_wrong_shape_is_a_clean_exception(call: Caller) -> None:
    """Triton's client refuses it by itself."""
    with pytest.raises(Raised, match="value") as caught:
        call_wrongly(call)

    assert "400" in caught.value.says


def call_wrongly(call: Caller) -> None:
    wrong = {"name": "value", "shape": [3], "datatype": "FP64", "data": [1.0]}
    if "documents" in call.client.offers:
        call("infer_document", model="echo", document={"inputs": [wrong]})
    else:
        call.infer("echo", wrong)
