"""A list of messages to send: CSV with a header, or a receiver a line; each cell with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place

# the columns, named as the options of `send` that stand for all lines
COLUMNS = (
    "to",
    "text",
    "from",
    "channel",
    "subject",
    "voice",
    "call-parameters",
    "bot",
    "comment",
    "priority",
    "validity",
    "account",
)
_RECEIVER, _TEXT = "to", "text"  # in the text alone blanks at an end have a meaning
_SEPARATORS = ",;\t"
_NUMBER = re.compile(r"[+0-9][0-9 ().-]*")
_MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """One value and where it begins."""

    text: str
    place: Place


Row = Mapping[str, Cell]


def decoded(octets: bytes, file: str) -> str:
    """Return the text of a list or of one message; raises InputError where it is no UTF-8."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = octets[: error.start]
        place = Place(file, before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        hint = "save it as UTF-8, for instance with: iconv -f windows-1251 -t utf-8"
        message = f"the octet 0x{octets[error.start]:02x} is no UTF-8"
        raise InputError([Finding(place, "M101", message, hint)]) from None


def read_list(text: str, file: str) -> tuple[list[Row], list[Finding]]:
    """Return the list's rows by column, without empty cells, and what is wrong in it.

    Columns are separated by commas, semicolons or tabs, whatever the first line has; a first line that is a number
    begins a list of receivers without a header. Empty lines count for nothing.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((each for each in _SEPARATORS if each in first), ",")
    findings: list[Finding] = []
    records = [cells for cells in _records(text, file, separator, findings) if any(cell.text.strip() for cell in cells)]
    if not records:
        findings.append(Finding(Place(file), "M101", "the list is empty", "write a header, `to,text`, and a line each"))
        return [], findings
    header = [_RECEIVER] if looks_like_a_number(records[0][0].text.strip()) else _header(records.pop(0), findings)
    rows: list[Row] = []
    for cells in records:
        if len(cells) > len(header):
            place = cells[len(header)].place
            message = f"{len(cells)} cells where there are {len(header)} columns"
            findings.append(Finding(place, "M103", message, 'put a text with separators in it between quotes: "..."'))
        else:
            named = zip(header, cells, strict=False)
            rows.append({name: _trimmed(name, cell) for name, cell in named if cell.text.strip()})
        if len(findings) >= _MOST_FINDINGS:  # a file of another kind has one a line
            break
    return rows, findings


def _trimmed(name: str, cell: Cell) -> Cell:
    return cell if name == _TEXT else Cell(cell.text.strip(), cell.place)


def looks_like_a_number(text: str) -> bool:
    """Return whether a person would take a text for a telephone number, with whatever stands between its digits."""
    return _NUMBER.fullmatch(text) is not None


def _header(cells: list[Cell], findings: list[Finding]) -> list[str]:
    """Return the columns by name; one that is not known has a finding."""
    header: list[str] = []
    for cell in cells:
        name = cell.text.strip().lower().replace("_", "-")
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"columns are {', '.join(COLUMNS)}"
            findings.append(Finding(cell.place, "M102", f"there is no column {cell.text[:40]!r}", hint))
        elif name in header:
            findings.append(Finding(cell.place, "M102", f"a second column {name}", "leave one of them out"))
        header.append(name)
    if _RECEIVER not in header:
        hint = "the first line names the columns, as in to,text"
        findings.append(Finding(cells[0].place, "M102", f"no column {_RECEIVER}", hint))
    return header


def _records(text: str, file: str, separator: str, findings: list[Finding]) -> Iterator[list[Cell]]:
    """Yield the cells of each record (RFC 4180): between quotes, line feeds and separators are text, "" is one quote.

    Python's csv does not tell where a cell begins.
    """
    plain = re.compile(rf"[^{separator}\r\n]*")
    position, line, start = 0, 1, 0  # start: of the physical line, for columns
    cells: list[Cell] = []
    while position <= len(text):
        place = Place(file, line, position - start + 1)
        if text[position : position + 1] == '"':
            value, end = _quoted(text, position)
            if end is None:
                findings.append(Finding(place, "M101", "a quote that is not closed", "double the quotes within a text"))
                return
            passed = text[position:end]
            if "\n" in passed:
                line += passed.count("\n")
                start = position + passed.rindex("\n") + 1
            position = end
            rest = plain.match(text, position)
            if rest is not None and rest[0].strip(" "):
                message = "something behind a closing quote"
                findings.append(Finding(place, "M101", message, "double the quotes within a text"))
            position = rest.end() if rest else position
        else:
            found = plain.match(text, position)
            value, position = (found[0], found.end()) if found else ("", position)
        cells.append(Cell(value, place))
        if text[position : position + 1] == separator:
            position += 1
            continue
        yield cells
        cells = []
        position += 2 if text.startswith("\r\n", position) else 1
        line, start = line + 1, position
        if position >= len(text):
            return


def _quoted(text: str, position: int) -> tuple[str, int | None]:
    """Return what stands between the quotes that begin at `position`, and where the next character is."""
    end = position + 1
    while True:
        end = text.find('"', end)
        if end < 0:
            return "", None
        if text[end + 1 : end + 2] != '"':
            return text[position + 1 : end].replace('""', '"').replace("\r\n", "\n"), end + 1
        end += 2
