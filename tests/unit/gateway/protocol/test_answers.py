"""Models' answers as clients get them."""

from __future__ import annotations

import struct
from typing import Any

import orjson
import pytest

from modelyard.gateway.protocol import Answer, InferRequest, Refused, check_outputs, from_model, to_client
from modelyard.gateway.route import Target
from tests.unit.gateway.protocol.asking import body, parsed, tensor

REGRESSION = Target("Regression", "price")
ANOMALY = Target("Anomaly", "oddness")
BINARY = Target("Binary", "sold", ("yes", "no"), 0.6)
MULTICLASS = Target("Multiclass", "kind", ("a", "b", "ü"))

HALVES = [{"yes": 0.6, "no": 0.4}, {"yes": 0.25, "no": 0.75}]


def asked(rows: int, *names: str | dict[str, Any], **more: Any) -> InferRequest:
    """A request for `rows` rows; names of outputs, or whole outputs."""
    outputs = [name if isinstance(name, dict) else {"name": name} for name in names]
    return parsed(body(tensor([1.5] * rows), id="me", outputs=outputs, **more))


def raw(name: str) -> dict[str, Any]:
    return {"name": name, "parameters": {"binary_data": True}}


def answered(request: InferRequest, target: Target, predictions: Any) -> Answer:
    return to_client(request, target, "flats", "1.0", orjson.dumps({"predictions": predictions}))


def outputs(request: InferRequest, target: Target, predictions: Any) -> dict[str, Any]:
    """What is in each output of an answer in JSON."""
    answer = answered(request, target, predictions)
    assert answer.headers == ((b"content-type", b"application/json"),)
    told = orjson.loads(answer.body)
    assert (told["model_name"], told["model_version"], told["id"]) == ("flats", "1.0", "me")
    assert all(output["shape"] == [request.rows] for output in told["outputs"])
    return {f"{output['datatype']} {output['name']}": output["data"] for output in told["outputs"]}


@pytest.mark.parametrize("target", [REGRESSION, ANOMALY])
def test_a_number_a_row_is_told_under_the_targets_name(target: Target) -> None:
    assert outputs(asked(2), target, [217500, 0.5]) == {f"FP64 {target.name}": [217500.0, 0.5]}
    assert outputs(asked(2, target.name), target, [1.5, 2.5]) == {f"FP64 {target.name}": [1.5, 2.5]}


def test_a_whole_answer_is_as_the_protocol_says() -> None:
    answer = answered(asked(2), REGRESSION, [1.5, 2])
    assert answer.body == (
        b'{"model_name":"flats","model_version":"1.0","id":"me","outputs":'
        b'[{"name":"price","shape":[2],"datatype":"FP64","data":[1.5,2.0]}]}'
    )


def test_probabilities_are_told_label_by_label() -> None:
    assert outputs(asked(2), BINARY, HALVES) == {"FP64 yes": [0.6, 0.25], "FP64 no": [0.4, 0.75]}
    shares = [{"ü": 0.5, "a": 0.3, "b": 0.2}]
    assert outputs(asked(1), MULTICLASS, shares) == {"FP64 a": [0.3], "FP64 b": [0.2], "FP64 ü": [0.5]}


def test_the_decided_label_is_told_when_it_is_asked_for() -> None:
    assert outputs(asked(2, "sold"), BINARY, HALVES) == {"BYTES sold": ["yes", "no"]}
    shares = [{"ü": 0.5, "a": 0.3, "b": 0.2}, {"ü": 0.3, "a": 0.3, "b": 0.3}]
    assert outputs(asked(2, "kind"), MULTICLASS, shares) == {"BYTES kind": ["ü", "a"]}


def test_outputs_come_as_asked_for_and_in_that_order() -> None:
    assert list(outputs(asked(2, "no", "sold", "yes"), BINARY, HALVES)) == [
        "FP64 no",
        "BYTES sold",
        "FP64 yes",
    ]


def test_a_label_named_as_the_target_hides_the_decided_one() -> None:
    target = Target("Binary", "yes", ("yes", "no"))
    assert outputs(asked(2, "yes"), target, HALVES) == {"FP64 yes": [0.6, 0.25]}


@pytest.mark.parametrize(
    ("target", "has"),
    [
        (REGRESSION, '"price"'),
        (BINARY, '"yes", "no", "sold"'),
        (Target("Multiclass", "kind", tuple("abcdef")), '"a", "b", "c", "d", "e" and 2 more'),
    ],
)
def test_an_output_that_there_is_not_is_refused(target: Target, has: str) -> None:
    with pytest.raises(Refused) as caught:
        check_outputs(asked(1, "weight"), target, "flats")
    assert caught.value.status == 400
    assert caught.value.message == f'model "flats" has no output "weight"; it has {has}'
    with pytest.raises(Refused, match='has no output "weight"'):
        answered(asked(1, "weight"), target, [1.5])


def test_outputs_are_raw_when_asked_for_in_general() -> None:
    request = asked(2, parameters={"binary_data_output": True})
    answer = answered(request, BINARY, HALVES)
    text = (
        b'{"model_name":"flats","model_version":"1.0","id":"me","outputs":['
        b'{"name":"yes","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}},'
        b'{"name":"no","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}}]}'
    )
    assert answer.headers == (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", str(len(text)).encode()),
    )
    assert answer.body == text + struct.pack("<4d", 0.6, 0.25, 0.4, 0.75)


def test_outputs_are_raw_one_by_one() -> None:
    target = Target("Multiclass", "kind", ("a", "ü"))
    shares = [{"a": 0.25, "ü": 0.75}, {"a": 0.5, "ü": 0.5}]
    answer = answered(asked(2, raw("kind"), "a", raw("ü")), target, shares)
    length = int(answer.headers[1][1])
    told = orjson.loads(answer.body[:length])["outputs"]
    assert told == [
        {"name": "kind", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 11}},
        {"name": "a", "shape": [2], "datatype": "FP64", "data": [0.25, 0.5]},
        {"name": "ü", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": 16}},
    ]
    kinds = b"\2\0\0\0" + "ü".encode() + b"\1\0\0\0a"
    assert answer.body[length:] == kinds + struct.pack("<2d", 0.75, 0.5)


def test_one_output_may_be_json_although_raw_is_asked_for_in_general() -> None:
    plain = {"name": "price", "parameters": {"binary_data": False}}
    request = asked(1, plain, parameters={"binary_data_output": True})
    assert outputs(request, REGRESSION, [1.5]) == {"FP64 price": [1.5]}


@pytest.mark.parametrize("value", [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 2.0**53 + 2])
def test_doubles_come_back_to_the_last_bit(value: float) -> None:
    told = outputs(asked(1), REGRESSION, [value])["FP64 price"]
    assert struct.pack("<d", told[0]) == struct.pack("<d", value)
    answer = answered(asked(1, raw("price")), REGRESSION, [value])
    assert answer.body.endswith(struct.pack("<d", value))


NUMBER = "it must be a finite number"
WITH_KEYS = "prediction 1 is an object with the keys"
KEYS = 'it must be an object with exactly the keys "yes", "no"'


@pytest.mark.parametrize(
    ("target", "answer", "sentence"),
    [
        (REGRESSION, b"[1]", 'its answer has no list "predictions": "[1]"'),
        (REGRESSION, b"{}", 'its answer has no list "predictions": "{}"'),
        (
            REGRESSION,
            b'{"predictions": {}}',
            r'its answer has no list "predictions": "{\"predictions\": {}}"',
        ),
        (
            REGRESSION,
            b'{"predictions": [1]}',
            "1 predictions for 2 rows; exactly one prediction a row is needed",
        ),
        (
            REGRESSION,
            b'{"predictions": [1, 2, 3]}',
            "3 predictions for 2 rows; exactly one prediction a row is needed",
        ),
        (REGRESSION, b'{"predictions": [1, null]}', f"prediction 1 is null; {NUMBER}"),
        (REGRESSION, b'{"predictions": [1, true]}', f"prediction 1 is true; {NUMBER}"),
        (REGRESSION, b'{"predictions": ["1", 2]}', f'prediction 0 is the text "1"; {NUMBER}'),
        (REGRESSION, b'{"predictions": [1, [2]]}', f"prediction 1 is a list of 1; {NUMBER}"),
        (ANOMALY, b'{"predictions": [{"a": 1}, 2]}', f"prediction 0 is an object with 1 keys; {NUMBER}"),
        (BINARY, b'{"predictions": [1, 2]}', f"prediction 0 is 1; {KEYS}"),
        (BINARY, b'{"predictions": [{"yes": 1, "no": 0}, {"yes": 1}]}', f'{WITH_KEYS} "yes"; {KEYS}'),
        (
            BINARY,
            b'{"predictions": [{"yes": 1, "no": 0}, {"yes": 1, "NO": 0}]}',
            f'{WITH_KEYS} "yes", "NO"; {KEYS}',
        ),
        (
            BINARY,
            b'{"predictions": [{"yes": 1, "no": 0}, {"yes": 1, "no": 0, "x": 0}]}',
            f'{WITH_KEYS} "yes", "no", "x"; {KEYS}',
        ),
        (
            BINARY,
            b'{"predictions": [{"yes": 1, "no": 0}, {"yes": null, "no": 0}]}',
            f'prediction 1 of "yes" is null; {NUMBER}',
        ),
    ],
)
def test_a_malformed_answer_is_the_models_fault(target: Target, answer: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        to_client(asked(2), target, "flats", "1.0", answer)
    assert caught.value.status == 502
    assert caught.value.message == f'model "flats" version "1.0": {sentence}'


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b'{"predictions": [NaN]}', b'{"predictions": [1e999]}', b"[" * 100_000]
)
def test_what_is_not_json_is_the_models_fault(answer: bytes) -> None:
    with pytest.raises(Refused, match=r'^model "flats" version "1\.0": its answer is not JSON') as caught:
        to_client(asked(1), REGRESSION, "flats", "1.0", answer)
    assert caught.value.status == 502
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("status", "body_", "told", "message"),
    [
        (400, b'{"error":\n "no  area"}', 400, ' with "no area"'),
        (422, b"", 400, " with an empty body"),
        (413, "ü".encode() * 900, 400, f' with "{"ü" * 199}…"'),
        (500, b"Traceback (most recent call last)", 502, ""),
        (404, b"gone", 502, ' at "/predict_no_state/"'),
        (301, b"", 502, ""),
        (503, b"starting", 503, ""),
        (429, b"busy", 503, ""),
    ],
)
def test_other_statuses_of_a_model_are_told_without_its_stack_trace(
    status: int, body_: bytes, told: int, message: str
) -> None:
    refused = from_model("flats", "1.0", status, body_, "/predict_no_state/")
    assert refused.status == told
    assert refused.message == f'model "flats" version "1.0" answered HTTP {status}{message}'


TRACE = 'Traceback (most recent call last):\n  File "/srv/model/custom.py", line 3, in score\nKeyError: 1'


@pytest.mark.parametrize(
    "said",
    [
        TRACE.encode(),
        b"bad data\n" + TRACE.encode(),
        b" " * 5_000 + TRACE.encode(),
        orjson.dumps({"detail": TRACE}),
        orjson.dumps({"detail": TRACE.partition("\n")[2]}),
        b'oops\n  File "/srv/model/custom.py", line 3, in score',
        b"oops\r\n  File &quot;/srv/model/custom.py&quot;, line 3, in score",
        b"java.lang.NullPointerException\n\tat org.example.Model.score(Model.java:3)",
        orjson.dumps({"trace": "java.lang.NullPointerException\n\tat org.example.Model.score(Model.java:3)"}),
        b"Error: no\n    at score (/srv/model/index.js:3:1)",
        b"goroutine 12 [running]: main.score(...) /app/score.go:41 +0x1d panic: secret",
        b"goroutine 12 [running]:\nmain.score(...)\n\t/app/score +0x1d",
        b"DomainError: secret\nStacktrace:\n [1] score(x::Int64)\n   @ Main /app/secret.jl:12",
        b"Stacktrace: [1] score(x::Int64) @ Main /app/secret",
        orjson.dumps({"error": "secret\nTraceback: 1. score(x)  2. handler(req)"}),
        b"Traceback: 1. score(x) 2. handler(req)",
        b"2: score(x) at score.R#12",
        b"score.rb:12:in `score': secret (RuntimeError)",
        b"thread 'main' panicked at 'secret', src/main.rs:3:1",
        b"thread 'main' panicked at secret",
        b"System.Exception: secret at Model.Score(Object x) in C:\\model\\Score.cs:line 3",
        b"System.Exception: secret at Model.Score(Object x)",
        b"secret at /app/score line 12.",
        b"secret in /app/score.php on line 12",
        b"Fatal error: secret: file score.swift, line 12",
        b"#0 /app/score.php(12): score()",
        b"#0  0x00007ffff7a42428 in score ()",
        b"{error,{badarg,[{score,run,1,[{file,'score'},{line,12}]}]}}",
        b"secret CallStack (from HasCallStack): error, called at Score",
        orjson.dumps([{"detail": {"message": "score.rb:12:in `score'"}}]),
        orjson.dumps({"detail": [[[[["too deep"]]]]]}),
        orjson.dumps({"trace": "secret"}),
        b"<html><title>secret</title></html>",
        b"secret " * 10_000,
    ],
)
def test_a_stack_trace_is_not_quoted_whatever_its_status(said: bytes) -> None:
    refused = from_model("flats", "1.0", 400, said, "/")
    assert (refused.status, refused.message) == (400, 'model "flats" version "1.0" answered HTTP 400')


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"column area is missing", "column area is missing"),
        (b"File is missing at once\n", "File is missing at once"),
        (b"look  at this\nFile too", "look at this"),
        (orjson.dumps({"error": "no area", "trace": TRACE}), "no area"),
        (orjson.dumps({"message": "no area"}), "no area"),
        (orjson.dumps({"error": {"message": "no area"}}), "no area"),
        (orjson.dumps({"detail": [{"loc": ["body", "X"], "msg": "no area"}]}), "no area"),
        (orjson.dumps("no area"), "no area"),
        (b"Expecting value: line 1 column 1 (char 0)", "Expecting value: line 1 column 1 (char 0)"),
        (b"TypeError: f() takes 1 argument, 2 were given", "TypeError: f() takes 1 argument, 2 were given"),
        (b"Error in score(x) : no area", "Error in score(x) : no area"),
        (b"area 12.5: at least 3.0 (see A.1) in row 4", "area 12.5: at least 3.0 (see A.1) in row 4"),
        (b"must call http://x.svc:80 instead", "must call http://x.svc:80 instead"),
        (b"value of col.age:18 is bad", "value of col.age:18 is bad"),
        (orjson.dumps({"error": None, "message": "no area"}), "no area"),
        (orjson.dumps({"error": True, "message": "no area"}), "no area"),
    ],
)
def test_of_what_is_no_stack_trace_a_line_is_quoted(said: bytes, told: str) -> None:
    assert from_model("flats", "1.0", 422, said, "/").message.endswith(f'with "{told}"')


@pytest.mark.parametrize("answer", [TRACE.encode(), orjson.dumps({"error": TRACE})])
def test_a_stack_trace_in_place_of_predictions_is_not_quoted(answer: bytes) -> None:
    with pytest.raises(Refused) as caught:
        to_client(asked(1), REGRESSION, "flats", "1.0", answer)
    assert caught.value.status == 502
    assert "Traceback" not in caught.value.message
