"""The options of `modelyard gateway`, and the settings that they make."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from modelyard.gateway.settings import Settings
from modelyard.http1.exchange import Limits


class OptionsError(Exception):
    """Options that contradict each other."""


class _Option(NamedTuple):
    name: str
    field: str
    parse: Callable[[str], Any]
    text: str


def _at_least(lowest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"must be a number from {lowest} on, not {text!r}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(f"must be seconds, above 0 and at most 86400, not {text!r}")
    return seconds


def _seconds_or_none(text: str) -> float:
    return 0.0 if text == "0" else _seconds(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a share from 0 to 1, not {text!r}")
    return share


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be true or false, not {text!r}")
    return text == "true"


_OF_CLIENTS = (
    _Option("max-head-bytes", "head_bytes", _at_least(256), "request line and headers; 431"),
    _Option("max-body-bytes", "body_bytes", _at_least(1), "body, as sent and as unfolded; 413"),
    _Option(
        "max-held-bytes", "held_bytes", _at_least(1), "bodies and unread answers, and answers of models; 503"
    ),
    _Option("head-timeout", "head_seconds", _seconds, "for the headers to come; 408"),
    _Option("body-timeout", "body_seconds", _seconds, "for the body to come; 408"),
    _Option("idle-timeout", "idle_seconds", _seconds, "between two requests"),
    _Option("write-timeout", "write_seconds", _seconds, "for which a client may leave an answer unread"),
    _Option("connection-age", "age_seconds", _seconds, "after which a connection ends with its next answer"),
    _Option("max-connections", "connections", _at_least(1), "connections of clients"),
    _Option("answer-half-closed", "half_closed", _truth, "answer who ends its side, true or false"),
)
_OF_MODELS = (
    _Option("max-in-flight", "in_flight", _at_least(1), "predictions under way; 503"),
    _Option("max-in-flight-per-model", "in_flight_per_model", _at_least(1), "those of one model; 503"),
    _Option("max-answer-bytes", "answer_bytes", _at_least(1), "a model's answer; 502"),
    _Option("connect-timeout", "connect_seconds", _seconds, "for a pod to take a connection"),
    _Option("first-byte-timeout", "first_byte_seconds", _seconds, "for a model to begin its answer; 504"),
    _Option("whole-timeout", "whole_seconds", _seconds, "for a model to end its answer; 504"),
    _Option("upstream-idle-timeout", "upstream_idle_seconds", _seconds, "for unused connections to pods"),
)
_OF_THE_PROCESS = (
    _Option("access-log-sample", "access_log_sample", _share, "share of requests in the access log, 0 to 1"),
    _Option(
        "drain-delay", "drain_seconds", _seconds_or_none, "to go on after SIGTERM, not ready, before ending"
    ),
    _Option("grace", "grace_seconds", _seconds, "to finish what is under way then"),
)


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that the options make. Raises OptionsError."""
    given = vars(options)
    limits = Limits(**{option.field: given[option.field] for option in _OF_CLIENTS})
    if limits.held_bytes < limits.body_bytes:
        raise OptionsError(
            f"--max-held-bytes ({limits.held_bytes}) is below --max-body-bytes ({limits.body_bytes}): "
            "a body of that size would never be taken"
        )
    return Settings(
        limits, **{option.field: given[option.field] for option in (*_OF_MODELS, *_OF_THE_PROCESS)}
    )


def parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    made = argparse.ArgumentParser(
        prog="modelyard gateway",
        description="Answer the Open Inference Protocol V2 in front of models: those of a file, or of the cluster.",
        epilog="Times are seconds, sizes bytes; each worker keeps to the limits on its own. SIGTERM and SIGINT end it "
        "in order: not ready, then finished within the grace.",
    )
    made.add_argument(
        "--routes", type=Path, metavar="FILE", help="routes of a file, read again when it changes"
    )
    made.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="routes of a cluster, from outside of it"
    )
    made.add_argument(
        "--watch", action="append", default=[], metavar="NS", help="of this namespace only (repeatable)"
    )
    made.add_argument("--namespace", metavar="NS", help="the namespace of /v2/... (a file may say it, too)")
    made.add_argument("--host", default="", help="address to listen on (default: all)")
    made.add_argument("--port", type=_port, default=8080, help="for requests (default: %(default)s; 0: any)")
    made.add_argument(
        "--admin-port",
        type=_port,
        default=8081,
        help="for /healthz, /readyz, /metrics (default: %(default)s; 0: any)",
    )
    made.add_argument("--workers", type=_at_least(0), default=1, help="processes (default: 1; 0: one a core)")
    made.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    for title, options, of in (
        ("what a client may take", _OF_CLIENTS, Limits()),
        ("what a model may take", _OF_MODELS, Settings()),
        ("the process", _OF_THE_PROCESS, Settings()),
    ):
        _add(made.add_argument_group(title), options, dataclasses.asdict(of))
    return made


def _add(group: Any, options: tuple[_Option, ...], defaults: dict[str, Any]) -> None:
    for option in options:
        group.add_argument(
            f"--{option.name}",
            dest=option.field,
            type=option.parse,
            default=defaults[option.field],
            metavar="N",
            help=f"{option.text} (default: %(default)s)",
        )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a port, not {text!r}")
    return int(text)
