"""The list of predictions in an answer, whatever its entries are. Pure."""

from __future__ import annotations

import json

import orjson

from modelyard.checks.answers import Answer, body_excerpt, described, keys_excerpt


class MalformedError(Exception):
    """The body holds no list of predictions; `str()` says why."""


def predictions_in(answer: Answer) -> list[object]:
    """The entries of `predictions`; MalformedError when there is no such list."""
    if answer.status != 200:
        raise MalformedError(status_problem(answer))
    if not answer.whole:
        raise MalformedError(f"the answer is too long: reading stopped after {len(answer.body)} bytes")
    if answer.encoding:
        raise MalformedError(f"the answer is compressed ({answer.encoding[:20]!r}), which was not asked for")
    body = _parsed(answer.body)
    if not isinstance(body, dict):
        raise MalformedError(f'the answer is {described(body)}, not an object with the key "predictions"')
    if "predictions" not in body:
        raise MalformedError(f'the answer has no key "predictions"; {keys_excerpt(body)}')
    predictions = body["predictions"]
    if not isinstance(predictions, list):
        raise MalformedError(f'"predictions" is {described(predictions)}, not a list')
    return predictions


def status_problem(answer: Answer) -> str:
    """What a status that is not 200 came with."""
    return f"answered HTTP {answer.status} with {body_excerpt(answer.body)}"


def _parsed(body: bytes) -> object:
    """What the fast reader refuses is read again by Python's own, which takes NaN and can say where it fails."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_slowly(body)


def _read_slowly(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        problem = f"the answer is not UTF-8 (byte {error.start}): {body_excerpt(body)}"
        raise MalformedError(problem) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise MalformedError(f"the answer is not JSON ({where}): {body_excerpt(body)}") from None
    except RecursionError:
        raise MalformedError(f"the answer is nested too deeply: {body_excerpt(body, 40)}") from None
    except ValueError:  # Python refuses integers of more than 4300 digits.
        raise MalformedError("the answer holds a number of thousands of digits") from None
