"""What Kannel itself makes of a configuration: its own program test_cfg, asked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

TEST_CFG = "/usr/lib/kannel/test/test_cfg"

_LINE = re.compile(rb"^\S+ \S+ \[\d+\] \[\d+\] DEBUG:     <(.*?)> = <(.*)>$")
_GROUP = re.compile(rb"^\S+ \S+ \[\d+\] \[\d+\] DEBUG:   dumping group \((.*)\):$")

Groups = list[tuple[str, dict[str, str]]]


def kannel_reads(text: str, folder: Path) -> Groups | None:
    """Return the groups with the values that Kannel reads, or nothing where it refuses the text."""
    path = folder / "judged.conf"
    path.write_bytes(text.encode())
    done = subprocess.run([TEST_CFG, str(path)], capture_output=True, timeout=60)
    if done.returncode != 0:
        return None
    groups: Groups = []
    for line in done.stderr.split(b"\n"):
        if found := _GROUP.match(line):
            groups.append((found[1].decode(), {}))
        elif (found := _LINE.match(line)) and found[1] != b"group":
            groups[-1][1][found[1].decode()] = found[2].decode()
    return groups


def as_read(groups: Groups) -> Groups:
    """Return the groups in an order that does not depend on the reader's tables; those of one name keep theirs."""
    return sorted(groups, key=lambda group: group[0])
