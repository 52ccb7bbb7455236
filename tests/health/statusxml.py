"""A status.xml as bearerbox 1.4.5 prints it, for any number of links."""

from __future__ import annotations

from kannelkit.render.links import Account, Link

HEAD = """\
<?xml version="1.0"?>
<gateway>
<version>Kannel bearerbox version `1.4.5'.
Compiler `12.2.0'.
</version>
<status>running, uptime 0d 1h 2m 3s</status>
\t<wdp>
\t\t<received><total>0</total><queued>0</queued></received>
\t\t<sent><total>0</total><queued>0</queued></sent>
\t</wdp>
\t<sms>
\t\t<received><total>10</total><queued>0</queued></received>
\t\t<sent><total>1000</total><queued>5</queued></sent>
\t\t<storesize>20</storesize>
\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t<outbound>1.00,1.00,1.00</outbound>
\t\t</sms>
\t<dlr>
\t\t<received><total>0</total></received>
\t\t<sent><total>0</total></sent>
\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t<outbound>0.00,0.00,0.00</outbound>
\t\t<queued>0</queued>
\t\t<storage>spool</storage>
\t</dlr>
<boxes>
\t<box>
\t\t<type>smsbox</type>
\t\t<id>box</id>
\t\t<IP>127.0.0.1</IP>
\t\t<queue>0</queue>
\t\t<status>on-line 0d 0h 0m 9s</status>
\t\t<ssl>no</ssl>
\t</box></boxes>
"""
LINK = """<smsc>
\t\t<name>SMPP:smpp.example.net:3700/3700:login:ISO</name>
\t\t<admin-id>{admin_id}</admin-id>
\t\t<id>{smsc_id}</id>
\t\t<status>{state}</status>
\t\t<failed>0</failed>
\t\t<queued>{queued}</queued>
\t\t<sms>
\t\t\t<received>1</received>
\t\t\t<sent>{sent}</sent>
\t\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t\t<outbound>5.00,5.00,5.00</outbound>
\t\t</sms>
\t\t<dlr>
\t\t\t<received>2</received>
\t\t\t<sent>0</sent>
\t\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t\t<outbound>0.00,0.00,0.00</outbound>
\t\t</dlr>
\t</smsc>
"""


def links_of(count: int, more: int = 0) -> str:
    """Return so many links, each of an account of its own: account0-1, account1-1, ... They have sent `more`."""
    return "".join(
        LINK.format(
            admin_id=f"account{number}-1",
            smsc_id=f"account{number}",
            state=f"online {60 + more}s",
            queued=5,
            sent=number + more,
        )
        for number in range(count)
    )


def status_xml(links: str, count: int) -> bytes:
    """Return a whole status.xml with these links."""
    return f"{HEAD}<smscs><count>{count}</count>\n\t{links}</smscs>\n</gateway>\n".encode()


def accounts(count: int) -> tuple[Account, ...]:
    """Return the accounts of these links."""
    return tuple(
        Account(
            name,
            name,
            30,
            1,
            1,
            "primary",
            (Link(f"{name}-1", name, "primary", 1, "smpp.example.net", 3700, 30, None),),
        )
        for name in (f"account{number}" for number in range(count))
    )


GOOD = status_xml(links_of(3), 3)
_TWICE = LINK.format(admin_id="account0-1", smsc_id="account0", state="online 5s", queued=1, sent=2)
_LAUGHS = b"".join(
    b'<!ENTITY %c "%b">' % (letter, b"&%c;" % (letter - 1) * 50) for letter in range(ord("b"), ord("z") + 1)
)
_BOMB = b'<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa">%b]>' % _LAUGHS
_NOTHING = b"<smscs><count>0</count>\n</smscs>\n</gateway>\n"

# Strange, and still what bearerbox may say.
READABLE = {
    "no UTF-8": GOOD.replace(b"login", b"\xff\xfe\x00\x1b[2J"),
    "no link": status_xml("", 0),
    "one id many times": status_xml(_TWICE * 3 + links_of(2), 5),
    "more links than anybody has": status_xml(links_of(3_000), 3_000),
    "seven megabytes of one box": HEAD.encode().replace(b"<id>box", b"<id>" + b"b" * 7_000_000) + _NOTHING,
    "a hundred thousand boxes": GOOD.replace(b"<boxes>\n", b"<boxes>\n" + b"\t<box>\n" * 100_000, 1),
    "below nothing": GOOD.replace(b"<storesize>20", b"<storesize>-9999999999999999"),
}
# Nothing that it ever says.
UNREADABLE = {
    "nothing": b"",
    "cut in the head": GOOD[:300],
    "cut in a link": GOOD[:-200],
    "cut at the end": GOOD[:-1],
    "an entity bomb": b'<?xml version="1.0"?>' + _BOMB + b"<gateway>&z;</gateway>\n",
    "an entity bomb before it all": GOOD.replace(b"<gateway>", _BOMB + b"<gateway>", 1),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "thirty megabytes": b"<smsc>\n" * 4_500_000,
    "numbers that are none": GOOD.replace(b"<sent>2</sent>", b"<sent>" + b"9" * 4000 + b"</sent>"),
    "denied": b'<?xml version="1.0"?>\n<gateway>\nDenied</gateway>\n',
    "HTML": b"<html>hello</html>",
}
