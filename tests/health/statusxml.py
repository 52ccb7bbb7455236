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


def links_of(count: int) -> str:
    """Return so many links, each of an account of its own: account0-1, account1-1, ..."""
    return "".join(
        LINK.format(
            admin_id=f"account{number}-1", smsc_id=f"account{number}", state="online 60s", queued=5, sent=number
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
