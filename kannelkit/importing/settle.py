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
            firm = [finding for finding in error.findings if not _can_be_silenced(written, finding)]
            if firm:
                raise InputError(_in_the_original(written, firm, otherwise)) from error
            for finding in error.findings:
                told = written.lines[finding.place.line - 1].ignored.setdefault(finding.rule, [])
                told.append(finding.message)
            silenced += error.findings


def _can_be_silenced(written: SpecText, finding: Finding) -> bool:
    """Return whether a comment is still to be tried: where the rule is named in the line already, none helps."""
    line = finding.place.line
    return 0 < line <= len(written.lines) and finding.rule not in written.lines[line - 1].ignored


def _in_the_original(written: SpecText, findings: Iterable[Finding], otherwise: Place) -> list[Finding]:
    places = {number: line.place for number, line in enumerate(written.lines, start=1)}
    return [dataclasses.replace(each, place=places.get(each.place.line) or otherwise) for each in findings]
