"""What a spec has to say before kannelkit can run or watch its gateway, beyond what Kannel's language asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kannelkit.conf import GROUPS
from kannelkit.findings import Finding, in_order
from kannelkit.spec.across import names
from kannelkit.spec.model import ID, Group, Spec
from kannelkit.spec.read import Reader

# What the supervisor reads and asks: bearerbox's log for refusals, its administration port for counters and commands.
_NEEDED = {
    "core": {
        "admin-port": "13000",
        "admin-password": "a secret, as in {file: secrets/admin}",
        "smsbox-port": "13001",
        "log-file": "/var/log/kannel/bearerbox.log",
    },
    "smsbox": {"bearerbox-host": "127.0.0.1", "sendsms-port": "13013"},
}
# Of a gateway that something else runs.
_NEEDED_TO_WATCH = {"core": {name: _NEEDED["core"][name] for name in ("admin-port", "admin-password", "log-file")}}


def lacking(spec: Spec) -> tuple[Finding, ...]:
    """Return why the supervisor cannot run this gateway; empty for every spec that kannelkit itself fills in.

    A spec with `defaults: kannel`, or with findings that a comment silences, can be written for Kannel and still lack
    what the supervisor needs: a log to follow, a port to ask, names that tell two links apart.
    """
    reader = Reader(spec.path.parent, {})  # which no comment silences
    names(reader, spec)
    found = [Finding(finding.place, finding.rule, finding.message, _WHY_NAMES) for finding in reader.findings]
    for account in spec.smpp_accounts:
        if not ID.fullmatch(account.smsc_id):
            place = account.group.values["smsc-id"].place
            found.append(Finding(place, "S310", f"smsc-id {account.smsc_id!r} cannot be addressed", _WHY_NAMES))
    for group in (spec.core, spec.smsbox):
        found += _missing(group, _needed(spec).get(group.name, {}))
    found += _relative(spec)
    return in_order(found)


_WHY_NAMES = "the supervisor tells links apart by their names: give each its own, of letters, digits, `.`, `-` and `_`"


def _needed(spec: Spec) -> Mapping[str, Mapping[str, str]]:
    if spec.supervisor.conf_file is None:
        return _NEEDED
    if not spec.supervisor.logs:
        return _NEEDED_TO_WATCH
    return {"core": {name: like for name, like in _NEEDED_TO_WATCH["core"].items() if name != "log-file"}}


def _missing(group: Group, needed: Mapping[str, str]) -> Iterator[Finding]:
    if needed and not group.there:
        hint = f"write group {group.name}, or `defaults: kannelkit`, which fills it in"
        yield Finding(group.place, "S318", f"there is no group {group.name}, and kannelkit runs it", hint)
        return
    for directive, example in needed.items():
        if not group.get(directive) and directive not in group.made_as:
            yield Finding(
                group.place,
                "S318",
                f"group {group.name} has no {directive}, which running it needs",
                f"write it ({directive}: {example}), or `defaults: kannelkit`",
            )


def _relative(spec: Spec) -> Iterator[Finding]:
    """Find paths that depend on the folder in which a box is started: with `defaults: kannel` they are as written."""
    for group in spec.groups():
        directives = GROUPS[group.name].directives
        for name, value in group.values.items():
            if directives[name].kind in ("file", "folder") and value.text and not Path(value.text).is_absolute():
                yield Finding(
                    value.place,
                    "S319",
                    f"{name} {value.text} is relative to the folder in which Kannel is started",
                    f"write the whole path, for instance {spec.path.parent / value.text}",
                )
