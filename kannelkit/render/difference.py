"""The difference between two kannel.conf, with every password masked, in time that grows with what differs."""

from __future__ import annotations

import bisect
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kannelkit.conf import GROUPS
from kannelkit.conf.masking import MASK, Masking

_SECRET_NAMES = frozenset(
    name for group in GROUPS.values() for name, directive in group.directives.items() if directive.secret
)
_AROUND = 2  # lines of the same shown on either side
# Comparing two parts line by line takes the product of their lengths; longer ones are shown whole.
_LONG = 2_000  # lines

# tag, and the lines from and to (not included) in the old and in the new text, as difflib has them
Operation = tuple[str, int, int, int, int]


def masked_diff(found: str, wanted: str, name: str, secrets: frozenset[str]) -> Iterator[str]:
    """Yield the unified diff between two texts with every password in either of them masked."""
    old, new = found.split("\n"), wanted.split("\n")
    masking = Masking(secrets)
    old_hidden, new_hidden = _hidden(old), _hidden(new)
    yield f"--- {name}"
    yield "+++ what the spec stands for"
    for operations in _with_surroundings(operations_between(old, new)):
        first, last = operations[0], operations[-1]
        yield f"@@ -{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@"
        for tag, old_from, old_to, new_from, new_to in operations:
            if tag == "equal":
                yield from (f" {_shown(masking, old, at, old_hidden)}" for at in range(old_from, old_to))
            else:
                yield from (f"-{_shown(masking, old, at, old_hidden)}" for at in range(old_from, old_to))
                yield from (f"+{_shown(masking, new, at, new_hidden)}" for at in range(new_from, new_to))


def operations_between(old: Sequence[str], new: Sequence[str]) -> tuple[Operation, ...]:
    """Return what turns the old lines into the new ones, in order, equal parts included.

    Whole groups that are in both, each once, are where the two texts hold together; only what lies between them is
    compared line by line, for most lines stand in thousands of groups.
    """
    old_parts, new_parts = _parts(old), _parts(new)
    old_starts, new_starts = _starts(old_parts), _starts(new_parts)
    operations: list[Operation] = []
    a = c = 0
    for i, k in [*_kept(old_parts, new_parts), (len(old_parts), len(new_parts))]:
        operations += _between(old, new, a, old_starts[i], c, new_starts[k])
        if i < len(old_parts):
            a, c = old_starts[i + 1], new_starts[k + 1]
            operations.append(("equal", old_starts[i], a, new_starts[k], c))
    return tuple(_joined(operations))


def _kept(old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Return the places of parts that are in both, each once there, as many as keep one order."""
    once_old, once_new = _once(old), _once(new)
    pairs = [(at, once_new[part]) for part, at in once_old.items() if part in once_new]
    # the longest rising row of places in the new text: for each length the row with the lowest end
    ends: list[int] = []
    last_of: list[int] = []  # for each length the pair that ends such a row
    before: list[int] = []
    for number, (_, k) in enumerate(pairs):
        length = bisect.bisect_left(ends, k)
        before.append(last_of[length - 1] if length else -1)
        ends[length : length + 1] = [k]
        last_of[length : length + 1] = [number]
    row: list[tuple[int, int]] = []
    number = last_of[-1] if last_of else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]


def _once(parts: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    counts = Counter(parts)
    return {part: at for at, part in enumerate(parts) if counts[part] == 1}


def _between(old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int) -> list[Operation]:
    if b - a > _LONG or d - c > _LONG or a == b or c == d:
        tag = "replace" if a < b and c < d else "delete" if a < b else "insert"
        return [(tag, a, b, c, d)] if a < b or c < d else []
    matcher = difflib.SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
    return [(tag, a + i, a + j, c + k, c + m) for tag, i, j, k, m in matcher.get_opcodes()]


def _parts(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the lines in parts, each of which ends with a blank line."""
    parts, begin = [], 0
    for at, line in enumerate(lines, start=1):
        if not line:
            parts.append(tuple(lines[begin:at]))
            begin = at
    if begin < len(lines):
        parts.append(tuple(lines[begin:]))
    return parts


def _starts(parts: Iterable[tuple[str, ...]]) -> list[int]:
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + len(part))
    return starts


def _joined(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Join neighbours of one kind."""
    last: Operation | None = None
    for operation in operations:
        if last is not None and last[0] == operation[0]:
            last = (last[0], last[1], operation[2], last[3], operation[4])
            continue
        if last is not None:
            yield last
        last = operation
    if last is not None:
        yield last


def _with_surroundings(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Yield runs of what differs, each with a few equal lines on either side, as a unified diff shows them."""
    run: list[Operation] = []
    for number, (tag, a, b, c, d) in enumerate(operations):
        if tag != "equal":
            run.append((tag, a, b, c, d))
            continue
        if number + 1 == len(operations):
            last = min(_AROUND, b - a)
            if run and last:
                run.append((tag, a, a + last, c, c + last))
        elif run and b - a <= 2 * _AROUND:
            run.append((tag, a, b, c, d))
        else:
            if run:
                run.append((tag, a, a + _AROUND, c, c + _AROUND))
                yield run
            first = min(_AROUND, b - a)
            run = [(tag, b - first, b, d - first, d)]
    if any(operation[0] != "equal" for operation in run):
        yield run


def _hidden(lines: Sequence[str]) -> Mapping[int, bool]:
    """Return the lines that are part of a secret directive, and whether each only continues the line above it."""
    hidden: dict[int, bool] = {}
    goes_on = False  # the line above ends in a backslash, and is one with this
    for at, line in enumerate(lines):
        if not goes_on:
            name, equals, _ = line.partition("=")
            if not equals or name.strip() not in _SECRET_NAMES:
                continue
        hidden[at] = goes_on
        goes_on = line.endswith("\\")
    return hidden


def _shown(masking: Masking, lines: Sequence[str], at: int, hidden: Mapping[int, bool]) -> str:
    """Return one of the lines as it may be shown."""
    line = lines[at]
    if at in hidden:
        return MASK if hidden[at] else f"{line.partition('=')[0].rstrip()} = {MASK}"
    return masking.text(line).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
