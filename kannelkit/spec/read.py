"""Nodes to values: each key looked up in its table, each value held against its directive, every finding collected."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kannelkit.conf import GROUPS, Directive, UnwritableError, written
from kannelkit.conf.values import TRUE, fault
from kannelkit.findings import Finding, Place
from kannelkit.providers import PROFILES, Profile
from kannelkit.spec.ignored import Ignored
from kannelkit.spec.keys import did_you_mean
from kannelkit.spec.model import Defaults, Value
from kannelkit.spec.numbers import LEAST_RATE, MOST_RATE, exactly, needed, per_second
from kannelkit.spec.secrets import MissingSecretError, from_environ, from_file
from kannelkit.spec.silenced import FIRM
from kannelkit.spec.source import Node, Scalar, Sequence, Table


@dataclass(slots=True)
class Reader:
    """Turns nodes into values for one spec; `findings` grows as it goes, but for what a comment in `file` silences."""

    folder: Path
    environ: Mapping[str, str]
    file: str = ""
    ignored: Ignored = field(default_factory=Ignored)
    defaults: Defaults = "kannelkit"
    profiles: Mapping[str, Profile] = field(default_factory=lambda: PROFILES)
    findings: list[Finding] = field(default_factory=list)
    profiles_unread: bool = False  # so that a name may be in a file that could not be read
    silenced: set[str] = field(default_factory=set)  # the rules of what was found and silenced

    def find(self, place: Place, rule: str, message: str, hint: str = "", *, firm: str = "") -> bool:
        """Note one thing that is wrong and return True; return False where a comment silences it.

        A silenced value is to be taken as it is written. Where that is not possible, `firm` says why; what
        `silenced.FIRM` names is never silenced either.
        """
        if place.file == self.file and self.ignored.silences(rule, place.line):
            why = firm or FIRM.get(rule, "")
            if not why:
                self.silenced.add(rule)
                return False
            hint = f"{hint}; no comment silences this: {why}" if hint else f"no comment silences this: {why}"
        self.findings.append(Finding(place, rule, message, hint))
        return True

    def table(self, node: Node | None, what: str) -> dict[str, tuple[Scalar, Node]]:
        """Return a mapping's pairs by key; nothing written stands for an empty one."""
        if node is None or (isinstance(node, Scalar) and node.plain and not node.text):
            return {}
        if not isinstance(node, Table):
            self.find(node.place, "S102", f"{what} is a mapping", "write its keys below it, each as `key: value`")
            return {}
        return {key.text: (key, value) for key, value in node.pairs}

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """Return a list's entries; nothing written stands for an empty one."""
        if node is None or (isinstance(node, Scalar) and node.plain and not node.text):
            return ()
        if not isinstance(node, Sequence):
            self.find(node.place, "S102", f"{what} is a list", "begin each entry with `- `")
            return ()
        return node.items

    def unknown(self, pairs: Mapping[str, tuple[Scalar, Node]], known: Iterable[str], where: str) -> None:
        """Note every key that is not known there."""
        names = tuple(known)
        for name, (key, _) in pairs.items():
            if name not in names:
                self.find(key.place, "S101", f"{where} has no key {name!r}", did_you_mean(name, names))

    def directives(
        self, pairs: Mapping[str, tuple[Scalar, Node]], group: str, own: Iterable[str] = (), *, kind: str = "smpp"
    ) -> dict[str, Value]:
        """Return the values of the directives among the pairs, in the order written; `kind` is that of an smsc."""
        known = GROUPS[group].directives
        pacing = pairs["pacing"][1] if "pacing" in pairs else None
        relayed = isinstance(pacing, Scalar) and pacing.text == "relay"
        self.unknown(pairs, (*own, *known), group)
        values = {}
        for name, (key, node) in pairs.items():
            if name in known:
                value = self._value(known[name], key, node, kind, relayed=relayed)
                if value is not None:
                    values[name] = value
        return values

    def required(self, pairs: Mapping[str, tuple[Scalar, Node]], group: str, place: Place, kind: str = "") -> None:
        """Note every directive that is missing and that Kannel does not do without, there or for this kind of smsc."""
        table = GROUPS[group]
        for name in (*table.required, *table.required_for.get(kind, ())):
            if name not in pairs:
                what = f"an smsc of the kind {kind}" if kind else f"group {group}"
                about = table.directives[name].about
                self.find(
                    place, "S105", f"{what} has no {name}", f"write it: {about[:1].lower()}{about[1:].rstrip('.')}"
                )

    def text(self, pairs: Mapping[str, tuple[Scalar, Node]], key: str) -> Scalar | None:
        """Return the text at one of kannelkit's own keys, or nothing."""
        if key not in pairs:
            return None
        node = pairs[key][1]
        if not isinstance(node, Scalar):
            self.find(node.place, "S102", f"{key} is one text", "write it on the same line")
            return None
        if not node.text:
            self.find(node.place, "S104", f"{key} has no value", "write one, or remove the key")
            return None
        return node if self.writable(node.text, key, node.place) else None

    def secret(self, pairs: Mapping[str, tuple[Scalar, Node]], directive: Directive) -> Value | None:
        """Return the secret at one of kannelkit's own keys, wherever it stands, or nothing; Kannel never reads it."""
        if directive.name not in pairs:
            return None
        where = self._text(directive, pairs[directive.name][1])
        if where is None:
            return None
        text, place, _ = where
        if not text:
            self.find(place, "S104", f"{directive.name} has no value", "write one, or remove the key")
            return None
        return Value(text, "written", place, secret=True)

    def number(self, pairs: Mapping[str, tuple[Scalar, Node]], key: str, least: int, most: int) -> int | None:
        """Return the whole number at one of kannelkit's own keys, or nothing."""
        node = self.text(pairs, key)
        if node is None:
            return None
        directive = Directive(key, "integer", "", "", least=least, most=most)
        if problem := fault(directive, node.text):
            self.find(node.place, "S201", f"{key} {problem[0]}", problem[1], firm="kannelkit computes with it")
            return None
        return int(node.text)

    def _value(self, directive: Directive, key: Scalar, node: Node, kind: str, *, relayed: bool) -> Value | None:
        where = self._text(directive, node)
        if where is None:
            return None
        text, place, hidden = where
        if hidden:
            directive = dataclasses.replace(directive, secret=True)
        rule, problem, smpp = "", None, kind == "smpp"
        if directive.name == "throughput" and smpp:
            rule, problem = "S204", _throughput_fault(text, relayed=relayed)
        elif not (directive.name == "system-type" and smpp):  # told with the flag that would be cut, MCONn added
            rule, problem = "S205" if directive.octets is not None else "S201", fault(directive, text, smpp=smpp)
        words = directive.one_of_for.get(kind) if directive.one_of_for else None
        if problem is None and words and text.lower() not in words:
            shown = "the value" if directive.secret else repr(text)
            rule, problem = "S201", (f"cannot be {shown} where smsc is {kind}", f"one of {', '.join(words)}")
        if problem and self.find(place, rule, f"{key.text} {problem[0]}", problem[1], firm=needed(directive, text)):
            return None
        if self.defaults == "kannelkit" and not problem:
            text = self._usual(directive, text)
        if not self.writable(text, key.text, place):
            return None
        return Value(text, "written", place, directive.secret)

    def _usual(self, directive: Directive, text: str) -> str:
        """Return a truth value in its one form, and a path that does not depend on where a box is started."""
        if directive.kind == "boolean":
            return "true" if text.lower() in TRUE else "false"
        if directive.kind in ("file", "folder"):
            return os.path.normpath(self.folder / text)
        return text

    def writable(self, text: str, what: str, place: Place) -> bool:
        """Return whether Kannel's language can hold the text, and note why where it cannot."""
        try:
            written(text)
        except UnwritableError as error:
            self.find(place, "S202", f"{what} {error.reason}", error.hint)
            return False
        return True

    def _text(self, directive: Directive, node: Node) -> tuple[str, Place, bool] | None:
        """Return the text, its place, and whether it came from where secrets come from."""
        if isinstance(node, Scalar):
            if node.plain and not node.text:
                self.find(node.place, "S104", f"{directive.name} has no value", 'write one, or "" for an empty text')
                return None
            return node.text, node.place, False
        if isinstance(node, Sequence):
            return self._joined(directive, node)
        return self._secret(directive, node)

    def _joined(self, directive: Directive, node: Sequence) -> tuple[str, Place, bool] | None:
        if not directive.separator:
            self.find(node.place, "S102", f"{directive.name} is one text", "write it on the same line")
            return None
        texts = [item.text for item in node.items if isinstance(item, Scalar)]
        if len(texts) != len(node.items):
            self.find(node.place, "S102", f"{directive.name} is a list of texts", "write one text an entry")
            return None
        for item in node.items:
            if isinstance(item, Scalar) and (not item.text or directive.separator in item.text):
                self.find(
                    item.place,
                    "S201",
                    f"an entry of {directive.name} is empty, or has {directive.separator!r}, which separates entries",
                    "write one text an entry",
                    firm="Kannel would read other entries; write the whole value as one text",
                )
                return None
        return directive.separator.join(texts), node.place, False

    def _secret(self, directive: Directive, node: Table) -> tuple[str, Place, bool] | None:
        pairs = {key.text: value for key, value in node.pairs}
        source = next(iter(pairs), "")
        name = pairs.get(source)
        if len(pairs) != 1 or source not in ("env", "file") or not isinstance(name, Scalar) or not name.text:
            self.find(
                node.place,
                "S102",
                f"{directive.name} is a text, {{env: NAME}} or {{file: PATH}}",
                "for instance {file: secrets/password}",
            )
            return None
        try:
            text = from_environ(name.text, self.environ) if source == "env" else from_file(name.text, self.folder)
        except MissingSecretError as error:
            self.find(name.place, "S203", f"{directive.name}: {error}", error.hint)
            return None
        return text, node.place, True


def _throughput_fault(text: str, *, relayed: bool) -> tuple[str, str] | None:
    """Return what is wrong with the SMS per second that Kannel, or the relay, is to hold an account to."""
    whole = Directive("throughput", "integer", "", "", least=1, most=MOST_RATE)
    head, dot, tail = text.partition(".")
    number = f"{text[:20]}..." if len(text) > 20 else text
    if dot and head.isdecimal() and tail.isdecimal() and text.isascii():
        if relayed:
            rate = exactly(text)
            if rate is not None and LEAST_RATE <= rate <= MOST_RATE:
                return None
            return f"cannot be {number}", f"write {LEAST_RATE} to {MOST_RATE}, or leave it out for no limit"
        sent = per_second(text)
        return (
            f"is a fraction: {number}; Kannel sends {sent} a second then" if sent else f"is no limit: {number}",
            "write a whole number of SMS per second; with pacing: relay a fraction is held to as it is",
        )
    if text == "0":
        least = LEAST_RATE if relayed else 1
        return "is 0, which Kannel takes for no limit", f"leave it out for no limit, or write at least {least}"
    return fault(whole, text)
