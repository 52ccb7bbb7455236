"""What is wrong with a PDU: whose fault it is and the status to answer with."""

from __future__ import annotations

from typing import Literal

from kannelkit.errors import KannelkitError
from kannelkit.smpp.constants import CommandStatus

Fault = Literal["peer", "own"]


class PduError(KannelkitError):
    """A PDU breaks the specification.

    `command_status` is what to answer, `command_id` and `sequence_number` are None where they could not be
    read, `fault` is "peer" for octets that came in and "own" for values that cannot go out.
    """

    def __init__(
        self,
        message: str,
        command_status: int = CommandStatus.ESME_RINVCMDLEN,
        *,
        command_id: int | None = None,
        sequence_number: int | None = None,
        fault: Fault = "peer",
    ) -> None:
        super().__init__(message)
        self.command_status = int(command_status)
        self.command_id = command_id
        self.sequence_number = sequence_number
        self.fault: Fault = fault
