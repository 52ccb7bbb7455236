"""node's `smpp` as the judge: it reads our octets, and writes them back as they were.

It knows every command, also those that smpplib does not: submit_multi, cancel_sm, replace_sm and the broadcast ones.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from kannelkit.smpp.commands import COMMANDS
from kannelkit.smpp.constants import CommandId, EsmClass, Tag
from kannelkit.smpp.pdu import Pdu, encode
from tests.harness.node_smsc import FOLDER, install

MODULE: Final = FOLDER / "node_modules" / "smpp"
NODE: Final = shutil.which("node")


def can_judge(pdu: Pdu) -> bool:
    """Leave out what node's smpp changes by design or cannot read."""
    known_tags = {int(tag) for tag in Tag}
    return not (
        pdu.body is not None  # it reads no command that it does not know
        or any(tlv.tag not in known_tags for tlv in pdu.tlvs)  # it drops unknown TLVs
        or (pdu.command_status and pdu.fields)  # it writes every refusal as a header alone
        or (not pdu.fields and COMMANDS[pdu.command_id].body == "optional")  # and everything else with a body
        or pdu.fields.get("final_date")  # it reads a time as a date and writes it in a form of its own
        or (pdu.command_id == CommandId.DELIVER_SM and pdu.fields["schedule_delivery_time"])
        or ("esm_class" in pdu.fields and pdu.number("esm_class") & EsmClass.UDHI)  # it reads no UDH it could write
    )


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_node_writes_back_what_it_read(cases_of_pdus: list[Pdu]) -> None:
    install()
    judged = [pdu for pdu in cases_of_pdus if can_judge(pdu)]
    lines = [encode(pdu).hex() for pdu in judged]
    script = Path(__file__).with_name("reencode.js")
    run = subprocess.run(
        [str(NODE), str(script), str(MODULE)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert dict(zip(lines, run.stdout.split(), strict=True)) == {line: line for line in lines}
    assert {pdu.command_id for pdu in judged} == set(COMMANDS)
