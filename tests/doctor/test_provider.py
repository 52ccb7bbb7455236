"""A provider's hosts as they were found, and what is said of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.doctor.hints import hints
from kannelkit.doctor.provider import Bind, Names, bound, connect, dns, no_tls
from kannelkit.host.bind import Answer
from kannelkit.host.reach import Address, Visit

HOST = "smpp.example.net"
ADDRESS = Address(HOST, 3700)
OPEN = Visit(source="192.0.2.9")
BIND = Bind("main", "primary", ADDRESS, "transmitter", 0x34, "smsc.ru")


@pytest.mark.parametrize(
    ("names", "status", "words"),
    [
        (Names(("192.0.2.1",)), "ok", "192.0.2.1"),
        (Names(("192.0.2.1",), ("2001:db8::1",)), "ok", "Kannel never uses"),
        (Names(tuple(f"192.0.2.{n}" for n in range(9))), "ok", "and 5 more"),
        (Names(ipv6=("2001:db8::1",), why="no IPv4 address"), "failed", "IPv4 alone"),
        (Names(why="no name server answers"), "failed", "no name server answers"),
        (Names(), "failed", "not known"),
    ],
)
def test_names(names: Names, status: str, words: str) -> None:
    result = dns(HOST, names)
    assert result.status == status
    assert words in result.summary
    assert bool(result.advice) == (status != "ok")


def test_a_host_that_is_an_address() -> None:
    assert dns("192.0.2.1", Names(("192.0.2.1",))).summary == "192.0.2.1 is an address"


@pytest.mark.parametrize(
    ("visits", "status", "words"),
    [
        ({"192.0.2.1": OPEN}, "ok", "from 192.0.2.9"),
        ({"192.0.2.1": OPEN, "192.0.2.2": Visit("refused", "Connection refused")}, "warning", "192.0.2.2"),
        ({"192.0.2.1": Visit("refused", "Connection refused")}, "failed", "refused"),
        ({"192.0.2.1": Visit("silent", "no connection within 5 s")}, "failed", "within 5 s"),
        ({"192.0.2.1": Visit("closed", "the connection is closed at once")}, "failed", "closed at once"),
        ({"192.0.2.1": Visit("source", "Cannot assign requested address")}, "failed", "Cannot assign"),
        ({"192.0.2.1": Visit("other", "No route to host")}, "failed", "No route"),
    ],
)
def test_connections(visits: dict[str, Visit], status: str, words: str) -> None:
    result = connect(ADDRESS, visits, "smsc.ru")
    assert result.status == status
    assert words in result.summary
    assert bool(result.advice) == (status != "ok")
    assert ("3443" in " ".join(result.details)) == (status == "failed")


def test_the_address_that_it_comes_from_is_named() -> None:
    refused = connect(Address(HOST, 3700, source="192.0.2.7"), {"192.0.2.1": Visit("source", "Cannot assign")})
    assert "192.0.2.7" in refused.summary
    assert "our-host" in refused.advice


def test_a_command_to_copy_is_quoted() -> None:
    assert dns("no such; host", Names()).advice.endswith("getent ahosts 'no such; host'")


def test_tls_that_is_not_there_and_tls_that_ends() -> None:
    none = no_tls(ADDRESS, Visit("tls", "no TLS: wrong version number"), "smsc.ru")
    ended = no_tls(ADDRESS, Visit("tls", "no TLS: certificate required", tls="TLSv1.3"), "smsc.ru")
    assert (none.status, ended.status) == ("failed", "failed")
    assert "3443" in none.details[0]
    assert "ssl-client-certkey-file" in ended.advice
    assert ended.details == ()


@pytest.mark.parametrize(
    ("answer", "status", "words", "advice"),
    [
        (Answer(0, system_id="SMSC", interface_version=0x34), "ok", "bound as transmitter, SMSC 'SMSC', SMPP 3.4", ""),
        (Answer(0, interface_version=0x50), "ok", "SMPP 5.0", ""),
        (Answer(0), "ok", "SMPP version not told", ""),
        (Answer(0, interface_version=0x33), "warning", "SMPP 3.3", "interface-version: 33"),
        (Answer(0x0E), "failed", "0x0e ESME_RINVPASWD: wrong password", "smsc-password"),
        (Answer(0x0D), "failed", "0x0d ESME_RBINDFAIL: bind failed", "address"),
        (Answer(0x05), "failed", "0x05 ESME_RALYBND: already bound", "somebody else"),
        (Answer(0x4A1), "failed", "0x4a1 vendor status", "ask the provider"),
        (Answer(None, "no answer within 5 s"), "failed", "no answer within 5 s", "port for SMPP"),
        (Answer(None, "the answer is an alert of TLS", tls=True), "failed", "alert", "use-ssl: true"),
    ],
)
def test_answers_to_a_bind(answer: Answer, status: str, words: str, advice: str) -> None:
    result = bound(BIND, answer)
    assert result.status == status
    assert words in result.summary
    assert advice in result.advice
    assert (result.account, result.host) == ("main", HOST)


@pytest.mark.parametrize(("status", "page"), [(0x0E, "Пароли для доступа"), (0x0D, "Настройки API")])
def test_what_smsc_ru_says_about_a_refusal_comes_first(status: int, page: str) -> None:
    assert page in bound(BIND, Answer(status)).details[0]


def test_of_an_unknown_provider_nothing_is_said() -> None:
    assert hints("", "password") == hints("generic", "refused") == ()
    assert "smsc.ru" not in " ".join(hints("smsc.kz", "no-address"))


@given(st.integers(0, 0xFFFFFFFF), st.none() | st.integers(0, 255), st.text(" ~", max_size=16))
def test_every_answer_has_words(status: int, version: int | None, system_id: str) -> None:
    result = bound(BIND, Answer(status, system_id=system_id, interface_version=version))
    assert (result.status == "failed") == (status != 0)
    assert result.status == "ok" or result.advice
