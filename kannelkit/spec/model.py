"""A checked spec as values: what an operator wrote, what fills the gaps, and where each value comes from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place
from kannelkit.providers import Profile
from kannelkit.spec.numbers import exactly, per_second, whole

# The port registered for SMPP, which Kannel takes where none is written (smsc_smpp_create in gw/smsc/smsc_smpp.c).
DEFAULT_PORT = 2775

# written: by the operator; provider: from its profile; default: kannelkit's own; made: a password made at random
Origin = Literal["written", "provider", "default", "made"]
# Who fills in what the spec does not say: kannelkit, or Kannel, which then reads what is written and nothing else.
Defaults = Literal["kannelkit", "kannel"]


class Secret(str):
    """A text that does not show itself in a repr: in a traceback, a dataclass or a debugger's list of values."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)"


class Address(NamedTuple):
    """Where something listens."""

    host: str
    port: int


class Threshold(NamedTuple):
    """From where on a check warns and is critical; None for never. Where critical is the smaller one, less is worse."""

    warning: float | None
    critical: float | None


@dataclass(frozen=True, slots=True)
class Value:
    """A directive's value; a password that is still to be made has an empty text and the origin `made`."""

    text: str
    origin: Origin
    place: Place
    secret: bool = False

    def __repr__(self) -> str:
        return f"Value({'***' if self.secret else repr(self.text)}, {self.origin})"


@dataclass(frozen=True, slots=True)
class Group:
    """One group of kannel.conf: its values by directive. `made_as` names the passwords that are to be made.

    A single group that is not `there` has no values and is not written.
    """

    name: str
    values: Mapping[str, Value]
    place: Place
    made_as: Mapping[str, str] = field(default_factory=dict)  # directive -> the name under which its password is kept
    there: bool = True

    def get(self, directive: str) -> str | None:
        """Return the directive's value, or nothing where there is none."""
        value = self.values.get(directive)
        return None if value is None else value.text

    def port(self, directive: str) -> int:
        """Return the directive's value as a port; raises InputError where there is none."""
        return whole(self.needed(directive)) or 0

    def needed(self, directive: str) -> str:
        """Return the directive's value; raises InputError where there is none, which only `defaults: kannel` allows."""
        if directive not in self.values:
            message = f"group {self.name} has no {directive}, which is needed here"
            raise InputError([Finding(self.place, "S318", message, "write it, or `defaults: kannelkit`")])
        return self.values[directive].text

    def with_made(self, made: Mapping[str, str]) -> Group:
        """Return the group with the passwords in `made` filled in, by the names in `made_as`."""
        values = dict(self.values)
        for directive, name in self.made_as.items():
            if name in made:
                values[directive] = dataclasses.replace(values[directive], text=made[name])
        return dataclasses.replace(self, values=values)


# The octets of a password that fit into a bind (gw/smsc/smpp_pdu.def).
_PASSWORD_OCTETS = 8
# What the name of a made value ends with that is a port instead of a password.
MADE_PORT = ".relay-port"


@dataclass(frozen=True, slots=True)
class Relayed:
    """How bearerbox reaches the relay that paces an account: a port of this machine, and a password for it alone.

    Both may still be to be made; `place` is where the spec asks for the relay.
    """

    port: Value
    password: Value
    place: Place


@dataclass(frozen=True, slots=True)
class SmppAccount:
    """An entry of `smsc` with `smsc: smpp`: one login at one provider, over one or more binds.

    `group` holds what all its links share; host, port and throughput in it are the primary's and the account's.
    `stem` is what the names of its links begin with: its smsc-id, unless another account has that as well.
    """

    group: Group
    smsc_id: str
    stem: str
    profile: Profile | None
    connections: int
    backup_host: str
    backup_port: int
    account_group: str = ""
    relayed: Relayed | None = None  # None where it is paced by Kannel's logs

    @property
    def unit(self) -> str:
        """The name of the rate that the account lives by: its account-group's, or its own.

        Accounts of one smsc-id, which only `defaults: kannel` allows, have names of their own as their links have.
        """
        return self.account_group or self.stem

    @property
    def provider(self) -> str:
        """The profile's name; "" where the account names no provider."""
        return self.profile.name if self.profile else ""

    @property
    def host(self) -> str:
        """The primary's host; "" where a silenced finding says that there is none."""
        return self.group.get("host") or ""

    @property
    def port(self) -> int:
        """The port that the primary sends to: 0 where it only receives."""
        if "port" in self.group.values or "receive-port" in self.group.values:
            return whole(self.group.get("port") or "0") or 0
        return DEFAULT_PORT

    @property
    def throughput(self) -> int | None:
        """SMS per second over all links, as Kannel would send them, or nothing where there is no ceiling."""
        text = self.group.get("throughput")
        return None if text is None else per_second(text)

    @property
    def ceiling(self) -> float | None:
        """SMS per second that are never exceeded, for the relay with their fraction, or nothing where there is none."""
        text = self.group.get("throughput")
        return self.throughput if text is None or self.relayed is None else exactly(text)

    @property
    def relay_port(self) -> int:
        """Where the relay waits for bearerbox; 0 where the account has none, or the port is still to be chosen."""
        return 0 if self.relayed is None else whole(self.relayed.port.text) or 0

    def to_make(self) -> Iterator[str]:
        """Yield the names of what is to be made for the account: a port and a password of the relay's."""
        if self.relayed is not None:
            if not self.relayed.port.text:
                yield self._made_port
            if not self.relayed.password.text:
                yield self._made_password

    def with_made(self, made: Mapping[str, str]) -> SmppAccount:
        """Return the account with what is in `made` filled in, by the names in `to_make`."""
        relayed = self.relayed
        if relayed is None:
            return self
        if self._made_port in made and relayed.port.origin == "made":
            relayed = dataclasses.replace(relayed, port=dataclasses.replace(relayed.port, text=made[self._made_port]))
        if self._made_password in made:
            text = made[self._made_password][:_PASSWORD_OCTETS]
            relayed = dataclasses.replace(relayed, password=dataclasses.replace(relayed.password, text=text))
        return dataclasses.replace(self, relayed=relayed)

    @property
    def _made_port(self) -> str:
        return f"smsc.{self.stem}{MADE_PORT}"

    @property
    def _made_password(self) -> str:
        return f"smsc.{self.stem}.relay-password"


@dataclass(frozen=True, slots=True)
class Supervisor:
    """How the supervisor behaves: SMS per second and seconds.

    `conf_file`, `pid_files` (by box) and `logs` are those of a Kannel that something else runs.
    """

    floor: int = 1
    raise_after: float = 20.0
    failover_after: float = 30.0
    failover_back_after: float = 300.0
    conf_file: Path | None = None
    pid_files: Mapping[str, Path] = field(default_factory=dict)
    logs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Files:
    """Where things are on the disk; all absolute. What the spec turns off is nothing."""

    kannel_conf: Path
    bearerbox_log: Path | None
    smsbox_log: Path | None
    access_log: Path | None
    store: Path | None
    dlr_spool: Path | None
    links_logs: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole gateway, checked.

    `others` are all groups of Kannel that have no field of their own, as written; `silenced` are the rules of findings
    that comments in the spec silence; `health_thresholds` has every threshold by name, also those not written;
    `health_certificate` is a file with key and certificate.
    """

    path: Path
    defaults: Defaults
    state_dir: Path
    core: Group
    smsbox: Group
    sms_services: tuple[Group, ...]
    sendsms_users: tuple[Group, ...]
    smpp_accounts: tuple[SmppAccount, ...]
    other_smscs: tuple[Group, ...]
    others: tuple[Group, ...]
    supervisor: Supervisor
    health_listen: Address
    health_thresholds: Mapping[str, Threshold]
    health_token: Value | None = None
    health_certificate: Path | None = None
    silenced: frozenset[str] = frozenset()

    @property
    def files(self) -> Files:
        """Return where the boxes and kannelkit keep their files."""
        smscs = [account.group for account in self.smpp_accounts] + list(self.other_smscs)
        logs = {log for group in smscs if (log := self._path(group, "log-file")) is not None}
        return Files(
            kannel_conf=self.supervisor.conf_file or self.state_dir / "kannel.conf",
            bearerbox_log=self._path(self.core, "log-file"),
            smsbox_log=self._path(self.smsbox, "log-file"),
            access_log=self._path(self.core, "access-log"),
            store=self._path(self.core, "store-file") or self._path(self.core, "store-location"),
            dlr_spool=self._path(self.core, "dlr-spool"),
            links_logs=tuple(sorted(logs)),
        )

    def _path(self, group: Group, directive: str) -> Path | None:
        text = group.get(directive)
        return self.path.parent / text if text else None

    def folders(self) -> tuple[Path, ...]:
        """Return the folders that have to be there before bearerbox starts, parents before children."""
        files = self.files
        folders = {self.state_dir, files.kannel_conf.parent}
        logs = [self._path(group, name) for group in self.groups() for name in ("log-file", "access-log")]
        folders |= {log.parent for log in logs if log is not None}
        if files.store is not None:
            spooled = self.core.get("store-type") == "spool" and "store-file" not in self.core.values
            folders.add(files.store if spooled else files.store.parent)
        if files.dlr_spool is not None:
            folders.add(files.dlr_spool)
        return tuple(sorted(folders))

    @property
    def admin_port(self) -> int:
        """Where bearerbox answers administration commands."""
        return self.core.port("admin-port")

    @property
    def admin_host(self) -> str:
        """The address at which the administration port is reached from this machine."""
        return reached_at(self.core.get("admin-interface"))

    @property
    def admin_password(self) -> Secret:
        """The password for administration commands.

        Raises ValueError while it is still to be made (see `to_make`), InputError where nobody is going to make it.
        """
        text = self.core.needed("admin-password")
        if not text:
            raise ValueError("the administration password is still to be made: call with_made first")
        return Secret(text)

    @property
    def smsbox_port(self) -> int:
        """Where bearerbox waits for smsboxes."""
        return self.core.port("smsbox-port")

    @property
    def sendsms_port(self) -> int:
        """Where smsbox takes messages over HTTP."""
        return self.smsbox.port("sendsms-port")

    @property
    def sendsms_host(self) -> str:
        """The address at which smsbox is reached from this machine."""
        return reached_at(self.smsbox.get("sendsms-interface"))

    def groups(self) -> tuple[Group, ...]:
        """Return every group as the spec stands for it, accounts not yet split into links."""
        smscs = [account.group for account in self.smpp_accounts] + list(self.other_smscs)
        single = [group for group in (self.core, self.smsbox) if group.there]
        return (*single, *self.sms_services, *self.sendsms_users, *smscs, *self.others)

    def to_make(self) -> tuple[str, ...]:
        """Return the names of what the spec leaves out and is to be made: passwords, and ports, ended by MADE_PORT."""
        passwords = (
            name
            for group in self.groups()
            for directive, name in group.made_as.items()
            if not group.values[directive].text
        )
        return (*passwords, *(name for account in self.smpp_accounts for name in account.to_make()))

    def with_made(self, made: Mapping[str, str]) -> Spec:
        """Return the spec with what was made, by name, in the places left for it."""
        return dataclasses.replace(
            self,
            core=self.core.with_made(made),
            sendsms_users=tuple(user.with_made(made) for user in self.sendsms_users),
            smpp_accounts=tuple(account.with_made(made) for account in self.smpp_accounts),
        )

    def secrets(self) -> frozenset[str]:
        """Return every secret in the spec, to mask it where a text is shown."""
        values = [value for group in self.groups() for value in group.values.values() if value.secret and value.text]
        relays = [account.relayed.password for account in self.smpp_accounts if account.relayed is not None]
        others = [value for value in (self.health_token, *relays) if value is not None and value.text]
        return frozenset(value.text for value in [*values, *others])


# An id goes into log lines, status.xml, administration URLs and file names, none of which Kannel escapes.
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def reached_at(interface: str | None) -> str:
    """Return the address at which a port bound to `interface` is reached from the same machine."""
    return "127.0.0.1" if interface in (None, "0.0.0.0", "*", "::") else str(interface)  # noqa: S104 compared, not bound
