"""Every fact about a provider has a grade, and is one that an account can take."""

from __future__ import annotations

import pytest

from kannelkit.conf import GROUPS
from kannelkit.conf.values import fault
from kannelkit.providers import PROFILES
from kannelkit.providers.profile import profiles

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


WITHOUT_GRADE = [
    '[[brand]]\nname = "x"\nhost = "h"\n',
    '[[brand]]\nname = "x"\ngrade = "A"\n[[setting]]\ndirective = "port"\nvalue = "1"\nabout = ""\n',
    '[[brand]]\nname = "x"\ngrade = "A"\n[connections]\nflag = "N{n}"\n',
    '[[brand]]\nname = "x"\ngrade = "A"\n[[flag]]\nname = "ISO"\nabout = ""\n',
]


@pytest.mark.parametrize("text", WITHOUT_GRADE)
def test_a_fact_without_a_grade_is_refused(text: str) -> None:
    with pytest.raises(KeyError, match="grade"):
        list(profiles(text))


@pytest.mark.parametrize(("grade", "directive"), [("D", "port"), ("A", "prot")])
def test_a_strange_grade_or_directive_is_refused(grade: str, directive: str) -> None:
    setting = f'[[setting]]\ndirective = "{directive}"\nvalue = "1"\nabout = ""\ngrade = "{grade}"\n'
    with pytest.raises(ValueError, match="no such"):
        list(profiles(f'[[brand]]\nname = "x"\ngrade = "A"\n{setting}'))
