"""Comments that silence rules: `# kannelkit: ignore S205, W201 - reason`, in a spec and in a kannel.conf alike.

At the end of a line the comment counts for that line, on a line of its own for the next line that is neither empty
nor a comment; `ignore-file` above everything else counts for the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# A comment begins at a line's start or behind a blank, as in YAML. Kannel has none at the end of a line.
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*kannelkit:[ \t]*(ignore|ignore-file)[ \t]+(\S.*)$")
_RULES = re.compile(r"[A-Za-z]+[0-9]+(?:[ \t]*,[ \t]*[A-Za-z]+[0-9]+)*")
_RULE = re.compile(r"[A-Za-z]+[0-9]+")


@dataclass(frozen=True, slots=True)
class Comment:
    """One such comment: where it stands, the rules it names, the reason it gives, and the line it is for.

    `target` is 0 for the whole file, and nothing where the comment has no effect: no line follows, or `ignore-file`
    stands below a line of the file's own. Lines and columns count from 1.
    """

    line: int
    column: int
    rules: tuple[str, ...]
    reason: str
    target: int | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Which rules are silenced: by line, and in the whole file."""

    lines: Mapping[int, frozenset[str]] = field(default_factory=dict)
    everywhere: frozenset[str] = frozenset()
    comments: tuple[Comment, ...] = ()

    def silences(self, rule: str, line: int) -> bool:
        """Return whether a finding of the rule in that line (0: the file as a whole) is silenced."""
        return rule in self.everywhere or rule in self.lines.get(line, ())


def ignored(text: str, *, at_line_ends: bool = True) -> Ignored:
    """Return what the comments in a text silence; `at_line_ends` is False for a kannel.conf.

    A comment that names no rule is none. A `#` inside a quoted text looks like a comment here; it does no harm, for it
    would have to spell out a rule.
    """
    if "kannelkit:" not in text:  # a file of 100,000 lines is not looked through for nothing
        return Ignored()
    comments: list[Comment] = []
    waiting: list[Comment] = []  # for the next line that is no comment
    begun = False  # whether a line of the file's own has come
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        alone = bare.startswith("#")
        found = _read(line, number) if alone or at_line_ends else None
        if found is not None:
            whole_file, comment = found
            if whole_file:
                comments.append(_for(comment, None if begun or not alone else 0))
            elif alone:
                waiting.append(comment)
            else:
                comments.append(_for(comment, number))
        if bare and not alone:
            comments += [_for(comment, number) for comment in waiting]
            waiting = []
            begun = begun or bare != "---"
    comments += waiting
    comments.sort(key=lambda comment: (comment.line, comment.column))
    lines: dict[int, frozenset[str]] = {}
    for comment in comments:
        if comment.target is not None:
            lines[comment.target] = lines.get(comment.target, frozenset()) | frozenset(comment.rules)
    return Ignored(lines, lines.pop(0, frozenset()), tuple(comments))


def _read(line: str, number: int) -> tuple[bool, Comment] | None:
    """Return the comment in the line and whether it is for the whole file, or nothing."""
    comment = _COMMENT.search(line)
    rules = _RULES.match(comment[2]) if comment else None
    if comment is None or rules is None:
        return None
    reason = comment[2][rules.end() :].strip().lstrip("-\u2013\u2014:").strip()
    names = tuple(_RULE.findall(rules[0]))
    return comment[1] == "ignore-file", Comment(number, comment.start() + 1, names, reason, None)


def _for(comment: Comment, target: int | None) -> Comment:
    return Comment(comment.line, comment.column, comment.rules, comment.reason, target)
