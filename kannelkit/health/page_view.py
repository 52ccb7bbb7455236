"""What the page for people says, in its order: the answer, what is wrong, each account; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from kannelkit.health.table import CHECKS
from kannelkit.health.values import SENDING, Check, Report, Status, sending_accounts, worst
from kannelkit.supervise.views import AccountView, Overview

_WORST_FIRST: tuple[Status, ...] = ("critical", "warning", "unknown", "ok")
_MOST_NAMES = 6
_MOST_TROUBLES = 30
# a page with more cards than this is not read, and takes long to make
MOST_CARDS = 50

_DAY = 86_400
# seconds: an end that is nearer is not told by the clock as well
_WORTH_NAMING = 300


@dataclass(frozen=True, slots=True)
class Since:
    """A moment: for people (`at`, `ago`) and for programs."""

    at: str
    ago: str
    iso: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer in a few words, and what goes with it in one sentence."""

    status: Status
    words: str
    detail: str
    since: Since | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong, and what to do about it ("" where nothing is known)."""

    status: Status
    words: str
    advice: str
    since: Since | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the gateway (no `names`) or with these accounts alike; `more` are not named.

    `example` is the account whose words they are, "" where they fit all of them.
    """

    status: Status
    names: tuple[str, ...]
    more: int
    reasons: tuple[Reason, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Card:
    """One account: `number` is its place in the spec, `status` the worst of it, `answer` and `words` whether it sends.

    `empty` says when its queue will be, `wrong` how many things besides are not as they should be.
    """

    number: int
    name: str
    status: Status
    answer: Status
    words: str
    since: Since | None
    view: AccountView
    empty: str
    wrong: int
    side_since: Since | None


def since(at: float | None, now: float, zone: tzinfo) -> Since | None:
    """Return a moment in words at `now` (both in seconds since the epoch), None where it is not known."""
    if at is None:
        return None
    try:
        moment, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
        iso = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a clock that was set to nonsense
        return None
    form = "%H:%M" if moment.date() == today.date() else "%-d %b %H:%M"
    return Since(moment.strftime(form), span(now - at), iso)


def span(seconds: float) -> str:
    """Return a time in words that do not change every second: under a minute, 12 min, 3 h 5 min, 2 d 4 h."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // _DAY, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else "under a minute"


def headline(report: Report | None, age: float | None, zone: tzinfo) -> Headline:
    """Return the answer to "is it sending?"; `age` is how many seconds ago that was seen."""
    if report is None:
        seen = "The gateway has not been looked at yet."
        if age is not None:
            seen = f"The gateway was last looked at {span(age)} ago. Whether it is sending now is not known."
        return Headline("unknown", "Not known", seen)
    asked = report.of(SENDING)
    sends = set(sending_accounts(report))
    down = [check for check in asked if check.account not in sends and check.status == "critical"]
    unclear = [check for check in asked if check.account not in sends and check.status != "critical"]
    begun = [check.since for check in down or unclear if check.since is not None]
    at = since(min(begun), report.at, zone) if begun else None
    if not asked:
        status: Status = "critical" if report.status == "critical" else "unknown"
        return Headline(status, "Nothing to send through", "There is no SMPP account.")
    if len(down) == len(asked):
        return Headline("critical", "Not sending", _first(down), at)
    if down:
        count = f"{len(down)} of {len(asked)} accounts are not sending"
        words = f"{down[0].account} is not sending" if len(down) == 1 else count
        others = f"{len(sends)} of {len(asked)} accounts send."
        return Headline("critical", words, others, at)
    if unclear:
        known = f"{len(sends)} of {len(asked)} accounts send, as far as is known." if sends else _first(unclear)
        return Headline("unknown", "Not known whether it is sending", known, at)
    return Headline(*_sending(report, len(asked)))


def _sending(report: Report, count: int) -> tuple[Status, str, str]:
    who = {1: "The account sends.", 2: "Both accounts send."}.get(count, f"All {count} accounts send.")
    wrong = _wrong(report)
    status = worst(check.status for check in wrong) if wrong else "ok"
    if not wrong:
        return "ok", "Sending", f"{who} Nothing is wrong."
    words = "1 thing is not as it should be" if len(wrong) == 1 else f"{len(wrong)} things are not as they should be"
    return status, "Sending, with trouble" if status == "critical" else "Sending", f"{who} {words}."


def _first(checks: Sequence[Check]) -> str:
    told = {_words(check) for check in checks}
    return f"{_capital(told.pop())}." if len(told) == 1 else "No account sends."


def troubles(report: Report | None, zone: tzinfo) -> tuple[tuple[Trouble, ...], int]:
    """Return what is wrong, the worst first, and how many troubles more there are.

    What is wrong with several accounts in the same words, but for their names, is told once.
    """
    if report is None:
        return (), 0
    by_account: dict[str | None, list[Check]] = {}
    for check in _wrong(report):
        by_account.setdefault(check.account, []).append(check)
    advised = frozenset(check.advice for check in by_account.get(None, ()))
    alike: dict[object, list[str | None]] = {}
    for account, checks in by_account.items():
        same = tuple((check.id, check.status, _nameless(check), check.advice) for check in checks)
        alike.setdefault((account is None, same), []).append(account)
    found = [
        _trouble(names, by_account[names[0]], report.at, zone, frozenset() if names[0] is None else advised)
        for names in alike.values()
    ]
    found.sort(key=lambda trouble: (_WORST_FIRST.index(trouble.status), bool(trouble.names)))
    return tuple(found[:_MOST_TROUBLES]), max(0, len(found) - _MOST_TROUBLES)


def _wrong(report: Report) -> list[Check]:
    """Return the checks that are not ok, but for what cannot be told because bearerbox does not answer."""
    silent = any(check.status in ("warning", "critical") for check in report.of("bearerbox"))
    hidden = ("ok", "unknown") if silent else ("ok",)
    return [check for check in report.checks if check.status not in hidden]


def _trouble(
    names: Sequence[str | None], checks: Sequence[Check], now: float, zone: tzinfo, advised: frozenset[str]
) -> Trouble:
    accounts = tuple(name for name in names if name is not None)
    reasons: list[Reason] = []
    for check in _without_repeats(worst_first(checks), advised):
        begun = since(check.since, now, zone)
        told = any(reason.since == begun for reason in reasons)
        reasons.append(Reason(check.status, _words(check), check.advice, None if told else begun))
    named = accounts[:_MOST_NAMES]
    example = len(accounts) > 1 and any(check.account and check.account in _words(check) for check in checks)
    status = worst(check.status for check in checks)
    return Trouble(status, named, len(accounts) - len(named), tuple(reasons), accounts[0] if example else "")


def _without_repeats(checks: Sequence[Check], advised: Iterable[str]) -> Iterator[Check]:
    """Yield checks, of those that are not ok, without what others that stand beside them say as well.

    Checks stand alone elsewhere, and there one tells what another knows, or points to it. What is `advised` already is
    not advised again.
    """
    whole, told = {check.id: check for check in checks}, set(advised)
    asked, links = whole.get(SENDING), whole.get("links")
    same = asked is not None and links is not None and _cause(asked) == _cause(links) != ""
    for check in checks:
        if same and check is links:
            continue
        advice = check.advice
        if check is asked and advice == CHECKS[SENDING].advice and len(checks) > 1:
            advice = links.advice if same and links is not None else ""
        if advice in told or advice.startswith("see the check "):
            advice = ""
        told.add(advice)
        yield replace(check, advice=advice)


def _cause(check: Check) -> str:
    return _words(check).partition(": ")[2]


def cards(report: Report, state: Overview, zone: tzinfo) -> tuple[tuple[Card, ...], int]:
    """Return the accounts, those in trouble first, and how many more there are."""
    told: dict[str, list[Check]] = {}
    wrong: dict[str, list[Check]] = {}
    for checks, into in ((report.checks, told), (_wrong(report), wrong)):
        for check in checks:
            if check.account is not None:
                into.setdefault(check.account, []).append(check)
    found = [
        _card(number, view, told.get(view.smsc_id, ()), wrong.get(view.smsc_id, ()), state.at, zone)
        for number, view in enumerate(state.accounts)
    ]
    found.sort(key=lambda card: _WORST_FIRST.index(card.status))
    return tuple(found[:MOST_CARDS]), max(0, len(found) - MOST_CARDS)


def _card(
    number: int, view: AccountView, checks: Sequence[Check], wrong: Sequence[Check], now: float, zone: tzinfo
) -> Card:
    asked = next((check for check in checks if check.id == SENDING), None)
    return Card(
        number,
        view.smsc_id,
        worst(check.status for check in checks),
        asked.status if asked else "unknown",
        _words(asked).partition(": ")[0] if asked else "not known whether it is sending",
        since(asked.since, now, zone) if asked else None,
        view,
        _empty(view, now, zone),
        sum(check.id != SENDING for check in _without_repeats(wrong, ())),
        since(view.since, now, zone),
    )


def _empty(view: AccountView, now: float, zone: tzinfo) -> str:
    """Return when what waits for an account will be sent."""
    if not view.queued:
        return ""
    if view.minutes_left is None:
        return "and nothing is being sent" if view.accepted is not None else "for how long is not known"
    left = view.minutes_left * 60
    at = since(now + left, now, zone)
    return f"to be sent in {span(left)}" + (f", at {at.at}" if at and left >= _WORTH_NAMING else "")


def longest(state: Overview, zone: tzinfo) -> str:
    """Return when all queues will be empty, or what of them will not be; "" where nothing waits or nobody can tell."""
    still = sum(view.queued for view in state.accounts if view.minutes_left is None and view.accepted is not None)
    if still:
        return f"of which {still} at accounts that send nothing"
    waiting = [view for view in state.accounts if view.queued and view.minutes_left is not None]
    return _empty(max(waiting, key=lambda view: view.minutes_left or 0), state.at, zone) if waiting else ""


def worst_first(checks: Iterable[Check]) -> list[Check]:
    """Return checks in the order in which they matter."""
    return sorted(checks, key=lambda check: _WORST_FIRST.index(check.status))


def _words(check: Check) -> str:
    """Return a check's sentence without the name of the account that it is about."""
    return check.summary.removeprefix(f"{check.account}: ") if check.account else check.summary


def _nameless(check: Check) -> str:
    """Return a check's sentence with something else for its account's name, which its links' names begin with."""
    return _words(check).replace(check.account, "\0") if check.account else check.summary


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
