"""Routes from a file of YAML or JSON, read again when it changes.

Looked at once a second: a ConfigMap changes by a symbolic link, editors rename, and both show as another
inode or time of change. A file that cannot be used leaves the table as it was, and one line in the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import yaml

from modelyard.gateway.route import Table
from modelyard.gateway.routes.board import Board
from modelyard.gateway.routes.document import DEFAULT_NAMESPACE, RoutesError, table_of

logger = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds between two looks at the file."""

_YAML_ERRORS = (yaml.YAMLError, ValueError, LookupError, AttributeError)
"""PyYAML raises its own for what is no YAML, and others for a tag that does not fit."""

_Stamp = tuple[int, int, int, int]


class FileRoutes(Board):
    """The routes of one file. Make it inside the event loop that it runs in."""

    def __init__(self, path: Path, *, period: float = PERIOD) -> None:
        super().__init__(Table({}, DEFAULT_NAMESPACE))
        self._path, self._period = path, period

    async def run(self) -> None:
        """Read the file, and again whenever it changed; never returns."""
        known: _Stamp | str = ""
        while True:
            stamp = _stamp(self._path)
            if stamp != known:
                known = stamp
                await self._read()
            await asyncio.sleep(self._period)

    async def _read(self) -> None:
        try:
            table = await asyncio.to_thread(read_routes, self._path)
        except RoutesError as error:
            self.unreadable = 1
            logger.error(
                "The routes cannot be used; the gateway keeps those that it has",
                extra={"path": str(self._path), "reason": str(error), "models": len(self.table.models)},
            )
        else:
            self.unreadable = 0
            self.publish(_keeping(self.table, table))
            logger.info("Routes read", extra={"path": str(self._path), "models": len(table.models)})


def read_routes(path: Path) -> Table:
    """The routes of a file; RoutesError says what is wrong with it."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise RoutesError([f"{path} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise RoutesError(["the file is not text in UTF-8"]) from None
    return table_of(_document(text))


def _document(text: str) -> object:
    """JSON is YAML too, but read as JSON it takes a hundredth of the time, in which little else goes on."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.load(text, _Loader)
    except RecursionError:
        raise RoutesError(["the file is nested too deeply; write it flatter"]) from None
    except _YAML_ERRORS as error:
        raise RoutesError([f"the file is no YAML: {' '.join(str(error).split())}"]) from None


def _once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping, unless a field is there twice; YAML then says where."""
    found = dict(fields)
    if len(found) < len(fields):
        raise ValueError("a field is there twice")
    return found


class _Loader(yaml.SafeLoader):
    """YAML in which a field is there once. Not by libyaml, which ends the process where YAML is nested too deeply."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """As it is; a field that is there twice is refused, where PyYAML would take the last."""
        own = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(own)) < len(own):
            raise yaml.constructor.ConstructorError(None, None, "a field is there twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _keeping(old: Table, new: Table) -> Table:
    """The new table, with the very models of the old one where they are equal: connections stay theirs."""
    same = {key: model for key, model in old.models.items() if new.models.get(key) == model}
    return Table({**new.models, **same}, new.default_namespace)


def _stamp(path: Path) -> _Stamp | str:
    """What tells one state of the file from another; of one that is not there, why."""
    try:
        found = os.stat(path)
    except OSError as error:
        return str(error.strerror)
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
