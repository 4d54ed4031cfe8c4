"""The ConfigMap that keeps the full report of a test and the log of its runner, compressed.

It belongs to the ModelTest and goes with it. What it holds can be read with any gunzip:

    kubectl get configmap NAME -o jsonpath='{.binaryData.report\\.json\\.gz}' | base64 -d | gunzip
"""

from __future__ import annotations

import gzip
import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Any

from modelyard.api import labels
from modelyard.api.check_report import MAX_REPORT
from modelyard.api.digests import canonical_hash
from modelyard.api.kinds import CONFIG_MAP
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name

REPORT_KEY = "report.json.gz"
LOG_KEY = "log.txt.gz"

MAXIMUM = 900 * 1024
"""Bytes of both together, compressed; the API server takes 1 MiB."""

LONGEST_LOG = 16 * 1024 * 1024
"""Bytes of a log that are unpacked again; what unpacks to more was not packed here."""


def report_name(test: Owner) -> str:
    """Name of the ConfigMap; a test that is made again has another."""
    return child_name(f"report-{test.name}", canonical_hash(test.uid))


def report_map(test: Owner, *, report: bytes, log: str, maximum: int = MAXIMUM) -> Manifest:
    """The immutable ConfigMap; of a log that would be too much the middle is left out, and it says so."""
    packed = _packed(report)
    binary = {REPORT_KEY: packed, LOG_KEY: _packed_log(log, maximum - len(packed))}
    child = Child(CONFIG_MAP, report_name(test), test, {labels.REPORT_OF: test.name})
    encoded = {key: b64encode(content).decode() for key, content in binary.items()}
    return child.manifest(immutable=True, binaryData=encoded)


def unpacked_report(found: Manifest) -> bytes:
    """The report in such a ConfigMap; ValueError with one sentence when it holds none."""
    return _unpacked(found, REPORT_KEY, MAX_REPORT)


def unpacked_log(found: Manifest) -> str:
    """The log in such a ConfigMap; ValueError with one sentence when it holds none."""
    return _unpacked(found, LOG_KEY, LONGEST_LOG).decode("utf-8", "replace")


def cut(text: str, size: int) -> str:
    """The text, or its beginning and its end of about `size` bytes together, with a line that says what is missing."""
    content = text.encode()
    if len(content) <= size:
        return text
    half = max(0, size) // 2
    head, tail = content[:half], content[len(content) - half :]
    missing = len(content) - 2 * half
    between = f"\n[{missing} bytes of the log are left out here]\n"
    return head.decode("utf-8", "ignore") + between + tail.decode("utf-8", "ignore")


def _packed(content: bytes) -> bytes:
    """The same bytes for the same content: no time, no name."""
    return gzip.compress(content, mtime=0)


def _packed_log(log: str, limit: int) -> bytes:
    size = min(len(log.encode()), LONGEST_LOG // 2)
    while len(packed := _packed(cut(log, size).encode())) > limit and size:
        size = size * 3 // 4
    return packed


def _unpacked(found: Manifest, key: str, limit: int) -> bytes:
    name = found["metadata"]["name"]
    binary: dict[str, Any] = found.get("binaryData") or {}
    if key not in binary:
        raise ValueError(f'ConfigMap "{name}" has no {key}')
    try:
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        content = unpacker.decompress(b64decode(binary[key], validate=True), limit + 1)
    except (NotBase64, zlib.error):
        raise ValueError(f'{key} in ConfigMap "{name}" is damaged') from None
    if len(content) > limit or not unpacker.eof:
        raise ValueError(f'{key} in ConfigMap "{name}" is cut off or larger than {limit} bytes')
    return content
