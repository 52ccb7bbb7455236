"""Which account takes a message to a number, by the spec; as bearerbox decides it (gw/smscconn.c, smscconn_usable)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kannelkit.health.values import Report, sending
from kannelkit.spec import Spec


def takers(spec: Spec, number: str, smsc_id: str | None = None) -> tuple[str, ...]:
    """Return the accounts that take a message to this number, those that prefer it first.

    `smsc_id` is the smsc of a sendsms request, None without one. bearerbox sends by an account further back while none
    before it is online. White and black lists, which are files of their own, are not looked at.
    """
    number = unified(spec.core.get("unified-prefix"), number)
    found: list[tuple[bool, str]] = []
    for group in (*(account.group for account in spec.smpp_accounts), *spec.other_smscs):
        directives = {name: value.text for name, value in group.values.items()}
        if allowed(directives, number, smsc_id):
            found.append((not preferred(directives, number, smsc_id), directives["smsc-id"]))
    return tuple(dict.fromkeys(name for _, name in sorted(found, key=lambda each: each[0])))


def can_send(report: Report, spec: Spec, number: str, smsc_id: str | None = None) -> str | None:
    """Return the account that sends a message to this number now, None where no account that takes it is sending."""
    return next((name for name in takers(spec, number, smsc_id) if sending(report, name)), None)


def allowed(directives: Mapping[str, str], number: str, smsc_id: str | None) -> bool:
    """Return whether links with these directives take a message to this number."""
    names, refused = _names(directives, "allowed-smsc-id"), _names(directives, "denied-smsc-id")
    if names is not None:
        if smsc_id not in names:
            return False
    elif refused is not None and smsc_id in refused:
        return False
    if "allowed-smsc-id-regex" in directives:
        if smsc_id is None or not _matches(directives["allowed-smsc-id-regex"], smsc_id):
            return False
    elif smsc_id is not None and _matches(directives.get("denied-smsc-id-regex"), smsc_id):
        return False
    return _passes(directives, "prefix", number, _begins) and _passes(directives, "prefix-regex", number, _matches)


def preferred(directives: Mapping[str, str], number: str, smsc_id: str | None) -> bool:
    """Return whether links with these directives, which take the message, come before others."""
    names = _names(directives, "preferred-smsc-id")
    return (
        (names is not None and smsc_id in names)
        or _begins(directives.get("preferred-prefix"), number)
        or _matches(directives.get("preferred-prefix-regex"), number)
    )


def unified(prefixes: str | None, number: str) -> str:
    """Return the number with its prefix made one, as `unified-prefix` of group core says (gwlib/utils.c,
    normalize_number): of each entry the first prefix takes the place of the others.
    """
    for entry in prefixes.split(";") if prefixes else ():
        wanted, *others = entry.split(",")
        if number.startswith(wanted):
            return number
        for prefix in others:
            if number.startswith(prefix):
                return ("" if wanted.startswith("-") else wanted) + number[len(prefix) :]
    return number


def _passes(directives: Mapping[str, str], kind: str, number: str, match: Callable[[str | None, str], bool]) -> bool:
    """Return whether allowed-<kind> and denied-<kind> let a number through; with both, allowed is stronger."""
    allows, denies = directives.get(f"allowed-{kind}"), directives.get(f"denied-{kind}")
    if allows is not None and match(allows, number):
        return True
    if denies is None:
        return allows is None
    return not match(denies, number)


def _begins(prefixes: str | None, number: str) -> bool:
    """Return whether the number begins with one of the prefixes (gwlib/utils.c, does_prefix_match)."""
    if not prefixes or not number:
        return False
    first, *others = prefixes.split(";")
    return number.startswith((first, *(prefix for prefix in others if prefix)))


def _matches(pattern: str | None, text: str) -> bool:
    if pattern is None:
        return False
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError):  # one that Kannel's kind of expressions may know
        return False


def _names(directives: Mapping[str, str], directive: str) -> tuple[str, ...] | None:
    text = directives.get(directive)
    return None if text is None else tuple(text.split(";"))
