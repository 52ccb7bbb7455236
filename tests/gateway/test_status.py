"""parse_status against what bearerbox prints, and against what it could be made to print."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.errors import GatewayError
from kannelkit.gateway.status import MOST_OCTETS, parse_status

REAL = (Path(__file__).parent / "status.xml").read_bytes()  # from bearerbox 1.4.5, one link online, one smsbox


@dataclass
class Link:
    """What goes into one link's part of status.xml."""

    name: bytes = b"SMPP:127.0.0.1:3700/3700:login:ISO"
    admin_id: bytes = b"smscru-1"
    smsc_id: bytes = b"smscru"
    status: bytes = b"online 4s"
    failed: int = 1
    queued: int = 2
    sms: tuple[int, int] = (3, 4)  # received, sent
    dlr: tuple[int, int] = (5, 6)

    def print(self) -> bytes:
        """Return it as smsc2_status of gw/bb_smscconn.c lays it out."""
        rates = b"<inbound>0.00,0.00,0.00</inbound>\n\t\t\t<outbound>0.10,20.00,0.33</outbound>\n\t\t"
        return (
            b"<smsc>\n\t\t<name>%b</name>\n\t\t<admin-id>%b</admin-id>\n\t\t<id>%b</id>\n\t\t"
            b"<status>%b</status>\n\t\t<failed>%d</failed>\n\t\t<queued>%d</queued>\n\t\t"
            b"<sms>\n\t\t\t<received>%d</received>\n\t\t\t<sent>%d</sent>\n\t\t\t%b</sms>\n\t\t"
            b"<dlr>\n\t\t\t<received>%d</received>\n\t\t\t<sent>%d</sent>\n\t\t\t%b</dlr>\n\t</smsc>\n"
        ) % (
            *(self.name, self.admin_id, self.smsc_id, self.status, self.failed, self.queued),
            *(*self.sms, rates, *self.dlr, rates),
        )


def box(id_: bytes = b"box", queue: int = 0, status: bytes = b"on-line 0d 1h 2m 3s") -> bytes:
    return (
        b"<box>\n\t\t<type>smsbox</type>\n\t\t<id>%b</id>\n\t\t<IP>127.0.0.1</IP>\n\t\t<queue>%d</queue>\n\t\t"
        b"<status>%b</status>\n\t\t<ssl>no</ssl>\n\t</box>"
    ) % (id_, queue, status)


WAPBOX = (
    b"<box>\n\t\t<type>wapbox</type>\n\t\t<IP>10.0.0.1</IP>\n\t\t<status>on-line 1d 0h 0m 0s</status>\n"
    b"\t\t<ssl>yes</ssl>\n\t</box>\n"
)


def gateway(
    *links: Link,
    boxes: bytes = b"",
    state: bytes = b"running",
    queued: tuple[int, int] = (0, 0),  # in, out
    store: int = 0,
    dlr_waiting: int = 0,
    smscs: bytes | None = None,
) -> bytes:
    """Return a whole status.xml as bb_print_status of gw/bearerbox.c lays it out."""
    head = (
        b"<?xml version=\"1.0\"?>\n<gateway>\n<version>Kannel bearerbox version `1.4.5'.\nCompiler `12'.\n</version>\n"
        b"<status>%b, uptime 1d 2h 3m 4s</status>\n"
        b"\t<wdp>\n\t\t<received><total>0</total><queued>0</queued></received>\n"
        b"\t\t<sent><total>0</total><queued>0</queued></sent>\n\t</wdp>\n"
        b"\t<sms>\n\t\t<received><total>7</total><queued>%d</queued></received>\n"
        b"\t\t<sent><total>8</total><queued>%d</queued></sent>\n\t\t<storesize>%d</storesize>\n\t\t"
        b"<inbound>0.00,0.00,0.00</inbound>\n\t\t<outbound>0.00,0.00,0.00</outbound>\n\t\t</sms>\n"
        b"\t<dlr>\n\t\t<received><total>9</total></received>\n\t\t<sent><total>10</total></sent>\n\t\t"
        b"<inbound>0.00,0.00,0.00</inbound>\n\t\t<outbound>0.00,0.00,0.00</outbound>\n\t\t"
        b"<queued>%d</queued>\n\t\t<storage>internal</storage>\n\t</dlr>\n"
    ) % (state, *queued, store, dlr_waiting)
    if smscs is None:
        smscs = b"<smscs><count>%d</count>\n\t" % len(links) + b"".join(link.print() for link in links)
        smscs += b"</smscs>\n"
    return head + b"<boxes>\n\t" + boxes + b"</boxes>\n" + smscs + b"</gateway>\n"


def test_what_a_real_bearerbox_printed() -> None:
    status = parse_status(REAL)
    assert status.version.startswith("Kannel bearerbox version `1.4.5'.")
    assert (status.state, status.dlr_storage) == ("running", "spool")
    assert [link.admin_id for link in status.links] == ["acc-1", "acc-park"]
    assert [link.name for link in status.links] == [
        """SMPP:127.0.0.1:3700/3700:a&b<c:I<&'\"""",
        "SMPP:127.0.0.1:1/1:a&b<c:I<&'\"",
    ]
    assert [box.type for box in status.boxes] == ["smsbox"]
    assert status.in_flight == 0


def test_every_number_is_in_its_place() -> None:
    text = gateway(Link(), boxes=box(queue=3) + WAPBOX, queued=(11, 12), store=40, dlr_waiting=13)
    status = parse_status(text)
    assert status.uptime_seconds == ((24 + 2) * 60 + 3) * 60 + 4
    assert (status.sms_received_total, status.sms_queued_in) == (7, 11)
    assert (status.sms_sent_total, status.sms_queued_out, status.store_size) == (8, 12, 40)
    assert (status.dlr_received_total, status.dlr_sent_total, status.dlr_waiting) == (9, 10, 13)
    (link,) = status.links
    assert (link.state, link.seconds, link.online, link.failed, link.queued) == ("online", 4, True, 1, 2)
    assert (link.sms_received, link.sms_sent, link.dlr_received, link.dlr_sent) == (3, 4, 5, 6)
    smsbox, wapbox = status.boxes
    assert (smsbox.type, smsbox.id, smsbox.queue, smsbox.seconds) == ("smsbox", "box", 3, 3723)
    assert (wapbox.type, wapbox.id, wapbox.queue, wapbox.seconds) == ("wapbox", "", None, 86400)
    assert (smsbox.tls, wapbox.tls, wapbox.address) == (False, True, "10.0.0.1")
    assert status.in_flight == 40 - 11 - 12 - 3 - 2


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (b"running", "running"),
        (b"suspended", "suspended"),
        (b"isolated", "isolated"),
        (b"filled", "full"),
        (b"going down", "shutting down"),
    ],
)
def test_the_gateways_states(words: bytes, state: str) -> None:
    assert parse_status(gateway(state=words)).state == state


@pytest.mark.parametrize(
    ("words", "state", "seconds"),
    [
        (b"online 86400s", "online", 86400),
        (b"online -1s", "online", None),  # the clock was set back
        (b"disconnected", "disconnected", None),
        (b"connecting", "connecting", None),
        (b"re-connecting", "re-connecting", None),
        (b"dead", "dead", None),
        (b"unknown", "unknown", None),
    ],
)
def test_a_links_states(words: bytes, state: str, seconds: int | None) -> None:
    (link,) = parse_status(gateway(Link(status=words))).links
    assert (link.state, link.seconds) == (state, seconds)


def test_without_a_store_nothing_is_known_about_what_is_in_flight() -> None:
    status = parse_status(gateway(store=-1, dlr_waiting=-1))
    assert (status.store_size, status.in_flight, status.dlr_waiting) == (None, None, None)


def test_a_kind_of_link_that_cannot_count_its_queue_has_none() -> None:
    assert parse_status(gateway(Link(queued=-1), store=5)).in_flight == 5


def test_a_gateway_that_has_no_links_yet() -> None:
    assert parse_status(gateway(smscs=b"<smscs>\n\t<count>0</count>\n</smscs>")).links == ()


def test_links_with_one_admin_id_are_all_there() -> None:
    status = parse_status(gateway(Link(queued=1), Link(admin_id=b"b"), Link(queued=3)))
    assert [link.queued for link in status.links_of("smscru-1")] == [1, 3]
    assert status.links_of("c") == ()


NAMES = st.binary(max_size=60).map(lambda octets: octets.replace(b"\n", b"?")) | st.sampled_from(
    [
        b"&amp;",
        b"a&b<c>\"d'",
        b"</name>",
        b"</name><admin-id>other</admin-id>",
        b"<smsc>",
        b"</smsc></smscs></gateway>",
        b"<smscs><count>0</count>",
        b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
        "логин".encode("cp1251"),
        "логин".encode(),
        b"\x1b[2J",
        b"%s%n",
    ]
)


@given(st.lists(st.builds(Link, name=NAMES, admin_id=NAMES, smsc_id=NAMES), max_size=5))
def test_no_name_hides_or_makes_a_link_or_moves_a_number(links: list[Link]) -> None:
    read = parse_status(gateway(*links, store=100))
    assert len(read.links) == len(links)
    for link, was in zip(read.links, links, strict=True):
        assert (link.failed, link.queued, link.sms_sent, link.dlr_sent) == (1, 2, 4, 6)
        assert (link.name + link.admin_id + link.smsc_id).isprintable()
        text = was.admin_id.decode("utf-8", "replace")
        if text.isprintable() and "\ufffd" not in text:
            assert link.admin_id == text
    assert read.in_flight == 100 - 2 * len(links)


@pytest.mark.parametrize(
    "box_id",
    [
        b"x</id>\n\t</box></boxes>\n<smscs><count>1</count>\n\t" + Link(admin_id=b"forged").print() + b"</smscs>",
        b"x</id>\n\t</box></boxes>\n" + gateway(Link(admin_id=b"forged")),
        b"\n" + Link(admin_id=b"forged").print(),
    ],
)
def test_a_box_cannot_pretend_to_be_a_link(box_id: bytes) -> None:
    status = parse_status(gateway(Link(), boxes=box(box_id)))
    assert [link.admin_id for link in status.links] == ["smscru-1"]
    assert status.state == "running"


WHOLE = gateway(Link(), Link(admin_id=b"b"), boxes=box())


@given(st.integers(0, len(WHOLE) - 1))
def test_cut_text_is_an_error(length: int) -> None:
    with pytest.raises(GatewayError):
        parse_status(WHOLE[:length])


@given(st.integers(0, len(WHOLE)), st.binary(max_size=30), st.integers(0, 40))
def test_changed_text_is_an_error_or_a_status(at: int, new: bytes, skip: int) -> None:
    text = WHOLE[:at] + new + WHOLE[at + skip :]
    try:
        status = parse_status(text)
    except GatewayError:
        return
    assert status.sms_queued_out >= 0
    assert all(link.queued >= 0 for link in status.links)


@given(st.binary(max_size=200))
def test_what_is_not_from_bearerbox_is_an_error(octets: bytes) -> None:
    with pytest.raises(GatewayError):
        parse_status(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html><body>nginx</body></html>",
        b'<?xml version="1.0"?>\n<gateway>\n</gateway>\n',
        WHOLE.replace(b"<queued>2</queued>", b"<queued>two</queued>"),
        WHOLE.replace(b"<queued>2</queued>", b"<queued>" + b"9" * 5000 + b"</queued>"),
        WHOLE.replace(b"<admin-id>b</admin-id>", b""),
        WHOLE.replace(b"<storesize>0", b"<storesize>" + b"9" * 5000),
    ],
)
def test_a_status_with_a_hole_is_an_error_and_no_smaller_status(octets: bytes) -> None:
    with pytest.raises(GatewayError):
        parse_status(octets)


def test_a_wrong_password_is_said() -> None:
    with pytest.raises(GatewayError, match="password"):
        parse_status(b'<?xml version="1.0"?>\n<gateway>\nDenied</gateway>\n')


def test_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(GatewayError, match="octets"):
        parse_status(gateway(boxes=b" " * MOST_OCTETS))


@pytest.mark.parametrize(
    "piece",
    [
        b"<smsc>\n",
        b"<smsc>\n<name>",
        b"<smscs><count>1</count>\n",
        b"<smscs> ",
        b"<box>\n<type>smsbox</type>\n<id>",
        b"<version></version><status>running, uptime 0d 0h 0m 0s</status><wdp>",
        b"<gateway>\n",
        b" ",
        b"<",
    ],
)
def test_no_repetition_makes_reading_long(piece: bytes) -> None:
    # half a megabyte; a reader that is quadratic in any of these needs minutes, and the suite would be seen to hang
    many = piece * (500_000 // len(piece))
    for text in (gateway(boxes=many), gateway(smscs=many), gateway(Link(name=many.replace(b"\n", b" ")))):
        with suppress(GatewayError):
            parse_status(text)
