"""The trace of a request goes on to its model if it is one, and nothing that only looks so."""

from __future__ import annotations

import pytest

from tests.unit.gateway.rig import gateway, model, post

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


async def passed_on(*lines: str) -> dict[str, str]:
    """What of these headers a model gets."""
    async with model() as behind, gateway([behind.address]) as rig:
        assert (await rig.ask(post(headers="".join(f"{line}\r\n" for line in lines)))).status == 200
        return {name: value for name, value in behind.asked[0].headers.items() if name.startswith("trace")}


@pytest.mark.parametrize(
    "parent", [GOOD, f"00-{TRACE}-{SPAN}-ff", f"cc-{TRACE}-{SPAN}-01", f"01-{TRACE}-{SPAN}-01-a.b"]
)
async def test_a_trace_is_passed_on_as_it_came(parent: str) -> None:
    state = {"tracestate": "a=b, c=d"}
    assert await passed_on(f"traceparent: {parent}") == {"traceparent": parent}
    assert await passed_on("tracestate: a=b", f"Traceparent: {parent}", "tracestate: c=d") == {
        "traceparent": parent,
        **state,
    }


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [""],
        [GOOD, GOOD],
        [GOOD, f"00-{TRACE}-{SPAN}-00"],
        [f"01-{TRACE}-{SPAN}-01", GOOD],
        [f"01-{TRACE}-{SPAN}-01-more", GOOD],
        [GOOD + "-more"],
        [GOOD + "-"],
        [GOOD.upper()],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"01-{TRACE}-{SPAN}-01more"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE}-{SPAN}-1"],
        [f"00-{TRACE}-{SPAN}"],
        ["secret"],
    ],
    ids=", ".join,
)
async def test_what_is_no_trace_is_not_passed_on(parents: list[str]) -> None:
    assert await passed_on(*(f"traceparent: {parent}" for parent in parents), "tracestate: a=b") == {}
