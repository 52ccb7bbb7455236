"""The mandatory part of every command, as a table.

Sources: SMPP v3.4 issue 1.2, section 4 (the number beside each command), and SMPP v5.0 for the broadcast
commands and wherever it is wider. A size is the most octets a C-octet string may take, its NUL included.

Where this table is wider than the specification, because peers in the field are:
- `deliver_sm_resp.message_id` is unused and one octet; ESMEs send an id there, or no body at all: both are
  read. `data_sm_resp` from an ESME is treated alike.
- `final_date` of query_sm_resp and the two times of deliver_sm, which 3.4 leaves empty, may have any length up to 17:
  SMSCs write short forms. The times of requests to an SMSC are strict, as it has a status of its own for each.
- `short_message` may have 255 octets (5.0), not 254 (3.4).
- TLVs are read behind every command, also where 3.4 lists none: 5.0 has the receiver ignore what it does not
  expect.
What is not widened: a response with ESME_ROK and no body where it should carry an id is an error, for no receipt could
ever be matched with it. And two commands are read as the specifications have them although Kannel's table differs:
replace_sm begins with message_id (Kannel: service_type), broadcast_sm has no registered_delivery (Kannel has one).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from kannelkit.smpp.constants import CommandId, CommandStatus

Kind = Literal["integer", "c-octet string", "time", "short message", "destinations", "unsuccessful"]
Body = Literal["always", "unless refused", "optional"]


class Field(NamedTuple):
    """One mandatory field: its name, what it is, how many octets at most, and the status that says it is wrong.

    "integer" is one octet (there are no wider ones among the mandatory fields). "time" is empty or 16
    characters. "short message", "destinations" and "unsuccessful" stand for two fields: a one-octet count
    (sm_length, number_of_dests, no_unsuccess) and what it counts; `size` is then the largest count.
    """

    name: str
    kind: Kind
    size: int
    command_status: int


class Command(NamedTuple):
    """One command; `body` says when the mandatory fields may be left out as a whole.

    "unless refused": a response with a command_status other than ESME_ROK may consist of the header alone
    (3.4 says so of submit_sm_resp, SMSCs do it with every response). "optional": with any status.
    """

    command_id: CommandId
    fields: tuple[Field, ...]
    body: Body
    source: str


_S = CommandStatus


def _integers(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "integer", 1, _S.ESME_RINVCMDLEN) for name in names)


def _text(name: str, size: int, command_status: int = _S.ESME_RINVCMDLEN) -> tuple[Field, ...]:
    return (Field(name, "c-octet string", size, command_status),)


def _address(ton: str, npi: str, name: str, size: int, command_status: int) -> tuple[Field, ...]:
    return (*_integers(ton, npi), *_text(name, size, command_status))


def _source(size: int = 21) -> tuple[Field, ...]:
    return _address("source_addr_ton", "source_addr_npi", "source_addr", size, _S.ESME_RINVSRCADR)


def _destination(size: int = 21) -> tuple[Field, ...]:
    return _address("dest_addr_ton", "dest_addr_npi", "destination_addr", size, _S.ESME_RINVDSTADR)


_SYSTEM_ID = _text("system_id", 16, _S.ESME_RINVSYSID)
_PASSWORD = _text("password", 9, _S.ESME_RINVPASWD)
_SERVICE_TYPE = _text("service_type", 6, _S.ESME_RINVSERTYP)
_MESSAGE_ID = _text("message_id", 65, _S.ESME_RINVMSGID)
_TIMES = (
    Field("schedule_delivery_time", "time", 17, _S.ESME_RINVSCHED),
    Field("validity_period", "time", 17, _S.ESME_RINVEXPIRY),
)
_SHORT_MESSAGE = (Field("short_message", "short message", 255, _S.ESME_RINVMSGLEN),)


def _message(times: tuple[Field, ...]) -> tuple[Field, ...]:
    return (
        *_integers("esm_class", "protocol_id", "priority_flag"),
        *times,
        *_integers("registered_delivery", "replace_if_present_flag", "data_coding", "sm_default_msg_id"),
        *_SHORT_MESSAGE,
    )


_SUBMITTED = _message(_TIMES)
_DELIVERED = _message((*_text("schedule_delivery_time", 17), *_text("validity_period", 17)))
_BIND = (
    *_SYSTEM_ID,
    *_PASSWORD,
    *_text("system_type", 13, _S.ESME_RINVSYSTYP),
    *_integers("interface_version", "addr_ton", "addr_npi"),
    *_text("address_range", 41),
)
_ADDRESSES = (*_SERVICE_TYPE, *_source(), *_destination())

_C = CommandId
_TABLE: Final[tuple[Command, ...]] = (
    Command(_C.BIND_TRANSMITTER, _BIND, "always", "3.4 4.1.1"),
    Command(_C.BIND_TRANSMITTER_RESP, _SYSTEM_ID, "unless refused", "3.4 4.1.2"),
    Command(_C.BIND_RECEIVER, _BIND, "always", "3.4 4.1.3"),
    Command(_C.BIND_RECEIVER_RESP, _SYSTEM_ID, "unless refused", "3.4 4.1.4"),
    Command(_C.BIND_TRANSCEIVER, _BIND, "always", "3.4 4.1.5"),
    Command(_C.BIND_TRANSCEIVER_RESP, _SYSTEM_ID, "unless refused", "3.4 4.1.6"),
    Command(_C.OUTBIND, (*_SYSTEM_ID, *_PASSWORD), "always", "3.4 4.1.7"),
    Command(_C.UNBIND, (), "always", "3.4 4.2.1"),
    Command(_C.UNBIND_RESP, (), "always", "3.4 4.2.2"),
    Command(_C.GENERIC_NACK, (), "always", "3.4 4.3.1"),
    Command(_C.SUBMIT_SM, (*_ADDRESSES, *_SUBMITTED), "always", "3.4 4.4.1"),
    Command(_C.SUBMIT_SM_RESP, _MESSAGE_ID, "unless refused", "3.4 4.4.2"),
    Command(
        _C.SUBMIT_MULTI,
        (
            *_SERVICE_TYPE,
            *_source(),
            Field("dest_address", "destinations", 255, _S.ESME_RINVNUMDESTS),
            *_SUBMITTED,
        ),
        "always",
        "3.4 4.5.1",
    ),
    Command(
        _C.SUBMIT_MULTI_RESP,
        (*_MESSAGE_ID, Field("unsuccess_sme", "unsuccessful", 255, _S.ESME_RINVNUMDESTS)),
        "unless refused",
        "3.4 4.5.2",
    ),
    Command(_C.DELIVER_SM, (*_ADDRESSES, *_DELIVERED), "always", "3.4 4.6.1"),
    Command(_C.DELIVER_SM_RESP, _MESSAGE_ID, "optional", "3.4 4.6.2"),
    Command(
        _C.DATA_SM,
        (
            *_SERVICE_TYPE,
            *_source(65),
            *_destination(65),
            *_integers("esm_class", "registered_delivery", "data_coding"),
        ),
        "always",
        "3.4 4.7.1",
    ),
    Command(_C.DATA_SM_RESP, _MESSAGE_ID, "optional", "3.4 4.7.2"),
    Command(_C.QUERY_SM, (*_MESSAGE_ID, *_source()), "always", "3.4 4.8.1"),
    Command(
        _C.QUERY_SM_RESP,
        (*_MESSAGE_ID, *_text("final_date", 17), *_integers("message_state", "error_code")),
        "unless refused",
        "3.4 4.8.2",
    ),
    Command(_C.CANCEL_SM, (*_SERVICE_TYPE, *_MESSAGE_ID, *_source(), *_destination()), "always", "3.4 4.9.1"),
    Command(_C.CANCEL_SM_RESP, (), "always", "3.4 4.9.2"),
    Command(
        _C.REPLACE_SM,
        (
            *_MESSAGE_ID,
            *_source(),
            *_TIMES,
            *_integers("registered_delivery", "sm_default_msg_id"),
            *_SHORT_MESSAGE,
        ),
        "always",
        "3.4 4.10.1",
    ),
    Command(_C.REPLACE_SM_RESP, (), "always", "3.4 4.10.2"),
    Command(_C.ENQUIRE_LINK, (), "always", "3.4 4.11.1"),
    Command(_C.ENQUIRE_LINK_RESP, (), "always", "3.4 4.11.2"),
    Command(
        _C.ALERT_NOTIFICATION,
        (
            *_source(65),
            *_address("esme_addr_ton", "esme_addr_npi", "esme_addr", 65, _S.ESME_RINVDSTADR),
        ),
        "always",
        "3.4 4.12.1",
    ),
    Command(
        _C.BROADCAST_SM,
        (
            *_SERVICE_TYPE,
            *_source(),
            *_MESSAGE_ID,
            *_integers("priority_flag"),
            *_TIMES,
            *_integers("replace_if_present_flag", "data_coding", "sm_default_msg_id"),
        ),
        "always",
        "5.0 4.4.1.1",
    ),
    Command(_C.BROADCAST_SM_RESP, _MESSAGE_ID, "unless refused", "5.0 4.4.1.2"),
    Command(_C.QUERY_BROADCAST_SM, (*_MESSAGE_ID, *_source()), "always", "5.0 4.6.1.1"),
    Command(_C.QUERY_BROADCAST_SM_RESP, _MESSAGE_ID, "unless refused", "5.0 4.6.1.3"),
    Command(_C.CANCEL_BROADCAST_SM, (*_SERVICE_TYPE, *_MESSAGE_ID, *_source()), "always", "5.0 4.6.2.1"),
    Command(_C.CANCEL_BROADCAST_SM_RESP, (), "always", "5.0 4.6.2.3"),
)

COMMANDS: Final[dict[int, Command]] = {int(command.command_id): command for command in _TABLE}
"""Every command by its id."""
