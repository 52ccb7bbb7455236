"""The numbers of SMPP and their names, as the specifications write them.

Sources: SMPP v3.4 issue 1.2 (command ids 5.1.2.1, statuses 5.1.3, parameters 5.2, TLV tags 5.3.2) and SMPP
v5.0 (4.7.5 and 4.7.6 for what it adds: the broadcast commands, statuses from 0x100 on, tags 0x0428 and
0x06xx).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, Self

RESPONSE: Final = 0x80000000
"""The bit of a command id that makes it the response of the command without it."""


class CommandId(IntEnum):
    """Every command of both versions."""

    BIND_RECEIVER = 0x00000001
    BIND_TRANSMITTER = 0x00000002
    QUERY_SM = 0x00000003
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    REPLACE_SM = 0x00000007
    CANCEL_SM = 0x00000008
    BIND_TRANSCEIVER = 0x00000009
    OUTBIND = 0x0000000B
    ENQUIRE_LINK = 0x00000015
    SUBMIT_MULTI = 0x00000021
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103
    BROADCAST_SM = 0x00000111
    QUERY_BROADCAST_SM = 0x00000112
    CANCEL_BROADCAST_SM = 0x00000113

    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    QUERY_SM_RESP = 0x80000003
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    REPLACE_SM_RESP = 0x80000007
    CANCEL_SM_RESP = 0x80000008
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015
    SUBMIT_MULTI_RESP = 0x80000021
    DATA_SM_RESP = 0x80000103
    BROADCAST_SM_RESP = 0x80000111
    QUERY_BROADCAST_SM_RESP = 0x80000112
    CANCEL_BROADCAST_SM_RESP = 0x80000113


class CommandStatus(IntEnum):
    """Every command_status of both versions, each with a `description`; 3.4's names of 0xC0 to 0xC4 are aliases."""

    description: str

    def __new__(cls, value: int, description: str = "") -> Self:
        status = int.__new__(cls, value)
        status._value_ = value
        status.description = description
        return status

    ESME_ROK = 0x00, "no error"
    ESME_RINVMSGLEN = 0x01, "message length is invalid"
    ESME_RINVCMDLEN = 0x02, "command length is invalid"
    ESME_RINVCMDID = 0x03, "unknown command id"
    ESME_RINVBNDSTS = 0x04, "command not allowed in this bind state"
    ESME_RALYBND = 0x05, "already bound"
    ESME_RINVPRTFLG = 0x06, "invalid priority flag"
    ESME_RINVREGDLVFLG = 0x07, "invalid registered_delivery flag"
    ESME_RSYSERR = 0x08, "system error"
    ESME_RINVSRCADR = 0x0A, "invalid source address"
    ESME_RINVDSTADR = 0x0B, "invalid destination address"
    ESME_RINVMSGID = 0x0C, "invalid message id"
    ESME_RBINDFAIL = 0x0D, "bind failed"
    ESME_RINVPASWD = 0x0E, "invalid password"
    ESME_RINVSYSID = 0x0F, "invalid system id"
    ESME_RCANCELFAIL = 0x11, "cancel_sm failed"
    ESME_RREPLACEFAIL = 0x13, "replace_sm failed"
    ESME_RMSGQFUL = 0x14, "message queue full"
    ESME_RINVSERTYP = 0x15, "invalid service type"
    ESME_RINVNUMDESTS = 0x33, "invalid number of destinations"
    ESME_RINVDLNAME = 0x34, "invalid distribution list name"
    ESME_RINVDESTFLAG = 0x40, "invalid destination flag"
    ESME_RINVSUBREP = 0x42, "submit with replace not possible"
    ESME_RINVESMCLASS = 0x43, "invalid esm_class"
    ESME_RCNTSUBDL = 0x44, "cannot submit to distribution list"
    ESME_RSUBMITFAIL = 0x45, "submit_sm or submit_multi failed"
    ESME_RINVSRCTON = 0x48, "invalid type of number of the source address"
    ESME_RINVSRCNPI = 0x49, "invalid numbering plan of the source address"
    ESME_RINVDSTTON = 0x50, "invalid type of number of the destination address"
    ESME_RINVDSTNPI = 0x51, "invalid numbering plan of the destination address"
    ESME_RINVSYSTYP = 0x53, "invalid system_type"
    ESME_RINVREPFLAG = 0x54, "invalid replace_if_present flag"
    ESME_RINVNUMMSGS = 0x55, "invalid number of messages"
    ESME_RTHROTTLED = 0x58, "throttled: more messages than allowed"
    ESME_RINVSCHED = 0x61, "invalid scheduled delivery time"
    ESME_RINVEXPIRY = 0x62, "invalid validity period"
    ESME_RINVDFTMSGID = 0x63, "predefined message not found"
    ESME_RX_T_APPN = 0x64, "temporary error of the receiving application"
    ESME_RX_P_APPN = 0x65, "permanent error of the receiving application"
    ESME_RX_R_APPN = 0x66, "rejected by the receiving application"
    ESME_RQUERYFAIL = 0x67, "query_sm failed"
    ESME_RINVTLVSTREAM = 0xC0, "optional part of the PDU is malformed"
    ESME_RTLVNOTALLWD = 0xC1, "TLV not allowed"
    ESME_RINVTLVLEN = 0xC2, "TLV of the wrong length"
    ESME_RMISSINGTLV = 0xC3, "an expected TLV is missing"
    ESME_RINVTLVVAL = 0xC4, "invalid value of a TLV"
    ESME_RINVOPTPARSTREAM = 0xC0
    ESME_ROPTPARNOTALLWD = 0xC1
    ESME_RINVPARLEN = 0xC2
    ESME_RMISSINGOPTPARAM = 0xC3
    ESME_RINVOPTPARAMVAL = 0xC4
    ESME_RDELIVERYFAILURE = 0xFE, "delivery failed"
    ESME_RUNKNOWNERR = 0xFF, "unknown error"
    ESME_RSERTYPUNAUTH = 0x100, "not authorised to use this service type"
    ESME_RPROHIBITED = 0x101, "operation prohibited for this ESME"
    ESME_RSERTYPUNAVAIL = 0x102, "service type unavailable"
    ESME_RSERTYPDENIED = 0x103, "service type denied"
    ESME_RINVDCS = 0x104, "invalid data coding scheme"
    ESME_RINVSRCADDRSUBUNIT = 0x105, "invalid subunit of the source address"
    ESME_RINVDSTADDRSUBUNIT = 0x106, "invalid subunit of the destination address"
    ESME_RINVBCASTFREQINT = 0x107, "invalid broadcast frequency interval"
    ESME_RINVBCASTALIAS_NAME = 0x108, "invalid broadcast alias name"
    ESME_RINVBCASTAREAFMT = 0x109, "invalid broadcast area format"
    ESME_RINVNUMBCAST_AREAS = 0x10A, "invalid number of broadcast areas"
    ESME_RINVBCASTCNTTYPE = 0x10B, "invalid broadcast content type"
    ESME_RINVBCASTMSGCLASS = 0x10C, "invalid broadcast message class"
    ESME_RBCASTFAIL = 0x10D, "broadcast_sm failed"
    ESME_RBCASTQUERYFAIL = 0x10E, "query_broadcast_sm failed"
    ESME_RBCASTCANCELFAIL = 0x10F, "cancel_broadcast_sm failed"
    ESME_RINVBCAST_REP = 0x110, "invalid number of broadcast repetitions"
    ESME_RINVBCASTSRVGRP = 0x111, "invalid broadcast service group"
    ESME_RINVBCASTCHANIND = 0x112, "invalid broadcast channel indicator"


_STATUSES: Final = {int(status): status for status in CommandStatus}
_COMMANDS: Final = {int(command): command for command in CommandId}


def status_name(command_status: int) -> str:
    """Return the specification's name of a status, or for one it does not name its range and number."""
    known = _STATUSES.get(command_status)
    if known is not None:
        return known.name
    # 3.4 leaves 0x400 to 0x4FF to the SMSC's maker; everything else without a name is reserved.
    kind = "vendor" if 0x400 <= command_status <= 0x4FF else "unknown"
    return f"{kind} status 0x{command_status:08x}"


def status_description(command_status: int) -> str:
    """Return what a status says in plain words; for an unknown one the same as `status_name`."""
    known = _STATUSES.get(command_status)
    return known.description if known is not None else status_name(command_status)


def command_name(command_id: int) -> str:
    """Return the specification's name of a command (`submit_sm`), or its number where there is none."""
    known = _COMMANDS.get(command_id)
    return known.name.lower() if known is not None else f"command 0x{command_id:08x}"


class InterfaceVersion(IntEnum):
    """interface_version of a bind and sc_interface_version (3.4: 5.2.4; 5.0: 4.7.13)."""

    V33 = 0x33
    V34 = 0x34
    V50 = 0x50


class Ton(IntEnum):
    """Type of number (3.4: 5.2.5)."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER_NUMBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class Npi(IntEnum):
    """Numbering plan indicator (3.4: 5.2.6)."""

    UNKNOWN = 0
    ISDN = 1
    DATA = 3
    TELEX = 4
    LAND_MOBILE = 6
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    INTERNET = 14
    WAP_CLIENT_ID = 18


class EsmClass(IntFlag):
    """esm_class (3.4: 5.2.12). Bits 0 and 1 are the mode, 2 to 5 the type of the message, 6 and 7 GSM
    features.
    """

    DEFAULT = 0x00
    DATAGRAM = 0x01
    FORWARD = 0x02
    STORE_AND_FORWARD = 0x03
    DELIVERY_RECEIPT = 0x04
    DELIVERY_ACKNOWLEDGEMENT = 0x08
    USER_ACKNOWLEDGEMENT = 0x10
    CONVERSATION_ABORT = 0x18
    INTERMEDIATE_NOTIFICATION = 0x20
    UDHI = 0x40
    REPLY_PATH = 0x80


class RegisteredDelivery(IntFlag):
    """registered_delivery (3.4: 5.2.17; RECEIPT_ON_SUCCESS is 5.0's). Bits 0 and 1 are one number."""

    NONE = 0x00
    RECEIPT = 0x01
    RECEIPT_ON_FAILURE = 0x02
    RECEIPT_ON_SUCCESS = 0x03
    SME_DELIVERY = 0x04
    SME_USER = 0x08
    INTERMEDIATE = 0x10


class MessageState(IntEnum):
    """message_state (3.4: 5.2.28; SCHEDULED and SKIPPED are 5.0's)."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


class DataCoding(IntEnum):
    """data_coding (3.4: 5.2.19). What DEFAULT means is the SMSC's choice: GSM 03.38 nearly everywhere."""

    DEFAULT = 0x00
    IA5 = 0x01
    OCTETS = 0x02
    LATIN_1 = 0x03
    OCTETS_2 = 0x04
    JIS = 0x05
    CYRILLIC = 0x06
    HEBREW = 0x07
    UCS2 = 0x08
    PICTOGRAM = 0x09
    ISO_2022_JP = 0x0A
    EXTENDED_KANJI_JIS = 0x0D
    KS_C_5601 = 0x0E


class Tag(IntEnum):
    """Every TLV tag of both versions. 0x1400 to 0x3FFF are the SMSC makers' own."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    CONGESTION_STATE = 0x0428
    USSD_SERVICE_OP = 0x0501
    BROADCAST_CHANNEL_INDICATOR = 0x0600
    BROADCAST_CONTENT_TYPE = 0x0601
    BROADCAST_CONTENT_TYPE_INFO = 0x0602
    BROADCAST_MESSAGE_CLASS = 0x0603
    BROADCAST_REP_NUM = 0x0604
    BROADCAST_FREQUENCY_INTERVAL = 0x0605
    BROADCAST_AREA_IDENTIFIER = 0x0606
    BROADCAST_ERROR_STATUS = 0x0607
    BROADCAST_AREA_SUCCESS = 0x0608
    BROADCAST_END_TIME = 0x0609
    BROADCAST_SERVICE_GROUP = 0x060A
    BILLING_IDENTIFICATION = 0x060B
    SOURCE_NETWORK_ID = 0x060D
    DEST_NETWORK_ID = 0x060E
    SOURCE_NODE_ID = 0x060F
    DEST_NODE_ID = 0x0610
    DEST_ADDR_NP_RESOLUTION = 0x0611
    DEST_ADDR_NP_INFORMATION = 0x0612
    DEST_ADDR_NP_COUNTRY = 0x0613
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383
