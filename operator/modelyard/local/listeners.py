"""Where a model's processes listen, as Linux tells. Elsewhere nothing is known."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTENS = "0A"


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """One listening TCP socket."""

    port: int
    address: str

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.address).is_loopback

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def listeners_of(pids: Iterable[int], proc: Path = Path("/proc")) -> list[Listener]:
    """The TCP sockets on which these processes listen."""
    found: set[Listener] = set()
    for pid in pids:
        try:
            sockets = set(_sockets(proc / str(pid) / "fd"))
            tables = [(proc / str(pid) / "net" / name).read_text() for name in ("tcp", "tcp6")]
        except OSError:  # It ended meanwhile, or is not ours to look at.
            continue
        found |= {one for table in tables for inode, one in parse_table(table) if inode in sockets}
    return sorted(found)


def _sockets(folder: Path) -> Iterator[str]:
    """The inodes of a process's sockets."""
    for path in folder.iterdir():
        try:
            target = str(path.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target.removeprefix("socket:[").removesuffix("]")


def parse_table(table: str) -> Iterator[tuple[str, Listener]]:
    """The listening sockets of a /proc/net/tcp or tcp6, each with its inode."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTENS:
            address, _, port = fields[1].partition(":")
            yield fields[9], Listener(int(port, 16), _address(address))


def _address(text: str) -> str:
    """An address as the kernel prints it: words of 32 bits in the order of this machine's bytes."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
