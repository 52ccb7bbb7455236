"""`kannelkit plan`: what it says of a gateway that runs, of one that does not, and of none; and no password in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group
from kannelkit.host.secrets import kept
from kannelkit.spec import load
from kannelkit.supervise.memory import Memory
from kannelkit.throttle.values import Learnt

REAL = (Path(__file__).parents[1] / "gateway/status.xml").read_bytes()
SECRETS = ("adminpw77", "loginpw7", "apppw777", "otherpw7")
LINK = (
    b"\t<smsc>\n\t\t<name>SMPP</name>\n\t\t<admin-id>%b</admin-id>\n\t\t<id>%b</id>\n\t\t<status>%b</status>\n"
    b"\t\t<failed>0</failed>\n\t\t<queued>0</queued>\n\t\t<sms>\n\t\t\t<received>0</received>\n\t\t\t<sent>3</sent>\n"
    b"\t\t</sms>\n\t\t<dlr>\n\t\t\t<received>0</received>\n\t\t\t<sent>0</sent>\n\t\t</dlr>\n\t</smsc>\n"
)
END = b"</smscs>\n</gateway>\n"
ALL_UP = {"acc-1": "online 4s", "acc-2": "online 4s", "acc-park": "re-connecting"}

SPEC = """
state-dir: state
core: {admin-port: PORT, admin-password: adminpw77, sms-resend-retry: 3}
sendsms-user:
  - {username: app, password: apppw777, dlr-url: "http://h/?key=apppw777"}
smsc:
  - smsc-id: acc
    host: smsc.test
    smsc-username: u
    smsc-password: loginpw7
    connections: 2
    throughput: 60
    allowed-prefix: "7"
"""


@contextmanager
def bearerbox(links: Mapping[str, str]) -> Iterator[int]:
    """Answer on a free port as a bearerbox with these links, given with their states."""
    head, _, _ = REAL.partition(b"<smscs>")
    each = [LINK % (name.encode(), name.rpartition("-")[0].encode(), state.encode()) for name, state in links.items()]
    with serving(head + b"<smscs>\n\t<count>%d</count>\n" % len(each) + b"".join(each) + END) as port:
        yield port


@contextmanager
def serving(body: bytes) -> Iterator[int]:
    """Answer with this on a free port, whatever is asked."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(*arguments: str | Path, color: bool = False) -> Result:
    result = CliRunner().invoke(group, ["plan", *map(str, arguments)], color=color)
    for secret in SECRETS:
        assert secret not in result.output
    return result


def spec(folder: Path, port: int, **changed: str) -> Path:
    """Write the spec, its texts replaced by `changed`'s, and return its path."""
    text = SPEC.replace("PORT", str(port))
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


def started(path: Path) -> None:
    """Put the spec's kannel.conf where the supervisor does."""
    conf = load(path, {}).files.kannel_conf
    conf.parent.mkdir(parents=True, exist_ok=True)
    done = CliRunner().invoke(group, ["generate", str(path), "-o", str(conf)])
    assert done.exit_code == 0, done.output


@pytest.fixture
def nobody(unused_tcp_port: int) -> int:
    """A port on which nothing listens."""
    return unused_tcp_port


CHANGED = {"throughput: 60": "throughput: 40", '"7"': '["7", "8"]', "apppw777": "otherpw7"}
GOLDEN = """\
~ smsc acc-1, acc-2
    allowed-prefix  7 -> 7;8
    throughput      30 -> 20
    links acc-1, acc-2: re-created one after the other, away 60 ms to 1.4 s each; the account's messages wait meanwhile

~ smsc acc-park
    allowed-prefix  7 -> 7;8
    link acc-park: other messages from one moment to the next, no bind is touched

~ sendsms-user app
    password  *** -> *** (another one)
    dlr-url   http://h/?key=*** -> http://h/?key=*** (another one)
    smsbox restarted: 40 ms to 1 s in which requests are refused

in this order:
  1. change the routing, in one reload, of links acc-1, acc-2, acc-park
  2. re-create links acc-1, acc-2
  3. restart smsbox

0 to create, 4 to update, 0 to delete; takes 160 ms to 3.9 s
"""


def test_what_changes_in_a_gateway_that_runs(tmp_path: Path) -> None:
    with bearerbox(ALL_UP) as port:
        started(spec(tmp_path, port))
        path = spec(tmp_path, port, **CHANGED)
        done = run(path)
        whole = json.loads(run(path, "--json").stdout)
    assert done.exit_code == 0
    digest = f"digest: {whole['digest'][:12]}\nnext: kannelkit apply {path}\n"
    assert done.stdout == GOLDEN + digest
    assert f"kannelkit lint {path} finds" in done.stderr  # a message is given up after three tries
    assert [step["step"] for step in whole["steps"]] == ["reroute", "recreate", "recreate", "restart"]
    assert whole["changes"][3]["directives"][0] == {
        "name": "password",
        "before": "***",
        "after": "***",
        "secret": True,
    }
    assert (whole["running"], whole["dangers"], len(whole["digest"])) == (True, [], 64)
    assert 0.1 < whole["seconds"]["least"] < whole["seconds"]["most"] < 5


def test_no_changes(tmp_path: Path) -> None:
    with bearerbox(ALL_UP) as port:
        path = spec(tmp_path, port)
        started(path)
        done = run(path, "--check")
        assert run(path, "--diff").stdout == ""
    assert (done.exit_code, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == "no changes: the gateway runs as the spec says"
    assert second.startswith("digest: ")


def test_check_is_for_programs(tmp_path: Path, nobody: int) -> None:
    started(spec(tmp_path, nobody))
    path = spec(tmp_path, nobody, **CHANGED)
    assert (run(path, "--check").exit_code, run(path).exit_code) == (1, 0)
    assert run(path, "--check", "--json").exit_code == 1


def test_links_that_have_drifted(tmp_path: Path) -> None:
    with bearerbox({"acc-1": "dead", "acc-park": "re-connecting", "hand\x1b[2J": "online 4s"}) as port:
        path = spec(tmp_path, port)
        started(path)
        done = run(path)
    assert "~ smsc acc-1\n    is down: it was stopped, or its bind was refused\n" in done.stdout
    assert "+ smsc acc-2\n    does not run: somebody removed it by hand\n" in done.stdout
    assert "danger: link hand\\x1b[2J goes: bearerbox discards waiting messages that only it takes\n" in done.stdout


def test_what_could_steer_a_terminal_is_escaped(tmp_path: Path, nobody: int) -> None:
    path = spec(tmp_path, nobody)
    started(path)
    conf = tmp_path / "state/kannel.conf"
    conf.write_text(conf.read_text().replace("allowed-prefix = 7", "allowed-prefix = 7\x1b[2J"))
    for form in ((), ("--json",), ("--diff",)):
        done = run(path, *form, color=True)
        assert "[2J" in done.stdout
        assert "\x1b[2J" not in done.stdout


def test_a_gateway_that_does_not_run(tmp_path: Path, nobody: int) -> None:
    started(spec(tmp_path, nobody))
    path = spec(tmp_path, nobody, **CHANGED)
    done = run(path)
    assert "restarted" not in done.stdout
    assert "the gateway does not run: this takes effect when it is started\n" in done.stdout
    assert done.stdout.endswith(f"next: kannelkit up {path}\n")


def test_before_the_first_start_everything_is_new_and_passwords_are_made_once(tmp_path: Path, nobody: int) -> None:
    path = spec(tmp_path, nobody)
    first, second = run(path), run(path)
    assert first.stdout == second.stdout
    assert [line for line in first.stdout.splitlines() if line.startswith(("+", "~", "-"))] == [
        "+ core", "+ smsbox", "+ smsc acc-1", "+ smsc acc-2", "+ smsc acc-park", "+ sms-service default",
        "+ sendsms-user app",
    ]  # fmt: skip
    made = kept(tmp_path / "state")
    assert made
    assert not [password for password in made.values() if password in first.output]
    assert not (tmp_path / "state/kannel.conf").exists()


def test_a_rate_that_was_learnt_is_no_change(tmp_path: Path) -> None:
    with bearerbox(ALL_UP) as port:
        path = spec(tmp_path, port)
        started(path)
        before = json.loads(run(path, "--json").stdout)
        conf = tmp_path / "state/kannel.conf"
        conf.write_text(conf.read_text().replace("throughput = 30", "throughput = 20"))
        memory = Memory(tmp_path / "state/state.db")
        memory.learn("acc", Learnt(40, 1), 1.0)
        memory.close()
        done, whole = run(path), json.loads(run(path, "--json").stdout)
    assert done.stdout.splitlines()[:2] == [
        "no changes: the gateway runs as the spec says",
        "rate in force: acc 40 of 60 SMS per second, no change",
    ]
    assert whole["rates"] == [{"account": "acc", "throughput": 40, "ceiling": 60}]
    assert whole["digest"] == before["digest"]


def test_a_learnt_rate_stays_under_a_lower_ceiling(tmp_path: Path) -> None:
    with bearerbox(ALL_UP) as port:
        started(spec(tmp_path, port))
        memory = Memory(tmp_path / "state/state.db")
        memory.learn("acc", Learnt(60, 1), 1.0)
        memory.close()
        done = run(spec(tmp_path, port, **{"throughput: 60": "throughput: 40"}))
    assert "throughput  30 -> 20" in done.stdout
    assert "rate in force" not in done.stdout


def test_the_gateway_is_asked_where_it_runs_not_where_it_will(tmp_path: Path, nobody: int) -> None:
    with bearerbox(ALL_UP) as port:
        started(spec(tmp_path, port))
        done = run(spec(tmp_path, nobody, adminpw77="otherpw7"))
    assert f"    admin-port      {port} -> {nobody}\n    admin-password  *** -> *** (another one)\n" in done.stdout
    assert "bearerbox and smsbox restarted: 700 ms to 6 s in which nothing is sent, received or accepted" in done.stdout
    assert done.stdout.count("danger: ") == 2


def test_diff(tmp_path: Path, nobody: int) -> None:
    started(spec(tmp_path, nobody))
    done = run(spec(tmp_path, nobody, **CHANGED), "--diff")
    assert done.exit_code == 0
    assert "-allowed-prefix = 7\n+allowed-prefix = 7;8\n" in done.stdout
    assert "-password = ***\n+password = ***\n" in done.stdout


def test_two_forms_at_once_are_wrong_use(tmp_path: Path, nobody: int) -> None:
    assert run(spec(tmp_path, nobody), "--json", "--diff").exit_code == 2


def test_a_terminal_has_colours(tmp_path: Path, nobody: int) -> None:
    started(spec(tmp_path, nobody))
    path = spec(tmp_path, nobody, **CHANGED)
    done = run(path, color=True)
    assert "\x1b[33m~ smsc acc-1, acc-2\x1b[0m\n" in done.stdout
    diff = run(path, "--diff", color=True).stdout
    assert "\x1b[31m-allowed-prefix = 7\x1b[0m\n\x1b[32m+allowed-prefix = 7;8\x1b[0m\n" in diff


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>hello</html>", "is it Kannel"),
        (b'<?xml version="1.0"?>\n<gateway>\nDenied</gateway>\n', "denies the status"),
    ],
)
def test_what_does_not_answer_as_this_gateway(tmp_path: Path, body: bytes, said: str) -> None:
    with serving(body) as port:
        path = spec(tmp_path, port)
        started(path)
        done = run(path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr


def test_a_file_that_somebody_filled_with_octets_that_are_no_text(tmp_path: Path) -> None:
    with bearerbox(ALL_UP) as port:
        started(spec(tmp_path, port))
        conf = tmp_path / "state/kannel.conf"
        conf.write_bytes(conf.read_bytes().replace(b"host = smsc.test", b"host = smsc.\xff"))
        path = spec(tmp_path, port)
        for form in ((), ("--json",), ("--diff",)):
            assert run(path, *form).exit_code == 0
        rerouted = run(spec(tmp_path, port, **{'"7"': '"8"'}))
    assert (rerouted.exit_code, rerouted.stdout) == (1, "")
    assert "was changed by hand" in rerouted.stderr


def test_a_file_that_cannot_be_read(tmp_path: Path, nobody: int) -> None:
    path = spec(tmp_path, nobody)
    (tmp_path / "state/kannel.conf").mkdir(parents=True)
    done = run(path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "kannel.conf: Is a directory" in done.stderr


def test_a_spec_that_is_wrong_or_that_cannot_be_run(tmp_path: Path, nobody: int) -> None:
    wrong = run(spec(tmp_path, nobody, **{"smsc-username": "smsc-user"}))
    assert wrong.exit_code == 1
    assert "S101" in wrong.stderr
    left = run(spec(tmp_path, nobody, **{"state-dir: state": "state-dir: state\ndefaults: kannel"}))
    assert left.exit_code == 1
    assert "S318" in left.stderr
