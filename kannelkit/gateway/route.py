"""What a message passes on its way: the sendsms-user it is sent as, and the accounts that may take it from there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property

from kannelkit.conf.values import TRUE
from kannelkit.errors import GatewayError
from kannelkit.providers import PROFILES, Profile
from kannelkit.smpp import parts
from kannelkit.spec import Spec
from kannelkit.spec.model import Group
from kannelkit.spec.numbers import whole

_NAMING = ("allowed-smsc-id", "denied-smsc-id", "preferred-smsc-id")
# by which smsbox changes the texts of a user, or where it cuts them
_ADDED = ("header", "footer", "split-suffix", "split-chars")
_RECEIVERS = "0123456789 +-"  # gw/smsbox.c, SENDSMS_DEFAULT_CHARS
_OCTETS = 140
_USUAL = "smsc.ru"  # whose flags an account has that names no provider


@dataclass(frozen=True, slots=True)
class Account:
    """A link's group with its provider's profile; None where the spec names no provider and no host of one."""

    group: Group
    profile: Profile | None

    @property
    def smsc_id(self) -> str:
        """The name by which messages are sent to it."""
        return self.group.get("smsc-id") or ""

    @property
    def knows_channels(self) -> bool:
        """Whether the provider reads texts as SMSC.ru does: channels, comments, no same message within a minute."""
        return self.profile is not None and bool(self.profile.flags)

    @property
    def written(self) -> str:
        """The charset in which Kannel writes data_coding 0."""
        return self.group.get("alt-charset") or parts.GSM

    @property
    def read(self) -> str:
        """The charset for which the provider takes it, by the flags in system-type."""
        return (self.profile or PROFILES[_USUAL]).charset(self.flags).lower() or parts.GSM

    @property
    def flags(self) -> frozenset[str]:
        """The words in its system-type."""
        return frozenset(flag.strip() for flag in (self.group.get("system-type") or "").split(","))

    def may_take(self, name: str) -> bool:
        """Return whether it takes messages for this smsc-id, "" for none (smscconn_usable, gw/smscconn.c).

        Of what depends on the receiver, or is a regular expression, it is taken for granted.
        """
        if self.group.get("allowed-smsc-id") is not None:
            return name in self._names("allowed-smsc-id")
        return not name or name not in self._names("denied-smsc-id")

    def prefers(self, name: str) -> bool:
        """Return whether it is asked before others for messages for this smsc-id."""
        return bool(name) and name in self._names("preferred-smsc-id")

    def _names(self, directive: str) -> list[str]:
        return (self.group.get(directive) or "").split(";")


@dataclass(frozen=True)
class Route:
    """What is known of the way of a message with one smsc-id ("" where none is asked for)."""

    user: Group
    smsc_id: str
    accounts: tuple[Account, ...]
    smsbox: Group

    @cached_property
    def default(self) -> frozenset[str]:
        """The characters that arrive as they are at data_coding 0, whichever of the accounts takes the message."""
        found = parts.arriving()
        for account in self.accounts:
            found &= parts.arriving(account.written, account.read)
        return found

    @cached_property
    def possible(self) -> frozenset[str]:
        """The characters that would arrive if Kannel wrote for each of the accounts what its provider reads."""
        found = parts.arriving()
        for account in self.accounts:
            found &= parts.arriving(account.read, account.read)
        return found

    @property
    def misread(self) -> tuple[Account, ...]:
        """The accounts for which Kannel writes something else at data_coding 0 than the provider reads."""
        return tuple(
            account
            for account in self.accounts
            if parts.arriving(account.written, account.read) != parts.arriving(account.read, account.read)
        )

    @property
    def charset(self) -> str:
        """The charset of data_coding 0, or those where the accounts differ."""
        return " or ".join(sorted({account.written.lower() for account in self.accounts})) or parts.GSM

    @property
    def knows_channels(self) -> bool:
        """Whether each of the accounts reads a text for a channel as one."""
        return bool(self.accounts) and all(account.knows_channels for account in self.accounts)

    @property
    def refuses_repeats(self) -> bool:
        """Whether one of the accounts takes no second message with the same text to a number within a minute."""
        return any(account.knows_channels for account in self.accounts)

    @property
    def told_of_one_part(self) -> tuple[str, ...]:
        """The accounts whose provider has a receipt for each part of a text, while Kannel asks for the first one's.

        sms_split in gw/sms.c takes the request for receipts away from every part but the first.
        """
        return tuple(
            account.smsc_id for account in self.accounts if account.knows_channels and "SINGLE" in account.flags
        )

    @cached_property
    def octets(self) -> int:
        """The most octets of one part, which smsbox and the link each have a directive for."""
        texts = [self.smsbox.get("sms-length"), *(account.group.get("max-sms-octets") for account in self.accounts)]
        return min([_OCTETS, *filter(None, (whole(text or "") for text in texts))])

    @property
    def most_parts(self) -> int:
        """The parts of a text that smsbox sends; it cuts off the rest without a word (sms_split in gw/sms.c)."""
        found = whole(self.user.get("max-messages") or "1")
        return 1 if found is None else found

    @property
    def joins(self) -> bool:
        """Whether the parts of a long text are joined again by their receiver."""
        return (self.user.get("concatenation") or "").lower() in TRUE

    @property
    def sender(self) -> str | None:
        """The sender of a message that names none."""
        return self.user.get("default-sender") or self.smsbox.get("global-sender")

    @property
    def forced_sender(self) -> str | None:
        """The sender of every message, whatever it names."""
        return self.user.get("faked-sender")

    @property
    def changed_by(self) -> tuple[str, ...]:
        """The directives of the sendsms-user by which smsbox changes a text, or where it is cut."""
        return tuple(directive for directive in _ADDED if self.user.get(directive))

    @property
    def receiver_characters(self) -> frozenset[str]:
        """What smsbox allows in a receiver; a blank would separate two of them."""
        return frozenset(self.smsbox.get("sendsms-chars") or _RECEIVERS) - {" "}

    @property
    def others(self) -> tuple[str, ...]:
        """The accounts that may take a message meant for the smsc-id although they are called otherwise."""
        if not self.smsc_id or any(account.prefers(self.smsc_id) for account in self.accounts):
            return ()
        named = [account for account in self.accounts if account.smsc_id == self.smsc_id]
        listed = [account for account in self.accounts if self.smsc_id in (account.group.get("allowed-smsc-id") or "")]
        return tuple(account.smsc_id for account in self.accounts if named and account not in (*named, *listed))


class Routes:
    """The routes of a spec's messages, sent as one of its sendsms-users: the first one unless it is named."""

    def __init__(self, spec: Spec, user: str | None = None) -> None:
        """Raise GatewayError where the spec has no such user."""
        users = {group.get("username") or "": group for group in spec.sendsms_users}
        if not users:
            raise GatewayError(
                f"{spec.path} has no sendsms-user, so smsbox takes no messages",
                "add one: `sendsms-user:` `- username: x`",
            )
        if user is not None and user not in users:
            near = difflib.get_close_matches(user, users, n=1)
            raise GatewayError(
                f"{spec.path} has no sendsms-user {user!r}", f"did you mean {(near or sorted(users))[0]}?"
            )
        self.user = spec.sendsms_users[0] if user is None else users[user]
        self._smsbox = spec.smsbox
        self._accounts = tuple(
            [Account(each.group, each.profile or _by_host(each.host)) for each in spec.smpp_accounts]
            + [Account(group, None) for group in spec.other_smscs]
        )
        self._routes: dict[str, Route] = {}

    @property
    def names(self) -> frozenset[str]:
        """Every smsc-id that the spec's accounts have or ask for."""
        own = {account.smsc_id for account in self._accounts}
        asked = {name for each in self._accounts for key in _NAMING for name in (each.group.get(key) or "").split(";")}
        return frozenset((own | asked) - {""})

    def route(self, account: str = "") -> Route:
        """Return the route of a message meant for this account; a sendsms-user may have one of its own."""
        name = self.user.get("forced-smsc") or account or self.user.get("default-smsc") or ""
        if name not in self._routes:
            taking = tuple(each for each in self._accounts if each.may_take(name))
            self._routes[name] = Route(self.user, name, taking, self._smsbox)
        return self._routes[name]


def _by_host(host: str) -> Profile | None:
    return next((profile for profile in PROFILES.values() if host in profile.hosts), None)
