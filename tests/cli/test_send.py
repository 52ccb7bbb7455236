"""`kannelkit send`: what it refuses, what it hands to smsbox, and that nothing is sent twice, whenever it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group
from tests.cli.smsbox import Asked, Smsbox, accepted

USUAL = ("--from", "Cafe", "--text", "hello")
DELIVERED = "id:12 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000"
FAILED = "id:12 sub:001 dlvrd:000 submit date:1108202241 done date:1108202241 stat:UNDELIV err:006"


def run(*arguments: str | Path, stdin: str = "") -> Result:
    result = CliRunner().invoke(group, ["send", *map(str, arguments)], input=stdin)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def numbers(count: int, folder: Path) -> Path:
    path = folder / "list.csv"
    path.write_text("to,text\n" + "".join(f"7999{number:07d},message {number}\n" for number in range(1, count + 1)))
    return path


def test_one_message(tmp_path: Path) -> None:
    with Smsbox() as smsbox:
        result = run(smsbox.spec(tmp_path), "--to", "+7 999 123", *USUAL, "--priority", "2", "--validity", "60")
    assert (result.exit_code, result.stdout) == (0, "+7999123: accepted\n")
    (asked,) = smsbox.asked
    assert (asked.to, asked.text) == ("+7999123", "hello")
    said = {name: asked.headers[name] for name in ("from", "coding", "priority", "validity", "username")}
    assert said == {"from": "Cafe", "coding": "0", "priority": "2", "validity": "60", "username": "app"}
    assert len(asked.headers["password"]) == 20  # made at random and kept in the state-dir
    assert not {"dlr-url", "dlr-mask", "smsc"} & asked.headers.keys()


CHANNELS = [
    (["--channel", "mail", "--subject", "Hi", "--text", "x"], "__MAIL__: x\nsubj:Hi"),
    (["--channel", "call", "--voice", "w2", "--text", "x"], "__CALL__: x\nvoice:w2"),
    (["--channel", "call", "--text", "x", "--call-parameters", "p"], "__CALL__: x\n~~~\np"),
    (["--channel", "viber", "--text", "x"], "__VIBER__: x"),
    (["--channel", "soc", "--text", "x"], "__SOC__: x"),
    (["--channel", "tgm", "--text", "4711"], "__TGM__: 4711"),
    (["--channel", "bot", "--bot", "@cafe", "--text", "x"], "__BOT__: x\nbot:@cafe"),
    (["--channel", "hlr"], "__HLR__"),
    (["--channel", "ping"], "__PING__"),
    (["--text", "x", "--comment", "mine"], "x\n~~~\nmine"),
    (["--text", "@@home"], "@home"),
]


def test_every_channel_leaves_in_the_providers_form(tmp_path: Path) -> None:
    with Smsbox() as smsbox:
        path = smsbox.spec(tmp_path)
        for arguments, _ in CHANNELS:
            assert run(path, "--to", "7999", "--from", "Cafe", *arguments).exit_code == 0
    assert [asked.text for asked in smsbox.asked] == [text for _, text in CHANNELS]


def test_a_text_from_a_file_or_stdin(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Grüße\nund mehr\n")
    with Smsbox() as smsbox:
        path = smsbox.spec(tmp_path)
        run(path, "--to", "7999", "--from", "Cafe", "--text", f"@{tmp_path / 'letter'}")
        run(path, "--to", "7999", "--from", "Cafe", "--text", "-", stdin="привет\r\nмир\n")
    assert [asked.text for asked in smsbox.asked] == ["Grüße\nund mehr", "привет\nмир"]
    assert [asked.headers["coding"] for asked in smsbox.asked] == ["0", "2"]


def test_a_list_from_a_pipe_has_no_name(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with Smsbox() as smsbox:
        path = smsbox.spec(tmp_path, provider="generic", host="127.0.0.1")
        os.write(writing, b"to,text\n1,a\n")
        os.close(writing)
        assert run(path, "--to", f"/dev/fd/{reading}", "--from", "Cafe").exit_code == 0
        os.close(reading)
        again = run(path, "--to", "-", "--from", "Cafe", stdin="to,text\n1,a\n")
    assert "--anew sends it once more" in again.stderr
    assert len(smsbox.asked) == 1


def test_a_list_from_stdin_in_json(tmp_path: Path) -> None:
    def answer(asked: Asked) -> tuple[int, str]:
        return (403, "Not routable. Do not try again.") if asked.to == "2" else (202, "3: Queued for later delivery")

    with Smsbox(answer) as smsbox:
        result = run(smsbox.spec(tmp_path), "--to", "-", *USUAL, "--json", stdin="to;text\n1;a\n2;b\n3;\n")
    assert result.exit_code == 1
    *found, end = events(result)
    assert {each["to"]: (each["result"], each["place"]) for each in found} == {
        "1": ("queued", "stdin:2:1"),
        "2": ("refused", "stdin:3:1"),
        "3": ("queued", "stdin:4:1"),
    }
    assert end == {
        "event": "end", "taken": 2, "refused": 1, "unknown": 0, "unknown-before": 0, "sent-before": 0, "not-begun": 0,
    }  # fmt: skip
    assert sorted(asked.text for asked in smsbox.asked) == ["a", "b", "hello"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "found"),
    [
        (["--to", "-", "--from", "Cafe"], "to,text\n7999,a\nx,b\n7998,\n", ["stdin:3:1: M201", "stdin:4:1: M202"]),
        (["--to", "-", *USUAL], 'to,txt\n7999,"a\n', ["stdin:1:4: M102", "stdin:2:6: M101"]),
        (["--to", "7999", "--channel", "tgm", "--text", "12a4", "--from", "Cafe"], "", ["--text: M204"]),
        (["--to", "7999", "--to", "+7999", *USUAL], "", ["--to: M206"]),
        (["--to", "7999", "--text", "a"], "", ["--to: M207"]),
    ],
)
def test_nothing_is_sent_when_anything_is_wrong(
    tmp_path: Path, arguments: list[str], stdin: str, found: list[str]
) -> None:
    with Smsbox() as smsbox:
        result = run(smsbox.spec(tmp_path), *arguments, stdin=stdin)
        for each in found:
            assert each in result.stderr
        assert result.stdout == ""
        (event,) = events(run(smsbox.spec(tmp_path), *arguments, "--json", stdin=stdin))
        assert len(event["findings"]) >= len(found)
    assert (result.exit_code, smsbox.asked) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "-", "--text", "-"], "stdin can be read once"),
        (["--to", "7999", "--anew", "--resume"], "choose one"),
        (["--to", "7999", "--channel", "fax"], "fax"),
        (["--text", "hello"], "--to"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], words: str) -> None:
    with Smsbox() as smsbox:
        result = run(smsbox.spec(tmp_path), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "@missing.csv", *USUAL], "cannot read missing.csv"),
        (["--to", "7999", "--from", "Cafe", "--text", "@missing"], "cannot read missing"),
        (["--to", "/", *USUAL], "cannot read /: Is a directory"),
        (["--to", "a" * 5000, *USUAL], f"M201: '{'a' * 60}' is no number, and there is no file of this name"),
        (["--to", "typo.csv", *USUAL], "M201: 'typo.csv' is no number, and there is no file of this name"),
        (["--to", "lists/7999", *USUAL], "there is no file of this name"),
        (["--to", "a@b.example", *USUAL], "smsbox takes no receiver with '.' '@'"),
        (["--to", "7999#", *USUAL], "smsbox takes no receiver with '#'"),
        (["--to", "7999", *USUAL, "--user", "ap"], "did you mean app?"),
        (["--to", "7999", *USUAL], "is smsbox running"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(tmp_path: Path, arguments: list[str], words: str) -> None:
    with Smsbox() as smsbox:
        path = smsbox.spec(tmp_path)
    result = run(path, *arguments)  # nobody listens any more
    assert result.exit_code == 1
    assert words in result.stderr


def test_the_same_text_to_the_same_number_within_a_minute(tmp_path: Path) -> None:
    with Smsbox() as smsbox:
        path = smsbox.spec(tmp_path)
        assert run(path, "--to", "7999", *USUAL).exit_code == 0
        again = run(path, "--to", "+7999", *USUAL)
        assert (again.exit_code, again.stdout) == (1, "")
        assert "M206: the same text went to +7999" in again.stderr
        assert run(path, "--to", "7999", "--from", "Cafe", "--text", "hello!").exit_code == 0
    assert [asked.text for asked in smsbox.asked] == ["hello", "hello!"]


def test_a_refused_message_may_be_sent_again_at_once(tmp_path: Path) -> None:
    answers = iter([(403, "Not routable. Do not try again."), (202, "Sent.")])
    with Smsbox(lambda asked: next(answers)) as smsbox:
        path = smsbox.spec(tmp_path)
        assert [run(path, "--to", "7999", *USUAL).exit_code for _ in range(2)] == [1, 0]


def test_a_dry_run_needs_nothing_and_changes_nothing(tmp_path: Path) -> None:
    with Smsbox() as smsbox:
        path = smsbox.spec(tmp_path)
        one = run(path, "--to", "7999", "--from", "Cafe", "--text", "привет\nмир", "--comment", "n", "--dry-run")
        whole = run(path, "--to", str(numbers(30, tmp_path)), "--from", "Cafe", "--dry-run", "--first", "3")
        plain = events(run(path, "--to", str(numbers(30, tmp_path)), "--from", "Cafe", "--dry-run", "--json"))
    assert smsbox.asked == []
    assert not (tmp_path / "state").exists()
    assert "alphabet  UCS-2 (data_coding 8)" in one.stdout
    assert "charged   1 SMS: 10 characters, without the comment" in one.stdout
    assert one.stdout.endswith("text\n  | привет\n  | мир\n  | ~~~\n  | n\n")
    assert len(whole.stdout.splitlines()) == 5
    assert whole.stdout.endswith("... and 27 more\n")
    assert "30 messages, 30 parts on the wire, 30 SMS charged; nothing was sent" in whole.stderr
    assert [(each["number"], each["parts"], each["charset"]) for each in plain] == [(n, 1, "gsm") for n in range(1, 31)]


def test_receipts_are_waited_for(tmp_path: Path) -> None:
    def receipts(asked: Asked) -> list[tuple[int, str]]:
        return [(8, "ACK/"), (2, FAILED) if asked.to == "2" else (1, DELIVERED)]

    with Smsbox(receipts=receipts) as smsbox:
        path = smsbox.spec(tmp_path)
        good = run(path, "--to", "1", "--dlr", "wait", *USUAL)
        both = run(path, "--to", "3", "--to", "2", "--dlr", "wait", *USUAL, "--json")
    assert good.exit_code == 0
    assert good.stdout.splitlines()[-1] == "1: delivered (id 12)"
    assert both.exit_code == 1
    last = {each["to"]: each for each in events(both) if each["event"] == "receipt" and each["final"]}
    assert {to: each["kind"] for to, each in last.items()} == {"3": "delivered", "2": "undeliverable"}
    assert (last["2"]["state"], last["2"]["err"]) == ("UNDELIV", 6)
    end = events(both)[-1]
    assert (end["taken"], end["delivered"], end["undelivered"], end["without-receipt"]) == (2, 1, 1, 0)


def test_a_receipt_of_one_part_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    with Smsbox(receipts=lambda asked: [(1, DELIVERED)]) as smsbox:
        path = smsbox.spec(tmp_path, **{"system-type": "SINGLE"})
        long = run(path, "--to", "1", "--from", "Cafe", "--text", "a" * 161, "--dlr", "wait")
        short = run(path, "--to", "1", "--from", "Cafe", "--text", "a", "--dlr", "wait")
    assert "tells of the first one, by SINGLE of smscru" in long.stderr
    assert "SINGLE" not in short.stderr


def test_a_receipt_that_does_not_come_is_missed(tmp_path: Path) -> None:
    with Smsbox(receipts=lambda asked: [(8, "ACK/")]) as smsbox:
        result = run(smsbox.spec(tmp_path), "--to", "1", "--dlr", "wait", "--timeout", "1", *USUAL)
    assert result.exit_code == 1
    assert "1 without a last receipt" in result.stderr


def test_of_a_list_that_was_sent_only_what_is_asked_for_is_sent_again(tmp_path: Path) -> None:
    fails = {"79990000003"}

    def answer(asked: Asked) -> tuple[int, str]:
        return (403, "Not routable. Do not try again.") if asked.to in fails else accepted(asked)

    with Smsbox(answer) as smsbox:
        path, file = smsbox.spec(tmp_path), numbers(5, tmp_path)
        first = run(path, "--to", file, "--from", "Cafe")
        assert first.exit_code == 1
        assert "--resume sends what was refused" in first.stderr
        fails.clear()
        assert "4 of the 5 messages were sent" in run(path, "--to", file, "--from", "Cafe").stderr
        second = run(path, "--to", file, "--from", "Cafe", "--resume")
        assert (second.exit_code, second.stdout) == (0, "79990000003: accepted\n")
        assert "4 of 5 messages were sent before (" in second.stderr
        third = run(path, "--to", file, "--from", "Cafe")
        assert third.exit_code == 1
        assert "--anew sends it once more" in third.stderr
        file.write_text(file.read_text() + "79990000009,new\n")
        assert run(path, "--to", file, "--from", "Cafe", "--resume").stdout == "79990000009: accepted\n"
    assert len(smsbox.asked) == 7


def kannelkit(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kannelkit", "send", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_at_any_moment_no_line_is_sent_twice(tmp_path: Path) -> None:
    """The process is killed by the one it asks: with its question open, and again and again in the next runs."""
    many, kills = 50, [24, 12, 1]
    running: list[subprocess.Popen[str]] = []
    alone = threading.Lock()

    def answer(asked: Asked) -> tuple[int, str]:
        with alone:
            if kills and len(smsbox.asked) >= kills[-1] and running[-1].poll() is None:
                kills.pop()
                running[-1].kill()
                running[-1].wait()
        return accepted(asked)

    with Smsbox(answer) as smsbox:
        path, file = smsbox.spec(tmp_path, provider="generic", host="127.0.0.1"), numbers(many, tmp_path)
        ended: list[int] = []
        while -signal.SIGKILL in ended[-1:] or not ended:
            running.append(kannelkit(path, "--to", file, "--from", "Cafe", "--json"))
            out, _ = running[-1].communicate(timeout=60)
            ended.append(running[-1].returncode)
        receivers = [asked.to for asked in smsbox.asked]
        assert len(set(receivers)) == len(receivers)
        assert len(ended) == 4
        *found, end = [json.loads(line) for line in out.splitlines()]
        unknown = {each["to"] for each in found if each["event"] == "unknown-before"}
        everybody = {f"7999{number:07d}" for number in range(1, many + 1)}
        assert everybody - set(receivers) <= unknown  # begun, and killed before the question was out
        assert end["unknown-before"] == len(unknown) == many - end["taken"] - end["sent-before"]
        assert 0 < len(unknown) <= 8 * (len(ended) - 1)
        again = run(path, "--to", file, "--from", "Cafe", "--again-unknown", "--json")
        said = events(again)[-1]
    assert (said["unknown-before"], said["taken"]) == (0, len(unknown))


def test_the_first_interruption_lets_the_answers_come(tmp_path: Path) -> None:
    running: list[subprocess.Popen[str]] = []

    def answer(asked: Asked) -> tuple[int, str]:
        if len(smsbox.asked) == 5:
            running[0].send_signal(signal.SIGINT)
        return accepted(asked)

    with Smsbox(answer) as smsbox:
        path, file = smsbox.spec(tmp_path), numbers(400, tmp_path)
        running.append(kannelkit(path, "--to", file, "--from", "Cafe", "--json"))
        out, err = running[0].communicate(timeout=60)
        assert (running[0].returncode, "Traceback" in err) == (1, False)
        end = json.loads(out.splitlines()[-1])
        assert end["taken"] == len(smsbox.asked) == 400 - end["not-begun"] < 400
        assert end["unknown"] == 0
        rest = run(path, "--to", file, "--from", "Cafe")
        assert f"{end['taken']} of 400 messages were sent before" in rest.stderr
    assert len({asked.to for asked in smsbox.asked}) == len(smsbox.asked) == 400
