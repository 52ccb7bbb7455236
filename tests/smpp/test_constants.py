"""Names of numbers, the unknown ones too."""

from __future__ import annotations

import pytest
from smpplib import command_codes, consts

from kannelkit.smpp.commands import COMMANDS
from kannelkit.smpp.constants import (
    RESPONSE,
    CommandId,
    CommandStatus,
    Tag,
    command_name,
    status_description,
    status_name,
)


@pytest.mark.parametrize(
    ("command_status", "name", "description"),
    [
        (0, "ESME_ROK", "no error"),
        (0x58, "ESME_RTHROTTLED", "throttled: more messages than allowed"),
        (0xC0, "ESME_RINVTLVSTREAM", "optional part of the PDU is malformed"),
        (0x112, "ESME_RINVBCASTCHANIND", "invalid broadcast channel indicator"),
        (0x400, "vendor status 0x00000400", "vendor status 0x00000400"),
        (0x4FF, "vendor status 0x000004ff", "vendor status 0x000004ff"),
        (0x500, "unknown status 0x00000500", "unknown status 0x00000500"),
        (0x10, "unknown status 0x00000010", "unknown status 0x00000010"),
    ],
)
def test_every_status_has_a_name(command_status: int, name: str, description: str) -> None:
    assert status_name(command_status) == name
    assert status_description(command_status) == description


def test_every_known_status_is_described() -> None:
    assert [status.name for status in CommandStatus if not status.description] == []


def test_the_names_of_both_versions_are_one_status() -> None:
    assert CommandStatus["ESME_RINVOPTPARSTREAM"] is CommandStatus.ESME_RINVTLVSTREAM
    assert CommandStatus(0xC4) is CommandStatus.ESME_RINVTLVVAL


def test_every_command_has_a_name() -> None:
    assert command_name(4) == "submit_sm"
    assert command_name(0x80000113) == "cancel_broadcast_sm_resp"
    assert command_name(0x10) == "command 0x00000010"


def test_every_response_belongs_to_a_command() -> None:
    responses = {command_id for command_id in COMMANDS if command_id & RESPONSE} - {CommandId.GENERIC_NACK}
    assert {command_id & ~RESPONSE for command_id in responses} == {
        command_id for command_id in COMMANDS if not command_id & RESPONSE
    } - {CommandId.OUTBIND, CommandId.ALERT_NOTIFICATION}


def test_smpplib_calls_the_same_numbers_the_same() -> None:
    theirs = {name.removeprefix("SMPP_"): value for name, value in vars(consts).items() if "_ESME_R" in name}
    assert theirs == {name: int(CommandStatus[name]) for name in theirs}
    assert len(theirs) > 40
    tags = {name.upper(): code for name, code in consts.OPTIONAL_PARAMS.items()}
    assert tags == {name: int(Tag[name]) for name in tags}
    # smpplib writes submit_multi as submit_sm_multi.
    codes = {name.replace("submit_sm_multi", "submit_multi"): code for name, code in command_codes.commands.items()}
    assert codes == {name: int(CommandId[name.upper()]) for name in codes}
