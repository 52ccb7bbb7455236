"""`kannelkit explain NAME`."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from kannelkit.cli import topics
from kannelkit.cli.topics import Part, Row
from kannelkit.health.table import About
from kannelkit.spec import wording

if TYPE_CHECKING:
    from kannelkit.lint.rules import Rule

    Topic = Part | Row | Rule | About

# Longer lines are hard to read, however wide the terminal is.
_WIDEST = 100
_LABEL = 12


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    if topics.RULE_ID.match(incomplete):
        start = incomplete.upper()
        return [
            CompletionItem(rule.id, help=rule.title) for rule in topics.rules().values() if rule.id.startswith(start)
        ]
    whole = "." in incomplete
    return [
        CompletionItem(name) for name in topics.names() if name.startswith(incomplete) and (whole or "." not in name)
    ]


@click.command("explain")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Say what a directive, a group or a rule means.

    NAME is a directive (throughput), a directive of one group (smsc.host), a group (core), a kind of link (http), a key
    of kannelkit's own (connections, supervisor.rate), a rule (S204) or a check (health.sending). Without a NAME the
    groups are listed. Exit code 1 where a NAME is unknown.
    """
    found: list[Topic] = []
    unknown = False
    for name in names:
        here = topics.find(name)
        if not here:
            unknown = True
            near = wording.listed(topics.near(name), "or")
            hint = f"did you mean {near}?" if near else "kannelkit explain lists the groups"
            click.echo(f"nothing is called {name!r}; {hint}", err=True)
        found += [topic for topic in here if topic not in found]
    if as_json:
        objects = [as_object(topic) for topic in (found if names else topics.parts().values())]
        click.echo(json.dumps(objects, indent=2, ensure_ascii=False))
    else:
        page = _Page()
        if not names:
            page.overview()
        for number, topic in enumerate(found):
            page.topic(topic, first=not number)
    ctx.exit(1 if unknown else 0)


def as_object(topic: Topic) -> dict[str, Any]:
    """Return what is known about a topic as a JSON object; `topic` says of which kind it is."""
    if isinstance(topic, Row):
        return {"topic": "directive", "group": topic.group.name, "path": topic.path, **_as_object(topic)}
    if isinstance(topic, Part):
        return {
            "topic": "group",
            "path": topic.path,
            "own": topic.own,
            "about": topic.group.about,
            "repeatable": topic.group.repeatable,
            "required": list(topic.group.required),
            "required-for": {kind: list(names) for kind, names in topic.group.required_for.items()},
            "directives": [_as_object(row) for row in topic.rows],
        }
    return {"topic": "check" if isinstance(topic, About) else "rule", **dataclasses.asdict(topic)}


def _as_object(row: Row) -> dict[str, Any]:
    directive = row.directive
    return {
        "name": directive.name,
        "own": row.own,
        "section": directive.section,
        "about": directive.about,
        "type": directive.kind,
        "least": directive.least,
        "most": directive.most,
        "octets": directive.octets,
        "one-of": list(directive.one_of),
        "one-of-for": {kind: list(values) for kind, values in directive.one_of_for.items()},
        "list": directive.separator,
        "secret": directive.secret,
        "kinds": list(directive.kinds),
        "default": directive.default,
        "kannelkit-default": None if row.own else wording.kannelkit_default(row.group.name, directive.name),
        "change": None if row.own else list(directive.change),
        "removal": None if row.own else list(directive.removal),
    }


def facts(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what is to be known about a directive, each with what it is called."""
    directive, group = row.directive, row.group
    yield "type", wording.type_words(directive)
    value = _in_force(row)
    if value is not None and (row.own or value == directive.default):
        yield "default", wording.shown(value)
    elif value is not None:
        kannels = "" if directive.default is None else f"; {wording.shown(directive.default)} in Kannel"
        yield "default", f"{wording.shown(value)}, which kannelkit writes{kannels}"
    kinds = tuple(kind for kind, names in group.required_for.items() if directive.name in names)
    if directive.name in group.required:
        yield "required", "Kannel does not do without it"
    elif kinds:
        yield "required", f"for {wording.listed(kinds)}"
    if directive.kinds:
        yield "read by", wording.listed(directive.kinds)
    if directive.secret:
        yield "secret", "never shown; better {env: NAME} or {file: PATH} in a spec"
    yield "change", "kannelkit's own key: Kannel never sees it" if row.own else wording.change_words(directive.change)
    if directive.removal != directive.change:
        yield "removal", f"{wording.change_words(directive.removal)}: a reload without the line is bearerbox's end"


class _Page:
    """stdout: laid out and in colours in a terminal, a line a fact in a pipe."""

    def __init__(self) -> None:
        self._width = min(_WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 0
        self._colours = bool(self._width) and not os.environ.get("NO_COLOR")

    def overview(self) -> None:
        """Print how to ask, and the groups."""
        self._paragraph(
            "kannelkit explain NAME: a directive, group.directive, a group, a kind of link, or a rule's id.", indent=0
        )
        parts = [part for part in topics.parts().values() if part.path]
        for heading, own in (("Groups of Kannel's", False), ("kannelkit's own", True)):
            self._line()
            self._line(self._style(heading, bold=True))
            rows = [(part.path, _sentence(part.group.about)) for part in parts if part.own == own]
            top = [(row.path, row.directive.about) for row in topics.parts()[""].rows] if own else []
            self._table([*top, *rows])

    def topic(self, topic: Topic, *, first: bool) -> None:
        """Print all about one topic, behind an empty line where it is not the first."""
        if not first:
            self._line()
        if isinstance(topic, Part):
            self._part(topic)
        elif isinstance(topic, Row):
            self._line(self._style(topic.path, bold=True))
            self._paragraph(topic.directive.about)
            for label, text in facts(topic):
                self._fact(label, text)
        elif isinstance(topic, About):
            self._check(topic)
        else:
            self._rule(topic)

    def _part(self, part: Part) -> None:
        times = "a list" if part.group.repeatable else "once"
        self._line(f"{self._style(part.path, bold=True)} ({times})")
        self._paragraph(_sentence(part.group.about))
        if part.group.required:
            self._fact("required", wording.listed(part.group.required))
        for kind, names in part.group.required_for.items():
            self._fact(kind, f"required: {wording.listed(names)}")
        if any(_in_force(row) is not None for row in part.rows):
            self._fact("in brackets", "what a spec gets that leaves it out")
        if part.path in part.group.directives:
            self._fact("see also", f"the directive {part.path}.{part.path}")
        sections: dict[str, list[Row]] = {}
        for row in part.rows:
            heading = (
                f"{row.directive.section} (kannelkit's own)" if row.own and not part.own else row.directive.section
            )
            sections.setdefault(heading, []).append(row)
        for heading, rows in sections.items():
            self._line()
            self._line(self._style(heading, bold=True))
            self._table([(row.directive.name, _short(row)) for row in rows])

    def _rule(self, rule: Rule) -> None:
        colour = {"error": "red", "warning": "yellow"}.get(rule.severity, "blue")
        self._line(f"{self._style(rule.id, bold=True)} {self._style(rule.severity, fg=colour)}: {rule.title}")
        self._paragraph(rule.about)
        self._fact("do", rule.remedy)
        self._fact("rests on", rule.source)
        if rule.shown:
            self._fact("shown by", rule.shown)
        for label, text in (("bad", rule.bad), ("good", rule.good)):
            self._line(f"  {self._style(label, dim=True)}")
            for line in text.rstrip("\n").split("\n"):
                self._line(f"    {line}")

    def _check(self, about: About) -> None:
        each = "" if about.of == "gateway" else f" (for each {about.of})"
        self._line(f"{self._style(f'health.{about.id}', bold=True)}{each}: {about.title}")
        self._paragraph(about.about)
        self._fact("do", about.advice)
        self._fact("rests on", about.source)
        for name in about.thresholds:
            value = wording.shown(topics.parts()["health.thresholds"].group.directives[name].default or "")
            self._fact("threshold", f"{name} [{value}: warning, critical]")

    def _table(self, rows: Sequence[tuple[str, str]]) -> None:
        column = max(len(name) for name, _ in rows) + 2
        for name, text in rows:
            first, *rest = self._wrapped(text, column + 2)
            self._line(f"  {self._style(name, fg='cyan')}{' ' * (column - len(name))}{first}")
            for line in rest:
                self._line(f"{' ' * (column + 2)}{line}")

    def _paragraph(self, text: str, indent: int = 2) -> None:
        for line in self._wrapped(text, indent):
            self._line(f"{' ' * indent}{line}")

    def _fact(self, label: str, text: str) -> None:
        first, *rest = self._wrapped(text, _LABEL + 2)
        self._line(f"  {self._style(label.ljust(_LABEL), dim=True)}{first}")
        for line in rest:
            self._line(f"{' ' * (_LABEL + 2)}{line}")

    def _wrapped(self, text: str, indent: int) -> list[str]:
        if not self._width:
            return [text]
        return textwrap.wrap(text, max(20, self._width - indent), break_on_hyphens=False) or [""]

    def _style(self, text: str, *, bold: bool = False, dim: bool = False, fg: str | None = None) -> str:
        return click.style(text, fg=fg, bold=bold or None, dim=dim or None) if self._colours else text

    def _line(self, text: str = "") -> None:
        click.echo(text.rstrip(), color=self._colours)


def _sentence(about: str) -> str:
    return f"{about[:1].upper()}{about[1:]}."


def _in_force(row: Row) -> str | None:
    ours = wording.kannelkit_default(row.group.name, row.directive.name) if row.filled and not row.own else None
    return row.directive.default if ours is None else ours


def _short(row: Row) -> str:
    value = _in_force(row)
    return row.directive.about if value is None else f"{row.directive.about} [{wording.shown(value)}]"
