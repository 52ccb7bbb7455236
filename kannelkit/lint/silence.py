"""Comments that silence findings, and those that silence nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kannelkit.findings import Finding, Place
from kannelkit.lint.rules import RULES
from kannelkit.spec.ignored import Comment, Ignored, ignored

UNUSED, UNKNOWN = "I390", "W290"


def comments(texts: Mapping[str, str], *, spec: bool) -> Mapping[str, Ignored]:
    """Return what the comments in each file silence, by the file's name in findings."""
    return {name: ignored(text, at_line_ends=spec) for name, text in texts.items()}


def silenced(findings: Iterable[Finding], by_file: Mapping[str, Ignored]) -> tuple[Finding, ...]:
    """Return the findings that no comment silences."""
    return tuple(
        finding
        for finding in findings
        if finding.place.file not in by_file
        or not by_file[finding.place.file].silences(finding.rule, finding.place.line)
    )


def unused(findings: Iterable[Finding], by_file: Mapping[str, Ignored]) -> Iterator[Finding]:
    """Yield a finding for each rule that a comment names without need, given all findings, silenced ones included."""
    found = {(finding.place.file, finding.place.line, finding.rule) for finding in findings}
    anywhere = {(file, rule) for file, _, rule in found}
    for file, each in by_file.items():
        for comment in each.comments:
            place = Place(file, comment.line, comment.column)
            for rule in comment.rules:
                if rule not in RULES:
                    yield Finding(place, UNKNOWN, f"no such rule: {rule}", RULES[UNKNOWN].remedy)
                elif comment.target is None:
                    yield Finding(place, UNUSED, f"this silences nothing: {_why(comment)}", RULES[UNUSED].remedy)
                elif (file, rule) not in anywhere if comment.target == 0 else (file, comment.target, rule) not in found:
                    where = "this file" if comment.target == 0 else f"line {comment.target}"
                    yield Finding(place, UNUSED, f"{rule} is not broken in {where}", RULES[UNUSED].remedy)


def _why(comment: Comment) -> str:
    return f"no line follows that {', '.join(comment.rules)} could be about, or other lines stand above it"
