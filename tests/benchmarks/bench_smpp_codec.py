"""The codec beside smpplib's: microseconds a PDU, and how many times as fast. Run it with python; it prints a table."""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable

from smpplib import smpp

from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.framing import Frames
from kannelkit.smpp.pdu import FieldValue, Pdu, decode, encode

BURST = 100
SUBMIT_SM: dict[str, FieldValue] = {
    "service_type": b"",
    "source_addr_ton": 5,
    "source_addr_npi": 0,
    "source_addr": b"kannelkit",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": b"79991234567",
    "esm_class": 3,
    "protocol_id": 0,
    "priority_flag": 0,
    "schedule_delivery_time": b"",
    "validity_period": b"",
    "registered_delivery": 1,
    "replace_if_present_flag": 0,
    "data_coding": 0,
    "sm_default_msg_id": 0,
    "short_message": b"Your code is 123456. Do not tell it to anybody.",
}


class Client:
    """What smpplib asks for the next sequence number."""

    sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


CLIENT = Client()


def microseconds(action: Callable[[], object], repeat: int = 5) -> float:
    """Return what one call takes: the best of `repeat` runs of about 0.1 s."""
    timer = timeit.Timer(action)
    number = max(1, timer.autorange()[0] // 2)
    return min(timer.repeat(repeat, number)) / number * 1e6


def write_submit_sm_with_smpplib() -> bytes:
    made = smpp.make_pdu("submit_sm", client=CLIENT)
    for name, value in SUBMIT_SM.items():
        is_text = isinstance(value, bytes) and name != "short_message"
        setattr(made, name, value.decode("latin-1") if is_text and isinstance(value, bytes) else value)
    octets: bytes = made.generate()
    return octets


def write_submit_sm_resp_with_smpplib() -> bytes:
    made = smpp.make_pdu("submit_sm_resp", client=CLIENT)
    made.message_id = "854019"
    octets: bytes = made.generate()
    return octets


def main() -> int:
    """Print the table."""
    submit_sm = encode(Pdu(CommandId.SUBMIT_SM, 0, 7, SUBMIT_SM))
    resp = encode(Pdu(CommandId.SUBMIT_SM_RESP, 0, 7, {"message_id": b"854019"}))
    burst = submit_sm * BURST
    rows: list[tuple[str, Callable[[], object], Callable[[], object] | None]] = [
        ("read submit_sm", lambda: decode(submit_sm), lambda: smpp.parse_pdu(submit_sm, client=CLIENT)),
        (
            "write submit_sm",
            lambda: encode(Pdu(CommandId.SUBMIT_SM, 0, 7, SUBMIT_SM)),
            write_submit_sm_with_smpplib,
        ),
        ("read submit_sm_resp", lambda: decode(resp), lambda: smpp.parse_pdu(resp, client=CLIENT)),
        (
            "write submit_sm_resp",
            lambda: encode(Pdu(CommandId.SUBMIT_SM_RESP, 0, 7, {"message_id": b"854019"})),
            write_submit_sm_resp_with_smpplib,
        ),
        (f"cut {BURST} submit_sm from one read", lambda: Frames().feed(burst), None),
    ]
    sys.stdout.write(f"{'':32}{'kannelkit':>12}{'smpplib':>12}{'times as fast':>16}\n")
    for name, ours, theirs in rows:
        own = microseconds(ours)
        other = microseconds(theirs) if theirs else None
        compared = f"{other:9.2f} us{other / own:15.1f}x" if other else f"{'-':>12}{'-':>16}"
        sys.stdout.write(f"{name:32}{own:9.2f} us{compared}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
