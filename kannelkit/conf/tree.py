"""A configuration text as a value that can be changed in part: what an edit does not name stays as it was, octet for
octet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kannelkit.conf.lines import Kind, Line, lines_of
from kannelkit.conf.read import ReadGroup, gathered
from kannelkit.conf.write import BLANKS, directive_line, written
from kannelkit.findings import Place


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: where it is, its words, and the number of the line that it stands directly above, or 0."""

    place: Place
    text: str
    about: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The lines of one file. `parse(tree.text(), tree.file) == tree`, and the other way round, for any text.

    An edit returns a new tree. The groups it is given are those of `groups()` (or of `read`, for the same text): it
    raises ValueError for a group that does not stand in this tree as it says, so after an edit ask for them again.
    """

    file: str
    lines: tuple[Line, ...]

    def text(self) -> str:
        """Return the whole text."""
        return "\n".join([line.raw for line in self.lines])

    def groups(self) -> tuple[ReadGroup, ...]:
        """Return the groups in this file, in order; what an `include` would bring is not among them."""
        return tuple(gathered(self.lines, []))

    def comments(self) -> tuple[Comment, ...]:
        """Return the comments in order, each with the number of the first line below it that is none."""
        found: list[Comment] = []
        waiting: list[Line] = []
        for at in self.lines:
            if at.kind is Kind.COMMENT:
                waiting.append(at)
                continue
            about = 0 if at.kind is Kind.BLANK else at.number
            found.extend(Comment(each.place, each.value, about) for each in waiting)
            waiting.clear()
        found.extend(Comment(each.place, each.value, 0) for each in waiting)
        return tuple(found)

    def with_value(self, group: ReadGroup, name: str, value: str) -> Tree:
        """Return the tree in which Kannel reads `value` for the group's directive `name`.

        The line that wins is changed, behind its equals sign only; where there is none, one is added behind the
        group's last directive. Raises UnwritableError.
        """
        winner = next((at for at in reversed(group.lines) if at.name == name), None)
        if winner is None:
            index = self._index(group.lines[-1])
            return self._spliced(index + 1, index + 1, [_like(group.lines[-1].raw, directive_line(name, value))])
        index = self._index(winner)
        if winner.value == value:
            return self
        return self._spliced(index, index + 1, [_with_value(winner, value)])

    def without(self, group: ReadGroup, name: str) -> Tree:
        """Return the tree without the group's directive `name`, the overruled lines of that name included."""
        if name == "group":
            raise ValueError("a group cannot be without its name; without_group takes it away whole")
        gone = {self._index(at) for at in group.lines if at.name == name}
        return self._of(line.raw for index, line in enumerate(self.lines) if index not in gone)

    def with_group(self, name: str, values: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Tree:
        """Return the tree with a group more at its end, a blank line before it. Raises UnwritableError."""
        pairs = values.items() if isinstance(values, Mapping) else values
        texts = [directive_line("group", name), *(directive_line(*pair) for pair in pairs)]
        end = len(self.lines) - (not self.lines[-1].raw)  # in front of the nothing behind the last line feed
        model = _line_end(self.lines[0].raw)
        raws = [_like(model, text) for text in texts]
        if end and self.lines[end - 1].kind is not Kind.BLANK:
            raws.insert(0, model)
        return self._spliced(end, len(self.lines), [*raws, ""])

    def without_group(self, group: ReadGroup) -> Tree:
        """Return the tree without the group, the comments directly above it and the blank line behind it.

        An `include` behind its last directive stays.
        """
        start = self._index(group.lines[0])
        stop = self._index(group.lines[-1]) + 1
        while stop < len(self.lines) and self.lines[stop].kind in (Kind.COMMENT, Kind.BROKEN):
            stop += 1
        while start > 0 and self.lines[start - 1].kind is Kind.COMMENT:
            start -= 1
        if stop < len(self.lines) and (start == 0 or self.lines[start - 1].kind is Kind.BLANK):
            stop += self.lines[stop].kind is Kind.BLANK
        return self._spliced(start, stop, [])

    def _index(self, line: Line) -> int:
        try:
            return self.lines.index(line)
        except ValueError:
            raise ValueError(f"{line.place} is not what it was when the group was read") from None

    def _spliced(self, start: int, stop: int, raws: list[str]) -> Tree:
        before = [line.raw for line in self.lines[:start]]
        if before and raws and _goes_on(before[-1]):
            before[-1] = before[-1][:-1]
        return self._of([*before, *raws, *(line.raw for line in self.lines[stop:])])

    def _of(self, raws: Iterable[str]) -> Tree:
        return parse("\n".join(raws), self.file)


def parse(text: str, file: str = "kannel.conf") -> Tree:
    """Return the tree of any text; octets that are no UTF-8 come in and go out as surrogateescape makes them."""
    return Tree(file, tuple(lines_of(text, file)))


def _like(model: str, text: str) -> str:
    """Return the text as a line with the model's indentation and line end."""
    indentation = model[: len(model) - len(model.lstrip(" \t"))]
    return indentation + text + _line_end(model)


def _line_end(raw: str) -> str:
    return "\r" if raw.endswith("\r") else ""


def _with_value(line: Line, value: str) -> str:
    joined = line.joined()
    index = line.value_index()
    head, old = joined[:index], joined[index:]
    if old.strip(BLANKS):
        tail = old[len(old.rstrip(BLANKS)) :]
    else:
        head, tail = f"{head} ", _line_end(line.raw)
    return head + written(value) + tail


def _goes_on(raw: str) -> bool:
    """Say whether the line, a file's last, would join the next one if there were one."""
    return raw.endswith("\\") and not raw.endswith("\\\\")
