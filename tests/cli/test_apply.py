"""`kannelkit apply` without a gateway and with one that is played: what is asked, shown, agreed to and answered."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.apply import new_errors
from kannelkit.cli.main import group
from kannelkit.errors import GatewayError
from kannelkit.host import processes
from kannelkit.plan.compare import plan
from kannelkit.plan.values import LinkSeen, Plan
from kannelkit.render import kannel_conf
from kannelkit.spec import load
from kannelkit.supervise.asking import plain
from kannelkit.supervise.control import Control, Tell
from kannelkit.supervise.memory import Memory

SPEC = """
state-dir: state
core: {admin-password: {env: A_VARIABLE_THAT_ONLY_THE_SUPERVISOR_HAS}}
smsc:
  - {smsc-id: acc, host: smsc.test, smsc-username: u, smsc-password: p4ssw0rd, throughput: 60}
"""


class Supervising:
    """Answers as the kannelkit that supervises does; `asked` is what it was asked to apply."""

    def __init__(self, spec: Path, found: Plan) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.refuses = ""
        self._found = found
        self._folder = spec.parent / "state"
        self._spec = spec
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Supervising:
        self._folder.mkdir()
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async with Control(self._folder, self._answer):
            self._ready.set()
            await self._end.wait()

    async def _answer(self, request: Mapping[str, Any], tell: Tell) -> Mapping[str, object]:
        assert request["spec"] == os.path.realpath(self._spec)
        if request["do"] == "plan":
            return {"event": "done", "plan": plain(self._found)}
        self.asked.append(request)
        tell({"event": "step", "text": "acc-1: binding anew"})
        if self.refuses:
            raise GatewayError(self.refuses, "a hint")
        return {"event": "done", "changes": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


def text(throughput: int, admin_port: int = 1) -> str:
    return (
        f"group = core\nadmin-port = {admin_port}\n\ngroup = smsc\nsmsc = smpp\nsmsc-id = acc\nsmsc-admin-id = acc-1\n"
        f"throughput = {throughput}\nsmsc-password = p4ssw0rd\n"
    )


HARMLESS = plan(text(60), text(40), [LinkSeen("acc-1", "online")])
DANGEROUS = plan(text(60), text(60, admin_port=2), [LinkSeen("acc-1", "online")])
NOTHING = plan(text(60), text(60), [LinkSeen("acc-1", "online")])


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["apply", *map(str, arguments)])
    assert "p4ssw0rd" not in result.output
    return result


def test_without_a_supervisor_the_way_to_start_one_is_told(path: Path) -> None:
    for _ in range(2):
        result = run(path)
        assert result.exit_code == 1
        assert f"the gateway does not run\n  hint: kannelkit up {path} starts it" in result.stderr
        assert "Traceback" not in result.output
        (path.parent / "state").mkdir(exist_ok=True)
    assert list((path.parent / "state").iterdir()) == []


def test_without_the_secrets_the_plan_is_the_supervisors(path: Path) -> None:
    with Supervising(path, HARMLESS) as supervising:
        result = CliRunner().invoke(group, ["plan", str(path)])
    assert (result.exit_code, supervising.asked) == (0, [])
    assert "throughput  60 -> 40" in result.stdout
    assert result.stdout.endswith(f"next: kannelkit apply {path}\n")
    assert "A_VARIABLE" not in result.output
    alone = CliRunner().invoke(group, ["plan", str(path)])
    assert alone.exit_code == 1
    assert "A_VARIABLE_THAT_ONLY_THE_SUPERVISOR_HAS is not set" in alone.stderr


def test_boxes_without_a_supervisor_are_to_be_taken_on_first(path: Path) -> None:
    (path.parent / "state").mkdir()
    memory = Memory(path.parent / "state" / "state.db")
    memory.box("bearerbox", processes.current(os.getpid()))
    memory.close()
    result = run(path)
    assert result.exit_code == 1
    assert "boxes run, and no kannelkit supervises them" in result.stderr


def test_a_spec_with_a_fault_never_reaches_the_supervisor(path: Path) -> None:
    path.write_text(SPEC.replace("throughput: 60", "throughput: many"))
    with Supervising(path, HARMLESS) as supervising:
        result = run(path)
    assert (result.exit_code, supervising.asked) == (1, [])
    assert f"{path}:5:" in result.stderr


def test_the_plan_is_shown_and_exactly_that_is_asked_for(path: Path) -> None:
    with Supervising(path, HARMLESS) as supervising:
        result = run(path)
    assert result.exit_code == 0, result.output
    assert [asked["digest"] for asked in supervising.asked] == [HARMLESS.digest]
    assert "throughput  60 -> 40" in result.stdout
    assert result.stderr == "acc-1: binding anew\n"
    assert result.stdout.endswith("applied\n")


def test_where_nothing_changes_for_the_boxes_the_supervisor_takes_the_spec_all_the_same(path: Path) -> None:
    with Supervising(path, NOTHING) as supervising:
        result = run(path)
    assert (result.exit_code, len(supervising.asked)) == (0, 1)
    assert "no changes" in result.stdout
    assert "applied" not in result.stdout


@pytest.mark.parametrize(
    ("digest", "taken"),
    [(HARMLESS.digest, True), (HARMLESS.digest[:12], True), (HARMLESS.digest[:11], False), ("0" * 64, False)],
)
def test_a_plan_that_was_shown_before_is_carried_out_or_none(path: Path, digest: str, taken: bool) -> None:
    with Supervising(path, HARMLESS) as supervising:
        result = run(path, "--plan", digest)
    assert (result.exit_code, len(supervising.asked)) == (0 if taken else 1, int(taken))
    assert taken or "changed since the plan was shown" in result.stderr


@pytest.mark.parametrize("agreed", [False, True])
def test_what_is_dangerous_has_to_be_agreed_to(path: Path, agreed: bool) -> None:
    with Supervising(path, DANGEROUS) as supervising:
        result = run(path, *(["--yes"] if agreed else []))
    assert result.exit_code == (0 if agreed else 1)
    assert [asked["agreed"] for asked in supervising.asked] == [True] * agreed
    assert agreed or "agree with --yes" in result.stderr


def test_a_program_is_told_all_in_one_object_whatever_comes(path: Path) -> None:
    with Supervising(path, HARMLESS) as supervising:
        done = json.loads(run(path, "--json", "--discard", "--force").stdout)
        supervising.refuses = "one link stays away; everything was taken back"
        result = run(path, "--json")
    assert (done["applied"], done["error"], done["said"]) == (True, None, ["acc-1: binding anew"])
    assert done["plan"]["digest"] == HARMLESS.digest
    assert (supervising.asked[0]["discard"], supervising.asked[0]["force"]) == (True, True)
    refused = json.loads(result.stdout)
    assert (result.exit_code, refused["applied"]) == (1, False)
    assert refused["error"] == {"message": supervising.refuses, "hint": "a hint"}


def test_errors_of_lint_count_unless_the_gateway_runs_with_them(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    (tmp_path / "state").mkdir()

    def errors(more: str) -> set[str]:
        path.write_text(
            "state-dir: state\ncore: {admin-password: s3cr3tpw, status-password: t3cr3tpw"
            + more
            + "}\nsmsc:\n  - {smsc-id: acc, host: h, smsc-username: u, smsc-password: p4ssw0rd, throughput: 60}\n"
        )
        return {finding.rule for finding in new_errors(load(path, {}))}

    path.touch()
    path.chmod(0o644)  # what lint says against the spec's own file is no news to Kannel
    clean = errors("")
    assert "E124" not in clean
    found = errors(", log-level: 0") - clean
    assert found
    (tmp_path / "state" / "kannel.conf").write_text(kannel_conf(load(path, {})))
    assert not errors(", log-level: 0") & found
