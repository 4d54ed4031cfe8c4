"""A report for people, for programs, and for CI tools. Pure: a report goes in, text comes out."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as xml
from collections.abc import Collection, Iterator

from modelyard.api.check_plan import CheckName, CheckStatus
from modelyard.api.check_report import CheckRecord, CheckReport

_WIDTH = len("nullValueImputation")
_FINDINGS_SHOWN = 10
_SAMPLING = (CheckName.NULL_VALUE_IMPUTATION, CheckName.SIDE_EFFECTS)
"""Checks whose verdict is about a sample: what it went by is always said."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def as_text(report: CheckReport) -> str:
    """A few lines a check: its word, its message, and under it what it found. No line holds control characters."""
    lines = [
        *_heading(report),
        "",
        *(line for check in report.checks for line in _check_lines(check)),
        "",
        _ending(report),
    ]
    return "\n".join(_CONTROL.sub(" ", line) for line in lines) + "\n"


def as_json(report: CheckReport) -> str:
    """The report as JSON with the keys of its types, indented."""
    wire = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(wire, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def as_junit(report: CheckReport, *, strict: bool = False) -> str:
    """JUnit XML with one test case a check.

    A failed check is a failure. A warning passes, as JUnit knows nothing between, and says so in its output; when
    `strict`, it is a failure. A check that was left out, or not run since another failed, is skipped. One that was
    cut short is an error.
    """
    failing = {CheckStatus.FAILED, CheckStatus.WARNING} if strict else {CheckStatus.FAILED}
    cases = [_case(report, check, failing) for check in report.checks]
    suite = xml.Element("testsuite", name=_xml(_subject(report)), time=f"{report.duration_seconds:.3f}")
    suite.set("tests", str(len(cases)))
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(kind) is not None for case in cases)))
    suite.extend(cases)
    if report.error:
        xml.SubElement(suite, "system-err").text = _xml(report.error)
    suites = xml.Element("testsuites", {k: v for k, v in suite.attrib.items() if k != "skipped"})
    suites.append(suite)
    xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"


def _heading(report: CheckReport) -> Iterator[str]:
    target = f" ({report.target_type})" if report.target_type else ""
    test = f", test {report.test}" if report.test else ""
    yield f"Model {_subject(report)}{target}{test}"
    if data := report.dataset:
        columns = len(data.columns) + data.columns_left_out
        yield f"Data {data.name}: {_count(data.rows, 'row')}, {_count(columns, 'column')}"


def _check_lines(check: CheckRecord) -> Iterator[str]:
    time = f" ({check.duration_seconds:.1f} s)" if check.duration_seconds else ""
    yield f"{_word(check.status):>9}  {check.name:<{_WIDTH}}  {check.message}{time}"
    indent = " " * (9 + 2 + _WIDTH + 2)
    shown = check.findings[:_FINDINGS_SHOWN] if len(check.findings) > 1 else ()
    for finding in shown:
        yield f"{indent}- {finding.where}: {finding.message}"
    if shown and (left := len(check.findings) + check.findings_left_out - len(shown)):
        yield f"{indent}- and {left} more"
    if check.findings or check.name in _SAMPLING:
        yield from (f"{indent}({line})" for line in _facts(check))


def _ending(report: CheckReport) -> str:
    error = f": {report.error}" if report.error else ""
    requests = _count(report.counts.requests, "request")
    return f"{_word(report.overall_status)} after {report.duration_seconds:.1f} s and {requests}{error}"


def _case(report: CheckReport, check: CheckRecord, failing: Collection[CheckStatus]) -> xml.Element:
    case = xml.Element("testcase", classname=_xml(f"modelyard.{report.model or 'model'}"), name=check.name)
    case.set("time", f"{check.duration_seconds:.3f}")
    if kind := _kind(report, check, failing):
        told = xml.SubElement(case, kind, message=_xml(check.message))
        if kind != "skipped":
            told.set("type", check.status)
            told.text = _xml(_details(check))
    else:
        xml.SubElement(case, "system-out").text = _xml(_passed(check))
    return case


def _kind(report: CheckReport, check: CheckRecord, failing: Collection[CheckStatus]) -> str | None:
    """The element that marks a test case; None when it passed."""
    if check.status in failing:
        return "failure"
    match check.status:
        case CheckStatus.SUCCEEDED | CheckStatus.WARNING:
            return None
        case CheckStatus.SKIPPED:
            return "skipped"
        case _:
            another_failed = any(other.status is CheckStatus.FAILED for other in report.checks)
            return "skipped" if another_failed and not report.error else "error"


def _passed(check: CheckRecord) -> str:
    if check.status is CheckStatus.WARNING:
        return f"warning: {check.message}\n{_details(check)}"
    return "\n".join([check.message, *(_facts(check) if check.name in _SAMPLING else ())])


def _details(check: CheckRecord) -> str:
    lines = [f"{finding.where}: {finding.message}" for finding in check.findings] or [check.message]
    if check.findings_left_out:
        lines.append(f"and {check.findings_left_out} more")
    return "\n".join([*lines, *_facts(check)])


def _facts(check: CheckRecord) -> Iterator[str]:
    """The line that says what a check went by, if it noted anything."""
    if check.facts:
        yield ", ".join(f"{name} {value}" for name, value in check.facts.items())


def _subject(report: CheckReport) -> str:
    return f"{report.model} {report.version}".strip() or "unknown"


def _word(status: CheckStatus) -> str:
    return status.replace("_", " ") if status is not CheckStatus.FAILED else "FAILED"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _xml(text: str) -> str:
    """Text without what XML cannot hold, even escaped: a model's message may hold any character."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
