"""What stands in kannel.conf when the spec does not say, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kannelkit.spec.model import Value
from kannelkit.spec.numbers import whole

STATE_DIR = ".kannelkit"
HEALTH_LISTEN = "127.0.0.1:13080"

LOOPBACK = "127.0.0.1"
# store-type -> where it is in the state folder
STORES = {"spool": "spool/store", "file": "spool/store.dat"}


def core(state_dir: Path, written: Mapping[str, str]) -> dict[str, str]:
    """Return the defaults of group core."""
    values = {
        "admin-port": "13000",
        "admin-interface": LOOPBACK,
        "smsbox-port": "13001",
        "smsbox-interface": LOOPBACK,
        "log-file": str(state_dir / "log/bearerbox.log"),
        "log-level": "1",  # 0 would print the password of every bind
        "access-log": str(state_dir / "log/access.log"),
        "dlr-storage": "spool",  # Kannel's own default forgets every pending receipt at a restart
        "sms-resend-freq": "5",  # Kannel's 60 lets a refused one-time password wait a minute
    }
    if "store-file" not in written:  # which would win over both (gw/bearerbox.c)
        kind = values["store-type"] = written.get("store-type", "spool")
        if kind in STORES:
            values["store-location"] = str(state_dir / STORES[kind])
    if written.get("dlr-storage", "spool") == "spool":
        values["dlr-spool"] = str(state_dir / "spool/dlr")
    return values


def smsbox(state_dir: Path) -> dict[str, str]:
    """Return the defaults of group smsbox."""
    return {
        "bearerbox-host": LOOPBACK,
        "sendsms-port": "13013",
        "sendsms-interface": LOOPBACK,
        "log-file": str(state_dir / "log/smsbox.log"),
        "log-level": "1",
        # Kannel asks a service's program once: what comes while it is away is lost; so every 10 s for ten minutes
        "http-request-retry": "60",
    }


# Without a service for it, smsbox answers a received message with "Request Failed", at the account's cost. This one
# takes what no other service takes, and says nothing.
SILENT_SERVICE = {"keyword": "default", "name": "silent", "text": "received", "max-messages": "0"}


# Kannel's own defaults cut what a user sends after one SMS, without a word.
SENDSMS_USER = {"max-messages": "10", "concatenation": "true"}


# What an SMPP link cannot do without, whoever fills in the rest: Kannel asks for a system-type, even an empty one.
LINK = {"smsc": "smpp", "system-type": ""}


# What an account with a second host has beside it. At bearerbox's own start the links that stand by bind for an instant
# (smsc2_resume in gw/bb_smscconn.c); where the provider closes the older bind of a login for that, the first host's
# links are away for so many seconds, instead of Kannel's 10.
TWO_HOSTS = {"reconnect-delay": "3"}


def smpp(written: Mapping[str, Value]) -> dict[str, str]:
    """Return the defaults of an SMPP account, for what neither the spec nor its provider's profile says."""
    values = {
        **LINK,
        "wait-ack-expire": "0",  # reconnect; 1, Kannel's own default, may send a message twice
        "max-pending-submits": "100",  # Kannel's 10 allows 33 SMS a second at a delay of 0.3 s
    }
    if "receive-port" not in written or whole(written["receive-port"].text) == 0:
        values["transceiver-mode"] = "true"  # without it Kannel binds as a transmitter, and no receipt comes
    if "log-file" in written:
        values["log-level"] = "1"  # 0, Kannel's own default here, would print the password of every bind
    return values
