"""Whether a bind of doctor's own could close one that carries messages."""

from __future__ import annotations

import pytest

from kannelkit.doctor.live import allowed, endangered
from kannelkit.render import accounts
from kannelkit.spec import Spec
from kannelkit.supervise.overview import BoxProcess, Readings, overview
from kannelkit.supervise.views import Overview
from tests.doctor.specs import spec
from tests.supervise.played import link, status

RUNNING = {"bearerbox": BoxProcess(12, 900.0), "smsbox": BoxProcess(13, 901.0)}
ONE = spec("{smsc-id: acc, provider: smsc.ru, backup-host: b.example, smsc-username: login, smsc-password: secret}")
SPARE = spec("{smsc-id: acc, provider: smsc.ru, smsc-username: login, smsc-password: secret, system-type: MCON2}")
FULL = spec("{smsc-id: acc, provider: smsc.ru, smsc-username: login, smsc-password: secret, connections: 2}")
ELSEWHERE = spec("{smsc-id: acc, host: h.example, smsc-username: login, smsc-password: secret, system-type: MCON2}")
BOUND = "the gateway runs, with 1 of this login's links bound"
AT_ANY_MOMENT = "the gateway runs, and may bind with this login at any moment"
STILL = Readings(at=1000.0, refused=True)


def seen(of: Spec, *states: str) -> Overview:
    """Return a gateway whose links, but for the parking link, are in these states."""
    ids = [each.admin_id for each in accounts(of)[0].links if each.role != "park"]
    links = [link(name, state) for name, state in zip(ids, states, strict=True)]
    return overview(accounts(of), Readings(at=1000.0, status=status(*links), supervisor=11, processes=RUNNING))


def still(of: Spec) -> Overview:
    return overview(accounts(of), STILL)


def silent(of: Spec) -> Overview:
    return overview(accounts(of), Readings(at=1000.0, supervisor=11, processes=RUNNING))


@pytest.mark.parametrize(
    ("of", "gateway", "connected", "why"),
    [
        (ONE, still(ONE), "", ""),
        (ONE, still(ONE), "bearerbox (pid 7)", "bearerbox (pid 7) has a connection to the provider"),
        (ONE, None, "", "it is not known whether the gateway runs"),
        (ONE, seen(ONE, "online", "dead"), "", BOUND),
        (ONE, seen(ONE, "re-connecting", "dead"), "", AT_ANY_MOMENT),
        (ONE, seen(ONE, "dead", "dead"), "", ""),
        (ONE, silent(ONE), "", AT_ANY_MOMENT),
        (SPARE, seen(SPARE, "online", "dead"), "bearerbox (pid 7)", ""),
        (
            FULL,
            seen(FULL, "online", "connecting", "dead", "dead"),
            "",
            BOUND,
        ),
        # what the flag means there is not known
        (ELSEWHERE, seen(ELSEWHERE, "online"), "", BOUND),
    ],
)
def test_when_a_bind_is_left_out(of: Spec, gateway: Overview | None, connected: str, why: str) -> None:
    (account,) = of.smpp_accounts
    assert endangered(account, [account], gateway, connected) == why


def test_accounts_of_one_login_share_what_the_flag_allows() -> None:
    account, other = spec(
        "{smsc-id: acc, provider: smsc.ru, smsc-username: login, smsc-password: secret, system-type: MCON2}",
        "{smsc-id: two, provider: smsc.ru, smsc-username: login, smsc-password: secret, system-type: MCON2}",
    ).smpp_accounts
    gateway = seen(SPARE, "online", "dead")
    assert endangered(account, [account, account], gateway, "") == ""  # one account at both of its hosts
    assert endangered(account, [account, other], gateway, "") != ""


@pytest.mark.parametrize(("of", "binds"), [(ONE, 0), (SPARE, 2), (FULL, 2), (ELSEWHERE, 0)])
def test_what_a_flag_allows(of: Spec, binds: int) -> None:
    assert allowed(of.smpp_accounts[0]) == binds
