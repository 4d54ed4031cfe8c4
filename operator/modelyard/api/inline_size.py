"""How large inline files may be, as CEL.

Two limits hold for the inline files of one object together:

- 192 KiB of UTF-8.
- What plain `kubectl apply` can store. It keeps a second copy of the object as JSON in an annotation, and all
  annotations of an object share 256 KiB. In that JSON `<`, `>` and `&` take six bytes each, and quotes, backslashes,
  tabs and line ends two. So the files may take 224 KiB in that form; the rest is left to the other fields.

A text that one tool can apply, every tool can apply: the second limit also holds for server-side apply.

The API server refuses a rule whose cost, estimated from maxItems and maxLength, is too high, and a hundred files of
192 Ki characters leave room for one walk over each text. The length in bytes and the number of two-byte escapes come
from `format`, which the estimate counts as cheap. `findAll` is the one walk. Hence two rules for the six-byte
characters, `<` and `>` in one and `&` in the other. So that a text which passes both always fits, the two weigh more
than they take: 5/7 + 5/18 < 1.
"""

from __future__ import annotations

from collections.abc import Callable

from modelyard.api.markers import Rule

MAX_INLINE_BYTES = 192 * 1024
MAX_STORED_BYTES = 224 * 1024

_ANGLE_WEIGHT = 7
_AMPERSAND_WEIGHT = 18
_ENTRY = 48
"""What the JSON of one file takes besides its path and content."""


def inline_rules(advice: str) -> tuple[Rule, ...]:
    """The limits for an object with an optional list `inline` of up to 100 files; `advice` is the next
    step."""
    return _limits(
        lambda size: f"!has(self.inline) || {_sum('self.inline', size)}", ".inline", "the files", advice
    )


def gate_rules(advice: str) -> tuple[Rule, ...]:
    """The limits for the inline datasets of all `tests` together."""

    def total(size: str) -> str:
        inline = _sum("t.dataset.inline", size)
        return f"self.tests.map(t, has(t.dataset) && has(t.dataset.inline) ? {inline} : 0).sum()"

    return _limits(total, ".tests", "the inline datasets of all tests", advice)


def _limits(total: Callable[[str], str], where: str, what: str, advice: str) -> tuple[Rule, ...]:
    too_long, too_dense = _too_long(what, advice), _too_dense(what, advice)
    return (
        Rule(f"{total(_bytes_of('f.content'))} <= {MAX_INLINE_BYTES}", too_long, where),
        Rule(f"{total(_stored('<|>', _ANGLE_WEIGHT))} <= {MAX_STORED_BYTES}", too_dense, where),
        Rule(f"{total(_stored('&', _AMPERSAND_WEIGHT))} <= {MAX_STORED_BYTES}", too_dense, where),
    )


def _sum(files: str, size: str) -> str:
    return f"{files}.map(f, {size}).sum()"


def _stored(escaped: str, weight: int) -> str:
    quoted = "size('%s'.format([[f.content]])) - 4 - size(f.content)"
    walked = f"size(f.content.findAll('{escaped}'))"
    return f"{_bytes_of('f.path')} + {_ENTRY} + {_bytes_of('f.content')} + {quoted} + {weight} * {walked}"


def _bytes_of(text: str) -> str:
    """Length in bytes of UTF-8, as half the length in hexadecimal digits."""
    return f"size('%x'.format([{text}])) / 2"


def _too_long(what: str, advice: str) -> str:
    return f"{what} hold more than {MAX_INLINE_BYTES} bytes (192 KiB) of UTF-8 together; {advice}"


def _too_dense(what: str, advice: str) -> str:
    return (
        f"{what} take more than {MAX_STORED_BYTES} bytes (224 KiB) in the copy that kubectl apply keeps as JSON, where"
        f" '<' and '>' count {1 + _ANGLE_WEIGHT}, '&' {1 + _AMPERSAND_WEIGHT}, and quotes, backslashes, tabs and line"
        f" ends 2; {advice}"
    )
