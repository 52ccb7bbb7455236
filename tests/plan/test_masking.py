"""Which values of a configuration are passwords."""

from __future__ import annotations

from kannelkit.plan.groups import groups
from kannelkit.plan.masking import secrets_in
from tests.plan.confs import USER, account, conf, group


def test_secrets_of_a_configuration_are_those_of_real_logins() -> None:
    found = secrets_in(groups(conf(account("a"), group("sendsms-user", USER))))
    assert found == {"adminpass", "app-secret", "pw-a"}
    assert secrets_in(groups(group("smsc", {"smsc-password": "parking", "host": "127.0.0.1", "port": "1"}))) == set()
