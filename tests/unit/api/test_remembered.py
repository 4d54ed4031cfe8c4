"""What is remembered of an object, and when it is computed anew."""

from __future__ import annotations

from modelyard.api.custom_model import CustomModel
from modelyard.api.remembered import remembered
from tests.support.objects import as_applied, make_model


def test_an_object_is_parsed_once_however_often_it_is_read() -> None:
    born = {"uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    manifest = as_applied(make_model())
    manifest["metadata"].update(born)

    assert CustomModel.of(manifest) is CustomModel.of(manifest)
    assert CustomModel.of(dict(manifest)) is not CustomModel.of(manifest)
    assert CustomModel.of(dict(manifest)) == CustomModel.of(manifest)


def test_equal_objects_are_different_objects_and_arguments_count() -> None:
    asked: list[tuple[int, str]] = []

    @remembered(8)
    def compute(of: list[int], word: str) -> str:
        asked.append((of[0], word))
        return f"{word} {of[0]}"

    one, same = [1], [1]
    said = [compute(one, "a"), compute(one, "a"), compute(one, "b"), compute(same, "a")]

    assert said == ["a 1", "a 1", "b 1", "a 1"]
    assert asked == [(1, "a"), (1, "b"), (1, "a")]


def test_only_so_much_is_remembered_and_an_id_that_is_used_again_is_no_trouble() -> None:
    @remembered(2)
    def first(of: list[int]) -> int:
        return of[0]

    assert [first([number]) for number in range(1000)] == list(range(1000))
