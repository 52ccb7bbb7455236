"""Who may ask: by the name that is asked for where the daemon listens on this machine alone, by a token elsewhere."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.errors import HostError, InputError
from kannelkit.health.server_access import Access
from kannelkit.host.loopback import is_loopback
from kannelkit.spec import load
from kannelkit.spec.model import Address

HERE = Address("127.0.0.1", 13080)
ELSEWHERE = Address("0.0.0.0", 13080)
TOKEN = "0123456789abcdef"


def basic(password: str, user: str = "anybody") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:13080", "127.9.9.9:1", "localhost", "LOCALHOST:80", "localhost.:80", "[::1]", "[::1]:80"],
)
def test_here_names_of_this_machine_are_answered(host: str) -> None:
    assert Access(HERE, None).refusal(host, "") is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:13080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "[::2]:1",
    ],
)
def test_here_other_names_are_not(host: str) -> None:
    refusal = Access(HERE, None).refusal(host, "")
    assert refusal is not None
    assert refusal.status == 421


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer  {TOKEN} ", basic(TOKEN), basic(TOKEN, "")])
def test_the_token_opens(authorization: str) -> None:
    assert Access(ELSEWHERE, TOKEN).refusal("any.example", authorization) is None


NOT_THE_TOKEN = [
    *("", "Bearer", "Bearer ", "Bearer 0123456789abcde", f"Bearer {TOKEN}0", "Bearer \udcff"),
    *(TOKEN, f"Digest {TOKEN}"),
    *("Basic", "Basic !", "Basic \N{SNOWMAN}", basic("x"), basic(f"{TOKEN}:")),
]


@pytest.mark.parametrize("authorization", NOT_THE_TOKEN)
def test_anything_else_does_not(authorization: str) -> None:
    refusal = Access(ELSEWHERE, TOKEN).refusal("any.example", authorization)
    assert refusal is not None
    assert refusal.status == 401
    assert refusal.challenge
    assert TOKEN not in refusal.message


@given(st.text(), st.text())
def test_nothing_that_is_sent_is_too_strange_to_be_refused(host: str, authorization: str) -> None:
    assert Access(ELSEWHERE, TOKEN).refusal(host, authorization) is not None


def test_a_token_is_asked_for_on_this_machine_too() -> None:
    access = Access(HERE, TOKEN)
    assert access.refusal("localhost", "") is not None
    assert access.refusal("localhost", f"Bearer {TOKEN}") is None
    assert access.refusal("evil.example", f"Bearer {TOKEN}") is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "gateway.example", "127.0.0.1.example"])
def test_elsewhere_there_has_to_be_a_token(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(HostError, match=r"health\.token") as refused:
        Access(Address(host, 13080), None)
    assert "127.0.0.1" in refused.value.hint


@pytest.mark.parametrize("token", ["", "abc", "0123456789abcde", "0123456789abcdeé", "0123456789\n0123456789"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_none(token: str) -> None:
    with pytest.raises(HostError, match=r"health\.token") as refused:
        Access(ELSEWHERE, token)
    assert not token or token not in str(refused.value)


SPEC = "smsc:\n- {provider: smsc.ru, smsc-username: login, smsc-password: secret}\nhealth:\n  listen: 0.0.0.0:13080\n"


def test_the_spec_says_token_and_certificate(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    path.write_text(f"{SPEC}  token: {{file: token}}\n  certificate: health.pem\n")
    spec = load(path, {})
    assert spec.health_token is not None
    assert spec.health_token.text == TOKEN
    assert TOKEN in spec.secrets()
    assert TOKEN not in repr(spec)
    assert spec.health_certificate == tmp_path / "health.pem"


@pytest.mark.parametrize("token", ["", '""', "[a, b]", "{env: NO_SUCH}", "{file: no-such}", "{other: x}"])
def test_a_token_that_is_not_there_is_found(tmp_path: Path, token: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"{SPEC}  token: {token}\n")
    with pytest.raises(InputError) as refused:
        load(path, {})
    assert [finding.place.line for finding in refused.value.findings] == [5]
