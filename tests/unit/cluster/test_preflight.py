"""A machine that cannot run the local cluster is told so in one sentence, before anything is started."""

from __future__ import annotations

import pytest

from tests.cluster.local.preflight import Facts, listening_in, problems, routes_in

UNFIT = {
    "another system": (Facts(system="Darwin"), "The local cluster needs Linux, this is Darwin"),
    "no root": (Facts(user=1000), "needs root"),
    "a container without rights": (Facts(capabilities=~(1 << 21)), "Root lacks CAP_SYS_ADMIN"),
    "no cgroups": (Facts(cgroups=False), "No cgroups are mounted"),
    "a firewall that drops": (Facts(dropping_bridge=True), "firewall drops what bridges forward"),
    "a Go that is too old": (
        Facts(go_version=(1, 19), built=False),
        "Go 1.19 is too old to build Kubernetes",
    ),
    "no Go": (Facts(go=False, built=False), "No `go` on PATH: install Go 1.26"),
    "no apt": (Facts(apt=False, missing_packages=("runc",)), "install runc yourself"),
    "little memory": (
        Facts(memory_mib=900),
        "Only 900 MiB of memory are free, a cluster of 2 nodes needs 2048",
    ),
    "little memory for four nodes": (Facts(memory_mib=2500, nodes=4), "a cluster of 4 nodes needs 2560"),
    "a full disk": (Facts(state_disk_mib=10), "Only 10 MiB are free at /var/lib, the cluster needs 4096"),
    "no room to build": (Facts(built=False, cache_disk_mib=5000), "building Kubernetes needs 12288"),
    "a port": (
        Facts(listening=(("0.0.0.0", 6443),)),
        "Port 6443 is taken on 0.0.0.0, the API server needs it",
    ),
    "a port on any address": (
        Facts(listening=(("::", 5000),)),
        "Port 5000 is taken on ::, the registry needs it",
    ),
    "a port on the loopback": (
        Facts(listening=(("127.0.0.1", 12379),)),
        "Port 12379 is taken on 127.0.0.1, etcd",
    ),
    "our addresses": (
        Facts(networks=(("10.90.0.0/24", "br-7"),)),
        "10.90.0.0/24 are in use on this machine (br-7)",
    ),
    "a part of them": (
        Facts(networks=(("10.244.3.7/32", "wg0"),)),
        "10.244.3.7/32 are in use on this machine (wg0)",
    ),
}


@pytest.mark.parametrize("what", UNFIT)
def test_each_lack_is_one_sentence_that_says_what_to_do(what: str) -> None:
    facts, sentence = UNFIT[what]
    (found,) = problems(facts)
    assert sentence in found
    assert found.endswith((".", "anyway."))
    assert ":" in found  # the next step follows the colon


FIT = {
    "a fit machine": Facts(),
    "ports on other addresses": Facts(
        listening=(("127.0.0.1", 6443), ("192.0.2.2", 5000), ("10.90.0.7", 12379))
    ),
    "another port": Facts(listening=(("0.0.0.0", 22),)),
    "a wider route": Facts(networks=(("10.0.0.0/8", "tun0"), ("192.0.2.0/24", "eth0"))),
    "a small cache when all is built": Facts(cache_disk_mib=100),
    "missing packages that apt can bring": Facts(missing_packages=("runc",)),
}


@pytest.mark.parametrize("what", FIT)
def test_what_does_no_harm_is_no_problem(what: str) -> None:
    assert problems(FIT[what]) == []


def test_every_problem_is_told_at_once() -> None:
    assert len(problems(Facts(memory_mib=1, state_disk_mib=1, cgroups=False))) == 3


def test_without_root_nothing_else_is_told() -> None:
    assert len(problems(Facts(user=1, memory_mib=1, go=False))) == 1


def test_listening_sockets_are_read_from_proc() -> None:
    table = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:305B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:305B 0100007F:8A2E 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
"""
    assert listening_in(table) == [("127.0.0.1", 12379)]
    six = "sl\n 0: 00000000000000000000000001000000:192B 00000000000000000000000000000000:0000 0A\n"
    assert listening_in(six) == [("::1", 6443)]


def test_routes_are_read_from_proc_without_the_default_one_and_our_own() -> None:
    table = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
my0\t00005A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
    assert routes_in(table) == [("192.0.2.0/24", "eth0")]
