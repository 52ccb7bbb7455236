"""A spec file, whole: read, checked, and with every gap filled."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kannelkit.conf import GROUPS
from kannelkit.errors import InputError
from kannelkit.findings import Place
from kannelkit.spec import defaults
from kannelkit.spec.accounts import NAMELESS, smpp_account
from kannelkit.spec.across import across, with_stems
from kannelkit.spec.ignored import ignored
from kannelkit.spec.keys import HEALTH_KEYS, OTHER_GROUPS, SMSC_KEYS, SUPERVISOR_KEYS, TOP_KEYS, WATCH_KEYS
from kannelkit.spec.model import Address, Defaults, Group, SmppAccount, Spec, Supervisor, Value
from kannelkit.spec.own import OWN
from kannelkit.spec.parameters import parameters
from kannelkit.spec.profiles import known_profiles
from kannelkit.spec.read import Reader
from kannelkit.spec.source import Node, Scalar, Sequence, Table, compose, decoded
from kannelkit.spec.thresholds import thresholds

Pairs = dict[str, tuple[Scalar, Node]]


def load(path: Path, environ: Mapping[str, str]) -> Spec:
    """Return the spec in the file; relative paths in it are relative to its folder, `environ` answers {env: NAME}.

    Raises InputError with every finding.
    """
    file = str(path)
    try:
        octets = path.read_bytes()
    except OSError as error:
        reader = Reader(path.parent, environ)
        reader.find(Place(file), "S001", f"cannot be read: {error.strerror}", "name a spec file that is there")
        raise InputError(reader.findings) from error
    return parse(decoded(octets, file), Path(os.path.abspath(path)), environ, file)


def parse(text: str, path: Path, environ: Mapping[str, str], file: str) -> Spec:
    """Return the spec in the text, as if it stood at the absolute `path`; `file` is its name in findings."""
    with _uncollected():
        return _parsed(text, path, environ, file)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking for cycles among values that have none.

    It would go through all of them again and again as they grow: half of the time at ten thousand accounts.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parsed(text: str, path: Path, environ: Mapping[str, str], file: str) -> Spec:
    root = compose(text, file)
    reader = Reader(path.parent, environ, file, ignored(text))
    if root is not None and not isinstance(root, Table):
        reader.find(root.place, "S102", "a spec is a mapping", "begin with `smsc:` and list the accounts below it")
        raise InputError(reader.findings)
    top = {key.text: (key, value) for key, value in root.pairs} if root is not None else {}
    reader.unknown(top, TOP_KEYS, "a spec")
    spec = _spec(reader, top, path, root.place if root is not None else Place(file, 1, 1))
    across(reader, spec, health="health" in top)
    if reader.findings:
        raise InputError(reader.findings)
    return dataclasses.replace(spec, silenced=frozenset(reader.silenced))


def _node(top: Pairs, name: str) -> Node | None:
    return top[name][1] if name in top else None


def _place(top: Pairs, name: str, otherwise: Place) -> Place:
    return top[name][0].place if name in top else otherwise


def _spec(reader: Reader, top: Pairs, path: Path, start: Place) -> Spec:
    state = reader.text(top, "state-dir")
    state_dir = Path(os.path.normpath(path.parent / (state.text if state else defaults.STATE_DIR)))
    if "state-dir" not in top or state is not None:  # a folder above it may have a name that Kannel cannot read
        reader.writable(str(state_dir), "the path of state-dir", state.place if state else start)

    reader.defaults = _defaults(reader, top)
    reader.profiles = known_profiles(reader, _node(top, "providers"))
    core_made = {"admin-password": "core.admin-password", "status-password": "core.status-password"}
    core = _single(reader, top, "core", start, core_made, lambda texts: defaults.core(state_dir, texts))
    smsbox = _single(reader, top, "smsbox", start, {}, lambda texts: defaults.smsbox(state_dir))

    accounts: list[SmppAccount] = []
    others: list[Group] = []
    entries = reader.items(_node(top, "smsc"), "smsc")
    if not entries and not isinstance(_node(top, "smsc"), Table) and reader.defaults == "kannelkit":
        reader.find(
            _place(top, "smsc", start),
            "S105",
            "there is no smsc",
            "list at least one account below `smsc:`",
            firm="only `defaults: kannel` does without",
        )
    for node in entries:
        smsc = _smsc(reader, node)
        if isinstance(smsc, SmppAccount):
            accounts.append(smsc)
        elif smsc is not None:
            others.append(smsc)
    health = reader.table(_node(top, "health"), "health")
    reader.unknown(health, (*HEALTH_KEYS, "thresholds"), "health")
    certificate = reader.text(health, "certificate")
    groups = tuple(_others(reader, top))
    return Spec(
        path=path,
        defaults=reader.defaults,
        state_dir=state_dir,
        core=core,
        smsbox=smsbox,
        sms_services=tuple(_services(reader, top, start)),
        sendsms_users=tuple(_users(reader, top)),
        smpp_accounts=with_stems(accounts),
        other_smscs=tuple(others),
        others=(*groups, *parameters(accounts, groups)),
        supervisor=_supervisor(reader, top, path.parent),
        health_listen=_listen(reader, health),
        health_thresholds=thresholds(reader, _part(reader, top, "health", "thresholds")),
        health_token=reader.secret(health, OWN["health"].directives["token"]),
        health_certificate=path.parent / certificate.text if certificate else None,
    )


def _defaults(reader: Reader, top: Pairs) -> Defaults:
    node = reader.text(top, "defaults")
    if node is None or node.text == "kannelkit":
        return "kannelkit"
    if node.text != "kannel":
        hint = "kannelkit fills in what the spec does not say, kannel leaves it out"
        reader.find(node.place, "S201", f"defaults cannot be {node.text!r}", hint, firm="there is no third way")
    return "kannel"


def _single(
    reader: Reader,
    top: Pairs,
    name: str,
    start: Place,
    made: Mapping[str, str],
    gaps: Callable[[Mapping[str, str]], Mapping[str, str]],
) -> Group:
    """Return one of the single groups that kannelkit fills in."""
    place = _place(top, name, start)
    if reader.defaults == "kannel" and name not in top:
        return Group(name, {}, place, there=False)
    pairs = reader.table(_node(top, name), name)
    values = reader.directives(pairs, name)
    if reader.defaults == "kannel":
        reader.required(pairs, name, place)
        return Group(name, values, place)
    _fill(values, gaps({directive: value.text for directive, value in values.items()}), place)
    return _group(name, values, place, {directive: kept for directive, kept in made.items() if directive not in pairs})


def _others(reader: Reader, top: Pairs) -> Iterator[Group]:
    """Yield the groups that kannelkit adds nothing to, in the order of the spec."""
    for name in top:
        if name not in OTHER_GROUPS:
            continue
        if GROUPS[name].repeatable:
            for place, pairs, values in _entries(reader, top, name):
                reader.required(pairs, name, place)
                yield Group(name, values, place)
        else:
            pairs = reader.table(_node(top, name), name)
            reader.required(pairs, name, top[name][0].place)
            yield Group(name, reader.directives(pairs, name), top[name][0].place)


def _group(name: str, values: dict[str, Value], place: Place, made: Mapping[str, str]) -> Group:
    for directive in made:
        values[directive] = Value("", "made", place, secret=True)
    return Group(name, values, place, dict(made))


def _fill(values: dict[str, Value], gaps: Mapping[str, str], place: Place) -> None:
    for name, text in gaps.items():
        values.setdefault(name, Value(text, "default", place))


def _entries(reader: Reader, top: Pairs, name: str) -> Iterator[tuple[Place, Pairs, dict[str, Value]]]:
    for node in reader.items(_node(top, name), name):
        pairs = reader.table(node, f"an entry of {name}")
        yield node.place, pairs, reader.directives(pairs, name)


def _services(reader: Reader, top: Pairs, start: Place) -> Iterator[Group]:
    sources = ("get-url", "url", "post-url", "post-xml", "file", "text", "exec")
    catches_all = False
    for place, pairs, values in _entries(reader, top, "sms-service"):
        if ("keyword" in pairs) == ("keyword-regex" in pairs):
            reader.find(place, "S311", "a service has either keyword or keyword-regex", "write one of them")
        if not any(source in pairs for source in sources):
            reader.find(place, "S311", "a service without an answer", f"write one of {', '.join(sources)}")
        catches_all = catches_all or ("keyword" in values and values["keyword"].text == "default")
        yield Group("sms-service", values, place)
    if not catches_all and reader.defaults == "kannelkit":
        values = {name: Value(text, "default", start) for name, text in defaults.SILENT_SERVICE.items()}
        yield Group("sms-service", values, start)


def _users(reader: Reader, top: Pairs) -> Iterator[Group]:
    for place, pairs, values in _entries(reader, top, "sendsms-user"):
        made = {}
        if reader.defaults == "kannel":
            reader.required(pairs, "sendsms-user", place)
        elif "username" not in pairs:
            reader.find(place, "S105", "a sendsms-user without username", "write its name")
        elif "username" in values and "password" not in pairs:
            made["password"] = f"sendsms-user.{values['username'].text}.password"
        if reader.defaults == "kannelkit":
            _fill(values, defaults.SENDSMS_USER, place)
        yield _group("sendsms-user", values, place, made)


def _smsc(reader: Reader, node: Node) -> SmppAccount | Group | None:
    pairs = reader.table(node, "an entry of smsc")
    written = pairs["smsc"][1] if "smsc" in pairs else None
    kind = written.text if isinstance(written, Scalar) else "smpp"
    values = reader.directives(pairs, "smsc", SMSC_KEYS, kind=kind)
    if kind == "smpp":
        return smpp_account(reader, pairs, values, node.place)
    for key in SMSC_KEYS:
        if key in pairs:
            reader.find(pairs[key][0].place, "S101", f"{key} is for SMPP accounts; this is smsc: {kind}", "remove it")
    if "smsc-id" not in values:
        if "smsc-id" not in pairs:
            reader.find(node.place, "S105", "an smsc without smsc-id", "give it a name", firm=NAMELESS)
        return None
    reader.required(pairs, "smsc", node.place, kind)
    return Group("smsc", values, node.place)


def _supervisor(reader: Reader, top: Pairs, folder: Path) -> Supervisor:
    pairs = reader.table(_node(top, "supervisor"), "supervisor")
    reader.unknown(pairs, (*SUPERVISOR_KEYS, *WATCH_KEYS), "supervisor")
    parts = {}
    for part, keys in SUPERVISOR_KEYS.items():
        parts[part] = reader.table(pairs[part][1] if part in pairs else None, part)
        reader.unknown(parts[part], keys, f"supervisor.{part}")
    rate, failover = parts["rate"], parts["failover"]
    conf_file = reader.text(pairs, "conf-file")
    pid_files = {name: reader.text(parts["pid-files"], name) for name in SUPERVISOR_KEYS["pid-files"]}
    usual = Supervisor()
    day = 86_400
    return Supervisor(
        floor=reader.number(rate, "floor", 1, 100_000) or usual.floor,
        raise_after=float(reader.number(rate, "raise-after", 1, day) or usual.raise_after),
        failover_after=float(reader.number(failover, "after", 1, day) or usual.failover_after),
        failover_back_after=float(reader.number(failover, "back-after", 1, day) or usual.failover_back_after),
        conf_file=folder / conf_file.text if conf_file else None,
        pid_files={name: folder / node.text for name, node in pid_files.items() if node},
        logs=tuple(folder / node.text for node in _texts(reader, pairs, "logs")),
    )


def _texts(reader: Reader, pairs: Pairs, key: str) -> Iterator[Scalar]:
    """Yield the texts of a list at one of kannelkit's own keys, where one text is a list of one."""
    if key not in pairs:
        return
    node = pairs[key][1]
    for item in node.items if isinstance(node, Sequence) else (node,):
        found = reader.text({key: (pairs[key][0], item)}, key)
        if found is not None:
            yield found


def _part(reader: Reader, top: Pairs, name: str, part: str) -> Pairs:
    """Return what stands at a part of one of the spec's mappings; that this is a mapping is for others to find."""
    node = _node(top, name)
    pairs = {key.text: (key, value) for key, value in node.pairs} if isinstance(node, Table) else {}
    return reader.table(_node(pairs, part), f"{name}.{part}")


def _listen(reader: Reader, pairs: Pairs) -> Address:
    node = reader.text(pairs, "listen")
    host, _, port = (node.text if node else defaults.HEALTH_LISTEN).rpartition(":")
    if node and not (host and port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        reader.find(
            node.place, "S206", f"listen is no address: {node.text[:60]}", "write host:port, as in 127.0.0.1:13080"
        )
        return Address(defaults.LOOPBACK, 13080)
    return Address(host.strip("[]"), int(port))
