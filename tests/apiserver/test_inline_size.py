"""What may be written inline, plain `kubectl apply` can store: the copy in its annotation fits too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from modelyard.api.inline_size import MAX_INLINE_BYTES, MAX_STORED_BYTES
from tests.apiserver.said import create, path_of, refusal
from tests.apiserver.server import ApiServer
from tests.support.objects import as_applied, make_dataset, make_gate, make_model, make_test, make_version

Manifest = dict[str, Any]

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATION_LIMIT = 256 * 1024

TEXTS = {
    "plain": "x",
    "two bytes a character": "é",
    "four bytes a character": "😀",
    "short lines": "a = 1\n",
    "nothing but line ends": "\n",
    "quotes": '"',
    "markup": "<p>hello, world</p>\n",
    "nothing but <": "<",
    "nothing but &": "&",
    "conditions": "if (a < b && c > d) {\n",
    "every escape": '<>&"\\\n\t\u2028',
}


def text(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def version(content: str, *, files: int = 1, **overrides: Any) -> Manifest:
    """A version with the text spread over so many files, deep paths included."""
    step = -(-len(content) // files)
    parts = [
        {"path": f"lib/{number}.txt", "content": content[number * step : (number + 1) * step]}
        for number in range(files)
    ]
    return make_version(source={"inline": parts}, **overrides)


def gated(content: str) -> Manifest:
    """A model whose gate has the text in the datasets of two tests."""
    half = len(content) // 2
    gate = make_gate("first", "second")
    gate["tests"][0]["dataset"] = make_dataset(content[:half])
    gate["tests"][1]["dataset"] = make_dataset(content[half:])
    return make_model(gate=gate)


def counted(content: str) -> int:
    """The larger of the two sums that the rules make of a content."""
    plain = len(content.encode()) + sum(content.count(escaped) for escaped in '"\\\n\t\r')
    unseen = 5 * content.count("\u2028")
    return plain + unseen + max(7 * (content.count("<") + content.count(">")), 18 * content.count("&"))


def longest(unit: str, paths: Iterable[str]) -> str:
    """The longest text of this unit that may stand in files of these paths."""
    room = MAX_STORED_BYTES - sum(len(path) + 48 for path in paths)
    least, most = 0, MAX_INLINE_BYTES
    while least < most:
        middle = (least + most + 1) // 2
        content = text(unit, middle)
        fits = len(content.encode()) <= MAX_INLINE_BYTES and counted(content) <= room
        least, most = (middle, most) if fits else (least, middle - 1)
    return text(unit, least)


def apply(server: ApiServer, namespace: str, manifest: Manifest) -> str:
    """Plain client-side `kubectl apply`; what it says if it fails."""
    body = as_applied(manifest)
    body["metadata"]["namespace"] = namespace
    done = server.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize(
    ("unit", "files"),
    [*((unit, 1) for unit in TEXTS.values()), ("é", 100), ("a = 1\n", 100), ("conditions", 100)],
    ids=[*TEXTS, "two bytes, 100 files", "short lines, 100 files", "words, 100 files"],
)
def test_the_longest_text_can_be_applied_and_its_version_edited(
    server: ApiServer, namespace: str, unit: str, files: int
) -> None:
    content = longest(unit, [f"lib/{number}.txt" for number in range(files)])

    created = apply(server, namespace, version(content, files=files, description="é" * 5000))
    edited = apply(server, namespace, version(content, files=files, description="new"))

    assert (created, edited) == ("", "")
    stored = server.request("GET", path_of(version(""), namespace, named=True)).body
    assert "".join(file["content"] for file in stored["spec"]["source"]["inline"]) == content
    assert stored["spec"]["description"] == "new"
    assert len(stored["metadata"]["annotations"][ANNOTATION].encode()) < ANNOTATION_LIMIT


@pytest.mark.parametrize("unit", TEXTS.values(), ids=TEXTS.keys())
def test_one_character_more_is_refused(server: ApiServer, unit: str) -> None:
    content = longest(unit, ["lib/0.txt"])
    more = text(unit, len(content) + len(unit))

    assert refusal(create(server, "default", version(content), dry=True)) == ""
    assert refusal(create(server, "default", version(more), dry=True)) != ""


@pytest.mark.parametrize("unit", ["é", "a = 1\n", "<", '<>&"\\\n\t\u2028'])
def test_the_longest_dataset_can_be_applied(server: ApiServer, namespace: str, unit: str) -> None:
    alone, both = longest(unit, ["rows.json"]), longest(unit, ["rows.json", "rows.json"])

    assert apply(server, namespace, make_test(dataset=make_dataset(alone))) == ""
    assert apply(server, namespace, gated(both)) == ""


@pytest.mark.parametrize(
    ("unit", "length"),
    [("x", MAX_INLINE_BYTES), ("é", MAX_INLINE_BYTES // 2), ("😀", MAX_INLINE_BYTES // 4)],
)
@pytest.mark.parametrize("files", [1, 100])
def test_192_kib_of_text_fit_whatever_the_script(
    server: ApiServer, unit: str, length: int, files: int
) -> None:
    assert refusal(create(server, "default", version(text(unit, length), files=files), dry=True)) == ""
    assert refusal(create(server, "default", gated(text(unit, length)), dry=True)) == ""


def test_192_kib_of_code_fit(server: ApiServer) -> None:
    line = "        total = sum(value for value in rows if value > 0 and names['x'] != other)\n"

    assert refusal(create(server, "default", version(text(line, MAX_INLINE_BYTES)), dry=True)) == ""


NEXT = "put large files into a ConfigMap (kubectl create configmap NAME --from-file=DIRECTORY) and name it in configMap"
NEXT_DATA = (
    "put the data into a ConfigMap (kubectl create configmap NAME --from-file=FILE) and name it in configMap"
)
COPY = (
    f"take more than {MAX_STORED_BYTES} bytes (224 KiB) in the copy that kubectl apply keeps as JSON, where '<' and "
    "'>' count 8, '&' 19, and quotes, backslashes, tabs and line ends 2"
)
TOO_LONG = f"hold more than {MAX_INLINE_BYTES} bytes (192 KiB) of UTF-8 together"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (
            version("é" * (MAX_INLINE_BYTES // 2) + "x"),
            f"spec.source.inline: Invalid value: the files {TOO_LONG}; {NEXT}",
        ),
        (
            version("x" * (MAX_INLINE_BYTES + 1)),
            f"spec.source.inline[0].content: Too long: may not be more than {MAX_INLINE_BYTES} bytes",
        ),
        (
            version("x" * (MAX_INLINE_BYTES + 1), files=100),
            f"spec.source.inline: Invalid value: the files {TOO_LONG}; {NEXT}",
        ),
        (version("<" * 30000), f"spec.source.inline: Invalid value: the files {COPY}; {NEXT}"),
        (version("&" * 13000), f"spec.source.inline: Invalid value: the files {COPY}; {NEXT}"),
        (version('"' * 120000), f"spec.source.inline: Invalid value: the files {COPY}; {NEXT}"),
        (
            gated("é" * (MAX_INLINE_BYTES // 2 + 1)),
            f"spec.gate.tests: Invalid value: the inline datasets of all tests {TOO_LONG}; {NEXT_DATA}",
        ),
        (
            gated("<" * 30000),
            f"spec.gate.tests: Invalid value: the inline datasets of all tests {COPY}; {NEXT_DATA}",
        ),
        (
            make_test(dataset=make_dataset("&" * 13000)),
            f"spec.dataset.inline: Invalid value: the files {COPY}; {NEXT_DATA}",
        ),
    ],
    ids=["multibyte", "one file", "many files", "<", "&", "quotes", "gate", "gate of <", "dataset"],
)
def test_too_much_text_is_refused_with_the_way_out(
    server: ApiServer, manifest: Manifest, message: str
) -> None:
    assert refusal(create(server, "default", manifest, dry=True)) == message


def test_what_kubectl_stores_is_what_the_rule_counts(server: ApiServer, namespace: str) -> None:
    """The weights of the rule are never below what an escape takes."""
    taken = {}
    for character in '<>&"\\\n\t\r\u2028é😀':
        manifest = make_version(
            f"c{ord(character)}", source={"inline": [{"path": "a", "content": character}]}
        )
        apply(server, namespace, manifest)
        stored = server.request("GET", path_of(manifest, namespace, named=True)).body
        copy = stored["metadata"]["annotations"][ANNOTATION]
        assert json.loads(copy)["spec"]["source"]["inline"][0]["content"] == character
        taken[character] = len(copy.split('"content":"')[1].split('","path"')[0].encode())

    assert taken == {
        "<": 6, ">": 6, "&": 6, '"': 2, "\\": 2, "\n": 2, "\t": 2, "\r": 2, "\u2028": 6, "é": 2, "😀": 4
    }  # fmt: skip
