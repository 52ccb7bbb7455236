"""What is masked: values of secret directives whole, others where they hold a known secret."""

from __future__ import annotations

import pytest

from kannelkit.conf.masking import Masking, is_secret

SECRET = {("core", "admin-password"): True, ("core", "admin-port"): False, ("smsc", "smsc-password"): True,
          ("nothing", "own-password"): True, ("smsc", "unheard-of"): False}  # fmt: skip


@pytest.mark.parametrize(("where", "hidden"), SECRET.items())
def test_secret_by_the_table_or_else_by_its_name(where: tuple[str, str], hidden: bool) -> None:
    assert is_secret(*where) is hidden


TEXTS = [
    ("http://h/?p=top/secret", "http://h/?p=***"),
    ("http://h/?p=top%2Fsecret&q=top/secret", "http://h/?p=***&q=***"),
    ("http://h/?p=top+secret%21", "http://h/?p=***"),
    ("a longer one: top/secret-and-more", "a longer one: ***"),
    ("abc", "abc"),  # too short to be masked everywhere
]


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_known_secrets_in_other_values(text: str, shown: str) -> None:
    assert Masking(["top/secret", "top/secret-and-more", "top secret!", "abc"]).text(text) == shown


def test_values() -> None:
    masking = Masking(["app-secret"])
    assert masking.value("sendsms-user", "password", "x") == "***"
    assert masking.value("sendsms-user", "dlr-url", "http://h/app-secret") == "http://h/***"
    assert masking.value("sendsms-user", "dlr-url", None) is None
    assert repr(masking) == "Masking(***)"


def test_no_secrets_mask_nothing() -> None:
    assert Masking([]).text("anything") == "anything"
