"""One frame of `kannelkit top`: how a gateway stands -> lines that fill a terminal; pure."""

from __future__ import annotations

import dataclasses
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from kannelkit.cli.curves import panel, strip
from kannelkit.cli.figures import EVENT_COLOURS, STATE_COLOURS, shown
from kannelkit.cli.paced import relay_line, relay_rate
from kannelkit.supervise.memory import Event
from kannelkit.supervise.views import AccountView, LinkView, Overview, duration, leads_to

KEYS = "q quit  up/down j k select  Enter links and curve  p pause or resume  ? help"
HELP = (
    ("up, down, k, j", "select an account"),
    ("Enter, l", "its links, curve and refusals; again: all links"),
    ("p", "pause its adaptation, so that its rate stays; or resume it"),
    ("? or h", "this page; again: back"),
    ("q, Ctrl-C", "quit; the gateway goes on"),
    ("", ""),
    ("ACC/S", "SMS per second that the provider accepted, mean of 10 s"),
    ("RATE", "throughput in force / the spec's ceiling, SMS per second"),
    ("LAST 5 MIN", "accepted; right is now; red: some were refused as too fast"),
    ("REF/MIN", "submits refused as too fast in the last minute"),
    ("QUEUED", "messages that wait for its links"),
    ("LEFT", "how long they last at the last minute's rate"),
)
_MOST_PROBLEM_LINES = 4
_A_DAY = 20 * 3600  # what is older is told with its date
_FEWEST_EVENTS = 3
_FEWEST_LINKS = 3
_MOST_BESIDE_DETAIL = 4  # accounts
_LONGEST_NAME, _LONGEST_CURVE = 24, 60
_CURVE = "LAST 5 MIN"
# what is left out first where the terminal is narrow
_SPARE_OF_LINKS = ("ONLINE FOR", "SHARE", "HOST")
_SPARE = ("LINKS", "LEFT", _CURVE, "REF/MIN", "QUEUED")

Align = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Looking:
    """What a person looks at: the account that is selected, whether it is opened, what is asked and told below."""

    selected: str | None = None
    opened: bool = False
    helping: bool = False
    question: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    align: Align
    cells: tuple[Text, ...]

    @property
    def width(self) -> int:
        return max([len(self.heading), *(cell.cell_len for cell in self.cells)])


def frame(
    seen: Overview,
    spec: str,
    looking: Looking,
    width: int,
    height: int | None = None,
    *,
    ascii_only: bool = False,
) -> list[Text]:
    """Return the frame's lines, none wider than `width`; exactly `height` lines, or as many as it takes (None)."""
    head = _head(seen, spec, width)
    room = None if height is None else max(0, height - len(head) - 1)
    if looking.helping:
        body = [Text(""), *(Text(f"  {key.ljust(16)}{what}") for key, what in HELP)]
    else:
        body = _body(seen, looking, width, room, ascii_only)
    lines = [*head, *body]
    if height is not None and room is not None:
        lines = [*head, *body[:room], *(Text("") for _ in range(room - len(body))), _foot(looking)][-height:]
    for line in lines:
        line.truncate(width, overflow="ellipsis" if width > 1 else "crop")
    return lines


def _foot(looking: Looking) -> Text:
    if looking.question:
        return Text(looking.question, "bold")
    return Text(looking.told) if looking.told else Text(KEYS, "dim")


def _head(seen: Overview, spec: str, width: int) -> list[Text]:
    first = Text(f"kannelkit top  {shown(spec)}", "bold")
    clock = time.strftime("%H:%M:%S", time.localtime(seen.at))
    first.append(" " * max(2, width - first.cell_len - len(clock))).append(clock)
    parts = [Text(shown(seen.state), STATE_COLOURS.get(seen.state, "red"))]
    since = seen.boxes[0].since
    if since is not None:
        parts.append(Text(f"up {duration(seen.at - since)}"))
    if seen.version:
        parts.append(Text(f"Kannel {shown(seen.version)}"))
    parts += [
        Text(f"{number:,} {what}")
        for number, what in ((seen.waiting, "waiting"), (seen.in_flight, "in flight"), (seen.stored, "stored"))
        if number is not None
    ]
    if seen.supervisor is None:
        parts.append(Text("not supervised", "red"))
    return [first, Text(", ").join(parts), *_problems(seen.problems, spec, width)]


def _problems(problems: Sequence[str], spec: str, width: int) -> list[Text]:
    lines = [
        line
        for problem in problems
        for line in textwrap.wrap(shown(problem), max(20, width), initial_indent="! ", subsequent_indent="  ")
    ]
    if len(lines) > _MOST_PROBLEM_LINES:
        lines = [*lines[: _MOST_PROBLEM_LINES - 1], f"! there is more: kannelkit status {shown(spec)}"]
    return [Text(line, "red") for line in lines]


def _body(seen: Overview, looking: Looking, width: int, height: int | None, ascii_only: bool) -> list[Text]:
    """Return accounts, links and events, as many of each as there is room for."""
    chosen = next((account for account in seen.accounts if account.smsc_id == looking.selected), None)
    opened = chosen if looking.opened else None
    accounts: Sequence[AccountView] = seen.accounts
    links = [(account, link) for account in ([opened] if opened else accounts) for link in account.links]
    events = [event for event in seen.events if opened is None or event.account in (opened.smsc_id, opened.unit)]
    detail = _detail(opened, seen.at, width, ascii_only) if opened else []
    among = len(links)
    if height is not None:
        # above each part is an empty line, and above accounts and links a heading
        room = height - len(detail) - 2 - (2 if links else 0) - (1 if events else 0)
        few_events, few_links = min(len(events), _FEWEST_EVENTS), min(among, _FEWEST_LINKS)
        most = max(1, min(room - few_events - few_links, _MOST_BESIDE_DETAIL if opened else room))
        accounts = _around(accounts, chosen, most)
        links = links[: max(0, room - len(accounts) - few_events)]
        events = events[-max(1, room - len(accounts) - len(links)) :]
    lines = [Text(""), *_accounts(accounts, len(seen.accounts), looking.selected, width, ascii_only), *detail]
    if links:
        lines += [Text(""), *_links(links, among, width)]
    if events:
        lines += [Text(""), *(_event(event, seen.at) for event in events)]
    return lines


def _around(accounts: Sequence[AccountView], chosen: AccountView | None, most: int) -> list[AccountView]:
    """Return as many accounts as there is room for, the selected one among them."""
    if len(accounts) <= most:
        return list(accounts)
    place = accounts.index(chosen) if chosen else 0
    begin = min(max(0, place - most // 2), len(accounts) - most)
    return list(accounts[begin : begin + most])


# -- accounts --------------------------------------------------------------------------------------------------------


def _accounts(
    accounts: Sequence[AccountView], of: int, selected: str | None, width: int, ascii_only: bool
) -> list[Text]:
    heading = "ACCOUNT" if len(accounts) == of else f"ACCOUNT ({len(accounts)} of {of})"
    columns = [
        _column(heading, "left", [Text(_short(account.smsc_id)) for account in accounts]),
        _column("STATE", "left", [_state(account.state) for account in accounts]),
        _column("LINKS", "right", [_links_online(account) for account in accounts]),
        _column("ACC/S", "right", [Text(_decimal(account.accepted_per_second)) for account in accounts]),
        _column("RATE", "left", [_rate(account) for account in accounts]),
        _column(_CURVE, "left", [Text("") for _ in accounts]),
        _column("REF/MIN", "right", [_refused(account) for account in accounts]),
        _column("QUEUED", "right", [Text(f"{account.queued:,}") for account in accounts]),
        _column("LEFT", "right", [Text(_left(account)) for account in accounts]),
    ]
    if all(not account.curve.accepted for account in accounts):
        columns = [column for column in columns if column.heading != _CURVE]
    columns = _fitting(columns, width, _SPARE)
    spare = width - 2 - sum(column.width + 2 for column in columns)
    for place, column in enumerate(columns):
        if column.heading == _CURVE:
            length = min(_LONGEST_CURVE, column.width + max(0, spare))
            strips = tuple(strip(account, length, ascii_only=ascii_only) for account in accounts)
            columns[place] = dataclasses.replace(column, cells=strips)
    lines = _table(columns, margin=2)
    for line, account in zip(lines[1:], accounts, strict=True):
        if account.smsc_id == selected:
            line.plain = ">" + line.plain[1:]
            line.stylize("bold")
    return lines


def _fitting(columns: Sequence[_Column], width: int, spare: Sequence[str]) -> list[_Column]:
    """Return the columns that there is room for, without the first of those that can be spared."""
    kept = list(columns)
    for heading in spare:
        if 2 + sum(column.width + 2 for column in kept) - 2 <= width:
            break
        kept = [column for column in kept if column.heading != heading]
    return kept


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _state(state: str) -> Text:
    return Text(shown(state), STATE_COLOURS.get(state, "red"))


def _links_online(account: AccountView) -> Text:
    whole = account.links_online == account.links_wanted
    return Text(f"{account.links_online}/{account.links_wanted}", "" if whole else "red")


def _decimal(number: float | None) -> str:
    return "-" if number is None else f"{number:,.1f}"


def _rate(account: AccountView) -> Text:
    rate, ceiling = ("no limit" if each is None else f"{each:,}" for each in (account.throughput, account.ceiling))
    if account.relayed:
        rate = relay_rate(account)
    cell = Text(rate if account.ceiling is None else f"{rate}/{ceiling}")
    for word, holds in (("paused", account.paused), ("by hand", account.by_hand), ("changing", not account.settled)):
        if holds:
            return cell.append(f" {word}", "yellow")
    return cell


def _refused(account: AccountView) -> Text:
    if account.refused is None:
        return Text("-")
    count = sum(account.curve.refused[-60:]) if account.curve.refused else round(account.refused.minute * 60)
    return Text(f"{count:,}", "red" if count else "")


def _left(account: AccountView) -> str:
    if account.minutes_left is None:
        return "-"
    return duration(account.minutes_left * 60) if account.queued else ""


# -- links, detail, events -------------------------------------------------------------------------------------------


def _links(of_accounts: Sequence[tuple[AccountView, LinkView]], of: int, width: int) -> list[Text]:
    links = [link for _, link in of_accounts]
    heading = "LINK" if len(links) == of else f"LINK ({len(links)} of {of})"
    columns = [
        _column(heading, "left", [Text(_short(link.admin_id)) for link in links]),
        _column("STATE", "left", [_state(link.state) for link in links]),
        _column("HOST", "left", [Text(shown(leads_to(link, account))) for account, link in of_accounts]),
        _column(
            "ONLINE FOR",
            "right",
            [Text("-" if link.seconds is None else duration(link.seconds)) for link in links],
        ),
        _column("SHARE", "right", [Text("-" if link.share is None else f"{link.share:,}") for link in links]),
        _column("QUEUED", "right", [Text(f"{link.queued:,}") for link in links]),
    ]
    return _table(_fitting(columns, width, _SPARE_OF_LINKS), margin=2)


def _detail(account: AccountView, at: float, width: int, ascii_only: bool) -> list[Text]:
    """Return what is known of the selected account besides its line."""
    lines = [Text(""), *panel(account, width, ascii_only=ascii_only)]
    facts = []
    if account.rate_since is not None:
        how = "set by hand" if account.by_hand else "learnt"
        facts.append(f"rate {how} {duration(at - account.rate_since)} ago")
    if account.unit != account.smsc_id:
        facts.append(f"shares the rate of {account.unit}")
    if account.since is not None:
        why = f" ({account.why})" if account.why else ""
        facts.append(f"on {account.side} {shown(account.host)} for {duration(at - account.since)}{shown(why)}")
    if account.relay is not None:
        facts.append(relay_line(account.relay))
    refusals = [f"{each.count:,} {shown(each.name)}" for each in account.other_refusals]
    if refusals:
        facts.append(f"refused for other reasons: {', '.join(refusals)}")
    return [*lines, *(Text(f"  {fact}") for fact in facts)]


def _event(event: Event, now: float) -> Text:
    form = "%H:%M:%S" if abs(now - event.at) < _A_DAY else "%m-%d %H:%M"
    clock = time.strftime(form, time.localtime(event.at))
    return Text(f"{clock} ", "dim").append(shown(event.text), EVENT_COLOURS.get(event.kind, ""))


# -- tables ----------------------------------------------------------------------------------------------------------


def _column(heading: str, align: Align, cells: Sequence[Text]) -> _Column:
    return _Column(heading, align, tuple(cells))


def _table(columns: Sequence[_Column], margin: int) -> list[Text]:
    rows = [[Text(column.heading, "bold dim") for column in columns]]
    rows += [list(row) for row in zip(*(column.cells for column in columns), strict=True)]
    lines = []
    for row in rows:
        line = Text(" " * margin)
        for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
            gap = " " * (column.width - cell.cell_len)
            line.append("  " if place else "")
            line = line.append(gap).append_text(cell) if column.align == "right" else line.append_text(cell).append(gap)
        line.rstrip()
        lines.append(line)
    return lines
