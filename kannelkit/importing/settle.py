"""A spec that reads back: what kannelkit would refuse in it is told behind its line, and counts as written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place
from kannelkit.importing.text import SpecText
from kannelkit.spec import Spec
from kannelkit.spec.load import parse


def settled(written: SpecText, path: Path, otherwise: Place) -> tuple[Spec, tuple[Finding, ...]]:
    """Return the spec that the text stands for and every finding that had to be silenced, placed in the spec.

    The comments are added to the lines of `written`, which stands, or is to stand, at `path`. Raises InputError for
    what no comment silences, placed in the kannel.conf: at the line it comes from, or at `otherwise`.
    """
    silenced: list[Finding] = []
    while True:
        try:
            return parse(str(written), path.absolute(), {}, str(path)), tuple(silenced)
        except InputError as error:
            firm = [finding for finding in error.findings if not _silence(written, finding)]
            if firm:
                raise InputError(_in_the_original(written, firm, otherwise)) from error
            silenced += error.findings


def _silence(written: SpecText, finding: Finding) -> bool:
    """Add the rule to the line's comment; return False where it is there already, and so is silenced by nothing."""
    if not 0 < finding.place.line <= len(written.lines):
        return False
    line = written.lines[finding.place.line - 1]
    if finding.rule in line.ignored:
        return False
    line.ignored[finding.rule] = finding.message
    return True


def _in_the_original(written: SpecText, findings: Iterable[Finding], otherwise: Place) -> list[Finding]:
    places = {number: line.place for number, line in enumerate(written.lines, start=1)}
    return [dataclasses.replace(each, place=places.get(each.place.line) or otherwise) for each in findings]
