"""`kannelkit dlr --query`: asked of the simulator, where the account has a bind to spare, and refused where not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.dlr_query import Allowance, allowance_of
from kannelkit.cli.main import group
from kannelkit.gateway.esme import Esme
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import Pdu
from kannelkit.spec import load
from kannelkit.supervise.kept import keep
from kannelkit.supervise.memory import KeptSide, Memory
from tests.harness.pem import write_pem

PASSWORD = "pw771177"
LINK = Login(b"login", PASSWORD.encode(), b"MCON2", 0x34, transceiver=True)
ACCOUNT = """\
state-dir: state
smsc:
  - smsc-id: acc
    {provider}
    host: 127.0.0.1
    port: {port}
    smsc-username: login
    smsc-password: {{env: DLR_PASSWORD}}
    system-type: [{flags}]
    {more}
"""


@pytest.fixture
async def smsc(tmp_path: Path) -> AsyncIterator[Simulator]:
    rules = [AccountRules("login", PASSWORD, None)]
    certificate = write_pem(tmp_path / "smsc.pem")
    async with Simulator(rules, Behaviour(receipt_delay=0), tls_port=0, certificate=certificate) as simulator:
        yield simulator


def spec(
    folder: Path, port: int | None, *, flags: str = "MCON2", provider: str = "provider: smsc.ru", more: str = ""
) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(ACCOUNT.format(port=port, flags=flags, provider=provider, more=more))
    return path


async def query(path: Path, *arguments: str, password: str = PASSWORD) -> Result:
    def ask() -> Result:
        environment = {"DLR_PASSWORD": password, "LC_ALL": "C.UTF-8"}
        return CliRunner().invoke(group, ["dlr", str(path), *arguments], env=environment)

    result = await asyncio.to_thread(ask)
    assert "Traceback" not in result.output
    assert password not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


async def sent(link: Esme) -> str:
    """Submit a message and return its id."""
    fields = {"source_addr": b"shop", "destination_addr": b"79991234567", "short_message": b"hello"}
    answer = await link.request(Pdu(CommandId.SUBMIT_SM, fields={**fields}))
    return answer.octets("message_id").decode()


@pytest.mark.parametrize("tls", [False, True])
async def test_the_answer_is_told_and_the_link_stays(smsc: Simulator, tmp_path: Path, tls: bool) -> None:
    path = spec(tmp_path, smsc.tls_port if tls else smsc.port, more="use-ssl: true" if tls else "")
    async with Esme(Address("127.0.0.1", smsc.port), LINK) as link:
        assert await link.bind("transceiver") == 0
        message_id = await sent(link)
        plain = await query(path, "--query", message_id, "--from", "shop")
        answer = await query(path, "--query", message_id, "--json")
        assert not link.ended
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert plain.stdout.startswith("delivered\n")
    assert f"acc, 127.0.0.1:{smsc.tls_port if tls else smsc.port}" in plain.stdout
    told = json.loads(answer.stdout)
    assert (told["by"], told["id"], told["state"], told["message_state"], told["err"]) == (
        "query",
        message_id,
        "DELIVRD",
        2,
        0,
    )
    assert told["final_date"]
    assert smsc.account("login").counters.binds == 3


async def test_other_secrets_need_not_be_at_hand(smsc: Simulator, tmp_path: Path) -> None:
    path = spec(tmp_path, smsc.port)
    path.write_text(f"{path.read_text()}sendsms-user: [{{username: app, password: {{env: NO_SUCH_PASSWORD}}}}]\n")
    async with Esme(Address("127.0.0.1", smsc.port), LINK) as link:
        assert await link.bind("transceiver") == 0
        message_id = await sent(link)
    assert (await query(path, "--query", message_id)).exit_code == 0
    path.write_text(path.read_text().replace("{env: DLR_PASSWORD}", "{env: NO_SUCH_LOGIN}"))
    refused = await query(path, "--query", message_id)
    assert refused.exit_code == 1
    assert "NO_SUCH_LOGIN is not set" in refused.stderr


async def test_nothing_is_asked_where_the_bind_would_close_a_link(smsc: Simulator, tmp_path: Path) -> None:
    path = spec(tmp_path, smsc.port, flags="")
    refused = await query(path, "--query", "1")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "acc has no bind to spare: of 1 at once Kannel's links use 1" in refused.stderr
    assert "add MCON2 to its system-type" in refused.stderr
    assert smsc.account("login").counters.binds == 0


async def test_by_force_it_closes_the_older_one_and_says_so(smsc: Simulator, tmp_path: Path) -> None:
    path = spec(tmp_path, smsc.port, flags="")
    async with Esme(Address("127.0.0.1", smsc.port), Login(b"login", PASSWORD.encode(), b"", 0x34, True)) as link:
        await link.bind("transmitter")
        message_id = await sent(link)
        answer = await query(path, "--query", message_id, "--force")
        assert (answer.exit_code, answer.stdout.splitlines()[0]) == (0, "delivered")
        assert "warning: the bind closes a link of acc" in answer.stderr
        async with asyncio.timeout(60):
            assert await link.wait_ended() == "the connection is closed by the SMSC"


async def test_what_the_gateway_runs_with_counts_as_well(smsc: Simulator, tmp_path: Path) -> None:
    older = load(spec(tmp_path, smsc.port, flags=""), {"DLR_PASSWORD": PASSWORD})
    older.state_dir.mkdir()
    keep(older)
    path = spec(tmp_path, smsc.port)
    refused = await query(path, "--query", "1")
    assert refused.exit_code == 1
    assert "the gateway runs with a spec in which acc has no bind to spare" in refused.stderr
    assert f"kannelkit apply {path}" in refused.stderr
    assert smsc.account("login").counters.binds == 0


async def test_the_host_that_the_account_is_on_is_asked(smsc: Simulator, tmp_path: Path) -> None:
    path = spec(tmp_path, 1, more=f"backup-host: 127.0.0.1\n    backup-port: {smsc.port}")
    (tmp_path / "state").mkdir()
    memory = Memory(tmp_path / "state/state.db")
    memory.side("acc", KeptSide("backup", 0.0))
    memory.close()
    answer = await query(path, "--query", "999")
    assert f"127.0.0.1:{smsc.port} has no answer for 999" in answer.stderr


@pytest.mark.parametrize(
    ("message_id", "password", "words"),
    [
        ("999", PASSWORD, ["has no answer for 999: invalid message id (0x0000000c ESME_RINVMSGID)", "FID:"]),
        ("x\x1b[2J", PASSWORD, ["has no answer for x\\x1b[2J"]),
        ("1", "wr0ng999", ["refuses the bind: invalid password (0x0000000e ESME_RINVPASWD)", "kannelkit doctor"]),
    ],
)
async def test_what_has_no_answer_is_said(
    smsc: Simulator, tmp_path: Path, message_id: str, password: str, words: list[str]
) -> None:
    answer = await query(spec(tmp_path, smsc.port), "--query", message_id, password=password)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert [word for word in words if word not in answer.stderr] == []


async def test_nobody_listens(smsc: Simulator, tmp_path: Path) -> None:
    smsc.refuse_connections()
    answer = await query(spec(tmp_path, smsc.port), "--query", "1")
    assert answer.exit_code == 1
    assert f"127.0.0.1:{smsc.port}: Connection refused" in answer.stderr


TWO = "  - {smsc-id: two, provider: smsc.ru, smsc-username: other, smsc-password: p}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--query", "1"], 2, "say which account of the spec is to be asked, with --account; it has acc, two"),
        (["--query", "1", "--account", "tow"], 2, "did you mean two?"),
        (["--query", "1" * 65, "--account", "acc"], 2, "an id has 1 to 64 characters"),
        (["--query", "", "--account", "acc"], 2, "an id has 1 to 64 characters"),
    ],
)
async def test_wrong_use_is_said(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    path = spec(tmp_path, 3700)
    path.write_text(path.read_text() + TWO)
    answer = await query(path, *arguments)
    assert answer.exit_code == code
    assert words in answer.stderr


LOGIN = "smsc-username: u, smsc-password: p"
ALLOWANCES = {
    "a login at SMSC.ru": ([f"provider: smsc.ru, {LOGIN}"], Allowance(1, 1)),
    "two connections": ([f"provider: smsc.ru, {LOGIN}, connections: 2"], Allowance(2, 2)),
    "one to spare": ([f"provider: smsc.ru, {LOGIN}, connections: 2, system-type: [ISO, MCON3]"], Allowance(3, 2)),
    "a transmitter and a receiver in one": (
        [
            f"provider: smsc.ru, {LOGIN}, transceiver-mode: false, port: 1, receive-port: 2, system-type: [MCON3]}} "
            "# kannelkit: ignore S312 - it came so #"
        ],
        Allowance(3, 2),
    ),
    "a transmitter": (
        [f"provider: smsc.ru, {LOGIN}, transceiver-mode: false, system-type: [MCON2]"],
        Allowance(2, 1),
    ),
    "a receiver": (
        [f"provider: smsc.ru, {LOGIN}, transceiver-mode: false, port: 0, receive-port: 3700"],
        Allowance(1, 1),
    ),
    "two accounts of one login": (
        [
            f"provider: smsc.ru, {LOGIN}, system-type: [MCON2]",
            f"smsc-id: b, provider: smsc.ru, {LOGIN}, system-type: [MCON2]",
        ],
        Allowance(2, 2),
    ),
    "two logins": (
        [f"provider: smsc.ru, {LOGIN}", "smsc-id: b, provider: smsc.ru, smsc-username: v, smsc-password: p"],
        Allowance(1, 1),
    ),
    "a provider that nobody knows": (
        [f"smsc-id: a, host: smsc.test, {LOGIN}, system-type: [MCON3]"],
        Allowance(None, 1),
    ),
    "the generic one": ([f"provider: generic, smsc-id: a, host: smsc.test, {LOGIN}"], Allowance(None, 1)),
}


@pytest.mark.parametrize("name", ALLOWANCES)
def test_what_a_login_may_and_what_its_links_use(name: str, tmp_path: Path) -> None:
    entries, allowance = ALLOWANCES[name]
    path = tmp_path / "spec.yaml"
    path.write_text("smsc:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    accounts = load(path, {}).smpp_accounts
    assert allowance_of(accounts[0], accounts) == allowance


@pytest.mark.parametrize(
    ("allowance", "spare"),
    [(Allowance(1, 1), False), (Allowance(2, 1), True), (Allowance(1, 2), False), (Allowance(None, 1), False)],
)
def test_a_bind_is_to_spare_only_where_that_is_known(allowance: Allowance, spare: bool) -> None:
    assert allowance.spare is spare
