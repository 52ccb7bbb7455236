"""Mandatory fields: octets to values and back, by a plan worked out once for each command.

A plan joins neighbouring one-octet integers into one step, so that a submit_sm takes ten steps instead of
eighteen. Every length is checked before octets are cut: a slice beyond the end is short in Python, not an
error.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from kannelkit.smpp.commands import COMMANDS, Body, Field, Kind
from kannelkit.smpp.constants import CommandStatus
from kannelkit.smpp.pduerror import PduError


class SmeAddress(NamedTuple):
    """A destination of submit_multi that is an address (dest_flag 1)."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: bytes


class DistributionList(NamedTuple):
    """A destination of submit_multi that is a list kept by the SMSC (dest_flag 2)."""

    dl_name: bytes


class UnsuccessSme(NamedTuple):
    """A destination that submit_multi did not reach, and the command_status that says why."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: bytes
    error_status_code: int


FieldValue = int | bytes | list[SmeAddress | DistributionList] | list[UnsuccessSme]

_ADDRESS_SIZE: Final = 21  # destination_addr and dl_name in the lists of submit_multi (3.4: 4.5.1.1, 4.5.1.2)
_ERROR_STATUS_CODE: Final = struct.Struct(">I")


# The steps of a plan. Plain numbers: an enumeration's members cost a look-up each where every microsecond counts.
_TEXT, _INTEGERS, _TIME, _SHORT_MESSAGE, _DESTINATIONS, _UNSUCCESSFUL = range(6)
_STEPS: Final[dict[Kind, int]] = {
    "c-octet string": _TEXT,
    "integer": _INTEGERS,
    "time": _TIME,
    "short message": _SHORT_MESSAGE,
    "destinations": _DESTINATIONS,
    "unsuccessful": _UNSUCCESSFUL,
}

_PlanStep = tuple[int, str, int, int, tuple[str, ...]]  # step, name, size, status, names of joined integers


class Plan(NamedTuple):
    """How to read and write one command."""

    steps: tuple[_PlanStep, ...]
    names: frozenset[str]
    body: Body

    def header_alone(self, command_status: int) -> bool:
        """Tell whether a PDU of the header alone leaves its fields out, rather than being cut off."""
        return self.body == "optional" or (self.body == "unless refused" and command_status != 0)


def _steps(fields: tuple[Field, ...]) -> tuple[_PlanStep, ...]:
    steps: list[_PlanStep] = []
    for field in fields:
        if field.kind == "integer" and steps and steps[-1][0] == _INTEGERS:
            names = (*steps[-1][4], field.name)
            steps[-1] = (_INTEGERS, names[0], len(names), field.command_status, names)
        else:
            steps.append((_STEPS[field.kind], field.name, field.size, int(field.command_status), (field.name,)))
    return tuple(steps)


PLANS: Final[dict[int, Plan]] = {
    command_id: Plan(
        steps=_steps(command.fields),
        names=frozenset(field.name for field in command.fields),
        body=command.body,
    )
    for command_id, command in COMMANDS.items()
}


def read_fields(plan: Plan, octets: bytes, position: int, fields: dict[str, FieldValue]) -> int:
    """Read the mandatory fields that begin at `position` into `fields` and return the position behind them.

    Raises PduError with the status to answer when a field is cut off or longer than it may be.
    """
    end = len(octets)
    find = octets.find
    for step, name, size, status, names in plan.steps:
        if step == _TEXT:
            stop = find(0, position, position + size)
            if stop < 0:
                raise _unterminated(name, position, size, status, end)
            fields[name] = octets[position:stop]
            position = stop + 1
        elif step == _INTEGERS:
            stop = position + size
            if stop > end:
                raise _truncated(name)
            fields.update(zip(names, octets[position:stop], strict=True))
            position = stop
        elif step == _TIME:
            stop = find(0, position, position + size)
            if stop < 0:
                raise _unterminated(name, position, size, status, end)
            if stop != position and stop != position + 16:
                raise PduError(f"{name} has {stop - position} characters, not 0 or 16", status)
            fields[name] = octets[position:stop]
            position = stop + 1
        else:
            if position >= end:
                raise _truncated(name)
            count = octets[position]
            position += 1
            if step == _SHORT_MESSAGE:
                stop = position + count
                if stop > end:
                    raise PduError(f"sm_length says {count} octets, {end - position} are there", status)
                fields[name] = octets[position:stop]
                position = stop
            elif step == _DESTINATIONS:
                fields[name], position = _read_destinations(octets, position, count)
            else:
                fields[name], position = _read_unsuccessful(octets, position, count)
    return position


def _truncated(name: str) -> PduError:
    return PduError(f"the PDU ends before {name}", CommandStatus.ESME_RINVCMDLEN)


def _unterminated(name: str, position: int, size: int, status: int, end: int) -> PduError:
    if position + size > end:
        return PduError(f"the PDU ends inside {name}", CommandStatus.ESME_RINVCMDLEN)
    return PduError(f"{name} has no NUL within its {size} octets", status)


def _read_text(octets: bytes, position: int, name: str, status: int) -> tuple[bytes, int]:
    stop = octets.find(0, position, position + _ADDRESS_SIZE)
    if stop < 0:
        raise _unterminated(name, position, _ADDRESS_SIZE, status, len(octets))
    return octets[position:stop], stop + 1


def _read_destinations(octets: bytes, position: int, count: int) -> tuple[list[SmeAddress | DistributionList], int]:
    if count == 0:
        raise PduError("number_of_dests is 0", CommandStatus.ESME_RINVNUMDESTS)
    found: list[SmeAddress | DistributionList] = []
    end = len(octets)
    for _ in range(count):
        if position >= end:
            raise _truncated("dest_flag")
        dest_flag = octets[position]
        position += 1
        if dest_flag == 1:
            if position + 2 > end:
                raise _truncated("dest_addr_ton")
            ton, npi = octets[position], octets[position + 1]
            address, position = _read_text(octets, position + 2, "destination_addr", CommandStatus.ESME_RINVDSTADR)
            found.append(SmeAddress(ton, npi, address))
        elif dest_flag == 2:
            dl_name, position = _read_text(octets, position, "dl_name", CommandStatus.ESME_RINVDLNAME)
            found.append(DistributionList(dl_name))
        else:
            raise PduError(f"dest_flag is {dest_flag}, not 1 or 2", CommandStatus.ESME_RINVDESTFLAG)
    return found, position


def _read_unsuccessful(octets: bytes, position: int, count: int) -> tuple[list[UnsuccessSme], int]:
    found: list[UnsuccessSme] = []
    end = len(octets)
    for _ in range(count):
        if position + 2 > end:
            raise _truncated("dest_addr_ton")
        ton, npi = octets[position], octets[position + 1]
        address, position = _read_text(octets, position + 2, "destination_addr", CommandStatus.ESME_RINVDSTADR)
        if position + 4 > end:
            raise _truncated("error_status_code")
        found.append(UnsuccessSme(ton, npi, address, *_ERROR_STATUS_CODE.unpack_from(octets, position)))
        position += 4
    return found, position


def write_fields(plan: Plan, fields: dict[str, FieldValue]) -> bytes:
    """Return the octets of the mandatory fields; one that is not given is 0 or empty.

    Raises PduError (fault "own") for a name the command does not have and a value the wire cannot hold.
    """
    if not fields.keys() <= plan.names:
        unknown = ", ".join(sorted(fields.keys() - plan.names))
        raise _unfit(f"the command has no field {unknown}", CommandStatus.ESME_RINVCMDLEN)
    get = fields.get
    parts: list[bytes] = []
    for step, name, size, status, names in plan.steps:
        if step == _INTEGERS:
            try:
                parts.append(bytes([get(each, 0) for each in names]))  # type: ignore[misc]  # bytes() checks it
            except (ValueError, TypeError):
                raise _unfit(f"{' or '.join(names)} is not a number from 0 to 255", status) from None
        elif step == _TEXT:
            value = get(name, b"")
            parts.append(_text(name, value, size, status))
        elif step == _TIME:
            value = _text(name, get(name, b""), size, status)
            if len(value) not in (1, 17):
                raise _unfit(f"{name} has {len(value) - 1} characters, not 0 or 16", status)
            parts.append(value)
        elif step == _SHORT_MESSAGE:
            value = get(name, b"")
            if not isinstance(value, bytes) or len(value) > size:
                raise _unfit(f"{name} is not at most {size} octets", status)
            parts.append(bytes((len(value),)))
            parts.append(value)
        else:
            parts.append(_write_list(step, name, get(name, []), size, status))
    return b"".join(parts)


def _unfit(message: str, status: int) -> PduError:
    return PduError(message, status, fault="own")


def _text(name: str, value: object, size: int, status: int) -> bytes:
    if not isinstance(value, bytes) or len(value) >= size or 0 in value:
        raise _unfit(f"{name} is not at most {size - 1} octets without NUL", status)
    return value + b"\0"


def _octet_pair(first: int, second: int) -> bytes:
    try:
        return bytes((first, second))
    except (ValueError, TypeError):
        raise _unfit(
            "dest_addr_ton or dest_addr_npi is not a number from 0 to 255", CommandStatus.ESME_RINVDSTADR
        ) from None


def _write_list(step: int, name: str, value: object, size: int, status: int) -> bytes:
    if not isinstance(value, list) or len(value) > size:
        raise _unfit(f"{name} is not a list of at most {size}", status)
    if step == _DESTINATIONS and not value:
        raise _unfit(f"{name} is empty", status)
    parts = [bytes((len(value),))]
    for item in value:
        if isinstance(item, DistributionList) and step == _DESTINATIONS:
            parts.append(b"\2" + _text("dl_name", item.dl_name, _ADDRESS_SIZE, CommandStatus.ESME_RINVDLNAME))
            continue
        if not isinstance(item, SmeAddress if step == _DESTINATIONS else UnsuccessSme):
            raise _unfit(f"{name} holds a {type(item).__name__}", status)
        address = _text("destination_addr", item.destination_addr, _ADDRESS_SIZE, CommandStatus.ESME_RINVDSTADR)
        pair = _octet_pair(item.dest_addr_ton, item.dest_addr_npi)
        if isinstance(item, UnsuccessSme):
            try:
                parts.append(pair + address + _ERROR_STATUS_CODE.pack(item.error_status_code))
            except struct.error:
                raise _unfit("error_status_code is not a number of 32 bits", status) from None
        else:
            parts.append(b"\1" + pair + address)
    return b"".join(parts)
