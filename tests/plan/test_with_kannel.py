"""A plan carried out to the letter on a real bearerbox: every message keeps a route, and nothing else is disturbed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.plan.compare import plan
from kannelkit.plan.values import Add, LinkSeen, Plan, Recreate, Remove, Reroute, Step
from kannelkit.simulator import AccountRules, Simulator
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

_PATIENCE = 60.0
_USER = """
group = sendsms-user
username = app
password = app-secret
"""


def link(name: str, port: int, account: str, **more: str) -> str:
    lines = {
        "smsc": "smpp",
        "smsc-id": account,
        "smsc-admin-id": name,
        "host": "127.0.0.1",
        "port": str(port),
        "transceiver-mode": "true",
        "smsc-username": account,
        "smsc-password": "secret",
        "system-type": '""',
        **{key.replace("_", "-"): value for key, value in more.items()},
    }
    return "\ngroup = smsc\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def parking(account: str, **routing: str) -> str:
    return link(f"{account}-park", 1, account, reconnect_delay="86400", **routing)


def running(port: int) -> str:
    return "".join(
        (
            link("stay-1", port, "stay", allowed_prefix="71"),
            parking("stay", allowed_prefix="71"),
            link("both-1", port, "both", allowed_prefix="72"),
            link("both-2", port, "both", allowed_prefix="72"),
            parking("both", allowed_prefix="72"),
            link("lone", port, "lone", allowed_prefix="73"),
            link("routed-1", port, "routed", allowed_prefix="74"),
            parking("routed", allowed_prefix="74"),
            link("gone-1", port, "gone", allowed_prefix="75"),
            parking("gone", allowed_prefix="75"),
        )
    )


def wanted(port: int) -> str:
    """Return the links of which one account takes over the receivers of two others, one of them removed."""
    return "".join(
        (
            link("stay-1", port, "stay", allowed_prefix="71"),
            parking("stay", allowed_prefix="71"),
            link("both-1", port, "both", allowed_prefix="72;74;75", enquire_link_interval="20"),
            link("both-2", port, "both", allowed_prefix="72;74;75", enquire_link_interval="20"),
            parking("both", allowed_prefix="72;74;75"),
            link("lone", port, "lone", allowed_prefix="73", enquire_link_interval="20"),
            link("routed-1", port, "routed", allowed_prefix="77"),
            parking("routed", allowed_prefix="77"),
            link("new-1", port, "new", allowed_prefix="78"),
            parking("new", allowed_prefix="78"),
        )
    )


async def test_no_message_is_ever_without_a_route_and_only_what_the_plan_names_binds_again(tmp_path: Path) -> None:
    names = ("stay", "both", "lone", "routed", "gone", "new")
    accounts = [AccountRules(name, "secret", None, binds=2) for name in names]
    log = "access-log = {folder}/access.log\n"
    async with Simulator(accounts) as smsc:
        conf = CORE + log + SMSBOX + _USER + running(smsc.port)
        async with Kannel(tmp_path, conf, smsbox=True) as kannel, aiohttp.ClientSession() as session:
            admin = Admin(session, kannel.admin_port, kannel.admin_password)
            before = (tmp_path / "kannel.conf").read_text()
            await until(admin, lambda status: sum(one.online for one in status.links) == 6)
            enough = asyncio.Event()
            load = asyncio.create_task(sending(session, kannel.sendsms_port, enough))
            try:
                found = plan(before, before.replace(running(smsc.port), wanted(smsc.port)), await links(admin))
                await carry_out(found, kannel, admin)
                again = plan(found.wanted, found.wanted, await links(admin))
            finally:
                enough.set()
                sent = await load
            await until(admin, lambda status: not status.store_size and not status.sms_queued_out)
    counters = {rules.login: smsc.account(rules.login).counters for rules in accounts}
    assert sent > 100
    assert sum(each.accepted - each.doubled for each in counters.values()) == sent
    assert "DISCARDED" not in (tmp_path / "access.log").read_text()
    assert {name: each.binds for name, each in counters.items()} == {
        "stay": 1, "routed": 1, "gone": 1, "new": 1, "lone": 2, "both": 4,
    }  # fmt: skip
    assert counters["both"].accepted > counters["gone"].accepted + counters["stay"].accepted
    assert again.changes == ()


async def sending(session: aiohttp.ClientSession, port: int, enough: asyncio.Event) -> int:
    """Send to receivers of every account until it is enough; return how many messages smsbox took."""
    sent = 0
    while not enough.is_set():
        query = {"username": "app", "password": "app-secret", "from": "me", "to": f"7{1 + sent % 5}{sent:09d}"}
        async with session.get(f"http://127.0.0.1:{port}/cgi-bin/sendsms", params={**query, "text": "x"}) as answer:
            assert answer.status == 202, await answer.text()
        sent += 1
        await asyncio.sleep(0.003)
    return sent


async def carry_out(found: Plan, kannel: Kannel, admin: Admin) -> None:
    """Do what a plan says, in its order, with each stage's text in place."""
    path = kannel.folder / "kannel.conf"
    for stage in found.stages:
        path.write_text(stage.text)
        for step in stage.steps:
            await take(admin, step)
    path.write_text(found.wanted)


async def take(admin: Admin, step: Step) -> None:
    if isinstance(step, Reroute):
        await admin.graceful_restart()
    if isinstance(step, Recreate | Remove):
        await admin.stop_link(step.link)
        await until(admin, lambda status: state(status, step.link) == "dead")
        await asyncio.sleep(0.3)  # long enough for messages to look for another route
    if isinstance(step, Recreate):
        await admin.start_link(step.link)
        await until(admin, lambda status: state(status, step.link) == "online")
    if isinstance(step, Add):
        await admin.add_link(step.link)
        await until(admin, lambda status: state(status, step.link) in ("online", "re-connecting"))
    if isinstance(step, Remove):
        await admin.remove_link(step.link)
        await until(admin, lambda status: not state(status, step.link))


async def until(admin: Admin, holds: Callable[[GatewayStatus], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not holds(await admin.status()):
            await asyncio.sleep(0.02)


def state(status: GatewayStatus, name: str) -> str:
    return next((one.state for one in status.links if one.admin_id == name), "")


async def links(admin: Admin) -> tuple[LinkSeen, ...]:
    return tuple(LinkSeen(one.admin_id, one.state) for one in (await admin.status()).links)
