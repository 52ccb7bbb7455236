"""The gateway: a real bearerbox and smsbox from kannelkit's own kannel.conf, alone or with the supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from kannelkit.demo.ending import to_the_end
from kannelkit.demo.ports import LOOPBACK, free_ports
from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.files import make_folder, write_whole
from kannelkit.host.secrets import keep
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec, load
from kannelkit.supervise.boxes import Box
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor

ACCOUNT = "demo"
USER = "demo"
BUSY = "is this machine busy with something else? try again when it is quiet"

_ONLINE_SECONDS = 30.0
_LOOK_EVERY = 0.1

# sms-resend-freq 1, in both halves: what is refused at the start comes back before the measured span, where with
# kannelkit's usual 5 it sometimes pushes one burst into the one before it; and the drain at the end is short
_SPEC = """\
state-dir: state
core:
  admin-port: {admin_port}
  smsbox-port: {smsbox_port}
  sms-resend-freq: 1
smsbox:
  sendsms-port: {sendsms_port}
sendsms-user:
  - username: {user}
smsc:
  - smsc-id: {account}
    host: {host}
    port: {port}
    smsc-username: {login}
    smsc-password: {password}
    throughput: {throughput}
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs. `check` raises GatewayError where it has ended."""

    spec: Spec
    admin: Admin
    check: Callable[[], None]

    @property
    def sendsms(self) -> tuple[int, str, str]:
        """Return smsbox's port, and the user and the password for it."""
        return self.spec.sendsms_port, USER, self.spec.sendsms_users[0].get("password") or ""


def make_spec(folder: Path, port: int, login: str, password: str, throughput: int) -> Spec:
    """Return a spec, written into `folder`, of one account with one bind at an SMSC of this machine; ports are free
    ones and passwords new ones.
    """
    make_folder(folder, 0o700)
    admin_port, smsbox_port, sendsms_port = free_ports(3)
    text = _SPEC.format(
        admin_port=admin_port,
        smsbox_port=smsbox_port,
        sendsms_port=sendsms_port,
        user=USER,
        account=ACCOUNT,
        host=LOOPBACK,
        port=port,
        login=login,
        password=password,
        throughput=throughput,
    )
    write_whole(folder / "gateway.yaml", text, 0o600)
    spec = load(folder / "gateway.yaml", {})
    return spec.with_made(keep(spec.state_dir, spec.to_make()))


@asynccontextmanager
async def alone(spec: Spec) -> AsyncIterator[Gateway]:
    """Run the spec's boxes and nothing beside them. Raises GatewayError or HostError where they do not start."""
    for folder in spec.folders():
        make_folder(folder)
    conf = spec.files.kannel_conf
    write_whole(conf, kannel_conf(spec), 0o640)
    boxes: list[Box] = []

    def check() -> None:
        for box in boxes:
            if not box.running:
                raise GatewayError(f"{box.name} {box.exit_text()}{box.last_words()}")

    def start(name: str) -> None:
        box = Box(name, conf, spec.state_dir / f"{name}.out", lambda name, process: None)
        boxes.append(box)
        box.start(asyncio.get_running_loop().time())

    async def stop() -> None:
        for box in reversed(boxes):
            await box.stop()

    async with aiohttp.ClientSession() as session:
        gateway = Gateway(spec, Admin(session, spec.admin_port, spec.admin_password), check)
        try:
            start("bearerbox")
            await _until(gateway, lambda status: True)
            start("smsbox")  # it tries to reach bearerbox once and then gives up
            await _until(gateway, online)
            yield gateway
        finally:
            await to_the_end(stop())


@asynccontextmanager
async def supervised(spec: Spec, listener: Callable[[Event], None]) -> AsyncIterator[Gateway]:
    """Run the spec as `kannelkit up` does; `listener` is given every event. Raises GatewayError or HostError."""
    async with aiohttp.ClientSession() as session:
        supervisor = Supervisor(spec, listener, {})
        running = asyncio.create_task(supervisor.run())

        def check() -> None:
            if running.done():
                running.result()
                raise GatewayError("the supervisor ended")

        async def stop() -> None:
            supervisor.stop()
            await running

        gateway = Gateway(spec, Admin(session, spec.admin_port, spec.admin_password), check)
        try:
            await _until(gateway, online)
            yield gateway
        finally:
            await to_the_end(stop())


def online(status: GatewayStatus) -> bool:
    """Return whether the account's link is bound and smsbox is connected."""
    bound = any(link.online for link in status.links_of(f"{ACCOUNT}-1"))
    return bound and any(box.type == "smsbox" for box in status.boxes)


async def _until(gateway: Gateway, wanted: Callable[[GatewayStatus], bool]) -> None:
    clock = asyncio.get_running_loop().time
    deadline = clock() + _ONLINE_SECONDS
    while True:
        gateway.check()
        try:
            if wanted(await gateway.admin.status()):
                return
        except GatewayError:
            if clock() >= deadline:
                raise
        if clock() >= deadline:
            raise GatewayError(f"Kannel did not bind to the simulator within {_ONLINE_SECONDS:.0f} s", BUSY)
        await asyncio.sleep(_LOOK_EVERY)
