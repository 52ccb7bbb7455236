"""`kannelkit dlr --query`: what the provider answers to a QUERY_SM, on a bind of its own beside Kannel's links."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click

from kannelkit.cli.dlr_terms import TERMS
from kannelkit.cli.dlr_told import Row, Told, date_words, of_status
from kannelkit.cli.figures import shown
from kannelkit.cli.named import known
from kannelkit.cli.variables import AnyVariable
from kannelkit.conf.values import TRUE
from kannelkit.errors import GatewayError, HostError
from kannelkit.gateway.esme import Esme
from kannelkit.providers.facts import Language
from kannelkit.providers.statuses import Status
from kannelkit.render.links import InForce, Side, accounts
from kannelkit.smpp.constants import CommandId, CommandStatus, Npi, Ton, status_description, status_name
from kannelkit.smpp.fields import FieldValue
from kannelkit.smpp.pdu import Pdu
from kannelkit.smpp.receipts import STATES
from kannelkit.spec import SmppAccount, Spec, load
from kannelkit.spec.numbers import whole
from kannelkit.supervise.places import login, place

_STATES = {int(number): word for word, number in STATES.items()}
_MOST_ID = 64  # SMPP 3.4, 4.8.1, and of a receipt's id


def query(path: Path, message_id: str, name: str | None, sender: str, lang: Language, *, force: bool) -> Told:
    """Return the answer in words. Raises InputError, and GatewayError where there is no bind to spare, or no answer."""
    variables = AnyVariable()
    spec = load(path, variables)
    account = _account(spec, name)
    if variables.missing and account.group.get("smsc-password") == variables.TEXT:
        load(path, os.environ)  # which says what is missing
    if not message_id or len(os.fsencode(message_id)) > _MOST_ID:
        raise click.BadParameter(f"an id has 1 to {_MOST_ID} characters", param_hint="--query")
    named = shlex.quote(str(path))
    written, running = allowance_of(account, spec.smpp_accounts), _running(spec, account)
    refusal = None
    if not written.spare:
        refusal = _refusal(account, written, named)
    elif running is not None and not running.spare:
        what = f"the gateway runs with a spec in which {account.smsc_id} has no bind to spare"
        refusal = what, f"kannelkit apply {named}, or add --force: {_price(account, running)}"
    if refusal is not None:
        if not force:
            raise GatewayError(*refusal)
        click.echo(f"warning: {_price(account, written)}", err=True)
    return asyncio.run(_asked(spec, account, message_id, sender, lang))


def _account(spec: Spec, name: str | None) -> SmppAccount:
    names = [each.smsc_id for each in spec.smpp_accounts]
    if name is None and len(names) != 1:
        listed = f"it has {', '.join(names[:10])}" if names else "it has none"
        raise click.UsageError(f"say which account of the spec is to be asked, with --account; {listed}")
    wanted = known(name, names) if name is not None else names[0]
    return next(each for each in spec.smpp_accounts if each.smsc_id == wanted)


# -- is there a bind to spare ------------------------------------------------------------------------------------------


class Allowance(NamedTuple):
    """How many binds of a login the provider allows at once, None where nobody knows, and how many Kannel makes."""

    allowed: int | None
    used: int

    @property
    def spare(self) -> bool:
        """Whether one more closes none."""
        return self.allowed is not None and self.used < self.allowed


def allowance_of(account: SmppAccount, every: tuple[SmppAccount, ...]) -> Allowance:
    """Return what is known of an account's login: what the spec's links use, whether they are up or not.

    They may be up on another machine. Accounts of one login share its binds, whatever their names.
    """
    alike = [each for each in every if _login(each) == _login(account)]
    return Allowance(_allowed(account), sum(each.connections * _binds(each) for each in alike))


def _running(spec: Spec, account: SmppAccount) -> Allowance | None:
    """Return the same by the spec that the gateway runs with, None where it was never run or has no such account."""
    from kannelkit.supervise.kept import kept

    try:
        every = found.smpp_accounts if (found := kept(spec.state_dir)) is not None else ()
    except HostError:  # another user's gateway
        return None
    same = next((each for each in every if each.smsc_id == account.smsc_id), None)
    return None if same is None else allowance_of(same, every)


def _login(account: SmppAccount) -> tuple[str, str]:
    group = account.group
    return account.provider or account.host, group.get("smsc-username") or group.get("system-id") or ""


def _binds(account: SmppAccount) -> int:
    """Return how many binds a link makes: a transmitter and a receiver are two (gw/smsc/smsc_smpp.c)."""
    if _on(account, "transceiver-mode"):
        return 1
    ports = (account.port, whole(account.group.get("receive-port") or "0"))
    return max(1, sum(bool(port) for port in ports))


def _allowed(account: SmppAccount) -> int | None:
    if account.profile is None:
        return None
    limit, flag = account.profile.limits.connections, account.profile.connections_flag
    known_to_be = [] if limit is None else [limit.value]
    if flag:
        pattern = re.escape(flag).replace(r"\{n\}", "([1-9][0-9]?)")
        flags = (account.group.get("system-type") or "").split(",")
        known_to_be += [int(found[1]) for each in flags if (found := re.fullmatch(pattern, each.strip()))]
    return max(known_to_be, default=None)


def _refusal(account: SmppAccount, allowance: Allowance, named: str) -> tuple[str, str]:
    name = account.smsc_id
    if allowance.allowed is None:
        what = (
            f"{name}: how many binds at once the provider allows is not known, and Kannel's links use {allowance.used}"
        )
        return what, f"where there is one to spare, add --force; otherwise the bind may close one of {name}'s links"
    what = f"{name} has no bind to spare: of {allowance.allowed} at once Kannel's links use {allowance.used}"
    flag = account.profile.connections_flag if account.profile else ""
    more = (
        f"add {flag.format(n=allowance.used + 1)} to its system-type, then kannelkit apply {named}; or " if flag else ""
    )
    return what, f"{more}add --force: {_price(account, allowance)}"


def _price(account: SmppAccount, allowance: Allowance) -> str:
    closes = account.profile.limits.closes_older if account.profile else None
    if closes is not None and not closes.value:
        return "the provider refuses a bind too many, and so perhaps this one, or that of a link which comes back"
    certain = closes is not None and allowance.allowed is not None
    return (
        f"the bind {'closes' if certain else 'may close'} a link of {account.smsc_id}, which Kannel makes anew after "
        "reconnect-delay; what had no answer yet is sent again then, and comes twice or is refused as a repeat"
    )


# -- the question ------------------------------------------------------------------------------------------------------


async def _asked(spec: Spec, account: SmppAccount, message_id: str, sender: str, lang: Language) -> Told:
    sides: dict[str, Side] = {account.smsc_id: _side(spec, account)}
    links = next(each for each in accounts(spec, InForce(sides=sides)) if each.smsc_id == account.smsc_id)
    address = place(spec, links, links.side)
    async with Esme(address, login(spec, links)) as esme:
        # a transmitter is given no receipts, which would be lost to Kannel
        status = await esme.bind("transmitter")
        if status != CommandStatus.ESME_ROK:
            raise GatewayError(f"{address} refuses the bind: {_status(status)}", f"kannelkit doctor {spec.path}")
        answer = await esme.request(Pdu(CommandId.QUERY_SM, fields=_fields(account, message_id, sender)))
    if answer.command_status != CommandStatus.ESME_ROK or answer.command_id != CommandId.QUERY_SM_RESP:
        raise GatewayError(
            f"{address} has no answer for {shown(message_id)}: {_status(answer.command_status)}",
            "an id stands behind FID: in the access log; where the sender is asked for, name it with --from",
        )
    return _told(answer, f"{account.smsc_id}, {address}", lang)


def _side(spec: Spec, account: SmppAccount) -> Side:
    """Return the side that the account is on as far as its state database tells."""
    from kannelkit.supervise.memory import Memory

    path = spec.state_dir / "state.db"
    if not account.backup_host or not path.exists():
        return "primary"
    try:
        memory = Memory(path, read_only=True)
        try:
            kept = memory.sides().get(account.smsc_id)
        finally:
            memory.close()
    except HostError:
        return "primary"
    return "primary" if kept is None else kept.side


def _fields(account: SmppAccount, message_id: str, sender: str) -> dict[str, FieldValue]:
    """Return the fields of the QUERY_SM, the sender as Kannel writes it into a submit (gw/smsc/smsc_smpp.c)."""
    group = account.group
    ton = whole(group.get("source-addr-ton") or "")
    npi = whole(group.get("source-addr-npi") or "")
    if ton is None or npi is None:
        ton, npi = Ton.NATIONAL, Npi.ISDN
    digits = sender.removeprefix("+")
    if "source-addr-autodetect" not in group.values or _on(account, "source-addr-autodetect"):
        if not (digits.isascii() and digits.isdigit()):
            ton, npi = Ton.ALPHANUMERIC, Npi.UNKNOWN
        elif sender.startswith("+"):
            ton, sender = Ton.INTERNATIONAL, digits
    fields: dict[str, FieldValue] = {"message_id": os.fsencode(message_id)}
    if sender:
        fields |= {"source_addr_ton": int(ton), "source_addr_npi": int(npi), "source_addr": os.fsencode(sender)}
    return fields


def _on(account: SmppAccount, directive: str) -> bool:
    return (account.group.get(directive) or "").lower() in TRUE


def _status(command_status: int) -> str:
    name, words = status_name(command_status), status_description(command_status)
    return words if name == words else f"{words} (0x{command_status:08x} {name})"


def _told(answer: Pdu, asked: str, lang: Language) -> Told:
    terms = TERMS[lang]
    number = answer.number("message_state")
    final = answer.octets("final_date").decode("latin-1")
    status = Status(
        message_id=answer.octets("message_id").decode("utf-8", "backslashreplace"),
        state=_STATES.get(number),
        err=answer.number("error_code"),
        unknown=() if number in _STATES else (("message_state", str(number)),),
    )
    rows = [Row("asked", terms["asked"], asked)]
    if final:
        rows.append(Row("final date", terms["final date"], date_words(final, lang)))
    told = of_status(status, lang, tuple(rows))
    plain = {**told.plain, "by": "query", "message_state": number, "final_date": final or None}
    return dataclasses.replace(told, plain=plain)
