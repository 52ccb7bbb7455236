"""`kannelkit dlr`: receipts in words, from arguments, from the standard input; what it refuses, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.cli.dlr import joined, language, receipt_in
from kannelkit.cli.dlr_follow import tlv_forms
from kannelkit.cli.dlr_told import date_words, of_entry, of_text
from kannelkit.cli.main import group
from kannelkit.gateway.accesslog import read_line
from kannelkit.spec import load

RECEIPT = "id:854019 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000"
HLR = (
    "id:855469 stat:DELIVRD err:000 imsi:250023012345678 msc:79232510066 mcc:250 mnc:02 cn:Russian+Federation "
    "net:MegaFON+open+Joint+Stock+Company rcn: rnet:"
)
REFUSAL = "NACK/0x00000045/Submit failed"
LINE = (
    "2026-11-23 02:31:35 {verb} [SMSC:acc] [SVC:app] [ACT:] [BINF:] [FID:{id}] [META:{meta}] [from:shop] "
    "[to:79991234567] [flags:-1:0:-1:-1:{mask}] [msg:5:{text}] [udh:0:]\n"
)


def line(
    verb: str = "Receive DLR", *, message_id: str = "7", mask: int = 1, text: str = RECEIPT, meta: str = ""
) -> str:
    return LINE.format(verb=verb, id=message_id, mask=mask, text=text, meta=meta)


def run(*arguments: str | Path, stdin: str | bytes = "", lang: str = "en_GB.UTF-8") -> Result:
    environment = {"LC_ALL": None, "LC_MESSAGES": None, "LANG": lang}
    result = CliRunner().invoke(group, ["dlr", *map(str, arguments)], input=stdin, env=environment)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def told(*arguments: str, stdin: str | bytes = "") -> list[dict[str, Any]]:
    result = run("--json", *arguments, stdin=stdin)
    assert result.exit_code == 0
    return [json.loads(each) for each in result.stdout.splitlines()]


# -- words -------------------------------------------------------------------------------------------------------------

WORDS = [
    (
        RECEIPT,
        "en",
        ["delivered", "DELIVRD", "0: no error", "2011-08-20 22:41 (the time zone", "854019"],
    ),
    (RECEIPT, "ru", ["доставлено", "нет ошибки", "часовой пояс не указан"]),
    (RECEIPT.replace("DELIVRD err:000", "UNDELIV err:220"), "en", ["undeliverable: ", "queue", "(220)", "220: "]),
    (RECEIPT.replace("1108202241", "9999999999"), "en", ["done       9999999999"]),
    (HLR, "en", ["HLR request", "250023012345678", "02", "MegaFON open Joint Stock Company", "country when roaming"]),
    (HLR, "ru", ["HLR-запрос", "страна регистрации", "Russian Federation"]),
    (f"{RECEIPT} colour:green", "en", ["colour (unknown)", "green"]),
    ("id:1 stat:NEWWORD err:777", "en", ["NEWWORD: an error whose meaning is not known (777)", "777: "]),
    ("id:1 stat:UNDELIV err:2", "en", ["of an e-mail it would be: "]),
    ("240", "en", ["(not from the provider's own pages)"]),
    ("err:6", "en", ["6: the handset is off"]),
    ("undeliv", "en", ["UNDELIV: undeliverable"]),
    ("ACK/", "en", ["accepted by the SMSC"]),
    (REFUSAL, "en", ["refused by the SMSC: submit_sm", "0x00000045 ESME_RSUBMITFAIL", "Perhaps it was delivered"]),
    (REFUSAL, "ru", ["SMS-центр отказался принять", "Возможно, сообщение всё же доставлено"]),
    ("NACK/0x00000401/?", "en", ["vendor status 0x00000401", "Perhaps it was delivered"]),
    ("NACK/", "en", ["not sent by Kannel: a part of a long message failed"]),
    ("NACK/no SMSC", "en", ["not sent by Kannel: no link takes it"]),
    ("NACK/validity expired", "ru", ["Kannel не отправил: срок действия истёк"]),
    ("NACK/something new", "en", ["not sent by Kannel: something new"]),
    ("id%3A854019+sub%3A001+stat%3AUNDELIV+err%3A006", "en", ["undeliverable: the handset is off", "854019"]),
    ("/dlr?type=16&answer=NACK%2F0x00000045%2FSubmit+failed&to=7", "en", ["refused by the SMSC"]),
    ("2026-11-23 02:31:39 acc [2] |" + RECEIPT, "en", ["854019", "delivered"]),
    (line(text=RECEIPT), "en", ["delivered"]),
]


@pytest.mark.parametrize(("text", "lang", "words"), WORDS)
def test_what_a_text_says(text: str, lang: str, words: list[str]) -> None:
    result = run("--lang", lang, text)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [word for word in words if word not in result.stdout] == []


def test_a_status_that_names_another_fault_is_no_repeat() -> None:
    (answer,) = told("NACK/0x0000000b/Invalid Dest Addr")
    assert (answer["perhaps_a_repeat"], answer["notes"]) == (False, [])
    assert answer["meaning"] == "invalid destination address"


def test_programs_get_every_part() -> None:
    (answer,) = told(f"{HLR} foo:bar")
    assert {name: answer[name] for name in ("by", "id", "state", "err", "kind", "hlr", "unknown")} == {
        "by": "provider",
        "id": "855469",
        "state": "DELIVRD",
        "err": 0,
        "kind": "hlr",
        "hlr": {
            "imsi": "250023012345678",
            "msc": "79232510066",
            "mcc": "250",
            "mnc": "02",
            "country": "Russian Federation",
            "network": "MegaFON open Joint Stock Company",
            "roaming_country": "",
            "roaming_network": "",
        },
        "unknown": [{"name": "foo", "value": "bar"}],
    }


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("261123023100000+", "2026-11-23 02:31:00 UTC+00:00"),
        ("261123023105012+", "2026-11-23 02:31:05 UTC+03:00"),
        ("261123023105006-", "2026-11-23 02:31:05 UTC-01:30"),
        ("2611230231", "2026-11-23 02:31 (the time zone is not stated)"),
        ("261123023159", "2026-11-23 02:31 (the time zone is not stated)"),
        ("2613230231", "2613230231"),
        ("٢٦١١٢٣٠٢٣١", "٢٦١١٢٣٠٢٣١"),
        ("", ""),
    ],
)
def test_dates(date: str, words: str) -> None:
    assert date_words(date, "en") == words


@pytest.mark.parametrize(
    ("variables", "lang"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "", "LC_ALL": ""}, "en"),
    ],
)
def test_the_language_is_that_of_the_environment(
    variables: dict[str, str], lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == lang


# -- texts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        [RECEIPT, HLR],
        [RECEIPT],
        ["220", "UNDELIV", REFUSAL],
        [REFUSAL, "220"],
        [RECEIPT, REFUSAL, RECEIPT],
        ["220", RECEIPT, "6"],
    ],
)
def test_words_that_nobody_quoted_are_put_together(texts: list[str]) -> None:
    words = [word.encode() for text in texts for word in text.split()]
    assert joined(words) == [text.encode() for text in texts]
    assert joined([text.encode() for text in texts]) == [text.encode() for text in texts]


def test_an_unquoted_line_of_the_log() -> None:
    words = line().strip().encode().split()
    assert receipt_in(joined(words)[0]) == receipt_in(b" ".join(words))
    assert run(*line().split()).stdout == run(line()).stdout


def test_what_is_no_receipt_is_said() -> None:
    result = run(RECEIPT, "no\x1b[2J receipt", line("Sent SMS"))
    assert result.exit_code == 1
    assert "no receipt: no\\x1b[2J receipt" in result.stderr
    assert "no receipt but 'Sent SMS'" in result.stderr
    assert "delivered" in result.stdout


def test_a_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").touch()
    result = run(tmp_path / "gateway.yaml")
    assert result.exit_code == 1
    assert "kannelkit dlr - < FILE" in result.stderr


def test_lines_of_the_standard_input() -> None:
    answers = told("-", stdin=f"{RECEIPT}\r\n\n{REFUSAL}\n6\n")
    assert [answer["by"] for answer in answers] == ["provider", "kannel", "provider"]


def test_one_of_many_leaves_out_what_is_empty() -> None:
    stdout = run("-", stdin=HLR).stdout
    assert "operator of registration: MegaFON open Joint Stock Company" in stdout
    assert "roaming" not in stdout


def test_a_line_that_is_no_receipt_is_named() -> None:
    result = run("-", stdin=f"{RECEIPT}\nfoo\n{RECEIPT}\nbar\n")
    assert (result.exit_code, result.stderr) == (1, "no receipt in lines 2, 4\n")
    assert result.stdout.count("delivered") == 2


def test_a_log_has_other_lines_as_well() -> None:
    log = "2026-11-23 02:31:34 Log begins\n" + line("Sent SMS", text="hello") + line("Receive SMS", text="hi") + line()
    (answer,) = told("-", stdin=log)
    assert answer["log"] == {
        "time": "2026-11-23 02:31:35",
        "verb": "Receive DLR",
        "smsc-id": "acc",
        "from": "shop",
        "to": "79991234567",
        "subscriber": "79991234567",
        "id": "7",
        "dlr": 1,
    }


def test_a_log_without_a_receipt_is_told() -> None:
    result = run("-", stdin=line("Sent SMS", text="hello"))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "no receipt in 1 lines\n")


def test_a_repeat_is_told_apart_in_a_log() -> None:
    log = line("Sent SMS", text="hello") + line("REJECTED Send SMS", text="hello", mask=31)
    log += line(mask=16, text=REFUSAL)
    plain = run("-", stdin=log)
    assert "A repeat: the same text to this number was accepted at 2026-11-23 02:31:35 under the id 7" in plain.stdout
    assert "Perhaps" not in plain.stdout
    (answer,) = told("-", stdin=log)
    assert answer["same_message"] == {"how": "sent", "time": "2026-11-23 02:31:35", "id": "7"}


def test_a_refusal_that_no_receipt_tells_of_is_told_once() -> None:
    alone = run("-", stdin=line("REJECTED Send SMS", text="hello", mask=1)).stdout
    assert "refused, by the SMSC or by a list of Kannel's own; bearerbox's log says why" in alone
    both = run("-", stdin=line("REJECTED Send SMS", text="hello", mask=31) + line(mask=16, text=REFUSAL)).stdout
    assert (both.count("refused by the SMSC"), both.count("bearerbox's log")) == (1, 0)


def test_receipts_that_reached_nobody_are_told() -> None:
    result = run("-", stdin=line("FAILED Receive DLR") + line("DROPPED Received DLR"))
    assert "Kannel knows no message that waits for this receipt" in result.stdout
    assert "bearerbox dropped it" in result.stdout


def test_a_long_note_is_said_once() -> None:
    result = run("-", stdin=f"{REFUSAL}\n{REFUSAL}\n")
    assert result.stdout.count("Perhaps it was delivered all the same.") == 2
    assert result.stdout.count("Look for the message") == 1


def test_tlvs_that_the_spec_names_are_read(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "smpp-tlv:\n"
        "  - {name: price, tag: 0x2000, type: nulterminated, length: 7}\n"
        "  - {name: flags, tag: '8193', type: integer, length: 2}\n"
        "  - {name: odd, tag: 0x2003, type: octetstring, length: 5}\n"
        "smsc:\n  - {smsc-id: acc, host: smsc.test, smsc-username: u, smsc-password: p}\n"
    )
    meta = "?orig_msg?dlr_mask=31&?smpp?price=1.2000&flags=39&odd=%01%02&dlr_err=%03%00%DC&else=x&"
    entry = read_line(line(text=RECEIPT.replace("000", "220"), meta=meta).encode())
    assert entry is not None
    answer = of_entry(entry, None, "en", tlv_forms(load(spec, {})))
    assert answer is not None
    names = ("cost", "kind", "flags", "err", "unknown", "unknown_tlvs", "conflicts")
    assert {name: answer.plain[name] for name in names} == {
        "cost": "1.2000",
        "kind": "call",
        "flags": 39,
        "err": 220,
        "unknown": [{"name": "meta else", "value": "x"}],
        "unknown_tlvs": [{"tag": "0x2003", "octets": "0102"}],
        "conflicts": [],
    }
    assert "call, paid from the second balance" in str(answer.rows)


def test_tlvs_that_a_providers_table_names_are_read_without_a_spec() -> None:
    meta = "?smpp?cost=1.2000&flags=10&parts=3&else=x&"
    entry = read_line(line(meta=meta).encode())
    assert entry is not None
    answer = of_entry(entry, None, "ru")
    assert answer is not None
    assert {name: answer.plain[name] for name in ("cost", "kind", "parts", "unknown")} == {
        "cost": "1.2000",
        "kind": "viber",
        "parts": 3,
        "unknown": [{"name": "meta else", "value": "x"}],
    }


# -- hostile input -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_any_octets_are_taken(octets: bytes) -> None:
    of_text(receipt_in(octets), "en")
    of_text(RECEIPT.encode() + octets, "ru")
    for text in joined(octets.split(b"\0")):
        of_text(text, "en")


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_standard_input_is_taken(lines: list[bytes]) -> None:
    result = run("-", stdin=b"\n".join([RECEIPT.encode(), *lines]))
    assert result.exit_code in (0, 1)
    assert "854019" in result.stdout


def test_a_line_too_long_is_cut() -> None:
    result = run("-", stdin=RECEIPT.encode() + b" x" * 200_000 + b"\n" + RECEIPT.encode())
    assert result.stdout.count("delivered") == 2


def test_nothing_steers_the_terminal() -> None:
    result = run("id:\x1b]0;x\x07 stat:DELIVRD err:000 \x1b[2J:y")
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("encoding", ["ascii", "koi8-r", "utf-8"])
def test_a_terminal_of_any_encoding(encoding: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    arguments: list[str | bytes] = [
        sys.executable,
        "-m",
        "kannelkit",
        "dlr",
        "--lang",
        "ru",
        RECEIPT,
        b"id:1 stat:\xff\xfe err:1",
    ]
    answer = subprocess.run(arguments, capture_output=True, env=environment, timeout=60, check=False, cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert "доставлено".encode(encoding, "replace") in answer.stdout


# -- wrong use ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a TEXT"),
        (["-", RECEIPT], "- goes alone"),
        (["--follow"], "--follow goes with one SPEC"),
        (["--query", "1"], "--query goes with one SPEC"),
        (["--follow", "--query", "1", "spec.yaml"], "ask one"),
        (["--account", "a", RECEIPT], "--account does not go with TEXT"),
        (["--force", RECEIPT], "--force does not go with TEXT"),
        (["--follow", "--from", "shop", "spec.yaml"], "--from does not go with --follow"),
        (["--lang", "de", RECEIPT], "--lang"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


ACCOUNT = "smsc:\n  - {smsc-id: acc, host: smsc.test, smsc-username: u, smsc-password: p, system-type: ''}\n"


@pytest.mark.parametrize(
    ("spec", "arguments", "code", "words"),
    [
        (f"defaults: kannel\n{ACCOUNT}", [], 1, "write access-log: FILE in core"),
        (f"core: {{access-log-format: '%t %l'}}\n{ACCOUNT}", ["--account", "acc"], 1, "leave out --account"),
        (ACCOUNT, ["--account", "ac"], 2, "did you mean acc?"),
        ("smsc: []\n", [], 1, "spec.yaml"),
    ],
)
def test_what_cannot_be_followed_is_said(
    spec: str, arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text(spec)
    result = run("--follow", tmp_path / "spec.yaml", *arguments)
    assert result.exit_code == code
    assert words in result.stderr
