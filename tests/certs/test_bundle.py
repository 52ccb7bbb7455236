"""Key, certificate and chain in one file, judged by the openssl program."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kannelkit.certs.bundle import Input, LockedError, bundle, bundle_pkcs12
from kannelkit.certs.inspect import inspect
from kannelkit.errors import KannelkitError
from tests.certs.authority import Signed, rsa_key, signed

ROOT = signed("root", None, authority=True)
BELOW = signed("below", ROOT, authority=True)
LOWEST = signed("lowest", BELOW, authority=True)
LEAF = signed("leaf", LOWEST, rsa_key())
STRANGER = signed("stranger", None, authority=True)


def named(octets: bytes, name: str = "file.pem") -> Input:
    return Input(name, octets)


CHAINS: list[tuple[bytes, list[bytes], list[Signed]]] = [
    (LEAF.pem, [], [LEAF]),
    (LEAF.pem, [LOWEST.pem], [LEAF, LOWEST]),
    (LEAF.pem, [ROOT.pem, LOWEST.pem, BELOW.pem], [LEAF, LOWEST, BELOW, ROOT]),
    (LEAF.pem, [ROOT.pem + LOWEST.pem + BELOW.pem], [LEAF, LOWEST, BELOW, ROOT]),
    (LEAF.pem + BELOW.pem + LOWEST.pem, [], [LEAF, LOWEST, BELOW]),
    (LEAF.pem + LOWEST.pem, [LOWEST.pem, LEAF.pem, BELOW.pem], [LEAF, LOWEST, BELOW]),
    (LEAF.key_pem + LEAF.pem, [], [LEAF]),
]


@pytest.mark.parametrize(("certificate", "chain", "expected"), CHAINS)
def test_each_certificate_stands_before_its_issuer(
    certificate: bytes, chain: Sequence[bytes], expected: Sequence[Signed]
) -> None:
    pem = bundle(named(LEAF.key_pem), named(certificate), [named(each) for each in chain])
    assert pem == LEAF.key_pem + b"".join(each.pem for each in expected)
    assert inspect(pem).usable
    assert inspect(pem).in_order


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_openssl_finds_the_chain_whole_and_the_key_its_own(tmp_path: Path) -> None:
    path, root = tmp_path / "kannel.pem", tmp_path / "root.pem"
    path.write_bytes(bundle(named(LEAF.key_pem), named(LEAF.pem), [named(BELOW.pem), named(LOWEST.pem)]))
    root.write_bytes(ROOT.pem)

    def openssl(*arguments: str | Path) -> str:
        return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout

    date = ["-attime", str(int(LEAF.certificate.not_valid_before_utc.timestamp()) + 60)]
    assert openssl("verify", *date, "-CAfile", root, "-untrusted", path, path).endswith(": OK\n")
    assert openssl("pkey", "-in", path, "-pubout") == openssl("x509", "-in", path, "-pubkey", "-noout")


@pytest.mark.parametrize("passphrase", [None, b"x", "ключ".encode()])
def test_pkcs12_gives_the_same(passphrase: bytes | None) -> None:
    file = named(LEAF.pkcs12(passphrase, ROOT, BELOW, LOWEST), "kannel.p12")
    assert bundle_pkcs12(file, passphrase) == bundle(
        named(LEAF.key_pem), named(LEAF.pem), [named(LOWEST.pem), named(BELOW.pem), named(ROOT.pem)]
    )
    if passphrase:
        for wrong in (None, b"wrong"):
            with pytest.raises(LockedError, match=re.escape("kannel.p12")):
                bundle_pkcs12(file, wrong)


def test_a_locked_key_is_opened_with_its_passphrase_only() -> None:
    locked = named(LEAF.locked_key_pem(b"open sesame"), "locked.key")
    assert bundle(locked, named(LEAF.pem), passphrase=b"open sesame") == LEAF.key_pem + LEAF.pem
    for wrong in (None, b"", b"open"):
        with pytest.raises(LockedError, match=re.escape("locked.key")) as raised:
            bundle(locked, named(LEAF.pem), passphrase=wrong)
        assert raised.value.hint
    assert bundle(named(LEAF.key_pem), named(LEAF.pem), passphrase=b"not needed") == LEAF.key_pem + LEAF.pem


REFUSED: list[tuple[Callable[[], bytes], str]] = [
    (lambda: bundle(named(STRANGER.key_pem, "other.key"), named(LEAF.pem)), "other.key does not fit .* CN=leaf"),
    (lambda: bundle(named(LEAF.key_pem), named(LOWEST.pem + LEAF.pem)), "does not fit .* CN=lowest"),
    (lambda: bundle(named(LEAF.key_pem), named(LEAF.pem), [named(STRANGER.pem)]), "CN=stranger has issued none"),
    (lambda: bundle(named(LEAF.key_pem), named(LEAF.pem), [named(BELOW.pem)]), "CN=below has issued none"),
    (lambda: bundle(named(LEAF.pem, "no.key"), named(LEAF.pem)), "no.key has no private key"),
    (lambda: bundle(named(LEAF.key_pem), named(b"", "no.crt")), "no.crt has no certificate"),
    (lambda: bundle(named(LEAF.key_pem), named(LEAF.pem), [named(b"x", "no.chain")]), "no.chain has no certificate"),
    (lambda: bundle(named(LEAF.key_pem[:90] + LEAF.key_pem[95:]), named(LEAF.pem)), "key that cannot be read"),
    (lambda: bundle(named(LEAF.key_pem), named(LEAF.pem[:90] + LEAF.pem[95:])), "certificate that cannot be read"),
    (lambda: bundle_pkcs12(named(LEAF.pem, "no.p12")), "no.p12 is no PKCS#12 file"),
    (lambda: bundle_pkcs12(named(b"", "no.p12")), "no.p12 is no PKCS#12 file"),
]


@pytest.mark.parametrize(("action", "words"), REFUSED)
def test_what_does_not_belong_together_is_refused(action: Callable[[], bytes], words: str) -> None:
    with pytest.raises(KannelkitError, match=words) as raised:
        action()
    assert raised.value.hint
    assert "PRIVATE" not in str(raised.value)
