"""smpplib as the judge: the same PDUs, written by one and read by the other, both ways."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import command, smpp

from kannelkit.smpp.commands import COMMANDS, Command, Field
from kannelkit.smpp.constants import CommandId, Tag
from kannelkit.smpp.pdu import Pdu, decode, encode
from kannelkit.smpp.tlv import FORMATS, read_tlv

# smpplib 2.2 has no classes for these.
UNJUDGED: Final = {
    CommandId.OUTBIND,
    CommandId.SUBMIT_MULTI,
    CommandId.SUBMIT_MULTI_RESP,
    CommandId.CANCEL_SM,
    CommandId.CANCEL_SM_RESP,
    CommandId.REPLACE_SM,
    CommandId.REPLACE_SM_RESP,
    CommandId.BROADCAST_SM,
    CommandId.BROADCAST_SM_RESP,
    CommandId.QUERY_BROADCAST_SM,
    CommandId.QUERY_BROADCAST_SM_RESP,
    CommandId.CANCEL_BROADCAST_SM,
    CommandId.CANCEL_BROADCAST_SM_RESP,
}
JUDGED: Final = [each for command_id, each in COMMANDS.items() if command_id not in UNJUDGED]

# The sizes that smpplib takes otherwise: 3.4 gives these addresses 65 octets (4.7.1, 4.12.1), 5.0 a text 255.
THEIR_SIZES: Final = {
    (CommandId.DATA_SM, "source_addr"): 21,
    (CommandId.DATA_SM, "destination_addr"): 21,
    (CommandId.ALERT_NOTIFICATION, "source_addr"): 21,
    (CommandId.ALERT_NOTIFICATION, "esme_addr"): 21,
    (CommandId.SUBMIT_SM, "short_message"): 254,
    (CommandId.DELIVER_SM, "short_message"): 254,
}


class Client:
    """What smpplib asks for the next sequence number."""

    sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


def tlv_type(pdu: Pdu, tag: int) -> type | None:
    """Return smpplib's type of a TLV in this command, None where it does not know it there."""
    params = command.factory(pdu.name, client=Client()).params
    name = Tag(tag).name.lower() if tag in FORMATS else ""
    return params[name].type if name in params else None


def can_judge(pdu: Pdu) -> bool:
    """Tell whether smpplib has a class for the command and our idea of its sizes and TLVs, each of these once."""
    if pdu.body is not None or pdu.command_id in UNJUDGED:
        return False
    for (command_id, name), size in THEIR_SIZES.items():
        if pdu.command_id == command_id and len(pdu.octets(name)) >= size:
            return False
    types = {tlv.tag: tlv_type(pdu, tlv.tag) for tlv in pdu.tlvs}
    return len(types) == len(pdu.tlvs) and all(
        kind is not None and (kind is int) is (FORMATS[tag].kind == "integer") for tag, kind in types.items()
    )


def written_by_smpplib(pdu: Pdu) -> bytes:
    made = smpp.make_pdu(pdu.name, client=Client())
    made.status = pdu.command_status
    made.sequence = pdu.sequence_number
    values: dict[str, Any] = dict(pdu.fields)
    values.update({Tag(tlv.tag).name.lower(): read_tlv(tlv) for tlv in pdu.tlvs})
    for name, value in values.items():
        setattr(made, name, value.decode("latin-1") if made.params[name].type is str else value)
    octets: bytes = made.generate()
    return octets


def read_by_smpplib(octets: bytes, pdu: Pdu) -> Pdu:
    """Return what smpplib reads, as a Pdu with the fields and TLVs that `pdu` has."""
    read = smpp.parse_pdu(octets, client=Client())
    found = Pdu(CommandId[read.command.upper()], read.status, read.sequence)
    # An empty short_message is None to smpplib.
    found.fields = {name: b"" if getattr(read, name) is None else getattr(read, name) for name in pdu.fields}
    found.tlvs = [tlv for tlv in pdu.tlvs if getattr(read, Tag(tlv.tag).name.lower()) == read_tlv(tlv)]
    return found


def test_smpplib_writes_the_cases_as_they_are(cases_of_pdus: list[Pdu]) -> None:
    # It always writes a body, so that it cannot judge a refusal that is a header alone.
    judged = [pdu for pdu in cases_of_pdus if can_judge(pdu) and (pdu.fields or not COMMANDS[pdu.command_id].fields)]
    assert [pdu for pdu in judged if written_by_smpplib(pdu) != encode(pdu)] == []


def test_smpplib_reads_the_cases_as_they_are(cases_of_pdus: list[Pdu]) -> None:
    judged = [pdu for pdu in cases_of_pdus if can_judge(pdu)]
    assert [read_by_smpplib(encode(pdu), pdu) for pdu in judged] == judged


def test_most_commands_are_judged(cases_of_pdus: list[Pdu]) -> None:
    assert {pdu.command_id for pdu in cases_of_pdus if can_judge(pdu)} == {each.command_id for each in JUDGED}


def test_smpplib_has_the_same_sizes() -> None:
    ours = {(each.command_id, field.name): field.size for each in JUDGED for field in each.fields}
    theirs = {}
    for command_id, name in ours:
        param = command.factory(command_id.name.lower(), client=Client()).params[name]
        theirs[command_id, name] = param.max if hasattr(param, "max") else param.size
    assert theirs == ours | THEIR_SIZES


def whole(judged: Command) -> st.SearchStrategy[Pdu]:
    def text(field: Field) -> st.SearchStrategy[int | bytes]:
        # smpplib wants a message_id in a query_sm.
        size = THEIR_SIZES.get((judged.command_id, field.name), field.size)
        shortest = 1 if judged.command_id == CommandId.QUERY_SM and field.name == "message_id" else 0
        return st.lists(st.integers(1, 255), min_size=shortest, max_size=size - 1).map(bytes)

    values: dict[str, st.SearchStrategy[int | bytes]] = {}
    for field in judged.fields:
        if field.kind == "integer":
            values[field.name] = st.integers(0, 255)
        elif field.kind == "time":
            values[field.name] = st.sampled_from([b"", b"261122173000004+"])
        elif field.kind == "short message":
            values[field.name] = st.binary(max_size=255)
        else:
            values[field.name] = text(field)
    return st.builds(
        Pdu,
        st.just(int(judged.command_id)),
        st.integers(0, 0xFFFFFFFF),
        st.integers(1, 0xFFFFFFFF),
        st.fixed_dictionaries(values),
    )


@settings(deadline=None)
@given(st.sampled_from(JUDGED).flatmap(whole))
def test_any_pdu_is_the_same_to_both(pdu: Pdu) -> None:
    octets = encode(pdu)
    assert written_by_smpplib(pdu) == octets
    assert read_by_smpplib(octets, pdu) == pdu == decode(octets)
