"""What Kannel itself makes of a configuration: its own program test_cfg, asked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kannelkit.conf import GROUPS, ReadGroup, in_force
from kannelkit.findings import Finding

TEST_CFG = "/usr/lib/kannel/test/test_cfg"

_LINE = re.compile(rb"^\S+ \S+ \[\d+\] \[\d+\] DEBUG:     <(.*?)> = <(.*)>$")
_GROUP = re.compile(rb"^\S+ \S+ \[\d+\] \[\d+\] DEBUG:   dumping group \((.*)\):$")

# The rules that Kannel holds by refusing the whole text, or by a panic; the rest only costs it a group or a link.
REFUSED = frozenset({"C101", "C102", "C103", "C113", "C114", "C115"})

Groups = list[tuple[str, dict[str, str]]]


def kannel_reads(text: str, folder: Path) -> Groups | None:
    """Return the groups with the values that Kannel reads, or nothing where it refuses the text."""
    return kannel_reads_each([text], folder)[0]


def kannel_reads_each(texts: Sequence[str], folder: Path) -> list[Groups | None]:
    """Return the same for many texts, which costs little more than one: a start of the program is what takes long."""
    names = [f"judged-{number}.conf" for number in range(len(texts))]
    for name, text in zip(names, texts, strict=True):
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    return kannel_reads_files(names, folder)


def kannel_reads_files(names: Sequence[str], folder: Path) -> list[Groups | None]:
    """Return the same for files, named as from the folder where includes without a leading slash are looked for."""
    judged: list[Groups | None] = []
    while len(judged) < len(names):  # a panic is the end of the program, with files left
        done = subprocess.run([TEST_CFG, *names[len(judged) :]], cwd=folder, capture_output=True, timeout=60)
        judged += _dumped(done.stderr)
        if len(judged) < len(names):
            judged.append(None)
    return judged


def _dumped(output: bytes) -> Iterator[Groups | None]:
    groups: Groups = []
    for line in output.split(b"\n"):
        if line.endswith(b"INFO: cfg_read returned -1"):
            yield None
        elif found := _GROUP.match(line):
            groups.append((_text(found[1]), {}))
        elif (found := _LINE.match(line)) and found[1] != b"group":
            groups[-1][1][_text(found[1])] = _text(found[2])
        elif line.endswith(b"DEBUG: Dump ends."):
            yield groups
            groups = []


def read_here(groups: Iterable[ReadGroup], findings: Iterable[Finding]) -> Groups | None:
    """Return what our own reader has read in the judge's form, or nothing where Kannel would refuse it."""
    groups = tuple(groups)
    for group in groups:
        if group.name not in GROUPS or not GROUPS[group.name].directives.keys() >= group.values.keys() - {"group"}:
            return None
    if any(finding.rule in REFUSED for finding in findings):
        return None
    return [
        (group.name, {name: value.split("\0")[0] for name, value in group.values.items() if name != "group"})
        for group in in_force(groups)
    ]


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def as_read(groups: Groups) -> Groups:
    """Return the groups in an order that does not depend on the reader's tables; those of one name keep theirs."""
    return sorted(groups, key=lambda group: group[0])
