"""A spec or a kannel.conf through all rules: what is found, with what comments silence left out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from kannelkit.conf import Opener, ReadGroup, check_groups, read_files
from kannelkit.conf.lines import Line
from kannelkit.errors import InputError
from kannelkit.findings import Finding, in_order
from kannelkit.lint import boxes, certificates, language, links, logins, logs, queues, routing, security
from kannelkit.lint.facts import Facts
from kannelkit.lint.rule import CHECKS
from kannelkit.lint.rules import RULES
from kannelkit.lint.silence import comments, silenced, unused
from kannelkit.lint.subject import UNKNOWN, Kind, Subject, of_conf, of_spec
from kannelkit.spec import Spec
from kannelkit.spec.load import parse

# importing them registers their rules
MODULES = (boxes, certificates, language, links, logins, logs, queues, routing, security)

_SUFFIXES: Mapping[str, Kind] = {".yaml": "spec", ".yml": "spec", ".conf": "conf"}
_CONF_LINE = re.compile(r"[ \t]*[A-Za-z0-9_-]+[ \t]*=")


@dataclass(frozen=True, slots=True)
class Looked:
    """One input: its texts by the names they have in findings, what it is, and what is wrong with its language.

    `subject` is nothing where so much is wrong that no rule can be asked.
    """

    file: str
    kind: Kind
    texts: Mapping[str, str]
    subject: Subject | None
    findings: tuple[Finding, ...]
    # what comments in a spec silenced when it was read
    silenced: tuple[Finding, ...] = ()


def kind_of(name: str, text: str) -> Kind:
    """Return what the text is by its name's suffix, or else by its first line that says something."""
    if kind := _SUFFIXES.get(os.path.splitext(name)[1]):
        return kind
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            return "conf" if _CONF_LINE.match(line) else "spec"
    return "spec"


def conf(file: str, opened: Opener) -> Looked:
    """Return a kannel.conf with all that it includes, as far as it can be read."""
    reading = read_files(file, opened)
    findings = reading.findings
    subject = None
    if stranger := _of_another_box(reading.groups):
        findings = (stranger,)
    elif reading.groups or not findings:  # a file that is not there is only that
        findings = in_order((*findings, *_checked(reading.groups, file)))
        subject = of_conf(reading.groups, file, chain.from_iterable(tree.lines for tree in reading.trees.values()))
    texts = {name: tree.text() for name, tree in reading.trees.items()}
    return Looked(file, "conf", texts, subject, findings)


# Boxes that are no part of Kannel; each reads its groups from a file of its own (the addons' sources).
_OTHER_BOXES = ("opensmppbox", "sqlbox", "smppbox", "ksmppd")
_ELSEWHERE = "bearerbox and smsbox panic over it: {box} reads a file of its own"


def _of_another_box(groups: Iterable[ReadGroup]) -> Finding | None:
    """Return the one thing to say about a file that is none of Kannel's own boxes'."""
    by_name = {group.name: group for group in groups}
    box = next((name for name in _OTHER_BOXES if name in by_name), None)
    if box is None or by_name.keys() & {"smsc", "smsbox", "wapbox"}:
        return None
    message = f"a file of {box}'s: nothing is known here about what stands in it"
    return Finding(by_name[box].place, "C104", message, "lint the kannel.conf of bearerbox and smsbox")


def _checked(groups: Sequence[ReadGroup], file: str) -> Iterator[Finding]:
    """Yield what is wrong with the groups, but for what only follows from E150: one group swallowed by the next."""
    names = {group.name for group in groups}
    swallowed = [at for group in groups for at in _swallowed(group)]
    lost = {at.value for at in swallowed if at.name == "group"}
    places = {at.place for at in swallowed}
    for finding in check_groups(groups, file):
        if finding.rule == "C107" and finding.place in places:
            continue
        if finding.rule == "C109":
            if "core" not in lost:
                yield replace(finding, hint="write one; or lint the file that includes this one")
        elif finding.rule == "C110":
            # a gateway for WAP alone needs no link
            if "smsc" not in lost and ("wapbox" not in names or "smsbox" in names):
                yield finding
        elif finding.rule == "C104" and (box := finding.message.rpartition(" ")[2]) in _OTHER_BOXES:
            yield replace(finding, hint=_ELSEWHERE.format(box=box))
        else:
            yield finding


def _swallowed(group: ReadGroup) -> tuple[Line, ...]:
    """Return the lines that were meant to be a group of their own: those above the last of several `group` lines."""
    starts = [index for index, at in enumerate(group.lines) if at.name == "group"]
    return group.lines[: starts[-1]] if len(starts) > 1 else ()


class _Given(Mapping[str, str]):
    """An environment in which every variable that is missing holds a secret that nobody knows."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ.get(name) or UNKNOWN

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def spec(text: str, path: Path, environ: Mapping[str, str], file: str, *, secrets: bool = True) -> Looked:
    """Return the spec in the text, as if it stood at the absolute `path`.

    Without `secrets`, one that is missing is no finding, and its value is unknown.
    """
    subject = None
    findings: tuple[Finding, ...] = ()
    given = environ if secrets else _Given(environ)
    try:
        subject = of_spec(_parsed(text, path, given, file, secrets=secrets), file, text)
    except InputError as error:
        findings = error.findings
    hidden: tuple[Finding, ...] = ()
    if "kannelkit:" in text:
        # the same without the comments tells what they silence
        try:
            _parsed(text.replace("kannelkit:", "kannelkit;"), path, given, file, secrets=secrets)
        except InputError as error:
            hidden = tuple(finding for finding in error.findings if finding not in findings)
    return Looked(file, "spec", {file: text}, subject, findings, hidden)


def without_secrets(text: str, path: Path, environ: Mapping[str, str], file: str) -> Spec:
    """Return the spec in the text, in which a secret that is missing is UNKNOWN. Raises InputError."""
    return _parsed(text, path, _Given(environ), file, secrets=False)


_FILE = re.compile(r"\bfile([ ]*):(?=[ ]*['\"]?$)")


def _parsed(text: str, path: Path, environ: Mapping[str, str], file: str, *, secrets: bool) -> Spec:
    """Return the spec; without `secrets`, a file that is not there is asked for as a variable that is not known."""
    while True:
        try:
            return parse(text, path, environ, file)
        except InputError as error:
            changed = text if secrets else _as_variables(text, error.findings)
            if changed == text:
                raise
            text = changed


def _as_variables(text: str, findings: Iterable[Finding]) -> str:
    """Return the text, no character longer, in which each secret of S203 is a variable instead of a file."""
    lines = text.split("\n")
    for finding in findings:
        if finding.rule == "S203" and 0 < finding.place.line <= len(lines):
            line, at = lines[finding.place.line - 1], finding.place.column - 1
            lines[finding.place.line - 1] = _FILE.sub(r"env\1: ", line[:at]) + line[at:]
    return "\n".join(lines)


def _remedy(name: str) -> str:
    remedy = RULES[name].remedy
    return remedy[:1].lower() + remedy[1:].removesuffix(".")


_ASSIGNMENT = re.compile(r"\b([a-z][a-z-]+) = ")


def _spelled(hint: str, kind: Kind) -> str:
    """Return the hint as the file's language writes a directive and its value."""
    return _ASSIGNMENT.sub(r"\1: ", hint) if kind == "spec" else hint


def findings(looked: Looked, facts: Facts | None = None) -> tuple[Finding, ...]:
    """Return all that is wrong and that no comment silences, comments without need included."""
    found = list(looked.findings)
    if looked.subject is not None:
        subject = replace(looked.subject, facts=facts)
        for name, check in CHECKS.items():
            found += [
                Finding(each.place, name, each.message, _spelled(each.hint or _remedy(name), subject.kind))
                for each in check(subject)
            ]
    by_file = comments(looked.texts, spec=looked.kind == "spec")
    kept = silenced(found, by_file)
    if not any(each.comments for each in by_file.values()):
        return in_order(kept)
    return in_order((*kept, *silenced(unused((*found, *looked.silenced), by_file), by_file)))
