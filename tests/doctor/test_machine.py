"""What the boxes stand on, judged from what was seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kannelkit.doctor.machine import Access, Port, Space, clock, disk, limits, ports, rights
from kannelkit.spec.model import Threshold

FREE = Port("admin-port", 13000)
BOUNDS = Threshold(10, 3)
FOLDER = Access(Path("/run/gateway/log"), "logs", "write", True, Path("/run/gateway/log"), "kannel", 0o750)
SPACE = Space(Path("/var"), "logs", free=5_000_000_000, share=0.5, inodes=0.9)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((), []),
        ((FREE,), [("ok", "admin-port 13000: free")]),
        (
            (FREE, replace(FREE, directive="smsbox-port", port=13001, holder="bearerbox (pid 7)", ours=True)),
            [("ok", "admin-port 13000: free"), ("ok", "smsbox-port 13001: the gateway's own boxes listen")],
        ),
        ((replace(FREE, holder="nginx (pid 1)"),), [("failed", "admin-port 13000 is held by nginx (pid 1)")]),
        ((replace(FREE, trouble="no right"),), [("failed", "admin-port 13000: no right")]),
    ],
)
def test_ports(seen: tuple[Port, ...], expected: list[tuple[str, str]]) -> None:
    assert [(result.status, result.summary) for result in ports(seen)] == expected


def test_rights_that_lack_are_told_with_who_has_them() -> None:
    refused = replace(FOLDER, allowed=False, owner="root", mode=0o755)
    above = replace(refused, at=Path("/run"), there=False)
    key = Access(Path("/etc/k.pem"), "a certificate", "read", False, Path("/etc/k.pem"), "root", 0o600)
    nobody = replace(above, makes=False)
    found = list(rights([FOLDER, refused, above, nobody, key], "kannel", "whom bearerbox runs as"))
    assert [result.status for result in found] == ["failed", "failed", "failed", "failed", "ok"]
    assert found[0].summary == "/run/gateway/log (logs) cannot be written by kannel: it is root's, mode 0755"
    missing = "/run/gateway/log (logs) is not there, and "
    assert found[1].summary == f"{missing}kannel may not make it: /run is root's, mode 0755"
    assert found[2].summary == f"{missing}Kannel makes no folder"
    assert found[2].advice == "install -d -o kannel /run/gateway/log"
    assert found[3].summary == "/etc/k.pem (a certificate) cannot be read by kannel: it is root's, mode 0600"
    assert "may use 1 path" in found[4].summary


@pytest.mark.parametrize(
    ("space", "status", "words"),
    [
        (SPACE, "ok", "50 % of its space free, 5.0 GB"),
        (replace(SPACE, share=0.1), "warning", "10 % of its space"),
        (replace(SPACE, share=0.03, free=7_000_000), "failed", "3 % of its space free, 7 MB"),
        (replace(SPACE, inodes=0.01), "failed", "1 % of its inodes free"),
        (replace(SPACE, inodes=None), "ok", "50 % of its space"),
        (replace(SPACE, read_only=True), "failed", "read-only"),
        (Space(Path("/x"), "logs", trouble="Input/output error"), "failed", "Input/output error"),
    ],
)
def test_disk(space: Space, status: str, words: str) -> None:
    (result,) = disk([space], BOUNDS)
    assert result.status == status
    assert words in result.summary
    assert bool(result.advice) == (status != "ok")


def test_no_bound_never_warns() -> None:
    (result,) = disk([replace(SPACE, share=0.0)], Threshold(None, None))
    assert result.status == "ok"


@pytest.mark.parametrize(
    ("soft", "hard", "links", "status"),
    [
        (1024, 4096, 3, "ok"),
        (-1, -1, 100_000, "ok"),
        (1024, 4096, 500, "warning"),
        (1024, 4096, 1000, "failed"),
        (256, 256, 3, "warning"),
        (64, 64, 3, "failed"),
    ],
)
def test_limits(soft: int, hard: int, links: int, status: str) -> None:
    (result,) = limits(soft, hard, "what this user starts", links)
    assert result.status == status


def test_more_links_never_make_a_limit_better() -> None:
    order = ["ok", "warning", "failed"]
    found = [order.index(next(limits(1024, 4096, "it", links)).status) for links in range(0, 2000, 10)]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("synchronised", "error", "ahead", "status"),
    [
        (True, 0.002, -10.0, "ok"),
        (True, None, -10.0, "ok"),
        (True, 16.0, -10.0, "warning"),
        (False, None, -10.0, "warning"),
        (None, None, -10.0, "skipped"),
        (True, 0.002, 86_400.0, "failed"),
        (True, 0.002, 0.5, "ok"),
        (True, 0.002, -float("inf"), "ok"),
    ],
)
def test_clock(synchronised: bool | None, error: float | None, ahead: float, status: str) -> None:
    (result,) = clock(synchronised, error, ahead)
    assert result.status == status
