"""Every fact about a provider has a grade, and is one that an account can take."""

from __future__ import annotations

import pytest

from kannelkit.conf import GROUPS
from kannelkit.conf.values import fault
from kannelkit.providers import PROFILES, Limits

BRANDS = [
    ("smsc.ru", "smpp.m.smsc.ru", "smpp2.m.smsc.ru"),
    ("smscentre.com", "smpp.smscentre.com", "smpp2.smscentre.com"),
    ("smsc.ua", "smpp.smsc.ua", "smpp2.smsc.ua"),
    ("smsc.kz", "smpp.smsc.kz", ""),
    ("generic", "", ""),
]


@pytest.mark.parametrize(("name", "host", "backup"), BRANDS)
def test_hosts(name: str, host: str, backup: str) -> None:
    assert (PROFILES[name].host, PROFILES[name].backup_host) == (host, backup)


def test_no_brand_is_left_out_of_the_test() -> None:
    assert set(PROFILES) == {name for name, _, _ in BRANDS}


@pytest.mark.parametrize("name", PROFILES)
def test_settings_are_values_that_kannel_takes(name: str) -> None:
    for setting in PROFILES[name].settings:
        directive = GROUPS["smsc"].directives[setting.directive]
        assert fault(directive, setting.value) is None
        assert setting.tls_value is None or fault(directive, setting.tls_value) is None
        assert setting.grade in ("A", "B", "C")
        assert setting.about


def test_the_sample_of_smsc_ru() -> None:
    settings = {setting.directive: setting.value for setting in PROFILES["smsc.ru"].settings}
    assert settings == {
        "smsc": "smpp",
        "port": "3700",
        "interface-version": "34",
        "source-addr-autodetect": "true",
        "source-addr-ton": "5",
        "source-addr-npi": "1",
        "dest-addr-ton": "1",
        "dest-addr-npi": "1",
        "validityperiod": "1440",
        "transceiver-mode": "true",
        "receive-port": "0",
        "enquire-link-interval": "60",
        "wait-ack-expire": "0",
        "max-pending-submits": "300",
        "throughput": "30",
        "system-type": "",
    }
    assert PROFILES["smsc.ru"].most_connections == 9
    assert PROFILES["smsc.ru"].connections_flag == "MCON{n}"


def test_a_window_for_mass_mailings_is_told() -> None:
    (window,) = [each for each in PROFILES["smsc.ru"].settings if each.directive == "max-pending-submits"]
    assert "1000 to 2000 for mass mailings" in window.about


def test_what_smsc_ru_allows() -> None:
    for name in ("smsc.ru", "smscentre.com", "smsc.ua", "smsc.kz"):
        limits = PROFILES[name].limits
        facts = (limits.throughput, limits.idle, limits.connections, limits.closes_older)
        assert [fact and (fact.value, fact.grade) for fact in facts] == [(30, "A"), (120, "A"), (1, "A"), (True, "A")]


def test_nothing_is_known_about_any_provider() -> None:
    assert PROFILES["generic"].limits == Limits()


def test_smsc_ru_is_known_by_all_its_hosts() -> None:
    assert PROFILES["smsc.ru"].hosts == ("smpp.m.smsc.ru", "smpp2.m.smsc.ru", "smpp.smsc.ru", "smpp2.smsc.ru")
