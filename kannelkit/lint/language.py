"""Rules about how a kannel.conf is written: what Kannel reads otherwise than its writer meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kannelkit.conf import GROUPS
from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Subject

_COMMENT = re.compile(r"[ \t]#")


@rule("E150")
def swallowed(subject: Subject) -> Iterator[Found]:
    """Two `group` lines in one group: a blank line is missing."""
    for each in subject.overruled:
        if each.directive == "group":
            yield Found(
                each.by,
                f"a second `group` line in the group that begins in line {each.place.line}: Kannel makes one group of "
                "both",
                "put a blank line before it",
            )


@rule("E151")
def in_a_comment(subject: Subject) -> Iterator[Found]:
    """A backslash at the end of a comment takes the next line with it."""
    for each in subject.backslashes:
        if each.of == "comment":
            yield Found(each.place, f"the comment ends in a backslash, so that line {each.swallowed} belongs to it")


@rule("W254")
def joins_nothing(subject: Subject) -> Iterator[Found]:
    """A backslash joins two lines where it is the last character, before the line feed itself."""
    for each in subject.backslashes:
        if each.of == "blanks":
            yield Found(
                each.place,
                "blanks or a carriage return stand behind the backslash: it is a part of the value, and the next line "
                "is a line of its own",
            )


@rule("W250")
def written_again(subject: Subject) -> Iterator[Found]:
    """The last one of a repeated directive counts."""
    merged = {each.by for each in subject.overruled if each.directive == "group"}
    for each in subject.overruled:
        if each.directive == "group" or any(by.file == each.by.file and by.line <= each.by.line for by in merged):
            continue
        yield Found(
            each.place,
            f"{each.directive} counts for nothing: line {each.by.line} writes it again",
            "keep one of the two",
        )


@rule("W251")
def comment_in_a_value(subject: Subject) -> Iterator[Found]:
    """A comment begins at the beginning of a line, and nowhere else."""
    for raw in subject.raw:
        if _COMMENT.search(raw.text) and not raw.text.startswith('"'):
            yield Found(
                raw.place,
                f"{raw.directive}: what begins with # is a part of the value, not a comment",
                "put the comment on a line of its own, or the value in quotes if it is meant so",
            )


@rule("W252")
def quote_alone(subject: Subject) -> Iterator[Found]:
    """A quote without its partner is a part of the value."""
    for raw in subject.raw:
        if (raw.text[:1] == '"') != (raw.text[-1:] == '"') or raw.text == '"':
            yield Found(
                raw.place,
                f"{raw.directive}: a quote without its partner is a part of the value",
                "close the quotes, or write none",
            )


@rule("W253")
def relative(subject: Subject) -> Iterator[Found]:
    """Which file is meant depends on where a box is started."""
    for group in subject.groups:
        known = GROUPS[group.name].directives if group.name in GROUPS else {}
        for name, value in group.values.items():
            directive = known.get(name)
            if directive is None or directive.kind not in ("file", "folder") or value.origin != "written":
                continue
            if value.text and not value.text.startswith("/"):
                yield Found(
                    value.place,
                    f"{name} {value.text} is looked for from the folder that the box was started in, / for a daemon",
                    "write the whole path",
                )
