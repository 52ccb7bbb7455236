"""An entry of `smsc` to an SMPP account: the provider's profile, kannelkit's own keys, the flags in system-type."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from kannelkit.conf import GROUPS
from kannelkit.conf.values import TRUE
from kannelkit.findings import Place
from kannelkit.providers import PROFILES, Profile
from kannelkit.providers.profile import MOST_CONNECTIONS
from kannelkit.spec import defaults
from kannelkit.spec.model import DEFAULT_PORT, ID, Group, Relayed, SmppAccount, Value
from kannelkit.spec.numbers import per_second, whole
from kannelkit.spec.read import Reader
from kannelkit.spec.source import Node, Scalar

# Why an smsc without a name cannot be written.
NAMELESS = "kannelkit names links after it"

Pairs = Mapping[str, tuple[Scalar, Node]]

_MULTIPLE = re.compile(r"MCON([0-9]+)")
# Whose flags an account gets that names no provider.
_USUAL = "smsc.ru"
# What kannelkit writes into each link itself.
_OURS = {
    "smsc-admin-id": "each link gets its own, made from smsc-id",
    "dead-start": "leave out an account that is to stay down; links to a second host are started when needed",
    "instances": "write connections instead: links of one name cannot be told apart by administration commands",
}
# An older name, which Kannel takes in its place.
_OLDER = {"smsc-username": "system-id"}
_FLAG_OCTETS = GROUPS["smsc"].directives["system-type"].octets or 0


def smpp_account(reader: Reader, pairs: Pairs, values: dict[str, Value], place: Place) -> SmppAccount | None:
    """Return the account, or nothing where so much is wrong that it has no name."""
    profile = _profile(reader, pairs)
    for directive, hint in _OURS.items():
        if directive in values:
            reader.find(values.pop(directive).place, "S309", f"{directive} is kannelkit's to write", hint)
    unknown = "provider" in pairs and profile is None  # it may have a host and a name for the account
    own_host = "host" in values
    _fill(reader, values, profile, place)
    nameless = "smsc-id" not in values and ("smsc-id" in pairs or unknown)
    smsc_id = None if nameless else _smsc_id(reader, values, profile, place)
    for directive in ("smsc-username", "smsc-password") if unknown else ("host", "smsc-username", "smsc-password"):
        if not any(name in values or name in pairs for name in (directive, _OLDER.get(directive, directive))):
            reader.find(place, "S105", f"{smsc_id or 'an account'} has no {directive}", "write it")
    port, receive_port = values.get("port"), values.get("receive-port")
    if _on(port) and _on(receive_port) and port is not None:
        reader.find(port.place, "S312", "port and receive-port in one account", "write port and transceiver-mode: true")
    if not _on(port) and not _on(receive_port) and reader.defaults == "kannelkit":
        values["port"] = Value(str(DEFAULT_PORT), "default", place)

    most = profile.most_connections if profile else MOST_CONNECTIONS
    connections = reader.number(pairs, "connections", 1, most) or 1
    _flags(reader, values, profile, connections)
    relayed = _pacing(reader, pairs, values)
    if relayed is None:  # the relay lets submits leave over all connections as one
        _shares(reader, values.get("throughput"), connections)
    backup_host = reader.text(pairs, "backup-host")
    backup_port = reader.number(pairs, "backup-port", 1, 65535)
    if backup_port and not backup_host:
        reader.find(
            pairs["backup-port"][0].place,
            "S105",
            "backup-port without backup-host",
            "write backup-host as well",
            firm="there is no link that it could be for",
        )
    if smsc_id is None:
        return None
    # The provider's second host stands by only for its first: whoever writes another host may be testing.
    usual_backup = profile.backup_host if profile and not own_host else ""
    stands_by = backup_host.text if backup_host else usual_backup
    if stands_by and reader.defaults == "kannelkit":
        _gaps(values, defaults.TWO_HOSTS, place)
    account = SmppAccount(
        group=Group("smsc", values, place),
        smsc_id=smsc_id,
        stem=smsc_id,
        profile=profile,
        connections=connections,
        backup_host=stands_by,
        backup_port=backup_port or 0,
        account_group=_account_group(reader, pairs),
        relayed=relayed,
    )
    return account if backup_port else dataclasses.replace(account, backup_port=account.port)


def _account_group(reader: Reader, pairs: Pairs) -> str:
    node = reader.text(pairs, "account-group")
    if node is None:
        return ""
    if not ID.fullmatch(node.text):
        reader.find(
            node.place,
            "S201",
            f"account-group cannot be {node.text!r}",
            "use letters of the Latin alphabet, digits, full stops, hyphens and underscores",
            firm="it is a name in commands and metrics",
        )
        return ""
    return node.text


def _on(port: Value | None) -> bool:
    return port is not None and whole(port.text) != 0


def _shares(reader: Reader, throughput: Value | None, connections: int) -> None:
    """See that each connection can have a whole share of at least 1."""
    if throughput is None or connections == 1:
        return
    if "." in throughput.text:  # silenced
        reader.find(
            throughput.place,
            "S204",
            f"throughput {throughput.text} is a fraction, over {connections} connections",
            "write a whole number of SMS per second",
            firm="each connection needs a whole share",
        )
        return
    limit = per_second(throughput.text)
    if limit is not None and limit < connections:
        reader.find(
            throughput.place,
            "S303",
            f"throughput {throughput.text} over {connections} connections leaves one with 0: no limit to Kannel",
            f"write at least {connections}, or fewer connections",
        )


def _profile(reader: Reader, pairs: Pairs) -> Profile | None:
    node = reader.text(pairs, "provider")
    if node is None:
        return None
    if node.text not in reader.profiles and not reader.profiles_unread:
        hint = f"one of {', '.join(reader.profiles)}; a file of your own with another one is named at providers"
        reader.find(node.place, "S314", f"no such provider: {node.text}", hint)
    return reader.profiles.get(node.text)


def _fill(reader: Reader, values: dict[str, Value], profile: Profile | None, place: Place) -> None:
    if profile:
        tls = "use-ssl" in values and values["use-ssl"].text.lower() in TRUE
        if profile.host and "host" not in values:
            values["host"] = Value(profile.host, "provider", place)
        for setting in profile.settings:
            if setting.directive not in values:
                text = setting.tls_value if tls and setting.tls_value is not None else setting.value
                values[setting.directive] = Value(text, "provider", place)
    _gaps(values, defaults.LINK if reader.defaults == "kannel" else defaults.smpp(values), place)


def _gaps(values: dict[str, Value], gaps: Mapping[str, str], place: Place) -> None:
    for name, text in gaps.items():
        if name not in values:
            values[name] = Value(text, "default", place)


def _smsc_id(reader: Reader, values: dict[str, Value], profile: Profile | None, place: Place) -> str | None:
    if "smsc-id" not in values:
        if profile is None:
            reader.find(place, "S105", "an account without smsc-id", "give it a name", firm=NAMELESS)
            return None
        values["smsc-id"] = Value(profile.name, "default", place)
    value = values["smsc-id"]
    if not ID.fullmatch(value.text):
        reader.find(
            value.place,
            "S310",
            f"smsc-id {value.text!r} has characters that Kannel escapes nowhere",
            "use letters of the Latin alphabet, digits, full stops, hyphens and underscores",
        )
    return value.text


def _flags(reader: Reader, values: dict[str, Value], profile: Profile | None, connections: int) -> None:
    """Add the flag for several connections to system-type, see that it fits, and write as the flags are read."""
    value = values["system-type"]
    if reader.defaults == "kannel" and profile is None:
        _fits(reader, value.text, value.text.split(","), None, value.place)
        return
    flags = [flag.strip() for flag in value.text.split(",") if flag.strip()]
    pattern = (profile or PROFILES[_USUAL]).connections_flag
    multiple = [int(found[1]) for flag in flags if (found := _MULTIPLE.fullmatch(flag))]
    if pattern and multiple:
        if max(multiple) < connections:
            reader.find(
                value.place,
                "S308",
                f"system-type allows {max(multiple)} connections, and there are {connections}",
                "leave the flag out: kannelkit adds it",
            )
    elif pattern and connections > 1:
        flags.append(pattern.format(n=connections))
    text = ",".join(flags) if flags else value.text
    _fits(reader, text, flags, profile, value.place)
    values["system-type"] = Value(text, value.origin, value.place)
    charset = profile.charset(flags) if profile else ""
    if charset and "alt-charset" not in values:  # Kannel alone would go on writing GSM 03.38
        values["alt-charset"] = Value(charset, "provider", value.place)


def _fits(reader: Reader, text: str, flags: list[str], profile: Profile | None, place: Place) -> None:
    octets = text.encode("utf-8", "surrogatepass")
    if len(octets) <= _FLAG_OCTETS:
        return
    kept = octets[:_FLAG_OCTETS].decode("utf-8", "ignore")
    cut = [flag for flag, at in zip(flags, _ends(flags), strict=True) if at > _FLAG_OCTETS]
    known = (profile or PROFILES[_USUAL]).flags
    hints = [f"leave {flag.name} out and {flag.instead}" for flag in known if flag.instead and flag.name in flags]
    reader.find(
        place,
        "S301",
        f"system-type would be {text}, {len(octets)} octets where {_FLAG_OCTETS} fit: Kannel would send {kept}, with "
        f"{' and '.join(cut)} cut",
        hints[0] if hints else "leave one out",
    )


def _ends(flags: list[str]) -> list[int]:
    ends, at = [], -1
    for flag in flags:
        at += 1 + len(flag.encode("utf-8", "surrogatepass"))
        ends.append(at)
    return ends


def _pacing(reader: Reader, pairs: Pairs, values: Mapping[str, Value]) -> Relayed | None:
    """Return how bearerbox reaches the relay, nothing where the account has none."""
    node = reader.text(pairs, "pacing")
    port = reader.number(pairs, "relay-port", 1, 65535)
    if node is not None and node.text not in ("log", "relay"):
        reader.find(node.place, "S201", f"pacing cannot be {node.text!r}", "write relay or log, or leave it out")
        return None
    if node is None or node.text == "log":
        if "relay-port" in pairs:
            reader.find(
                pairs["relay-port"][0].place,
                "S307",
                "relay-port is for pacing: relay",
                "write pacing: relay as well, or leave relay-port out",
            )
        return None
    receives = values.get("receive-port")
    if receives is not None and _on(receives):
        reader.find(
            receives.place,
            "S307",
            "pacing: relay and receive-port in one account: the relay makes one kind of bind",
            "write port and transceiver-mode: true, or pacing: log",
        )
    ours = values.get("our-port")
    if ours is not None and _on(ours):
        reader.find(
            ours.place,
            "S307",
            "pacing: relay and our-port in one account: the relay connects from any port",
            "leave our-port out, or write pacing: log",
        )
    if port is None:
        of_port = Value("", "made", node.place)
    else:
        of_port = Value(str(port), "written", pairs["relay-port"][1].place)
    return Relayed(of_port, Value("", "made", node.place, secret=True), node.place)
